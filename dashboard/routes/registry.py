"""The registry: cameras, their rules and masks, read and changed while Gridpatrol runs; versions of the site."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query

from base import ConfigError
from camera_config.change_cameras import Change, change_camera, change_cameras, remove_camera
from camera_config.site import MaskKind, Site
from camera_config.site_diff import site_differences
from camera_config.write import camera_values
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.registry import Changed, ConflictError, Make, Standing
from dashboard.registry_schemas import (
    BulkIn,
    CameraConfigOut,
    CameraListOut,
    ChangedOut,
    NewCameraIn,
    RegistryOut,
    ReplaceCameraIn,
    RestoreIn,
    VersionDetailOut,
    VersionListOut,
    VersionOut,
    columns_of,
)
from dashboard.routes.registry_answers import CONFLICT, answered
from dashboard.routes.registry_logins import logins_of
from dashboard.schemas import ID
from dashboard.sessions import actor_of
from storage import SiteVersion, VersionKind

router = APIRouter(tags=["registry"])

EntryId = Annotated[str, Path(pattern=ID, description="id of a camera; the folder may have some that do not run yet")]
Reading = Annotated[Principal, policy(Action.READ_REGISTRY)]
Changing = Annotated[Principal, policy(Action.CHANGE_REGISTRY)]


@router.get("/api/v1/registry")
async def read_registry(parts: Parts, principal: Reading) -> RegistryOut:
    """What there is to choose from: switches, logins by name, kinds of rules; and which version of the site this is."""
    standing = await asyncio.to_thread(parts.registry.standing)
    return RegistryOut.of(standing.site, standing.version.version, standing.digest, logins_of(standing.site))


@router.get("/api/v1/registry/cameras")
async def read_cameras(parts: Parts, principal: Reading) -> CameraListOut:
    """Every camera with its whole configuration but rules and masks, those that are switched off, too."""

    def read() -> CameraListOut:
        standing = parts.registry.standing()
        return CameraListOut.of(standing.site, standing.version.version, standing.digest)

    return await asyncio.to_thread(read)


@router.get("/api/v1/registry/cameras/{entry}")
async def read_camera(entry: EntryId, parts: Parts, principal: Reading) -> CameraConfigOut:
    """Everything configured for one camera."""
    standing = await asyncio.to_thread(parts.registry.standing)
    return CameraConfigOut.of(_site_with(standing, entry), entry)


@router.post("/api/v1/registry/cameras", status_code=201, responses=CONFLICT)
async def add_camera(body: NewCameraIn, parts: Parts, principal: Changing) -> ChangedOut:
    """Add a camera. 409 if there is one of its id."""

    def make(site: Site) -> Change:
        if body.camera.id in site.camera_by_id:
            raise ConflictError(body.camera.id, f"There is a camera {body.camera.id} already.")
        return change_cameras(site, [body.camera.values()])

    return await _change(parts, principal, VersionKind.CAMERA_ADDED, make, {}, [body.camera.id])


@router.post("/api/v1/registry/cameras/changes", responses=CONFLICT)
async def change_several(body: BulkIn, parts: Parts, principal: Changing) -> ChangedOut:
    """Give several cameras the same values, all of them or none."""
    wanted = columns_of(body.set.model_dump(exclude_unset=True))
    if not wanted:
        raise ConfigError("set: expected at least one value")

    def make(site: Site) -> Change:
        return change_cameras(site, [camera_values(site.camera_by_id[camera]) | wanted for camera in body.cameras])

    return await _change(parts, principal, VersionKind.CAMERAS_CHANGED, make, body.cameras, list(body.cameras))


@router.put("/api/v1/registry/cameras/{entry}", responses=CONFLICT)
async def replace_camera(entry: EntryId, body: ReplaceCameraIn, parts: Parts, principal: Changing) -> ChangedOut:
    """Give a camera another configuration, rules, masks, all of what is given or none of it; what is left out stays.

    Its id cannot be changed. Rules and masks that it shares with other cameras stay theirs.
    """
    if body.camera is not None and body.camera.id != entry:
        raise ConfigError("camera.id: the id of a camera cannot be changed; add a new one and delete this")
    values = None if body.camera is None else body.camera.values()
    rules = None if body.rules is None else [rule.values() for rule in body.rules]
    given = {MaskKind.PRIVACY: body.privacy, MaskKind.IGNORE: body.ignore}
    masks = {kind: outlines for kind, outlines in given.items() if outlines is not None}

    def make(site: Site) -> Change:
        return change_camera(site, entry, values, rules, masks)

    return await _change(parts, principal, body.what, make, {entry: body.digest}, [entry])


@router.delete("/api/v1/registry/cameras/{entry}", responses=CONFLICT)
async def delete_camera(
    entry: EntryId,
    parts: Parts,
    principal: Changing,
    digest: Annotated[str, Query(pattern=r"^[0-9a-f]{64}$", description="of the camera that was looked at")],
) -> ChangedOut:
    """Delete a camera with its rules and masks. What was recorded of it stays."""
    seen = {entry: digest}
    return await _change(parts, principal, VersionKind.CAMERA_REMOVED, lambda site: remove_camera(site, entry), seen, [])


@router.get("/api/v1/registry/versions")
def read_versions(
    parts: Parts,
    principal: Reading,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
) -> VersionListOut:
    """The versions of the site, newest first."""
    found = parts.store.site_versions.page(limit + 1, before)
    earlier = [*found[1:], None]
    items = [VersionOut.of(one, two) for one, two in zip(found, earlier, strict=False)][:limit]
    return VersionListOut(items=items, next=found[limit - 1].version if len(found) > limit else None)


@router.get("/api/v1/registry/versions/{version}")
def read_version(version: Annotated[int, Path(ge=1, le=2**31 - 1)], parts: Parts, principal: Reading) -> VersionDetailOut:
    """One version with what differs from the one before it, field by field."""
    versions = parts.store.site_versions
    found, before = _version(parts, version), versions.version(version - 1)
    differs = site_differences({} if before is None else versions.files(before), versions.files(found)) if before else []
    return VersionDetailOut.with_details(found, before, [(one.camera, one.field, one.before, one.after) for one in differs])


@router.post("/api/v1/registry/versions/{version}/restore", responses=CONFLICT)
async def restore_version(
    version: Annotated[int, Path(ge=1, le=2**31 - 1)], body: RestoreIn, parts: Parts, principal: Changing
) -> ChangedOut:
    """Make the site what it was in an earlier version. That is a new version; nothing is forgotten."""
    found = await asyncio.to_thread(_version, parts, version)
    async with answered(parts):
        return await _told(parts, await parts.registry.restore(actor_of(principal), found, body.digest), [])


async def _change(
    parts: Dashboard, principal: Principal, what: VersionKind, make: Make, seen: Mapping[str, str], about: Sequence[str]
) -> ChangedOut:
    async with answered(parts):
        return await _told(parts, await parts.registry.change(actor_of(principal), what, make, seen), about)


async def _told(parts: Dashboard, changed: Changed, about: Sequence[str]) -> ChangedOut:
    return await asyncio.to_thread(ChangedOut.of, changed, about)


def _site_with(standing: Standing, camera: str) -> Site:
    if camera not in standing.site.camera_by_id:
        raise NotFoundError("There is no such camera.")
    return standing.site


def _version(parts: Dashboard, version: int) -> SiteVersion:
    found = parts.store.site_versions.version(version)
    if found is None:
        raise NotFoundError("There is no such version.")
    return found
