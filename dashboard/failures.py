"""Errors become answers: one status and one sentence, never a traceback, never the value that was sent."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from base import ConfigError, DeniedError, GridpatrolError, SourceError, StorageError, TransitionError
from dashboard.authorize import NotSignedInError
from storage import NameTakenError

__all__ = ["DetailedError", "NotFoundError", "TooManyError", "add_failures", "status_of"]

logger = logging.getLogger(__name__)


class NotFoundError(GridpatrolError):
    """There is no such thing, or the caller may not know that there is."""


class TooManyError(GridpatrolError):
    """The caller must wait `retry_after_s` seconds before trying again. `more` stands in the answer beside `detail`."""

    def __init__(
        self, sentence: str, retry_after_s: float, status: int = 429, more: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
        self.status = status
        self.more = more


class DetailedError(GridpatrolError):
    """The answer says more than one sentence: `more` stands in it beside `detail`."""

    def __init__(self, sentence: str, status: int, more: Mapping[str, object]) -> None:
        super().__init__(sentence)
        self.status = status
        self.more = more


_STATUS: tuple[tuple[type[GridpatrolError], int], ...] = (  # the first that fits counts
    (NotSignedInError, 401),
    (DeniedError, 403),
    (NotFoundError, 404),
    (TransitionError, 409),
    (NameTakenError, 409),
    (ConfigError, 422),
    (SourceError, 503),
    (StorageError, 503),
)


def status_of(error: GridpatrolError) -> int:
    """The HTTP status that says whose fault it was; 500 for what should never reach an answer."""
    if isinstance(error, TooManyError | DetailedError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def add_failures(app: FastAPI) -> None:
    """Register how each kind of error is answered, over HTTP and before a WebSocket has opened."""
    app.add_exception_handler(GridpatrolError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WebSocketRequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, GridpatrolError)
    status = status_of(error)
    if status == 500:
        logger.error("an answer failed inside: %s", error, exc_info=error)
        return JSONResponse({"detail": _INSIDE}, 500)
    headers = {}
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    elif status == 401:
        headers["WWW-Authenticate"] = "Session"
    more = error.more if isinstance(error, DetailedError | TooManyError) else {}
    return JSONResponse({"detail": str(error), **more}, status, headers)


async def _http(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {404: "There is nothing here.", 405: "This method is not allowed here."}.get(error.status_code, error.detail)
    return JSONResponse({"detail": detail}, error.status_code, error.headers)


async def _invalid(connection: HTTPConnection, error: Exception) -> Response:
    """422 naming the first three wrong places. What was sent is not repeated: it may be a password."""
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    problems = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return JSONResponse({"detail": "; ".join(problems[:3]) + more}, 422)


async def _unexpected(connection: HTTPConnection, error: Exception) -> Response:
    return JSONResponse({"detail": _INSIDE}, 500)  # uvicorn logs the traceback


_INSIDE = "Something failed inside the server; its log has the details."
