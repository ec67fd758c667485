"""What the encoders of cameras are set to, by ONVIF, and making a stream analysable: key frames every two seconds."""

import ipaddress
from urllib.parse import urlsplit

from base import Clock, ConfigError, SourceError
from camera_config import Camera, Site
from dashboard import EncoderState
from ingest.onvif import Device, DeviceInformation, Encoder, Login, OnvifError, Profile, find_service
from ingest.onvif.device import WANTED_GOP_S
from ingest.onvif.discovery import PORT

__all__ = ["OnvifEncoders"]


class OnvifEncoders:
    """Asks cameras themselves, only those with an address in the site's camera networks. Any thread; blocks for seconds."""

    def __init__(self, clock: Clock, discovery_port: int = PORT) -> None:
        self._clock, self._discovery_port = clock, discovery_port

    def ask(self, site: Site, camera: Camera, change: bool) -> tuple[EncoderState, EncoderState]:
        """How the encoder of the analysed stream is set, and how it is after `change` has made it analysable.

        Raises ConfigError for a camera that may not be asked, SourceError with the device's own reason.
        """
        host = _vetted(site, camera)
        known = site.credential_by_name.get(camera.credential)
        login = None if known is None else Login(known.user, known.password)
        try:
            port, path = find_service(host, site.camera_networks, self._clock, self._discovery_port)
            with Device(host, login, self._clock, port, path) as device:
                about, profile = device.information(), _analysed(device, camera)
                if not change:
                    return _state(about, profile.encoder), _state(about, profile.encoder)
                made = device.make_analysable(profile)
                return _state(about, made.before), _state(about, made.after)
        except OnvifError as error:
            raise SourceError(f"Camera {camera.id} did not answer by ONVIF: {error}") from None


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


def _analysed(device: Device, camera: Camera) -> Profile:
    """The profile whose stream is the one that is analysed, by its path; else that with the smallest picture."""
    profiles = device.profiles()
    if not profiles:
        raise OnvifError("it has no profile with video")
    wanted = urlsplit(camera.url_sub).path
    return next((each for each in profiles if urlsplit(device.stream_url(each)).path == wanted), profiles[-1])


def _state(about: DeviceInformation, encoder: Encoder) -> EncoderState:
    return EncoderState(
        maker=about.manufacturer,
        model=about.model,
        codec=encoder.codec,
        width_px=encoder.width_px,
        height_px=encoder.height_px,
        frames_per_s=encoder.frames_per_s,
        gop_s=encoder.gop_s,
        kbit_per_s=encoder.kbit_per_s,
        is_short=0 < encoder.gop_s <= WANTED_GOP_S * 1.5,
    )
