"""What changes, told to every open page in order: one hub, numbered messages, a bounded past, bounded queues.

A page that lost its connection comes back with the epoch and the last number it has, and gets what it missed. The epoch changes
with each start of the server, so that numbers of an earlier life are never mistaken for ours.
"""

import asyncio
import json
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field

__all__ = ["Audience", "Hello", "Subscriber", "Updates"]

JsonObject = dict[str, object]

REMEMBERED = 10_000
"""Incidents of which the version told last is kept, those changed last; a busy district has 100 open."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is listening: a team sees only what is addressed to it, a user (team None) sees everything."""

    team: str | None = None


@dataclass(frozen=True, slots=True)
class Hello:
    """How a subscription begins: messages after number `seq` of `epoch` follow; `reset` when the gap is too old to be filled."""

    epoch: str
    seq: int
    reset: bool


@dataclass(frozen=True, slots=True)
class _Message:
    """One update, encoded once. `for_teams` maps a team to the text it gets instead; teams not named get nothing."""

    seq: int
    text: str
    for_teams: dict[str, str]


@dataclass(eq=False, slots=True)
class Subscriber:
    """One open page. Owned by the event loop.

    `queue` holds at most `limit` texts. `lost` is set when it overflowed (close with 1013), `revoked` when its session ended.
    """

    audience: Audience
    session: str
    queue: asyncio.Queue[str]
    limit: int
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    revoked: asyncio.Event = field(default_factory=asyncio.Event)


class Updates:
    """The hub. Everything in it belongs to the event-loop thread; publishing never waits.

    A subscriber that falls `queue` messages behind is cut off and counted in `refused`; the others never wait for it.
    """

    def __init__(self, replay: int = 5_000, queue: int = 1_000) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self.refused = 0
        self._queue = queue
        self._past: deque[_Message] = deque(maxlen=replay)
        self._subscribers: set[Subscriber] = set()
        self._told: OrderedDict[str, tuple[int, str]] = OrderedDict()  # incident -> version and team told last

    def publish(self, type: str, data: JsonObject) -> None:  # noqa: A002  the word of the wire format
        """Number `data` and hand it to every subscriber that may see it, as `{"type", "seq", type: data}`.

        Data of type `incident` carries `id`, `version`, `team`. It also goes to that team, without what names other teams; a team
        that loses an incident gets a `reset` in its place, and its page loads its list again. An incident older than the one told
        last is not told: two routes that changed it may come here in either order.
        """
        if type == "incident" and not self._is_news(data):
            return
        self.seq += 1
        whole = _encode(type, self.seq, data)
        for_teams = self._for_teams(data) if type == "incident" else {}
        if type == "round" and data["team"]:
            for_teams = {str(data["team"]): whole}
        message = _Message(self.seq, whole, for_teams)
        self._past.append(message)
        for subscriber in tuple(self._subscribers):
            text = _text_for(message, subscriber.audience)
            if text is not None:
                self._offer(subscriber, text)

    def subscribe(
        self, audience: Audience, session: str, epoch: str | None = None, since: int | None = None
    ) -> tuple[Subscriber, Hello]:
        """A subscriber whose queue already holds what it missed since `since`; call `unsubscribe` when it goes."""
        known = epoch is not None and since is not None
        resumable = known and epoch == self.epoch and since is not None and self._oldest() - 1 <= since <= self.seq
        begin = since if resumable and since is not None else self.seq
        missed = [message for message in self._past if message.seq > begin]
        subscriber = Subscriber(audience, session, asyncio.Queue(), limit=self._queue + len(missed))
        for message in missed:
            text = _text_for(message, audience)
            if text is not None:
                subscriber.queue.put_nowait(text)
        self._subscribers.add(subscriber)
        return subscriber, Hello(self.epoch, begin, reset=known and not resumable)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget the subscriber; harmless when repeated."""
        self._subscribers.discard(subscriber)

    def revoke(self, session: str) -> None:
        """Tell every page of this session that it has ended."""
        for subscriber in self._subscribers:
            if subscriber.session == session:
                subscriber.revoked.set()

    def sessions(self) -> frozenset[str]:
        """The sessions that have a page open."""
        return frozenset(subscriber.session for subscriber in self._subscribers)

    def pages(self, session: str) -> int:
        """How many pages this session has open."""
        return sum(subscriber.session == session for subscriber in self._subscribers)

    def __len__(self) -> int:
        return len(self._subscribers)

    def _offer(self, subscriber: Subscriber, text: str) -> None:
        if subscriber.lost.is_set():
            return
        if subscriber.queue.qsize() >= subscriber.limit:
            self.refused += 1
            subscriber.lost.set()
            return
        subscriber.queue.put_nowait(text)

    def _oldest(self) -> int:
        return self._past[0].seq if self._past else self.seq + 1

    def _is_news(self, data: JsonObject) -> bool:
        version, _ = self._told.get(str(data["id"]), (0, ""))
        return int(str(data["version"])) >= version

    def _for_teams(self, data: JsonObject) -> dict[str, str]:
        incident, team = str(data["id"]), str(data["team"] or "")
        _, before = self._told.pop(incident, (0, ""))
        self._told[incident] = (int(str(data["version"])), team)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        texts = {}
        if before and before != team:
            texts[before] = json.dumps({"type": "reset", "seq": self.seq})
        if team:
            texts[team] = _encode("incident", self.seq, data | {"proposal": None, "refused": [], "caller": None})
        return texts


def _text_for(message: _Message, audience: Audience) -> str | None:
    return message.text if audience.team is None else message.for_teams.get(audience.team)


def _encode(type: str, seq: int, data: JsonObject) -> str:  # noqa: A002
    return json.dumps({"type": type, "seq": seq, type: data}, ensure_ascii=False, separators=(",", ":"))
