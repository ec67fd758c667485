"""MQTT against Debian's mosquitto: messages, retained state, availability, discovery, a broker that goes and comes back."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from base import CameraStatus, Health, Quality, SystemClock
from camera_config.notification_rules import Language, Mqtt, MqttVersion
from camera_config.site import Credential, Site
from fleet.notices import Delivery, TargetDown
from fleet.notices.home_assistant import discovery
from fleet.notices.mqtt import MqttSender
from fleet.notices.sender import end_tasks
from fleet.notices.site_state import SiteState
from patrol import Step
from patrol.notice_words import Message
from storage import MessageState, Store
from tests.notices.stage import one_turn, site_with, states
from tests.patrol.small_site import NOON_S, command, intrusion
from tests.servers.mosquitto import Follower, broker, following
from tests.servers.relay import Relay

pytestmark = pytest.mark.peer

Open = Callable[[Site], Store]

MESSAGE = Message("0" * 36, "home", NOON_S, "opened", 1, False, "题", ("一",), 1, "", "", ())


class Cameras:
    """In place of control: what is known of cameras."""

    def __init__(self, **health: Health) -> None:
        self._health = health

    def statuses(self) -> dict[str, CameraStatus]:
        return {name: CameraStatus(name, each, Quality.FAIR, NOON_S, None) for name, each in self._health.items()}


async def until(what: str, condition: Callable[[], bool], within_s: float = 20.0) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s: {what}") from None


@contextlib.asynccontextmanager
async def running(sender: MqttSender) -> AsyncIterator[None]:
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        await end_tasks([task])


def mqtt(port: int, version: MqttVersion = MqttVersion.V5, **more: str) -> Mqtt:
    return replace(Mqtt("home", "127.0.0.1", port, tls=False, language=Language.EN, version=version), **more)  # type: ignore[arg-type]


def sender_of(site: Site, store: Store, login: Credential | None = None, **health: Health) -> MqttSender:
    [target] = site.notifications.targets
    assert isinstance(target, Mqtt)
    clock = SystemClock()
    return MqttSender(target, login, site, clock, SiteState(site, store, Cameras(**health), clock).topics)


def read(follower: Follower, topic: str) -> dict[str, object]:
    found = json.loads(follower.last[topic])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", MqttVersion)
def test_messages_and_the_state_of_the_site(tmp_path: Path, open_store: Open, version: MqttVersion) -> None:
    async def run(port: int, follower: Follower) -> None:
        site = site_with(mqtt(port, version))
        store = open_store(site)
        [incident] = store.record_events([intrusion(severity=1)])
        sender = sender_of(site, store, c1=Health.ONLINE, c2=Health.OFFLINE)
        topic = f"gridpatrol/incident/{incident.id}"
        async with running(sender):
            await until("the incident is there", lambda: topic in follower.last and "gridpatrol/summary" in follower.last)
            assert follower.last["gridpatrol/status"] == b"online"
            assert read(follower, topic)["work"] == "new"
            assert read(follower, "gridpatrol/camera/c2") == {"health": "offline"}
            await until("teams are there", lambda: "gridpatrol/team/t1" in follower.last)
            assert read(follower, "gridpatrol/team/t1") == {"status": "available", "on_shift": True, "incident": None}
            await until("the summary counts", lambda: read(follower, "gridpatrol/summary")["incidents_open"] == 1)
            assert read(follower, "gridpatrol/summary")["cameras_offline"] == 3  # c3 and c4 are not known to be anything else
            await one_turn(Delivery(store.outgoing, {"home": (sender, Language.EN)}, SystemClock()))
            await until("the message is there", lambda: "gridpatrol/notice" in follower.last)
            assert read(follower, "gridpatrol/notice")["title"] == "New incident 1: intrusion (severity 1)"
            assert states(store) == {MessageState.DELIVERED: 1}
            owned = store.apply(command(incident, Step.ACKNOWLEDGE))
            await until("the step is seen", lambda: read(follower, topic)["work"] == "acknowledged")
            store.apply(command(owned, Step.CLOSE))
            await until("it is taken away", lambda: follower.last[topic] == b"")
        await until("we say goodbye", lambda: follower.last["gridpatrol/status"] == b"offline")
        assert not any(b"lon" in payload or b"rtsp" in payload for payload in follower.last.values())

    with broker(tmp_path) as found, following(found.port, "gridpatrol/#") as follower:
        asyncio.run(run(found.port, follower))


def test_the_broker_says_that_we_are_gone(tmp_path: Path, open_store: Open) -> None:
    async def run(line: Relay, follower: Follower) -> None:
        site = site_with(mqtt(line.port))
        sender = sender_of(site, open_store(site))
        async with running(sender):
            await until("online", lambda: follower.last.get("gridpatrol/status") == b"online")
            line.reset()
            await until("the last will", lambda: follower.last.get("gridpatrol/status") == b"offline")
            await until("back again", lambda: follower.last.get("gridpatrol/status") == b"online")

    with (
        broker(tmp_path) as found,
        following(found.port, "gridpatrol/status") as follower,
        Relay(found.port) as line,
    ):
        asyncio.run(run(line, follower))


def test_what_ended_while_we_were_away_is_taken_away_and_state_is_retained(tmp_path: Path, open_store: Open) -> None:
    async def run(port: int) -> None:
        site = site_with(mqtt(port, discovery="homeassistant"))
        store = open_store(site)
        [incident] = store.record_events([intrusion(severity=1)])
        topic = f"gridpatrol/incident/{incident.id}"
        with following(port, "#") as follower:
            async with running(sender_of(site, store, c1=Health.ONLINE)):
                await until("the incident is there", lambda: topic in follower.last)
                await until("cameras are there", lambda: "gridpatrol/camera/c4" in follower.last)
        store.apply(command(store.apply(command(incident, Step.ACKNOWLEDGE)), Step.CLOSE))
        fewer = replace(site, cameras=site.cameras[:2])
        with following(port, "#") as follower:
            config = "homeassistant/binary_sensor/gridpatrol_s/camera_c4/config"
            await until("retained", lambda: {topic, "gridpatrol/camera/c4", config} <= follower.retained)
            async with running(sender_of(fewer, store, c1=Health.ONLINE)):
                gone = (topic, "gridpatrol/camera/c4", config)
                await until("all is taken away", lambda: all(follower.last[each] == b"" for each in gone))
            assert follower.last["gridpatrol/camera/c1"]

    with broker(tmp_path) as found:
        asyncio.run(run(found.port))


def test_a_broker_that_was_away_gets_messages_later(tmp_path: Path, open_store: Open) -> None:
    async def run() -> None:
        with broker(tmp_path) as found:
            site = site_with(mqtt(found.port))
            store = open_store(site)
            sender = sender_of(site, store)
            async with running(sender):
                await until("connected", lambda: sender._client is not None)
                found.stop()
                await until("noticed", lambda: sender._client is None)
                with pytest.raises(TargetDown, match="not connected"):
                    await sender.send(MESSAGE)
                found.start()
                with following(found.port, "gridpatrol/#") as follower:
                    await until("connected again", lambda: sender._client is not None)
                    await sender.send(MESSAGE)
                    await until("delivered", lambda: "gridpatrol/notice" in follower.last)
                    await until("state is back", lambda: "gridpatrol/team/t1" in follower.last)

    asyncio.run(run())


def test_a_login_is_needed_and_used(tmp_path: Path, open_store: Open, caplog: pytest.LogCaptureFixture) -> None:
    async def run(port: int, follower: Follower) -> None:
        site = site_with(mqtt(port))
        store = open_store(site)
        async with running(sender_of(site, store, Credential("b", "grid", "wrong-canary"))):
            await until("refused", lambda: "broker home:" in caplog.text)
        async with running(sender_of(site, store, Credential("b", "grid", "canary-broker"))):
            await until("online", lambda: follower.last.get("gridpatrol/status") == b"online")

    login = ("grid", "canary-broker")
    with broker(tmp_path, *login) as found, following(found.port, "gridpatrol/#", *login) as follower:
        asyncio.run(run(found.port, follower))
    assert "canary" not in caplog.text


def test_discovery_says_what_home_assistant_asks_for() -> None:
    site = site_with(mqtt(1883, discovery="homeassistant"))
    target = site.notifications.targets[0]
    assert isinstance(target, Mqtt)
    found = discovery(site, target)
    assert len(found) == 5 + 1 + len(site.cameras)
    assert len({payload["unique_id"] for payload in found.values()}) == len(found)
    for topic, payload in found.items():
        prefix, component, node, key, config = topic.split("/")
        assert (prefix, node, config) == ("homeassistant", "gridpatrol_s", "config")
        assert component in ("sensor", "binary_sensor")
        assert payload["unique_id"] == f"gridpatrol_s_{key}"
        assert payload["availability_topic"] == "gridpatrol/status"
        assert payload["device"] == {
            "identifiers": ["gridpatrol_s"],
            "name": "Willow River",
            "manufacturer": "Gridpatrol",
            "model": "Gridpatrol",
            "configuration_url": "https://grid.example.org",
        }
    camera = found["homeassistant/binary_sensor/gridpatrol_s/camera_c1/config"]
    assert (camera["device_class"], camera["state_topic"]) == ("connectivity", "gridpatrol/camera/c1")
