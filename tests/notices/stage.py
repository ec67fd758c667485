"""A site with receivers, and a delivery that takes one turn at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from base import SimulatedClock
from camera_config.notification_rules import Language, NotificationRules, Target, TellRule
from camera_config.site import Credential, Site
from fleet.notices import Delivery, Sender
from patrol.notice_words import Message
from storage import MessageState, Store
from tests.patrol.small_site import small_site

EVERYTHING_TO = "all"


def site_with(*targets: Target, rules: Sequence[TellRule] = (), secrets: Mapping[str, str] | None = None, **more: object) -> Site:
    """The small site with these receivers; without rules each of them hears of everything at once."""
    told = tuple(rules) or (TellRule(tuple(target.id for target in targets) or (EVERYTHING_TO,), group_s=0.0),)
    notifications = NotificationRules(page="https://grid.example.org", targets=targets, rules=told)
    credentials = tuple(Credential(name, "someone", value) for name, value in (secrets or {}).items())
    return replace(small_site(), credentials=credentials, notifications=replace(notifications, **more))  # type: ignore[arg-type]


class Book:
    """A sender that writes down what it is given; `fail` raises in its place."""

    def __init__(self, per_min: int = 600) -> None:
        self.per_min = per_min
        self.taken: list[Message] = []
        self.tried: list[Message] = []
        self.fail: Exception | None = None
        self.fail_for: dict[str, Exception] = {}  # by kind of message

    async def send(self, message: Message) -> None:
        self.tried.append(message)
        error = self.fail or self.fail_for.get(message.kind)
        if error is not None:
            raise error
        self.taken.append(message)


async def one_turn(delivery: Delivery) -> None:
    """What delivery does in one second, and wait until it is done."""
    await delivery.turn()
    await delivery.settle()


async def turns(delivery: Delivery, clock: SimulatedClock, count: int, step_s: float = 1.0) -> None:
    for _ in range(count):
        await one_turn(delivery)
        clock.advance(step_s)


def delivery_to(store: Store, clock: SimulatedClock, **senders: Sender) -> Delivery:
    """A delivery to senders by the name of their target, in Chinese."""
    return Delivery(store.outgoing, {name: (sender, Language.ZH) for name, sender in senders.items()}, clock)


def states(store: Store, target: str = "") -> dict[MessageState, int]:
    """How many messages are in which state."""
    found: dict[MessageState, int] = {}
    for stored in store.outgoing.messages(target=target, limit=500):
        found[stored.state] = found.get(stored.state, 0) + 1
    return found
