"""What a camera's URL may be. It carries no login: that belongs into `secrets.toml`, and a URL may be shown anywhere."""

import re
from urllib.parse import urlsplit

__all__ = ["redacted", "url_problem"]

_SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "file")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
_LOGIN_KEY = re.compile(r"(?i)(?:^|[?&/;_])(?:password|passwd|pwd|pass)=[^&/;_]")
_SECRETS = "put the login into secrets.toml and its name into the column 'credential'"


def redacted(url: str) -> str:
    """The URL as it may appear in a message: quoted, short, and without anything that could be a login."""
    found = _SCHEME.match(url)
    head, rest = (found[0], url[found.end() :]) if found else ("", url)
    if "@" in rest:
        rest = "…@" + rest.rpartition("@")[2]
    if login := _LOGIN_KEY.search(rest):
        rest = rest[: login.start()] + "…"
    text = repr(head + rest)
    return text if len(text) <= 120 else text[:117] + "…"


def url_problem(url: str, allow_files: bool) -> str:
    """What is wrong with a camera's URL, empty if nothing. The text never shows a password."""
    schemes = _SCHEMES if allow_files else _SCHEMES[:-1]
    expected = f"expected a URL that begins with {', '.join(f'{scheme}://' for scheme in schemes)}"
    if re.search(r"[\s\\]", url):
        return f"{expected} and holds no space or backslash, got {redacted(url)}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{expected}: {error if '@' not in url else 'not a valid URL'}, got {redacted(url)}"
    login = parts.netloc if parts.scheme == "file" else parts.netloc + parts.path  # a password with a slash reaches into the path
    if "@" in login or _LOGIN_KEY.search(url):
        return f"expected a URL without user and password, got {redacted(url)}; {_SECRETS}"
    if parts.scheme == "file" and not allow_files:
        return f"{expected}, got {redacted(url)}; files are played only with 'allow_files = true' in site.toml"
    if parts.scheme not in schemes:
        return f"{expected}, got {redacted(url)}"
    if parts.scheme == "file":
        is_path = not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1
        return "" if is_path else f"expected file:///absolute/path, got {redacted(url)}"
    if not parts.hostname or port == 0:
        return f"{expected}, a host, and a port from 1 to 65535 if any, got {redacted(url)}"
    return ""
