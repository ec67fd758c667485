"""Logging, set up once per process: readable lines on a terminal, JSON elsewhere, secrets replaced before anything is written."""

import logging
import re
import sys
import threading
from collections.abc import Iterable, MutableMapping
from typing import TextIO

import structlog

__all__ = ["Redactor", "configure", "hide"]

_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]+@")
# What could forge a line or paint a terminal: C0, DEL, C1, line separators, and marks that turn the writing direction.
_CONTROL = {code: f"\\u{code:04x}" for code in (*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))}
_LINES = {code: text for code, text in _CONTROL.items() if code not in (9, 10)}


class Redactor:
    """Replaces known secrets and the user part of any URL. Shared by all threads; secrets are only ever added."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Replace these from now on, too."""
        new = {secret for secret in secrets if len(secret) >= 4}
        with self._lock:
            # Longest first, so that a secret that contains another is replaced whole.
            self._secrets = tuple(sorted({*self._secrets, *new}, key=len, reverse=True))

    def clean(self, text: str, lines: bool = False) -> str:
        """`text` without secrets and without control characters; `lines` keeps line ends, as a traceback needs them."""
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return _USERINFO.sub("•••@", text).translate(_LINES if lines else _CONTROL)

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
        """The structlog processor: every text of the event, traceback included."""
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = self.clean(value, lines=key in ("exception", "stack"))
        return event


_redactor = Redactor()
"""Of this process: the passwords of logins become known while it runs."""


def hide(secrets: Iterable[str]) -> None:
    """Replace these in everything that this process logs from now on. Any thread."""
    _redactor.add(secrets)


def configure(level: str = "INFO", secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (default standard error). Call again in every child process."""
    hide(secrets)
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
            _redactor,
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
