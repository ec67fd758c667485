"""MQTT 3.1.1 and 5: messages on one topic, the state of the site on retained ones, and our own availability.

::

    PREFIX/status            online | offline, retained; the broker itself says offline when we are gone (last will)
    PREFIX/notice            each message as JSON, QoS 1
    PREFIX/summary           counts of incidents, cameras and teams, retained
    PREFIX/incident/ID       an open incident, retained; emptied when it is closed
    PREFIX/camera/ID         a camera's health, retained
    PREFIX/team/ID           what a team does, retained

State is compared with what the broker retains, so that only changes are sent, and what ended while we were away is taken away.
"""

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TypeAlias

import aiomqtt

from base import Backoff, Clock, GridpatrolError, printable
from camera_config.notification_rules import Mqtt, MqttVersion
from camera_config.site import Credential, Site
from fleet.notices.home_assistant import discovery
from fleet.notices.sender import DEADLINE_S, TargetDown, end_tasks, json_of
from patrol.notice_words import Message

__all__ = ["MqttSender", "Topics"]

logger = logging.getLogger(__name__)

Topics: TypeAlias = Mapping[str, object]
"""What is to be retained, by topic below the prefix; values become JSON."""

_LOOK_EVERY_S = 2.0
_OURS = ("incident/+", "camera/+", "team/+")
_OFFLINE, _ONLINE = b"offline", b"online"
_VERSIONS = {MqttVersion.V3: aiomqtt.ProtocolVersion.V311, MqttVersion.V5: aiomqtt.ProtocolVersion.V5}


class MqttSender:
    """One broker; see `Sender`. `run` keeps the connection up and the state published; `send` uses that connection."""

    per_min = 600

    def __init__(
        self,
        target: Mqtt,
        login: Credential | None,
        site: Site,
        clock: Clock,
        state: Callable[[], Awaitable[Topics]],
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._target = target
        self._login = login
        self._site = site
        self._clock = clock
        self._state = state
        self._context = context
        self._client: aiomqtt.Client | None = None  # set while connected

    async def send(self, message: Message) -> None:
        client = self._client
        if client is None:
            raise TargetDown("not connected to the broker")
        body = json.dumps(json_of(message), ensure_ascii=False).encode()
        try:
            await client.publish(f"{self._target.prefix}/notice", body, qos=1, timeout=DEADLINE_S)
        except aiomqtt.MqttError as error:
            raise TargetDown(printable(str(error))[:200]) from None

    async def run(self) -> None:
        """Connect, publish, and again with back-off when the connection is lost; until cancelled."""
        backoff, rng, said = Backoff(cap_s=60.0), random.Random(), ""
        while True:
            began_s = self._clock.monotonic_s()
            try:
                await self.run_once()
            except (aiomqtt.MqttError, OSError, GridpatrolError) as error:
                if str(error) != said:
                    said = str(error)
                    logger.warning("broker %s: %s", self._target.id, printable(said)[:300])
            backoff.succeeded(self._clock.monotonic_s() - began_s)
            await asyncio.sleep(backoff.next_delay_s(rng))

    async def run_once(self) -> None:
        """One connection, until it is lost; raises MqttError or OSError."""
        target, login = self._target, self._login
        status = f"{target.prefix}/status"
        client = aiomqtt.Client(
            target.host,
            target.port,
            username=login.user if login else None,
            password=login.password if login else None,
            identifier=f"gridpatrol-{self._site.id}-{target.id}",
            protocol=_VERSIONS[target.version],
            will=aiomqtt.Will(status, _OFFLINE, qos=1, retain=True),
            keepalive=30,
            timeout=DEADLINE_S,
            tls_context=self._context() if target.tls else None,
        )
        async with client:
            try:
                await client.publish(status, _ONLINE, qos=1, retain=True)
                self._client = client
                logger.info("broker %s: connected", target.id)
                retained: dict[str, bytes] = {}
                await _first_to_end(self._learn(client, retained), self._keep_publishing(client, retained))
            finally:
                self._client = None
                await _farewell(client, status)

    async def _learn(self, client: aiomqtt.Client, retained: dict[str, bytes]) -> None:
        """Note what the broker retains of ours from earlier times. The first to notice that the connection is lost."""
        async for message in client.messages:
            if message.retain and isinstance(message.payload, bytes) and message.payload:
                retained[message.topic.value] = message.payload

    async def _keep_publishing(self, client: aiomqtt.Client, retained: dict[str, bytes]) -> None:
        """Publish what differs from what is retained, and take away what is no more; until the connection is lost."""
        target = self._target
        for topic in _OURS:
            await client.subscribe(f"{target.prefix}/{topic}", qos=1)
        if target.discovery:
            await client.subscribe(f"{target.discovery}/+/gridpatrol_{self._site.id}/+/config", qos=1)
        found = discovery(self._site, target) if target.discovery else {}
        while True:
            state = found | {f"{target.prefix}/{topic}": value for topic, value in (await self._state()).items()}
            wanted = {topic: json.dumps(value, ensure_ascii=False).encode() for topic, value in state.items()}
            for topic in [*wanted, *(retained.keys() - wanted.keys())]:
                payload = wanted.get(topic, b"")  # empty: the broker forgets what it retained
                if retained.get(topic, b"") != payload:
                    await client.publish(topic, payload, qos=1, retain=True)
                    retained[topic] = payload
            await asyncio.sleep(_LOOK_EVERY_S)


async def _first_to_end(*work: Coroutine[None, None, None]) -> None:
    """Run all of `work` until one of it ends, and raise what that raised; the others are cancelled."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks(tasks)
    for task in done:
        task.result()


async def _farewell(client: aiomqtt.Client, status: str) -> None:
    """A connection that ends in order says so itself: the last will is for the others."""
    try:
        await client.publish(status, _OFFLINE, qos=1, retain=True, timeout=1.0)
    except aiomqtt.MqttError:
        logger.debug("the broker has gone before we could say goodbye")
