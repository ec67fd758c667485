"""Taking cameras over from a table and writing them into one, over HTTP."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from base import ConfigError
from camera_config.change_cameras import Change
from camera_config.import_cameras import CameraImport, Outcome, export_cameras, import_cameras
from camera_config.site import Site
from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy
from dashboard.registry_schemas import ImportOut
from dashboard.routes.registry_answers import CONFLICT, answered
from dashboard.sessions import actor_of
from storage import VersionKind

router = APIRouter(tags=["registry"])

TableForm = Literal["csv", "xlsx", "geojson"]
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
}
_AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {each: {} for each in _TYPES.values()}}
}  # Any: as FastAPI declares it
_TABLE: dict[str, Any] = {  # Any: as FastAPI declares it
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/api/v1/registry/import", openapi_extra=_TABLE, responses=CONFLICT)
async def import_table(
    request: Request,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.CHANGE_REGISTRY)],
    form: Annotated[TableForm, Query(alias="format")],
    dry_run: bool = True,
    digest: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{64}$", description="`site_digest` of the dry run; needed for a real one")
    ] = None,
) -> ImportOut:
    """Add and change cameras from a table; rows that are wrong are named and left out. A dry run only says what would happen."""
    content = await request.body()
    async with answered(parts):
        if dry_run:
            standing = await asyncio.to_thread(parts.registry.standing)
            imported = await asyncio.to_thread(_read, standing.site, content, form)
            return ImportOut.of(imported, standing.digest, None, dry_run)
        if digest is None:
            raise ConfigError("digest: missing; expected the site_digest of the dry run")
        read: list[CameraImport] = []

        def make(site: Site) -> Change:
            read.append(_read(site, content, form))
            return Change(read[0].cameras, site.rules, site.masks)

        changed = await parts.registry.change(actor_of(principal), VersionKind.IMPORT, make, seen_site=digest)
        moved = read[0].count(Outcome.ADDED) + read[0].count(Outcome.CHANGED)
        return await asyncio.to_thread(ImportOut.of, read[0], changed.standing.digest, changed if moved else None, dry_run)


@router.get(
    "/api/v1/registry/export", response_class=Response, responses={200: {"content": {each: {} for each in _TYPES.values()}}}
)
def export_table(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_REGISTRY)],
    form: Annotated[TableForm, Query(alias="format")] = "csv",
) -> Response:
    """All cameras as a table that `import` reads back without a change. It is in the audit."""
    standing = parts.registry.standing()
    with _scratch(form) as path:
        export_cameras(standing.site.cameras, path)
        content = path.read_bytes()
    parts.store.audit(actor_of(principal), "export_cameras", "registry", f"{form}, {len(standing.site.cameras)} cameras")
    disposition = f'attachment; filename="cameras.{form}"'
    return Response(content, media_type=_TYPES[form], headers={"Content-Disposition": disposition})


def _read(site: Site, content: bytes, form: TableForm) -> CameraImport:
    with _scratch(form) as path:
        path.write_bytes(content)
        try:
            return import_cameras(site, path)
        except ConfigError as error:
            raise ConfigError(str(error).replace(f"{path.parent}/", "")) from None


@contextmanager
def _scratch(form: TableForm) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / f"cameras.{form}"
