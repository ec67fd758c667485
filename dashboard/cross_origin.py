"""Requests that another site makes a browser send are refused, without tokens in forms.

The rule is that of Go's net/http.CrossOriginProtection: browsers say where a request comes from, so ask them. A WebSocket
is not covered by that rule and opens with a GET, so its Origin is checked by itself.
"""

import logging

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["CrossOriginGuard", "is_foreign"]

logger = logging.getLogger(__name__)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_foreign(headers: Headers, method: str) -> bool:
    """Whether this HTTP request may have been made by another site's page.

    Safe methods pass. `Sec-Fetch-Site` decides where it is sent, else `Origin` must name the host that was asked. Where both
    are absent it is no browser, and then nothing may be decided by a cookie.
    """
    if method in _SAFE:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    if "origin" in headers:
        return _is_other_host(headers)
    return "cookie" in headers


class CrossOriginGuard:
    """ASGI middleware: answers 403 to requests and WebSocket openings that come from another origin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_socket = scope["type"] == "websocket"
        if not (_is_other_host(headers) if is_socket else is_foreign(headers, scope["method"])):
            await self.app(scope, receive, send)
            return
        peer = HTTPConnection(scope).client
        logger.warning("refused a cross-origin request to %r from %s", scope["path"], peer.host if peer else "?")
        answer = JSONResponse({"detail": "This request came from another site and was refused."}, 403)
        await answer(scope, receive, send)


def _is_other_host(headers: Headers) -> bool:
    """Whether an Origin is given that is not the host asked; "null" is nobody's host."""
    origin = headers.get("origin")
    if origin is None:
        return False
    scheme, separator, host = origin.partition("://")
    if not separator or scheme not in ("http", "https"):
        return True
    return _with_port(host, scheme) != _with_port(headers.get("host", ""), scheme)


def _with_port(host: str, scheme: str) -> str:
    """`host` in lower case with its port spelt out, so that example.org:80 and example.org compare equal under http."""
    host = host.lower()
    has_port = host.rpartition(":")[2].isdigit() and not host.endswith("]")
    return host if has_port else f"{host}:{443 if scheme == 'https' else 80}"
