"""Messages in the database: made of deliveries, sent until they are delivered or given up, kept to be looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from camera_config.notification_rules import Language
from camera_config.site import Site
from patrol.notice_words import Message, compose
from patrol.notify import GATHER_S, Waiting, bundle
from storage.notices import notice_of, notice_values, read_notices
from storage.tables import deliveries, messages

__all__ = [
    "LONGEST_PAUSE_S",
    "MessageState",
    "Outcome",
    "StoredMessage",
    "TargetCount",
    "begin_trying",
    "count_by_target",
    "give_up",
    "make_messages",
    "message_values",
    "next_messages",
    "note_outcome",
    "read_message",
    "read_messages",
    "targets_with_work",
    "try_again",
]

LONGEST_PAUSE_S = 600.0
"""Between two tries. A next try further away than this was set by a clock that has been put back since, and is due."""

AT_ONCE = 500
"""Deliveries that go into messages in one transaction."""


class MessageState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; somebody may have it tried again


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message and how far it has come. `error` is why the last try failed; it never holds a secret."""

    message: Message
    state: MessageState
    tries: int
    trying_since_s: float | None  # the first try since it was made, or since somebody had it tried again
    tried_s: float | None
    next_s: float | None  # not to be tried before
    error: str
    delivered_s: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to: delivered if `error` is empty, given up if `dead`, else to be tried again from `next_s` on."""

    message: str
    error: str = ""
    next_s: float | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True)
class TargetCount:
    """How much is on its way to a target; `oldest_s` is when the oldest of it was made."""

    target: str
    waiting: int
    dead: int
    oldest_s: float | None


def targets_with_work(connection: Connection, now_s: float) -> list[str]:
    """Who has something to get now."""
    alone = select(deliveries.c.target).where(deliveries.c.message.is_(None), deliveries.c.due_s <= now_s)
    whole = select(messages.c.target).where(*_to_be_sent(now_s))
    return list(connection.scalars(alone.union(whole)))


def make_messages(connection: Connection, target: str, language: Language, site: Site, room: int, now_s: float) -> int:
    """Make at most `room` messages of what is due for a target; how many. The caller commits."""
    mine = (deliveries.c.target == target, deliveries.c.message.is_(None), deliveries.c.due_s <= now_s + GATHER_S)
    query = select(deliveries).where(*mine).order_by(deliveries.c.id).limit(AT_ONCE)
    rows = list(connection.execute(query))
    by_id = read_notices(connection, [row.notice for row in rows])
    waiting = [Waiting(row.id, row.bundle, row.due_s, by_id[row.notice]) for row in rows]
    made = bundle(waiting, room, now_s)
    for each in made:
        message = compose(each, target, language, site, now_s)
        connection.execute(insert(messages).values(_row(message)))
        mine_now = update(deliveries).where(deliveries.c.id.in_(each.deliveries))
        connection.execute(mine_now.values(message=each.id))
    return len(made)


def next_messages(connection: Connection, target: str, limit: int, now_s: float) -> list[StoredMessage]:
    """At most `limit` messages to be sent to a target now, oldest first."""
    query = select(messages).where(messages.c.target == target, *_to_be_sent(now_s)).order_by(messages.c.number).limit(limit)
    return [_stored(row) for row in connection.execute(query).mappings()]


def note_outcome(connection: Connection, outcome: Outcome, now_s: float) -> None:
    """Write down what a try came to. The caller commits. What was delivered stays so, whatever is said later."""
    state = MessageState.DEAD if outcome.dead else MessageState.WAITING if outcome.error else MessageState.DELIVERED
    mine = (messages.c.id == outcome.message, messages.c.state != MessageState.DELIVERED.value)
    connection.execute(
        update(messages)
        .where(*mine)
        .values(
            state=state.value,
            tries=messages.c.tries + 1,
            trying_since_s=func.coalesce(messages.c.trying_since_s, now_s),
            tried_s=now_s,
            next_s=outcome.next_s,
            error=outcome.error,
            delivered_s=now_s if state is MessageState.DELIVERED else None,
        )
    )


def begin_trying(connection: Connection, target: str, now_s: float) -> None:
    """The target cannot be reached: from now on the age of everything that waits for it counts. The caller commits."""
    mine = (messages.c.target == target, messages.c.state == MessageState.WAITING.value, messages.c.trying_since_s.is_(None))
    connection.execute(update(messages).where(*mine).values(trying_since_s=now_s))


def give_up(connection: Connection, target: str, since_s: float, error: str) -> int:
    """Give up what a target was tried for since before `since_s`; how many. The caller commits."""
    mine = (messages.c.target == target, messages.c.state == MessageState.WAITING.value, messages.c.trying_since_s < since_s)
    return connection.execute(update(messages).where(*mine).values(state=MessageState.DEAD.value, error=error)).rowcount


def try_again(connection: Connection, target: str, message: str | None) -> int:
    """Let dead messages of a target, or one of them, be sent again; how many. The caller commits."""
    mine = [messages.c.target == target, messages.c.state == MessageState.DEAD.value]
    if message is not None:
        mine.append(messages.c.id == message)
    values = {"state": MessageState.WAITING.value, "trying_since_s": None, "next_s": None}
    return connection.execute(update(messages).where(*mine).values(values)).rowcount


def read_message(connection: Connection, message: str) -> StoredMessage | None:
    row = connection.execute(select(messages).where(messages.c.id == message)).mappings().first()
    return _stored(row) if row else None


def read_messages(
    connection: Connection, state: MessageState | None, target: str, limit: int, before: str | None
) -> list[StoredMessage]:
    """Newest first, from below the message `before`; all states and targets where none is given."""
    query = select(messages).order_by(messages.c.number.desc()).limit(limit)
    if state is not None:
        query = query.where(messages.c.state == state.value)
    if target:
        query = query.where(messages.c.target == target)
    if before is not None:
        query = query.where(messages.c.number < select(messages.c.number).where(messages.c.id == before).scalar_subquery())
    return [_stored(row) for row in connection.execute(query).mappings()]


def count_by_target(connection: Connection) -> list[TargetCount]:
    """How much waits and is dead, for each target that has any."""
    unsent = messages.c.state != MessageState.DELIVERED.value
    grouped = select(messages.c.target, messages.c.state, func.count().label("n"), func.min(messages.c.made_s).label("oldest_s"))
    counts: dict[str, TargetCount] = {}
    alone = select(deliveries.c.target, func.count().label("n"), func.min(deliveries.c.due_s).label("oldest_s"))
    for row in connection.execute(alone.where(deliveries.c.message.is_(None)).group_by(deliveries.c.target)):
        counts[row.target] = TargetCount(row.target, row.n, 0, row.oldest_s)
    for row in connection.execute(grouped.where(unsent).group_by(messages.c.target, messages.c.state)):
        known = counts.get(row.target, TargetCount(row.target, 0, 0, None))
        if row.state == MessageState.DEAD.value:
            counts[row.target] = TargetCount(row.target, known.waiting, row.n, known.oldest_s)
        else:
            oldest_s = row.oldest_s if known.oldest_s is None else min(row.oldest_s, known.oldest_s)
            counts[row.target] = TargetCount(row.target, known.waiting + row.n, known.dead, oldest_s)
    return sorted(counts.values(), key=lambda count: count.target)


def message_values(message: Message) -> dict[str, object]:
    """What a message says, as JSON has it, with all its notices."""
    return {
        "kind": message.kind,
        "severity": message.severity,
        "drill": message.drill,
        "title": message.title,
        "lines": list(message.lines),
        "link": message.link,
        "notices": [notice_values(notice) for notice in message.notices],
    }


def _to_be_sent(now_s: float) -> tuple[Any, ...]:  # Any: conditions of SQLAlchemy
    in_time = or_(messages.c.next_s.is_(None), messages.c.next_s <= now_s, messages.c.next_s > now_s + LONGEST_PAUSE_S)
    return messages.c.state == MessageState.WAITING.value, in_time


def _row(message: Message) -> dict[str, Any]:  # Any: as in rows.py
    return {
        "id": message.id,
        "target": message.target,
        "state": MessageState.WAITING.value,
        "made_s": message.made_s,
        "content": message_values(message) | {"incident": message.incident},
        "tries": 0,
        "error": "",
    }


def _stored(row: Mapping[Any, Any]) -> StoredMessage:
    content = row["content"]
    found = tuple(notice_of(values) for values in content["notices"])
    message = Message(
        id=row["id"],
        target=row["target"],
        made_s=row["made_s"],
        kind=content["kind"],
        severity=content["severity"],
        drill=content["drill"],
        title=content["title"],
        lines=tuple(content["lines"]),
        count=len(found),
        link=content["link"],
        incident=content["incident"],
        notices=found,
    )
    return StoredMessage(
        message=message,
        state=MessageState(row["state"]),
        tries=row["tries"],
        trying_since_s=row["trying_since_s"],
        tried_s=row["tried_s"],
        next_s=row["next_s"],
        error=row["error"],
        delivered_s=row["delivered_s"],
    )
