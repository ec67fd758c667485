"""Clips: the video of an event, in ranges, as players ask for it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from base import Clip
from dashboard.authorize import Action, Principal
from dashboard.clip_schemas import ClipList, ClipOut
from dashboard.failures import NotFoundError
from dashboard.policy import Parts, policy
from dashboard.routes.incidents import of_event
from dashboard.schemas import UUID

router = APIRouter(tags=["clips"])

_Id = Annotated[str, Path(pattern=UUID)]
_ANSWERS: dict[int | str, dict[str, Any]] = {  # Any: as FastAPI declares it
    200: {"content": {"video/mp4": {}}},
    206: {"content": {"video/mp4": {}}, "description": "the range that was asked for"},
    304: {"description": "the file that the client has is the one"},
    416: {"description": "the range is not in the file"},
}


@router.get("/api/v1/incidents/{incident}/clips")
def read_clips(incident: _Id, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]) -> ClipList:
    """The clips of an incident's events, oldest first. One follows its event by some twelve to forty seconds."""
    found = parts.store.clips.of_incident(incident).values()
    return ClipList(items=[ClipOut.of(clip) for clip in sorted(found, key=lambda clip: (clip.began_s, clip.event))])


@router.get("/api/v1/events/{event}/clip", response_class=FileResponse, responses=_ANSWERS)
def read_event_clip(
    event: _Id,
    request: Request,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_EVENT_SNAPSHOT, of=lambda store, path: of_event(store, path["event"]))],
) -> Response:
    """The clip as MP4, whole or in ranges (RFC 9110 §14). Its ETag is the SHA-256 of the file."""
    clip = parts.store.clips.clip(event)
    if clip is None:
        raise NotFoundError("There is no clip of this event.")
    if not clip.file.is_file():
        raise NotFoundError("The file of this clip is not where it was put.")
    tag = f'"{clip.sha256}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    name = _name(clip)
    return FileResponse(
        clip.file, headers={"ETag": tag}, media_type="video/mp4", filename=name, content_disposition_type="inline"
    )


def _name(clip: Clip) -> str:
    """What a browser saves it as: camera and time of the first frame, UTC."""
    return f"{clip.camera} {datetime.fromtimestamp(clip.began_s, UTC):%Y-%m-%dT%H-%M-%SZ}.mp4"
