"""The camera's half of RTSP 1.0 (RFC 2326) as pure functions: bytes to requests, requests to replies. No sockets here."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Request", "authorised", "challenge", "parse", "reply", "sdp", "stream_path", "wanted_channels", "wanted_ports"]

_MOST_HEAD_BYTES = 16_384
REALM = "IP Camera"
REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid In This State",
    461: "Unsupported Transport",
}
METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "SET_PARAMETER", "TEARDOWN")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case. `method` is empty if the first line made no sense."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


def parse(buffer: bytearray) -> Request | None:
    """Take one complete request off the front of `buffer`, skipping interleaved frames; None until more bytes come.

    Raises ValueError if what stands there can become no request any more.
    """
    while buffer[:1] == b"$":  # the client's RTCP receiver reports
        if len(buffer) < 4 or len(buffer) < 4 + (size := int.from_bytes(buffer[2:4])):
            return None
        del buffer[: 4 + size]
    end = buffer.find(b"\r\n\r\n")
    if end < 0 or end > _MOST_HEAD_BYTES:
        if len(buffer) > _MOST_HEAD_BYTES:
            raise ValueError(f"expected a request head of at most {_MOST_HEAD_BYTES} bytes")
        return None
    lines = buffer[:end].decode("utf-8", "replace").lstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, colon, value in (line.partition(":") for line in lines[1:]) if colon}
    length = headers.get("content-length", "0")
    body = int(length) if length.isdigit() else 0
    if body > _MOST_HEAD_BYTES:
        raise ValueError(f"expected a request body of at most {_MOST_HEAD_BYTES} bytes, got {body}")
    if len(buffer) < end + 4 + body:
        return None
    del buffer[: end + 4 + body]
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/1."):
        return Request("", "", headers)
    return Request(words[0], words[1], headers)


def reply(request: Request, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = [f"RTSP/1.0 {code} {REASONS[code]}", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def stream_path(url: str) -> tuple[str, str]:
    """Camera and stream of `rtsp://host/<camera>/<stream>[/trackID=1]`; empty texts if the path is none of ours."""
    try:
        parts = [part for part in urlsplit(url).path.split("/") if part]
    except ValueError:  # brackets where no IPv6 address is
        return "", ""
    if len(parts) == 3 and parts[2] == "trackID=1":
        parts.pop()
    if len(parts) != 2 or parts[1] not in ("sub", "main"):
        return "", ""
    return parts[0], parts[1]


def sdp(parameter_sets: tuple[bytes, bytes] | None, fps: float, control: str = "trackID=1") -> bytes:
    """RFC 4566 with RFC 6184 §8.2 parameters, laid out as cameras do; `control` is where SETUP is to be sent."""
    parameters = "packetization-mode=1"
    if parameter_sets is not None:
        sps, pps = parameter_sets
        sets = f"{base64.b64encode(sps).decode()},{base64.b64encode(pps).decode()}"
        parameters += f";profile-level-id={sps[1:4].hex().upper()};sprop-parameter-sets={sets}"
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=Media Presentation",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        f"a=fmtp:96 {parameters}",
        f"a=framerate:{fps:g}",
        f"a=control:{control}",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def wanted_channels(transport: str) -> tuple[int, int] | None:
    """The interleaved channels a SETUP asks for; None if it offers no RTP over TCP."""
    for offer in transport.split(","):
        if not offer.strip().upper().startswith("RTP/AVP/TCP"):
            continue
        found = re.search(r"interleaved=(\d{1,3})-(\d{1,3})", offer)
        rtp, rtcp = (int(found[1]), int(found[2])) if found else (0, 1)
        if max(rtp, rtcp) <= 255:
            return rtp, rtcp
    return None


def wanted_ports(transport: str) -> tuple[int, int] | None:
    """The client's ports of RTP and RTCP in a SETUP that asks for unicast UDP; None if it does not."""
    found = re.search(r"client_port=(\d{1,5})-(\d{1,5})", transport)
    if found is None or "unicast" not in transport or not 0 < int(found[1]) < int(found[2]) <= 65535:
        return None
    return int(found[1]), int(found[2])


def challenge(nonce: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Digest realm="{REALM}", nonce="{nonce}", algorithm="MD5"'}


def authorised(request: Request, nonce: str, user: str, password: str) -> bool:
    """Whether the request proves the password by Digest (RFC 2617 without qop, what cameras ask for)."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "digest":
        return False
    given = {name.lower(): value for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
    if given.get("username") != user or given.get("nonce") != nonce or given.get("realm") != REALM:
        return False
    secret = _md5(f"{user}:{REALM}:{password}")
    asked = _md5(f"{request.method}:{given.get('uri', '')}")
    expected = _md5(f"{secret}:{nonce}:{asked}")
    return hmac.compare_digest(expected.encode(), given.get("response", "").lower().encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
