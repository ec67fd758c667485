"""What changes, told to every open page in order: one hub, numbered messages, a bounded past, bounded queues.

A page that lost its connection comes back with the epoch and the last number it has, and gets what it missed. The epoch changes
with each start of the server, so that numbers of an earlier life are never mistaken for ours.
"""

import asyncio
import json
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from storage import Area

__all__ = ["Audience", "ForArea", "Hello", "JsonObject", "Subscriber", "Updates"]

JsonObject = dict[str, object]
ForArea = Callable[[Area], JsonObject | None]
"""What a user who is limited to an area may know of something; None: not that there is such a thing."""

REMEMBERED = 10_000
"""Incidents of which the version told last is kept, those changed last; a busy district has 100 open."""


def _nothing(_: Area) -> JsonObject | None:
    return None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is listening: a team hears what is addressed to it, a limited user what lies in the area, other users everything."""

    team: str | None = None
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Hello:
    """How a subscription begins: messages after number `seq` of `epoch` follow; `reset` when the gap is too old to be filled."""

    epoch: str
    seq: int
    reset: bool


@dataclass(frozen=True, slots=True)
class _Message:
    """One update, encoded once. `for_teams` maps a team to the text it gets instead; teams not named get nothing.

    `for_area` makes the data that an area gets, None if it gets nothing; `before` likewise for the one told before of the same
    incident. What it made is kept in `for_areas`, by the key of the area.
    """

    seq: int
    type: str
    text: str
    for_teams: dict[str, str]
    for_area: ForArea
    before: ForArea
    for_areas: dict[str, str | None] = field(default_factory=dict)

    def text_for(self, audience: Audience) -> str | None:
        """What `audience` gets, None if nothing. A `reset` in place of an incident that is no longer its own."""
        if audience.team is not None:
            return self.for_teams.get(audience.team)
        area = audience.area
        if area is None:
            return self.text
        if area.key not in self.for_areas:
            self.for_areas[area.key] = self._encoded(area)
        return self.for_areas[area.key]

    def _encoded(self, area: Area) -> str | None:
        data = self.for_area(area)
        if data is not None:
            return _encode(self.type, self.seq, data)
        return None if self.before(area) is None else _reset(self.seq)


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told last of an incident."""

    version: int
    team: str
    for_area: ForArea


_UNTOLD = _Told(0, "", _nothing)


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
        self._told: OrderedDict[str, _Told] = OrderedDict()  # by incident
        self._supporting: dict[str, set[str]] = {}  # the teams, by incident

    def publish(self, type: str, data: JsonObject, for_area: ForArea = _nothing) -> None:  # noqa: A002  as the wire says
        """Number `data` and hand it to every subscriber that may see it, as `{"type", "seq", type: data}`.

        A limited user gets what `for_area` makes of it, without it nothing; a `reset` when an incident has left the area.

        Data of type `incident` carries `id`, `version`, `team`. It also goes to that team and to those that support it, without
        what names other teams; a team that loses an incident gets a `reset` in its place, and its page loads its list again. An
        incident older than the one told last is not told: two routes that changed it may come here in either order.
        """
        if type == "incident" and not self._is_news(data):
            return
        self.seq += 1
        whole = _encode(type, self.seq, data)
        for_teams, before = {}, _UNTOLD
        if type == "incident":
            before = self._told.get(str(data["id"]), _UNTOLD)
            for_teams = self._for_teams(data, before.team)
            self._remember(data, for_area)
        elif type in ("round", "support") and data["team"]:
            for_teams = {str(data["team"]): whole}
        message = _Message(self.seq, type, whole, for_teams, for_area, before.for_area)
        self._past.append(message)
        for subscriber in tuple(self._subscribers):
            text = message.text_for(subscriber.audience)
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
            text = message.text_for(audience)
            if text is not None:
                subscriber.queue.put_nowait(text)
        self._subscribers.add(subscriber)
        return subscriber, Hello(self.epoch, begin, reset=known and not resumable)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget the subscriber; harmless when repeated."""
        self._subscribers.discard(subscriber)

    def support(self, incident: str, team: str, lasts: bool) -> None:
        """Remember that a team supports an incident, or no longer: meanwhile it hears of it as the incident's team does."""
        teams = self._supporting.setdefault(incident, set())
        teams.add(team) if lasts else teams.discard(team)
        if not teams:
            del self._supporting[incident]

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
        return int(str(data["version"])) >= self._told.get(str(data["id"]), _UNTOLD).version

    def _remember(self, data: JsonObject, for_area: ForArea) -> None:
        incident = str(data["id"])
        self._told[incident] = _Told(int(str(data["version"])), str(data["team"] or ""), for_area)
        self._told.move_to_end(incident)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _for_teams(self, data: JsonObject, before: str) -> dict[str, str]:
        team, texts = str(data["team"] or ""), {}
        if before and before != team:
            texts[before] = _reset(self.seq)
        there = {*self._supporting.get(str(data["id"]), ()), *([team] if team else [])}
        if there:
            text = _encode("incident", self.seq, data | {"proposal": None, "refused": [], "caller": None})
            texts |= dict.fromkeys(there, text)
        if data.get("work") == "closed":  # a support ends with its incident
            self._supporting.pop(str(data["id"]), None)
        return texts


def _reset(seq: int) -> str:
    return json.dumps({"type": "reset", "seq": seq})


def _encode(type: str, seq: int, data: JsonObject) -> str:  # noqa: A002
    return json.dumps({"type": type, "seq": seq, type: data}, ensure_ascii=False, separators=(",", ":"))
