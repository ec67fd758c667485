"""Webhooks against a real server: what is sent, how it is signed, and every way in which a receiver fails."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import pytest

from base import SimulatedClock
from camera_config.notification_rules import Body, Language, Webhook
from camera_config.site import Site
from fleet.notices import Delivery, MessageRefused, MessageRejected, TargetDown
from fleet.notices.web import post
from fleet.notices.webhook import WebhookSender, key_of
from patrol.cap import NAMESPACE
from storage import MessageState, Store
from tests.notices.stage import delivery_to, one_turn, site_with, states, turns
from tests.patrol.small_site import NOON_S, intrusion
from tests.servers.receiver import Receiver, receiving

Open = Callable[[Site], Store]

SECRET = "canary-sign-5f1c"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def hook(receiver: Receiver, clock: SimulatedClock, body: Body = Body.JSON, secret: str = SECRET) -> tuple[Site, WebhookSender]:
    target = Webhook("all", receiver.url + "/in?from=grid", Language.EN, "hook-key" if secret else "", body)
    site = site_with(target, secrets={"hook-key": secret} if secret else {})
    return site, WebhookSender(target, secret, site, clock)


def english(store: Store, clock: SimulatedClock, sender: WebhookSender) -> Delivery:
    return Delivery(store.outgoing, {"all": (sender, Language.EN)}, clock)


def test_a_message_is_json_with_a_signature_of_its_id_time_and_body(
    receiver: Receiver, open_store: Open, clock: SimulatedClock
) -> None:
    site, sender = hook(receiver, clock)
    store = open_store(site)
    [incident] = store.record_events([intrusion(severity=1)])
    asyncio.run(one_turn(english(store, clock, sender)))
    [got] = receiver.got
    assert got.path == "/in?from=grid"
    signed = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert int(got.headers["webhook-timestamp"]) == int(clock.now_s())
    assert got.json | {"made_s": 0, "notices": []} == {
        "id": got.id,
        "target": "all",
        "made_s": 0,
        "kind": "opened",
        "severity": 1,
        "drill": False,
        "title": "New incident 1: intrusion (severity 1)",
        "lines": ["Court One · Cell g1 · c1", "2023-11-15 12:00:00"],
        "link": f"https://grid.example.org/#incident={incident.id}",
        "count": 1,
        "notices": [],
    }
    assert SECRET not in got.body.decode()
    assert b"rtsp" not in got.body


def test_a_key_of_the_standard_is_base64() -> None:
    assert key_of("whsec_" + base64.b64encode(b"\x00\xffkey").decode()) == b"\x00\xffkey"
    assert key_of("whsec_not base64!") == b"whsec_not base64!"
    assert key_of("whsec_秘密") == "whsec_秘密".encode()


def test_without_a_secret_nothing_is_signed(receiver: Receiver, open_store: Open, clock: SimulatedClock) -> None:
    site, sender = hook(receiver, clock, secret="")
    store = open_store(site)
    store.record_events([intrusion(severity=1)])
    asyncio.run(one_turn(english(store, clock, sender)))
    assert "webhook-signature" not in receiver.got[0].headers


def test_the_body_may_be_cap(receiver: Receiver, open_store: Open, clock: SimulatedClock) -> None:
    site, sender = hook(receiver, clock, Body.CAP)
    store = open_store(site)
    store.record_events([intrusion(severity=1)])
    asyncio.run(one_turn(english(store, clock, sender)))
    [got] = receiver.got
    assert got.headers["content-type"] == "application/cap+xml; charset=utf-8"
    root = ElementTree.fromstring(got.body)
    assert root.findtext(f"{{{NAMESPACE}}}identifier") == got.id
    assert root.findtext(f"{{{NAMESPACE}}}info/{{{NAMESPACE}}}severity") == "Extreme"


# what the receiver does, and what it means
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((500, b"oh no"), MessageRefused, "answered 500: oh no"),
        ((400, b""), MessageRejected, "answered 400"),
        ((413, b""), MessageRejected, "answered 413"),
        ((401, b"who?"), TargetDown, "answered 401: who?"),
        ((404, b""), TargetDown, "answered 404"),
        ((429, b""), TargetDown, "answered 429"),
        ((503, b""), TargetDown, "answered 503"),
        ("redirect", TargetDown, "redirects are not followed"),
        ("reset", TargetDown, "Error"),
        ("hang", TargetDown, "no complete answer within 0.5 s"),
        ("drip", TargetDown, "no complete answer within 0.5 s"),
    ],
)
def test_how_a_receiver_fails(receiver: Receiver, answer: tuple[int, bytes] | str, error: type[Exception], words: str) -> None:
    receiver.answer = lambda _: answer
    with pytest.raises(error) as raised:
        asyncio.run(post(f"{receiver.url}/x", b"{}", {}, deadline_s=0.5))
    assert words in str(raised.value)
    assert len(receiver.got) == 1


def test_nobody_listens(receiver: Receiver) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TargetDown, match="ConnectError"):
            asyncio.run(post(f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}", b"", {}, (SECRET,)))


def test_a_large_answer_is_not_read_to_its_end_and_no_secret_is_repeated(receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, b"x" * 5_000_000)
    assert len(asyncio.run(post(receiver.url, b"", {})).body) == 64 * 1024
    receiver.answer = lambda got: (403, b"bad token " + got.path.encode())
    with pytest.raises(TargetDown) as raised:
        asyncio.run(post(f"{receiver.url}/{SECRET}", b"", {}, (SECRET,)))
    assert SECRET not in str(raised.value)
    assert "/•••" in str(raised.value)


def test_known_already_is_as_good_as_taken(receiver: Receiver) -> None:
    receiver.answer = lambda _: (409, b"")
    assert asyncio.run(post(receiver.url, b"", {})).status == 409


def test_a_flaky_receiver_gets_everything_once_it_can(receiver: Receiver, open_store: Open, clock: SimulatedClock) -> None:
    site, sender = hook(receiver, clock)
    store = open_store(site)
    delivery = english(store, clock, sender)
    answers: list[tuple[int, bytes] | str] = ["reset", (500, b""), (503, b""), (302, b""), (500, b"")]
    receiver.answer = lambda _: answers.pop(0) if answers else (204, b"")
    for number in range(6):
        store.record_events([intrusion(f"c{1 + number % 4}", NOON_S + 500 * number, severity=1 + number % 2)])
        asyncio.run(one_turn(delivery))
        clock.advance(2)
    asyncio.run(turns(delivery, clock, 40, 30))
    assert set(states(store)) == {MessageState.DELIVERED}
    bodies = {got.id: got.body for got in receiver.got}
    assert all(bodies[got.id] == got.body for got in receiver.got)  # a repetition is the same to the last byte
    told = {notice["number"] for body in bodies.values() for notice in json.loads(body)["notices"]}
    assert told == set(range(1, 7))


def test_killed_after_sending_it_is_sent_again_under_the_same_id(
    receiver: Receiver, open_store: Open, clock: SimulatedClock
) -> None:
    site, sender = hook(receiver, clock)
    store = open_store(site)

    class Killed(WebhookSender):
        async def send(self, message: object) -> None:
            await sender.send(message)  # type: ignore[arg-type]  # a Message
            raise asyncio.CancelledError  # the process is gone before it could write down that it was taken

    store.record_events([intrusion(severity=1)])
    dying = delivery_to(store, clock, all=Killed(site.notifications.targets[0], "", site, clock))  # type: ignore[arg-type]
    asyncio.run(one_turn(dying))
    store.close()
    store = open_store(site)
    asyncio.run(turns(english(store, clock, sender), clock, 2))
    first, second = receiver.got
    assert first.id == second.id
    assert first.json == second.json
    assert states(store) == {MessageState.DELIVERED: 1}
