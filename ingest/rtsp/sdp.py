"""Session descriptions (RFC 8866) as cameras write them: what is needed to choose and set up the video track.

Which camera writes what: docs/ref/rtsp-quirks.md.
"""

import base64
import re
from dataclasses import dataclass, field

from base.errors import ProtocolError

__all__ = ["SessionDescription", "Track", "parse_sdp"]

MAX_TRACKS = 32
MAX_LINES = 500  # the longest real description seen has 60
MAX_FORMATS = 16  # payload types looked at of one track
_KNOWN = ("H264", "H265")
_SETS = ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_GLUED = re.compile(r"(a=(?:sendonly|recvonly|sendrecv|inactive))(m=.*)")
_START_CODE = re.compile(rb"\x00{2,}\x01")


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
        """NAL units of sprop-parameter-sets (RFC 6184) or sprop-vps/-sps/-pps (RFC 7798).

        Of each its leading base64 counts, padded or not, with or without start codes. Nothing says that they are readable.
        """
        texts = [text for name in _SETS for text in self.parameters.get(name, "").split(",")]
        found = [match[0] for text in texts if (match := _BASE64.search(text))]
        whole = [text[: len(text) - (len(text) % 4 == 1)] for text in found]  # a lone character holds no byte
        decoded = [base64.b64decode(text + "=" * (-len(text) % 4)) for text in whole]
        return [nal for nals in decoded for nal in _START_CODE.split(nals) if nal]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    control: str
    tracks: tuple[Track, ...]

    def video(self) -> Track | None:
        """The first video track that names an encoding we know by name, else the first video track."""
        videos = [track for track in self.tracks if track.kind == "video"]
        return next((track for track in videos if track.encoding in _KNOWN), videos[0] if videos else None)


def parse_sdp(body: bytes) -> SessionDescription:
    """Read `body`; raises ProtocolError if it is no session description. Odd lines are skipped, as cameras have many."""
    sections: list[list[str]] = [[]]
    lines = _lines(body)
    if len(lines) > MAX_LINES:
        raise ProtocolError(f"a session description of {len(lines)} lines; expected at most {MAX_LINES}")
    for line in lines:
        if line.startswith("m="):
            sections.append([])
            if len(sections) > MAX_TRACKS + 1:
                raise ProtocolError(f"a session description of more than {MAX_TRACKS} tracks")
        sections[-1].append(line)
    if len(sections) == 1 and not any(line.startswith("v=") for line in sections[0][:3]):
        raise ProtocolError(f"expected a session description (v=0), got {body[:40]!r}")
    formats: dict[str, dict[str, str]] = {}
    for section in sections:
        _read_formats(section, formats)
    tracks = tuple(track for section in sections[1:] if (track := _track(section, formats)) is not None)
    return SessionDescription(_first(_attributes(sections[0], "control")), tracks)


def _lines(body: bytes) -> list[str]:
    lines: list[str] = []
    for line in _LINE_END.split(body.decode("utf-8", "replace")):
        glued = _GLUED.fullmatch(line.strip())
        lines += glued.groups() if glued else (line.strip(),)
    return lines


def _track(section: list[str], elsewhere: dict[str, dict[str, str]]) -> Track | None:
    """The track of one `m=` section, or None if it is not RTP with a numbered payload type.

    Of several payload types the first whose encoding we know. `elsewhere` is the fmtp of all sections: some cameras write it to
    another track. Some write it under another number.
    """
    kind, _, profile, *formats = [*section[0][2:].split(), "", "", ""]
    numbers = [number for number in dict.fromkeys(formats) if _is_number(number, 127)][:MAX_FORMATS]
    if not numbers or not profile.upper().startswith("RTP/"):
        return None
    own = _read_formats(section, {})
    misnumbered = {name: text for found in own.values() for name, text in found.items()} if len(numbers) == 1 else {}
    offers = []
    for number in numbers:
        parameters = own.get(number) or elsewhere.get(number) or misnumbered
        name, _, rate = _first(_values("rtpmap", number, section)).partition("/")
        rate = rate.partition("/")[0].strip()
        clock_hz = int(rate) if _is_number(rate, 10_000_000) and int(rate) else 90_000
        encoding = _encoding(name.strip().upper(), parameters) + (" encrypted by SRTP" if "SAVP" in profile.upper() else "")
        control = _first(_attributes(section, "control"))
        offers.append(Track(kind.lower(), int(number), encoding, clock_hz, control, parameters))
    return next((offer for offer in offers if offer.encoding in _KNOWN), offers[0])


def _read_formats(section: list[str], formats: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Add the names and values of each payload type's fmtp in `section` to `formats`, which is given back. The first counts."""
    for line in _attributes(section, "fmtp"):
        number, _, value = line.partition(" ")
        parameters = formats.setdefault(number, {})
        for part in value.split(";"):
            name, equals, text = part.partition("=")
            if equals:
                parameters.setdefault(name.strip().lower(), text.strip())
    return formats


def _encoding(name: str, parameters: dict[str, str]) -> str:
    """What the track carries: its parameters know better than a missing or wrong name."""
    if parameters.keys() & {"sprop-vps", "sprop-sps", "sprop-pps"}:
        return name or "H265"
    h264 = parameters.keys() & {"packetization-mode", "profile-level-id", "sprop-parameter-sets"}
    return "H264" if (h264 and not name) or (len(h264) >= 2 and name == "H265") else name


def _values(name: str, number: str, section: list[str]) -> list[str]:
    """What the lines `a=name:number value` say."""
    pairs = [value.partition(" ") for value in _attributes(section, name)]
    return [value.strip() for key, _, value in pairs if key == number]


def _attributes(section: list[str], name: str) -> list[str]:
    """The values of all lines `a=name:value`."""
    pairs = [line.partition(":") for line in section]
    return [value.strip() for key, _, value in pairs if key.strip().lower() == f"a={name}"]


def _first(values: list[str]) -> str:
    return next((value for value in values if value), "")


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most
