"""What every way of sending has in common: one method, and three ways to fail.

::

    SendError
    ├── TargetDown        the receiver cannot be reached, or wants to be left alone for a while: nothing else is tried there now
    ├── MessageRefused    it answered, but did not take this message: it is tried again, and others go first
    └── MessageRejected   it will never take this message: a dead letter
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

from base import GridpatrolError
from patrol.notice_words import Message
from storage.messages import message_values

__all__ = ["DEADLINE_S", "MessageRefused", "MessageRejected", "SendError", "Sender", "TargetDown", "end_tasks", "json_of"]

DEADLINE_S = 20.0
"""For one try from the first byte to the last, however slowly the receiver answers."""


class SendError(GridpatrolError):
    """A message was not delivered; the text says why and holds no secret."""


class TargetDown(SendError):
    """The receiver cannot be reached, or takes nothing now. `at_least_s` is how long it wants to be left alone, if it said so."""

    def __init__(self, sentence: str, at_least_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.at_least_s = at_least_s


class MessageRefused(SendError):
    """The receiver answered, and did not take this message; it may later."""


class MessageRejected(SendError):
    """The receiver will never take this message."""


class Sender(Protocol):
    """One receiver. Owned by the event loop; one message at a time."""

    per_min: int  # messages that the receiver takes in a minute; more wait, and are put together

    async def send(self, message: Message) -> None:
        """Return when the receiver has taken the message; raises SendError. Ends within DEADLINE_S or a little more."""
        ...


def json_of(message: Message) -> dict[str, object]:
    """A message as JSON, with all its notices (at most 500, some 150 kB): what webhooks and MQTT carry."""
    of_message = {"id": message.id, "target": message.target, "made_s": message.made_s, "count": message.count}
    return of_message | message_values(message)


async def end_tasks(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks and return when all have ended, however they do.

    Once is not enough: before Python 3.12, `asyncio.wait_for` loses a cancellation that comes together with what it waits for.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)
    await asyncio.gather(*tasks, return_exceptions=True)
