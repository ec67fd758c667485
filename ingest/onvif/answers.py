"""What ONVIF devices answer, as plain values. Every reader takes the element of the SOAP body and raises OnvifError."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from base import printable
from ingest.onvif.soap import OnvifError, child, children, text_of

__all__ = [
    "DeviceInformation",
    "Encoder",
    "MotionEvent",
    "Profile",
    "read_device_time",
    "read_encoder",
    "read_information",
    "read_motion",
    "read_probe_matches",
    "read_profiles",
    "read_services",
    "read_stream_uri",
    "read_subscription",
]

_MOST_PROFILES = 64
_MOST_TEXT = 200
_MOTION_TOPICS = ("Motion", "CellMotion", "MotionAlarm", "LineCross", "FieldDetector", "PeopleDetect", "VehicleDetect")
_TRUE = ("true", "1")


@dataclass(frozen=True, slots=True)
class DeviceInformation:
    """GetDeviceInformation."""

    manufacturer: str
    model: str
    firmware: str
    serial: str


@dataclass(frozen=True, slots=True)
class Encoder:
    """A video encoder's configuration. `gop_frames` is 0 where the device does not say."""

    token: str
    codec: str  # H264, H265, JPEG, MPEG4
    width_px: int
    height_px: int
    frames_per_s: float
    gop_frames: int
    kbit_per_s: int

    @property
    def gop_s(self) -> float:
        """Time between key frames, seconds; 0 where the device does not say."""
        return self.gop_frames / self.frames_per_s if self.frames_per_s else 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile that carries video."""

    token: str
    name: str
    encoder: Encoder


@dataclass(frozen=True, slots=True)
class MotionEvent:
    """A device's own notice of motion: it began or it ended. `device_s` is by its clock, UTC seconds."""

    topic: str
    active: bool
    device_s: float


def read_device_time(body: Element) -> float:
    """The device's clock, UTC seconds since 1970."""
    found = child(body, "SystemDateAndTime", "UTCDateTime")
    parts = [
        text_of(found, *path)
        for path in (
            ("Date", "Year"),
            ("Date", "Month"),
            ("Date", "Day"),
            ("Time", "Hour"),
            ("Time", "Minute"),
            ("Time", "Second"),
        )
    ]
    try:
        year, month, day, hour, minute, second = map(int, parts)
        if not 1970 <= year < 3000:  # a clock that goes on from there must still fit
            raise ValueError(year)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()  # a leap second is one early
    except (ValueError, OverflowError):
        raise OnvifError(f"expected the device's time in UTC, got {_shown(' '.join(parts))}") from None


def read_information(body: Element) -> DeviceInformation:
    """Maker, model, firmware and serial number, as the device has them."""
    return DeviceInformation(
        *(_shown(text_of(body, key)) for key in ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber"))
    )


def read_services(body: Element) -> dict[str, str]:
    """The address of each service by its namespace, from GetServices."""
    return {
        namespace: address
        for service in children(body, "Service")
        if (namespace := text_of(service, "Namespace")) and (address := text_of(service, "XAddr"))
    }


def read_profiles(body: Element) -> list[Profile]:
    """The profiles with a video encoder, in the device's order, from GetProfiles of either media service; at most 64."""
    found = []
    for one in children(body, "Profiles"):
        old = child(one, "VideoEncoderConfiguration")
        encoder = old if old is not None else child(one, "Configurations", "VideoEncoder")
        token = one.get("token", "")
        if encoder is not None and token:
            found.append(Profile(token, _shown(text_of(one, "Name")), read_encoder(encoder)))
    return found[:_MOST_PROFILES]


def read_encoder(encoder: Element) -> Encoder:
    """An encoder's configuration, of Media 1 (elements) or Media 2 (GovLength is an attribute)."""
    codec = text_of(encoder, "Encoding").upper()
    inner = child(encoder, codec)
    return Encoder(
        token=encoder.get("token", ""),
        codec=_shown(codec),
        width_px=int(_number(encoder, "Resolution", "Width")),
        height_px=int(_number(encoder, "Resolution", "Height")),
        frames_per_s=_number(encoder, "RateControl", "FrameRateLimit"),
        gop_frames=int(_as_number(encoder.get("GovLength", "") or text_of(inner, "GovLength"))),
        kbit_per_s=int(_number(encoder, "RateControl", "BitrateLimit")),
    )


def read_stream_uri(body: Element) -> str:
    """The RTSP address of a profile, as the device says it: its host is not to be trusted."""
    uri = text_of(body, "MediaUri", "Uri") or text_of(body, "Uri")
    try:
        parts = urlsplit(uri)
        scheme, _ = parts.scheme, parts.port  # a port that is no number raises
    except ValueError:
        scheme = ""
    if scheme not in ("rtsp", "rtsps"):
        raise OnvifError(f"expected the rtsp:// address of a stream, got {_shown(uri)!r}")
    return uri


def read_subscription(body: Element) -> str:
    """The address of a pull point."""
    address = text_of(body, "SubscriptionReference", "Address")
    if not address:
        raise OnvifError("expected the address of a pull point, got none")
    return address


def read_motion(body: Element) -> list[MotionEvent]:
    """The notices of motion among what was pulled; anything else a device may tell is passed over."""
    return [event for notice in children(body, "NotificationMessage") if (event := _motion(notice)) is not None]


def read_probe_matches(body: Element) -> Iterator[tuple[list[str], str]]:
    """The addresses and the scopes of each device of a ProbeMatches."""
    for match in children(body, "ProbeMatch"):
        yield text_of(match, "XAddrs").split(), text_of(match, "Scopes")


def _motion(notice: Element) -> MotionEvent | None:
    topic = text_of(notice, "Topic")
    told = child(notice, "Message", "Message")
    if told is None or not any(part in topic for part in _MOTION_TOPICS):
        return None
    for item in children(child(told, "Data"), "SimpleItem"):
        if item.get("Name") in ("IsMotion", "State", "IsInside", "State1"):
            return MotionEvent(_shown(topic), item.get("Value", "").strip().lower() in _TRUE, _utc_s(told.get("UtcTime", "")))
    # A crossed line has no state: it is told once.
    return MotionEvent(_shown(topic), True, _utc_s(told.get("UtcTime", ""))) if "LineCross" in topic else None


def _utc_s(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _number(element: Element, *path: str) -> float:
    return _as_number(text_of(element, *path))


def _as_number(text: str) -> float:
    """A number that is not negative; 0 for anything else."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 <= number < 1e9 else 0.0


def _shown(text: str) -> str:
    return printable(text)[:_MOST_TEXT]
