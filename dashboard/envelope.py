"""What surrounds every answer: security headers, the limit and deadline of a request's body, and the count of answers."""

import asyncio
import re
from collections import Counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BODY_DEADLINE_S", "BodyLimit", "RequestCounter", "SecurityHeaders"]

BODY_DEADLINE_S = 15.0
"""How long a client may take over its body: 1 MB at 0.5 Mbit/s, the worst a phone in a stairwell gives."""

LARGE_BYTES = 4_000_000
LARGE_DEADLINE_S = 70.0
"""A photo or a table of that size at 0.5 Mbit/s."""

_LARGE = re.compile(r"/api/v1/(incidents/[^/]+/photos|registry/import)")
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_ASSET = re.compile(r"/assets/[^/]+-[A-Za-z0-9_\-]{8,}\.\w+")  # Vite puts a hash of the content into these names


class SecurityHeaders:
    """ASGI middleware: a strict content security policy, no sniffing, no framing, nothing of the API in any cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in _headers(scope).items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """ASGI middleware: a body over `limit_bytes` gets 413, one past its deadline 408. Photos and tables have more."""

    def __init__(self, app: ASGIApp, limit_bytes: int, deadline_s: float) -> None:
        self.app = app
        self.limit_bytes = limit_bytes
        self.deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_large = _LARGE.fullmatch(scope["path"]) is not None
        limit_bytes, deadline_s = (LARGE_BYTES, LARGE_DEADLINE_S) if is_large else (self.limit_bytes, self.deadline_s)
        too_large = f"The request's body is larger than {limit_bytes} bytes."
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit_bytes:
            await JSONResponse({"detail": too_large}, 413, headers={"Connection": "close"})(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        until_s, seen_bytes, is_complete = loop.time() + deadline_s, 0, False

        async def receive_bounded() -> Message:
            nonlocal seen_bytes, is_complete
            if is_complete:  # what follows is the wait for a disconnect, which has no deadline
                return await receive()
            try:
                async with asyncio.timeout_at(until_s):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The request's body did not arrive in time.", {"Connection": "close"}) from None
            is_complete = not message.get("more_body", False)
            seen_bytes += len(message.get("body", b""))
            if seen_bytes > limit_bytes:
                raise HTTPException(413, too_large, {"Connection": "close"})
            return message

        await self.app(scope, receive_bounded, send)


class RequestCounter:
    """ASGI middleware: counts answers by method, route and status; routes are templates, so their number is bounded."""

    def __init__(self, app: ASGIApp, answers: Counter[tuple[str, str, int]]) -> None:
        self.app = app
        self.answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self.answers[method, route, message["status"]] += 1
            await send(message)

        await self.app(scope, receive, send_counted)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _headers(scope: Scope) -> dict[str, str]:
    path = scope["path"]
    if _ASSET.fullmatch(path):
        cache = "public, max-age=31536000, immutable"
    elif path.startswith(("/api/", "/metrics", "/healthz")):
        cache = "private, no-store"
    else:
        cache = "no-cache"
    return {
        "Content-Security-Policy": _policy(scope),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": f"camera={'(self)' if path == '/phone' else '()'}, microphone=(), geolocation=(self)",
        "Cache-Control": cache,
    }


def _policy(scope: Scope) -> str:
    """The content security policy. Older Safari does not count a WebSocket to the same host as 'self', so it is named."""
    host = Headers(scope=scope).get("host", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            f"connect-src 'self'{sockets}",
            "worker-src 'self' blob:",  # MapLibre starts its worker from a blob
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
