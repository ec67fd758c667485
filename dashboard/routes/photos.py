"""Photos that go with an arrival or a report: sent by the phone, seen by the control room."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime
from starlette.exceptions import HTTPException
from starlette.responses import Response

from base import ConfigError
from dashboard.announce import announce_incident
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.photo import clean
from dashboard.photo_schemas import PhotoList, PhotoOut
from dashboard.policy import Parts, policy
from dashboard.routes.incidents import IncidentId
from dashboard.schemas import UUID
from dashboard.sessions import actor_of
from patrol import CommandError, Incident
from storage import NewPhoto, Store

router = APIRouter(tags=["photos"])

PhotoId = Annotated[str, Path(pattern=UUID)]
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
_PICTURE: dict[str, Any] = {  # Any: as FastAPI declares it
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES},
    }
}


def _open_incident_of(store: Store, photo: str) -> Incident | None:
    """Once it is closed a team has no reason to look at its pictures."""
    found = store.photos.photo(photo)
    incident = None if found is None else store.incident(found.incident)
    return incident if incident is not None and incident.is_open else None


@router.get("/api/v1/incidents/{incident}/photos")
def read_photos(incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]) -> PhotoList:
    """The photos of an incident, in the order in which they came."""
    return PhotoList(items=[PhotoOut.of(photo) for photo in parts.store.photos.of_incident(incident)])


@router.post("/api/v1/incidents/{incident}/photos", status_code=201, openapi_extra=_PICTURE)
async def add_photo(
    incident: IncidentId,
    request: Request,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.ADD_PHOTO)],
    photo: Annotated[str, Query(alias="id", pattern=UUID, description="made by the client; the same again changes nothing")],
    command: Annotated[str, Query(pattern=UUID, description="of the arrival or report that it goes with, sent before")],
    at: Annotated[AwareDatetime | None, Query(description="when it was taken, if that was earlier (offline phone)")] = None,
) -> PhotoOut:
    """Keep a photo, turned upright, made smaller and without metadata. A report may have four, each of at most 4,000,000 bytes.

    409 if the incident has no such report or that has its four; 422 for what is no still picture, or not only one.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"Send a photo as {', '.join(MEDIA_TYPES)}.")
    done = await asyncio.to_thread(clean, await request.body(), media_type)
    new = NewPhoto(photo, incident, command, parts.done_s(at), done.jpeg, done.width_px, done.height_px)
    try:
        kept = await asyncio.to_thread(parts.store.photos.add, new, actor_of(principal))
    except CommandError as error:
        raise ConfigError(str(error)) from error
    changed = await asyncio.to_thread(parts.store.incident, incident)
    if changed is not None:
        announce_incident(parts.updates, changed)
    return PhotoOut.of(kept)


@router.get("/api/v1/photos/{photo}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def read_photo(
    photo: PhotoId,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_PHOTO, of=lambda store, path: _open_incident_of(store, path["photo"]))],
) -> Response:
    """A photo as JPEG; 404 once retention has deleted it."""
    jpeg = parts.store.photos.jpeg(photo)
    if jpeg is None:
        raise NotFoundError("This photo has been deleted.")
    return Response(jpeg, media_type="image/jpeg")
