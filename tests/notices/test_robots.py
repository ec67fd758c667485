"""Group robots against a server that is as strict as their documentation: format, signature, size, twenty a minute."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from base import SimulatedClock
from camera_config.notification_rules import Robot, RobotService, TellRule
from camera_config.site import Site
from fleet.notices import MessageRefused, TargetDown
from fleet.notices.robots import PER_MIN, RobotSender
from patrol.notice_words import Message
from storage import MessageState, Store
from tests.notices.stage import delivery_to, site_with, states, turns
from tests.patrol.small_site import NOON_S, intrusion
from tests.servers.receiver import Got, Receiver, receiving

Open = Callable[[Site], Store]

TOKEN, SECRET = "canary-token-77", "SEC-canary-88"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def _exactly(found: object, *keys: str) -> None:
    assert isinstance(found, dict)
    assert set(found) == set(keys)


def _signed(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def wecom(got: Got, _: float) -> str:
    """The text of a message, if 企业微信 would take it."""
    parts = urlsplit(got.path)
    assert (parts.path, parse_qs(parts.query)) == ("/robot", {"key": [TOKEN]})
    _exactly(got.json, "msgtype", "text")
    assert got.json["msgtype"] == "text"
    text = got.json["text"]
    _exactly(text, "content")
    content: str = text["content"]  # type: ignore[index]  # checked in the line before
    assert 0 < len(content.encode()) <= 2048
    return content


def dingtalk(got: Got, now_s: float) -> str:
    """The same of 钉钉: the time in milliseconds within the hour, signed together with the secret."""
    query = parse_qs(urlsplit(got.path).query, strict_parsing=True)
    _exactly(query, "access_token", "timestamp", "sign")
    [stamp] = query["timestamp"]
    assert query["access_token"] == [TOKEN]
    assert len(stamp) == 13
    assert abs(int(stamp) / 1000 - now_s) < 3600
    assert query["sign"] == [_signed(SECRET.encode(), f"{stamp}\n{SECRET}".encode())]
    _exactly(got.json, "msgtype", "text")
    assert got.json["msgtype"] == "text"
    text = got.json["text"]
    _exactly(text, "content")
    assert len(got.body) <= 20_000
    content: str = text["content"]  # type: ignore[index]  # as above
    return content


def feishu(got: Got, now_s: float) -> str:
    """The same of 飞书: time and secret are the key, and nothing is signed with it."""
    assert got.path == f"/robot/{TOKEN}"
    _exactly(got.json, "timestamp", "sign", "msg_type", "content")
    stamp = got.json["timestamp"]
    assert isinstance(stamp, str)
    assert abs(int(stamp) - now_s) < 3600
    assert got.json["sign"] == _signed(f"{stamp}\n{SECRET}".encode(), b"")
    assert got.json["msg_type"] == "post"
    content = json.loads(got.body)["content"]
    _exactly(content, "post")
    _exactly(content["post"], "zh_cn")
    _exactly(content["post"]["zh_cn"], "title", "content")
    lines = content["post"]["zh_cn"]["content"]
    for line in lines:
        for part in line:
            _exactly(part, "tag", "text")
            assert part["tag"] == "text"
    assert len(got.body) <= 20_000
    return "\n".join([content["post"]["zh_cn"]["title"], *("".join(part["text"] for part in line) for line in lines)])


SERVICES = {
    RobotService.WECOM: (wecom, b'{"errcode": 0, "errmsg": "ok"}', b'{"errcode": 45009, "errmsg": "api freq out of limit"}'),
    RobotService.DINGTALK: (dingtalk, b'{"errcode": 0, "errmsg": "ok"}', b'{"errcode": 130101, "errmsg": "send too fast"}'),
    RobotService.FEISHU: (feishu, b'{"code": 0, "msg": "success", "data": {}}', b'{"code": 11232, "msg": "frequency limited"}'),
}


def robot(receiver: Receiver, clock: SimulatedClock, service: RobotService) -> tuple[Site, RobotSender]:
    secret = "" if service is RobotService.WECOM else "sign"
    target = Robot("all", service, "token", secret=secret, url=f"{receiver.url}/robot")
    site = site_with(target, secrets={"token": TOKEN, "sign": SECRET})
    return site, RobotSender(target, TOKEN, SECRET if secret else "", clock)


@pytest.mark.parametrize("service", SERVICES)
def test_the_robot_takes_what_we_send(receiver: Receiver, open_store: Open, clock: SimulatedClock, service: RobotService) -> None:
    check, fine, _ = SERVICES[service]
    site, sender = robot(receiver, clock, service)
    store = open_store(site)
    taken: list[str] = []

    def answer(got: Got) -> tuple[int, bytes]:
        taken.append(check(got, clock.now_s()))
        return 200, fine

    receiver.answer = answer
    delivery = delivery_to(store, clock, all=sender)
    for number in range(60):  # one every two seconds: more than it takes one by one
        store.record_events([intrusion(f"c{1 + number % 4}", NOON_S + 1000 * number, severity=1 + number % 4)])
        asyncio.run(turns(delivery, clock, 1, 2))
    asyncio.run(turns(delivery, clock, 40, 3))
    assert set(states(store)) == {MessageState.DELIVERED}
    told = [notice.number for stored in store.outgoing.messages(limit=500) for notice in stored.message.notices]
    assert sorted(told) == list(range(1, 61))
    assert len(taken) == len(receiver.got) <= 3 * PER_MIN + PER_MIN  # three minutes and a bit
    assert "新案卷 1：区域入侵（一级）" in taken[0]
    assert "https://grid.example.org/#incident=" in taken[0]


@pytest.mark.parametrize("service", SERVICES)
def test_a_robot_that_is_asked_too_often_is_left_alone_and_its_secrets_are_not_told(
    receiver: Receiver, open_store: Open, clock: SimulatedClock, service: RobotService
) -> None:
    _, fine, too_often = SERVICES[service]
    site, sender = robot(receiver, clock, service)
    store = open_store(site)
    delivery = delivery_to(store, clock, all=sender)
    receiver.answer = lambda _: (200, too_often)
    store.record_events([intrusion(severity=1)])
    asyncio.run(turns(delivery, clock, 59))
    assert len(receiver.got) == 1
    [waiting] = store.outgoing.messages()
    assert waiting.error.startswith("answered code")
    assert TOKEN not in waiting.error
    receiver.answer = lambda _: (200, fine)
    asyncio.run(turns(delivery, clock, 60, 2))
    assert states(store) == {MessageState.DELIVERED: 1}


def message(*lines: str) -> Message:
    return Message("0" * 36, "all", NOON_S, "opened", 1, False, "题", lines, 1, "", "", ())


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_robot_answers(receiver: Receiver, clock: SimulatedClock, service: RobotService) -> None:
    _, sender = robot(receiver, clock, service)
    receiver.answer = lambda _: (200, b'{"errcode": 310000, "errmsg": "keywords not in content"}')
    with pytest.raises(MessageRefused, match="answered code 310000: keywords not in content"):
        asyncio.run(sender.send(message()))
    for strange in (b"<html>welcome</html>", b"[]", b"7", b"{}"):
        receiver.answer = lambda _, body=strange: (200, body)  # type: ignore[misc]  # bound at once
        with pytest.raises((TargetDown, MessageRefused)):
            asyncio.run(sender.send(message()))


@pytest.mark.parametrize("service", SERVICES)
def test_a_long_text_is_cut_at_whole_lines_and_mentions_nobody(
    receiver: Receiver, clock: SimulatedClock, service: RobotService
) -> None:
    check, fine, _ = SERVICES[service]
    _, sender = robot(receiver, clock, service)
    receiver.answer = lambda _: (200, fine)
    long = replace(
        message("短", *("长" * 900 for _ in range(30)), '<at user_id="all">x</at><@all>'), link="https://grid.example.org"
    )
    asyncio.run(sender.send(long))
    text = check(receiver.got[0], clock.now_s())
    assert text.startswith("题\n短\n")
    assert text.endswith("\nhttps://grid.example.org\n#00000000")
    asyncio.run(sender.send(replace(long, lines=('<at user_id="all">x</at><@all>',))))
    assert "<at" not in check(receiver.got[1], clock.now_s())
    assert "<@" not in check(receiver.got[1], clock.now_s())


def test_rules_of_a_robot_are_those_of_everybody(open_store: Open, clock: SimulatedClock, receiver: Receiver) -> None:
    site, sender = robot(receiver, clock, RobotService.WECOM)
    rule = TellRule(("all",), severity=1, group_s=0.0)
    store = open_store(replace(site, notifications=replace(site.notifications, rules=(rule,))))
    store.record_events([intrusion(severity=2)])
    asyncio.run(turns(delivery_to(store, clock, all=sender), clock, 2))
    assert receiver.got == []
