"""RTSP URLs: which host they name, how a track's control is resolved, and that nobody leads us to another host."""

import re
import urllib.parse
from dataclasses import dataclass

from base.errors import ConnectError, ProtocolError

__all__ = ["Address", "resolve_control"]

_URL = re.compile(
    r"(rtsps?|rtspu)://(?:[^/?#@]*@)?(\[[0-9A-Fa-f:.%]+\]|[^/?#:@\[\]\s]+)(?::(\d{1,5}))?(?:([/?].*))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a URL points to."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "Address":
        """The address in `url`; raises ConnectError if it is not an RTSP URL (the text shows neither credentials nor query)."""
        match = _URL.fullmatch(url)
        if match is None or int(match[3] or 554) > 65535:
            raise ConnectError(f"expected rtsp://host[:port]/path, got {url.partition('?')[0].rpartition('@')[2][:80]!r}")
        scheme = match[1].lower()
        return cls(scheme, match[2].strip("[]").lower(), int(match[3] or (322 if scheme == "rtsps" else 554)))

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def resolve_control(base: str, control: str, url: str, hosts: frozenset[str]) -> str:
    """The URL of a track: `control` seen from `base` (Content-Base, or the URL that was described).

    Appended, not resolved by RFC 3986, because that is what every camera expects (a Content-Base may end in a query). Raises
    ProtocolError if base or control lead to a host other than `hosts`: the connection is pinned to the vetted one.
    """
    base, control = _completed(base or url, url), _written_out(control)
    base = pinned(base if _URL.fullmatch(base) else url, url, hosts)  # some cameras garble their Content-Base
    if "://" in control:
        return pinned(control, url, hosts)
    if control in ("", "*"):
        return base
    if control.startswith("/"):
        return Address.parse(base).authority + control
    return f"{base}{'' if base.endswith('/') else '/'}{control}"


def pinned(target: str, url: str, hosts: frozenset[str]) -> str:
    """`target`, completed if a camera left out scheme or host; raises ProtocolError if its host is none of `hosts`."""
    target = _completed(target, url)
    try:
        host = Address.parse(target).host
    except ConnectError as error:
        raise ProtocolError(f"the camera names a URL that is none: {error}") from None
    if host not in hosts:
        raise ProtocolError(f"the camera leads to another host, {host}; only {Address.parse(url).host} was configured, refused")
    return target


def _completed(target: str, url: str) -> str:
    """`target` with the scheme and host of `url` if it has none."""
    target = _written_out(target)
    if "://" in target:
        return target
    return Address.parse(url).authority + target if target.startswith("/") else f"{url.partition('://')[0]}://{target}"


def _written_out(url: str) -> str:
    """`url` with white space and control characters as %XX: the requests in which we repeat it hold a space of their own."""
    return "".join(letter if letter.isprintable() and not letter.isspace() else urllib.parse.quote(letter) for letter in url)
