"""What a camera's encoder is set to, by ONVIF, and making its stream analysable: key frames every two seconds."""

import asyncio
import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path

from base import ConfigError, SourceError
from camera_config.site import Camera, Site
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError, TooManyError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.registry_schemas import EncoderChangedOut, EncoderOut
from dashboard.schemas import ID
from dashboard.sessions import actor_of
from ingest.onvif import Device, Login, OnvifError, Profile, discover
from ingest.onvif.device import WANTED_GOP_S

__all__ = ["router"]

router = APIRouter(tags=["registry"])

EntryId = Annotated[str, Path(pattern=ID)]

FIND_S = 1.0
"""How long the device is waited for that says at which port it speaks ONVIF; one that says nothing is asked at port 80."""

_asking = asyncio.Semaphore(4)
"""Devices asked at a time: each holds a thread for some seconds."""


@router.get("/api/v1/registry/cameras/{entry}/encoder")
async def read_encoder(entry: EntryId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> EncoderOut:
    """What the encoder of the analysed stream is set to, by the device itself; takes seconds."""
    told = await _ask(parts, entry, change=False)
    return told.after


@router.post("/api/v1/registry/cameras/{entry}/encoder")
async def make_analysable(
    entry: EntryId, parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_REGISTRY)]
) -> EncoderChangedOut:
    """Have the device send a key frame every two seconds, everything else as it was; what it took is read back."""
    told = await _ask(parts, entry, change=True)
    what = f"key frames every {told.before.gop_s:g} s -> {told.after.gop_s:g} s"
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "make_analysable", f"camera/{entry}", what)
    return told


async def _ask(parts: Dashboard, camera: str, change: bool) -> EncoderChangedOut:
    standing = await asyncio.to_thread(parts.registry.standing)
    found = standing.site.camera_by_id.get(camera)
    if found is None:
        raise NotFoundError("There is no such camera.")
    host = _vetted(standing.site, found)
    if _asking.locked():
        raise TooManyError("Other devices are being asked; ask again in a few seconds.", 5.0)
    async with _asking:
        try:
            return await asyncio.to_thread(_told, parts, standing.site, found, host, change)
        except OnvifError as error:
            raise SourceError(f"Camera {camera} did not answer by ONVIF: {error}") from None


def _vetted(site: Site, camera: Camera) -> str:
    """The address of a camera, inside of the networks that may be asked; raises ConfigError."""
    if not site.camera_networks:
        raise ConfigError("camera_networks: missing in site.toml; name the networks of the cameras, such as ['10.20.0.0/16']")
    host = urlsplit(camera.url_sub).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ConfigError(f"url_sub: expected an address in camera_networks, got the name {host[:60]!r}") from None
    if not any(address in network for network in site.camera_networks):
        raise ConfigError(f"url_sub: {address} is not in camera_networks; only these are ever asked")
    return str(address)


def _told(parts: Dashboard, site: Site, camera: Camera, host: str, change: bool) -> EncoderChangedOut:
    """Ask the device, and have it changed if that is wanted. Blocks. Raises OnvifError."""
    status = parts.fleet.statuses().get(camera.id)
    measured_s = status.gop_s if status is not None and status.gop_s else None
    known = site.credential_by_name.get(camera.credential)
    login = None if known is None else Login(known.user, known.password)
    port, path = _service(parts, site, host)
    with Device(host, login, parts.clock, port, path) as device:
        about, profile = device.information(), _analysed(device, camera)
        if not change:
            now = EncoderOut.of(about, profile.encoder, measured_s, WANTED_GOP_S)
            return EncoderChangedOut(before=now, after=now)
        made = device.make_analysable(profile)
        before = EncoderOut.of(about, made.before, measured_s, WANTED_GOP_S)
        return EncoderChangedOut(before=before, after=EncoderOut.of(about, made.after, None, WANTED_GOP_S))


def _service(parts: Dashboard, site: Site, host: str) -> tuple[int, str]:
    """Port and path of the device's service, as it says itself; else those of the standard."""
    if ":" in host:  # WS-Discovery of IPv6 has no unicast probe
        return 80, "/onvif/device_service"
    target = ("", parts.settings.discovery_port)
    found = discover(site.camera_networks, parts.clock, hosts=[host], seconds=FIND_S, target=target)
    return (found[0].port, found[0].path) if found else (80, "/onvif/device_service")


def _analysed(device: Device, camera: Camera) -> Profile:
    """The profile whose stream is the one that is analysed, by its path; else that with the smallest picture."""
    profiles = device.profiles()
    if not profiles:
        raise OnvifError("it has no profile with video")
    wanted = urlsplit(camera.url_sub).path
    return next((each for each in profiles if urlsplit(device.stream_url(each)).path == wanted), profiles[-1])
