"""Session descriptions (RFC 8866) as cameras write them: what is needed to choose and set up the video track."""

import base64
import binascii
from dataclasses import dataclass, field

from base.errors import ProtocolError

__all__ = ["SessionDescription", "Track", "parse_sdp"]

MAX_TRACKS = 32


@dataclass(frozen=True, slots=True)
class Track:
    """One `m=` section. `encoding` is in upper case ("H264"), empty if the description gives none."""

    kind: str
    payload_type: int
    encoding: str = ""
    clock_hz: int = 90_000
    control: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def parameter_sets(self) -> list[bytes]:
        """NAL units of sprop-parameter-sets (RFC 6184) or sprop-vps/-sps/-pps (RFC 7798); what is no base64 is left out."""
        names = ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps")
        texts = [text for name in names for text in self.parameters.get(name, "").split(",") if text]
        nals = []
        for text in texts:
            try:
                nals.append(base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True))
            except (binascii.Error, ValueError):  # in-band sets will do
                continue
        return [nal for nal in nals if nal]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    control: str
    tracks: tuple[Track, ...]

    def video(self) -> Track | None:
        """The first video track that names an encoding we know by name, else the first video track."""
        videos = [track for track in self.tracks if track.kind == "video"]
        return next((track for track in videos if track.encoding in ("H264", "H265")), videos[0] if videos else None)


def parse_sdp(body: bytes) -> SessionDescription:
    """Read `body`; raises ProtocolError if it is no session description. Odd lines are skipped, as cameras have many."""
    lines = [line.strip() for line in body.decode("utf-8", "replace").splitlines()]
    if not any(line.startswith("v=") for line in lines[:3]):
        raise ProtocolError(f"expected a session description (v=0), got {body[:40]!r}")
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
            if len(sections) > MAX_TRACKS + 1:
                raise ProtocolError(f"a session description of more than {MAX_TRACKS} tracks")
        sections[-1].append(line)
    tracks = tuple(track for section in sections[1:] if (track := _track(section)) is not None)
    return SessionDescription(_attribute(sections[0], "control"), tracks)


def _track(section: list[str]) -> Track | None:
    """The track of one `m=` section, or None if it is not RTP with a numbered payload type."""
    words = section[0][2:].split()
    if len(words) < 4 or not words[2].upper().startswith("RTP/") or not _is_number(words[3], 127):
        return None
    number = words[3]
    encoding, clock_hz = "", 90_000
    if rtpmap := _attribute(section, f"rtpmap:{number} ", separator=""):
        name, _, rate = rtpmap.partition("/")
        rate = rate.partition("/")[0]
        encoding, clock_hz = name.strip().upper(), int(rate) if _is_number(rate, 10_000_000) and int(rate) else 90_000
    parameters: dict[str, str] = {}
    for part in _attribute(section, f"fmtp:{number} ", separator="").split(";"):
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip()
    return Track(words[0], int(number), encoding, clock_hz, _attribute(section, "control"), parameters)


def _attribute(section: list[str], name: str, separator: str = ":") -> str:
    """The value of the first `a=name:value` line, or an empty text."""
    prefix = f"a={name}{separator}"
    return next((line[len(prefix) :].strip() for line in section if line.startswith(prefix)), "")


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most
