"""Delivery: what waits in the database reaches its receivers, in order, at least once.

Order holds for each target, except that a message which the receiver itself refused waits apart and lets the others pass. The
state of everything is in the database: a process that is killed between sending and writing down that it was sent sends that one
message again, with the same id.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from base import Backoff, Clock, StorageError
from camera_config.notification_rules import Email, Language, Mqtt, Robot, Target, Webhook
from camera_config.site import Credential, Site
from fleet.notices.mail import MailSender
from fleet.notices.mqtt import MqttSender
from fleet.notices.robots import RobotSender
from fleet.notices.sender import MessageRejected, Sender, SendError, TargetDown, end_tasks
from fleet.notices.site_state import SiteState, StatusView
from fleet.notices.webhook import WebhookSender
from patrol.notice_words import Message
from storage import Outcome, Outgoing, Store, StoredMessage
from storage.messages import LONGEST_PAUSE_S

__all__ = ["Delivery", "Receivers", "notices_running"]

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_CAMERAS_EVERY_S = 10.0
_AT_ONCE = 20  # messages of one target in one turn
_FIRST_PAUSE_S = 5.0


Senders = Mapping[str, tuple[Sender, Language]]
"""By target how it is reached, and the language of its messages."""


class _Gone:
    """In place of a target that is no longer configured: what was meant for it is kept as dead letters."""

    per_min = 600

    async def send(self, message: Message) -> None:
        raise MessageRejected(f"there is no receiver {message.target} any more")


class _Unmade:
    """In place of a sender that could not be made of what the site says: what is meant for it waits until that is mended."""

    per_min = 600

    async def send(self, message: Message) -> None:
        raise TargetDown(f"the settings of {message.target}, or the login they name, cannot be used")


@dataclass(slots=True)
class _Line:
    """How it goes with one target. Owned by the event loop."""

    sender: Sender
    language: Language
    sent: deque[float] = field(default_factory=deque)  # monotonic: tries of the last minute
    down: Backoff = field(default_factory=lambda: Backoff(_FIRST_PAUSE_S, LONGEST_PAUSE_S))
    rest_until_s: float = 0.0  # monotonic

    def room(self, now_s: float) -> int:
        """How many messages the receiver may get now."""
        while self.sent and self.sent[0] <= now_s - 60.0:
            self.sent.popleft()
        return self.sender.per_min - len(self.sent)


class Delivery:
    """Carries messages from the database to senders, one at a time for each target. Runs on one event loop.

    With `receivers` the senders are exchanged as these change; without, they stay what they are.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        senders: Senders,
        clock: Clock,
        cameras_after_s: float = 0.0,
        receivers: "Receivers | None" = None,
    ) -> None:
        self._outgoing = outgoing
        self._receivers = receivers
        self._lines: dict[str, _Line] = {}
        self.exchange(senders)
        self._clock = clock
        # Cameras that were not watched while nothing ran get the same time to come back as all others.
        self._cameras_from_s = clock.monotonic_s() + cameras_after_s
        self._rng = random.Random()
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for work, until cancelled. A database that refuses is asked again."""
        said = ""
        try:
            while True:
                try:
                    if self._clock.monotonic_s() >= self._cameras_from_s:
                        self._cameras_from_s = self._clock.monotonic_s() + _CAMERAS_EVERY_S
                        await asyncio.to_thread(self._outgoing.tell_cameras)
                    await self.turn()
                    said = ""
                except StorageError as error:
                    if str(error) != said:
                        logger.error("notices wait: %s", error)
                    said = str(error)
                except Exception:
                    logger.exception("notices: something nobody expected; they go on")
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await end_tasks(self._busy.values())

    def exchange(self, senders: Senders) -> None:
        """These senders from now on. A target that keeps its sender keeps its place in line, its pause and its rate."""
        before = self._lines
        self._lines = {
            target: line if (line := before.get(target)) and line.sender is sender else _Line(sender, language)
            for target, (sender, language) in senders.items()
        }

    async def turn(self) -> None:
        """Address what was queued, and let every target that has something to get and is not busy begin. Raises StorageError."""
        while await asyncio.to_thread(self._outgoing.address):
            pass
        self._busy = {target: task for target, task in self._busy.items() if not task.done()}
        targets = await asyncio.to_thread(self._outgoing.targets_with_work)
        # After they were read: what is for a target is queued only when the site has the target, so that none is taken for gone.
        if self._receivers is not None and await self._receivers.look():
            self.exchange(self._receivers.senders())
        for target in targets:
            line = self._lines.setdefault(target, _Line(_Gone(), Language.ZH))
            if target not in self._busy and self._clock.monotonic_s() >= line.rest_until_s:
                self._busy[target] = asyncio.create_task(self._serve(target, line), name=f"notices-{target}")

    async def settle(self) -> None:
        """Return when no target is being served."""
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _serve(self, target: str, line: _Line) -> None:
        """Send what a target has to get now, as far as it takes it."""
        try:
            room = line.room(self._clock.monotonic_s())
            if room <= 0:
                return
            older = await asyncio.to_thread(self._outgoing.next_messages, target, min(room, _AT_ONCE))
            if len(older) < room:  # what was tried before comes first; the rest is put together as needed
                await asyncio.to_thread(self._outgoing.make_messages, target, line.language, room - len(older))
            for stored in await asyncio.to_thread(self._outgoing.next_messages, target, min(room, _AT_ONCE)):
                if not await self._send(line, stored):
                    break
        except StorageError as error:
            logger.error("notices for %s wait: %s", target, error)
        except Exception:
            logger.exception("notices for %s: something nobody expected", target)

    async def _send(self, line: _Line, stored: StoredMessage) -> bool:
        """Try one message and write down what came of it; whether the target may get the next one now."""
        message = stored.message
        line.sent.append(self._clock.monotonic_s())
        try:
            await line.sender.send(message)
        except TargetDown as error:
            await self._down(line, stored, error)
            return False
        except MessageRejected as error:
            logger.error("message %s for %s is a dead letter: %s", message.id, message.target, error)
            await asyncio.to_thread(self._outgoing.note, Outcome(message.id, str(error), dead=True))
        except SendError as error:
            pause = Backoff(_FIRST_PAUSE_S, LONGEST_PAUSE_S, attempts=stored.tries)
            next_s = self._clock.now_s() + pause.next_delay_s(self._rng)
            await asyncio.to_thread(self._outgoing.note, Outcome(message.id, str(error), next_s))
            await self._give_up(message.target, str(error))
        else:
            line.down.attempts = 0
            await asyncio.to_thread(self._outgoing.note, Outcome(message.id))
        return True

    async def _down(self, line: _Line, stored: StoredMessage, error: TargetDown) -> None:
        """Leave the target alone for a while; everything that waits for it keeps its order."""
        target = stored.message.target
        if line.down.attempts == 0:
            logger.warning("receiver %s takes nothing: %s", target, error)
        await asyncio.to_thread(self._outgoing.note, Outcome(stored.message.id, str(error)))
        await asyncio.to_thread(self._outgoing.begin_trying, target)
        await self._give_up(target, str(error))
        pause_s = line.down.next_delay_s(self._rng, error.at_least_s)
        line.rest_until_s = self._clock.monotonic_s() + pause_s

    async def _give_up(self, target: str, error: str) -> None:
        given_up = await asyncio.to_thread(self._outgoing.give_up, target, error)
        if given_up:
            logger.error("%d messages for %s are dead letters: %s", given_up, target, error)


@dataclass(frozen=True, slots=True)
class _Made:
    """The sender of a target, and all it was made of."""

    target: Target
    logins: tuple[Credential | None, ...]
    sender: Sender


class Receivers:
    """The senders of a site's targets, made anew when a target or its login changes. Owned by one event loop."""

    def __init__(self, site: Site, clock: Clock, state: SiteState) -> None:
        self._site, self._clock, self._state = site, clock, state
        self._made: dict[str, _Made] = {}
        self._brokers: dict[str, asyncio.Task[None]] = {}
        self._seen: tuple[object, object] = (None, None)

    def senders(self) -> Senders:
        """Those of the targets that were found last."""
        return {target: (made.sender, made.target.language) for target, made in self._made.items()}

    async def look(self) -> bool:
        """Have the targets that the site has now, their brokers connected; whether any is another than before."""
        now = (self._site.notifications, self._site.credentials)
        if now[0] is self._seen[0] and now[1] is self._seen[1]:
            return False
        before = self._made
        self._made, self._seen = {target.id: self._kept_or_made(target) for target in now[0].targets}, now
        moved = [target for target, made in before.items() if self._made.get(target) is not made]
        await end_tasks([task for target in moved if (task := self._brokers.pop(target, None))])
        for target, made in self._made.items():
            if isinstance(made.sender, MqttSender) and target not in self._brokers:
                self._brokers[target] = asyncio.create_task(made.sender.run(), name=f"mqtt-{target}")
        return self._made != before

    async def close(self) -> None:
        """Let go of the brokers."""
        await end_tasks(self._brokers.values())

    def _kept_or_made(self, target: Target) -> _Made:
        names = (getattr(target, key, "") for key in ("login", "token", "secret"))
        logins = tuple(self._site.credential_by_name.get(name) for name in names)
        known = self._made.get(target.id)
        if known is not None and known.target == target and known.logins == logins:
            return known
        try:
            sender = _sender(target, self._site, self._clock, self._state)
        except Exception as error:  # of one receiver, which must not silence the others
            logger.error("receiver %s cannot be made, its messages wait: %s", target.id, type(error).__name__)  # no secret
            sender = _Unmade()
        return _Made(target, logins, sender)


@asynccontextmanager
async def notices_running(site: Site, store: Store, cameras: StatusView, clock: Clock) -> AsyncIterator[None]:
    """Within the context, what people elsewhere must hear reaches them."""
    receivers = Receivers(site, clock, SiteState(site, store, cameras, clock))
    delivery = Delivery(store.outgoing, {}, clock, site.notifications.camera_after_s, receivers)
    task = asyncio.create_task(delivery.run(), name="notices")
    try:
        yield
    finally:
        await end_tasks([task])
        await receivers.close()
        logger.info("notices stopped")


def _sender(target: Target, site: Site, clock: Clock, state: SiteState) -> Sender:
    login = site.credential_by_name.get
    match target:
        case Webhook():
            return WebhookSender(target, _password(site, target.secret), site, clock)
        case Robot():
            return RobotSender(target, _password(site, target.token), _password(site, target.secret), clock)
        case Email():
            return MailSender(target, login(target.login), site)
        case Mqtt():
            return MqttSender(target, login(target.login), site, clock, state.topics)


def _password(site: Site, name: str) -> str:
    found = site.credential_by_name.get(name)
    return found.password if found else ""
