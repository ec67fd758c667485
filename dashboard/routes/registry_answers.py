"""What goes wrong in a change of the registry, answered with all that is known of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from base import ConfigError
from camera_config.change_cameras import RefusedError
from camera_config.entry import SiteError
from dashboard.failures import DetailedError
from dashboard.policy import Dashboard
from dashboard.registry import ConflictError
from dashboard.registry_schemas import CameraConfigOut
from dashboard.schemas import Failure, iso

__all__ = ["CONFLICT", "answered"]

CONFLICT: dict[int | str, dict[str, Any]] = {  # Any: as FastAPI declares it
    409: {"model": Failure, "description": "somebody was faster; `current` is the camera as it is, with who changed it last"}
}


@asynccontextmanager
async def answered(parts: Dashboard) -> AsyncIterator[None]:
    """What goes wrong in a change is answered with all that is known of it."""
    try:
        yield
    except ConflictError as error:
        standing = await asyncio.to_thread(parts.registry.standing)
        known = error.camera in standing.site.camera_by_id
        current = CameraConfigOut.of(standing.site, error.camera).model_dump(mode="json") if known else None
        newest = standing.version
        told = {"current": current, "version": newest.version, "by": newest.by, "at": iso(newest.at_s)}
        raise DetailedError(str(error), 409, told) from None
    except RefusedError as error:
        problems = [
            {"file": each.file, "line": each.line, "camera": each.camera, "field": each.field, "reason": each.reason}
            for each in error.faults
        ]
        raise DetailedError(str(error), 422, {"problems": problems}) from None
    except SiteError as error:
        folder = f"{parts.registry.running.folder}/"
        found = [text.replace(folder, "") for text in error.problems]
        raise DetailedError("\n".join(found[:5]), 422, {"problems": [_problem(text) for text in found]}) from None
    except ConfigError as error:
        raise DetailedError(str(error), 422, {"problems": []}) from None


def _problem(text: str) -> dict[str, object]:
    """One line of a SiteError, `file:line: key: reason`, in its parts."""
    where, _, rest = text.partition(": ")
    file, _, line = where.rpartition(":")
    key, colon, reason = rest.partition(": ")
    told = {"field": key, "reason": reason} if colon else {"field": "", "reason": rest}
    return {"file": file or where, "line": int(line) if line.isdigit() else None, "camera": "", **told}
