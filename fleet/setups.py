"""What a worker has to know of one camera, and which cameras of a site it concerns when the site changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from camera_config import Camera, MaskKind, Outline, Rule, Site
from ingest import Feed
from ingest.onvif import AskedCamera, Login

__all__ = ["CameraSetup", "changes_of", "gone", "setups_of"]


@dataclass(frozen=True, slots=True)
class CameraSetup:
    """One camera of a worker: the stream that is analysed, the main one if there is one, its rules, what is ignored in it,
    and where its own motion events are asked for, if they are.

    Plain values, so that it crosses to a worker's process. `feed` is None for a camera that is not watched any more.
    """

    camera: str
    feed: Feed | None
    main: Feed | None = None
    rules: tuple[Rule, ...] = ()
    ignored: tuple[Outline, ...] = ()
    notices: AskedCamera | None = None


def gone(camera: str) -> CameraSetup:
    """A camera that is not watched any more."""
    return CameraSetup(camera, None)


def setups_of(site: Site) -> dict[str, CameraSetup]:
    """Every camera that is switched on, in the order of the site."""
    rules: dict[str, list[Rule]] = {camera.id: [] for camera in site.cameras}
    for rule in site.rules:
        rules[rule.camera].append(rule)
    return {
        camera.id: CameraSetup(
            camera.id,
            _feed(site, camera, camera.url_sub),
            _feed(site, camera, camera.url_main) if camera.url_main else None,
            tuple(rules[camera.id]),
            site.masks_of(camera.id, MaskKind.IGNORE),
            _asked(site, camera) if camera.own_motion else None,
        )
        for camera in site.cameras
        if camera.enabled
    }


def changes_of(before: Mapping[str, CameraSetup], after: Mapping[str, CameraSetup]) -> list[CameraSetup]:
    """What workers have to change to come from one to the other; a camera's place, say, is not in it: no worker knows it."""
    removed = [gone(camera) for camera in before if camera not in after]
    return removed + [setup for camera, setup in after.items() if before.get(camera) != setup]


def _asked(site: Site, camera: Camera) -> AskedCamera:
    login = site.credential_by_name.get(camera.credential)
    return AskedCamera(camera.id, urlsplit(camera.url_sub).hostname or "", Login(login.user, login.password) if login else None)


def _feed(site: Site, camera: Camera, url: str) -> Feed:
    login = site.credential_by_name.get(camera.credential)
    user, password = (login.user, login.password) if login else ("", "")
    masks = site.masks_of(camera.id, MaskKind.PRIVACY)
    return Feed(camera.id, url, user, password, camera.transport, camera.certificate_sha256, masks)
