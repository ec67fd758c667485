"""Logging, set up once per process: readable lines on a terminal, JSON elsewhere, secrets replaced before anything is written."""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import TextIO

import structlog

__all__ = ["Redactor", "configure"]

_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]+@")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)} | {0x202E: "\\u202e"}


class Redactor:
    """Replaces known secrets and the user part of any URL. Shared by all threads; secrets are only ever added."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Longest first, so that a secret that contains another is replaced whole.
        self._secrets = tuple(sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """`text` without secrets and without control characters that could forge a log line or paint a terminal."""
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return _USERINFO.sub("•••@", text).translate(_CONTROL)

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
        """The structlog processor: every text of the event, traceback included."""
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = self.clean(value)
        return event


def configure(level: str = "INFO", secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (default standard error). Call again in every child process."""
    stream = stream or sys.stderr
    terminal = stream.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True, pad_event_to=0)
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Redactor(secrets),
            renderer,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiortc", "aioice", "httpx", "httpcore", "uvicorn", "uvicorn.access", "uvicorn.error", "libav", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
