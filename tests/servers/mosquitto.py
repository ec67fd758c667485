"""Debian's MQTT broker on an ephemeral port of the loopback, and a plain client that follows a topic."""

import contextlib
import getpass
import queue
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest

__all__ = ["Broker", "Follower", "broker", "following"]

_BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@dataclass
class Broker:
    """A running broker; `stop` and `start` are for tests of what happens without it. It keeps nothing over that."""

    port: int
    config: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert _BINARY is not None
        self.process = subprocess.Popen(
            [_BINARY, "-c", str(self.config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline_s = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline_s, "mosquitto does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@contextlib.contextmanager
def broker(folder: Path, user: str = "", password: str = "") -> Iterator[Broker]:
    """A broker that takes everybody, or only one user; skips where mosquitto is not installed."""
    if _BINARY is None:
        pytest.skip("mosquitto is not installed here")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    lines = [f"listener {port} 127.0.0.1", "persistence false", f"allow_anonymous {'false' if user else 'true'}"]
    if user:
        secrets = folder / "passwords"
        tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
        subprocess.run([tool, "-b", "-c", str(secrets), user, password], check=True, capture_output=True)
        lines.append(f"password_file {secrets}")
        lines += [f"user {getpass.getuser()}"]  # else root's broker becomes somebody who may not read that file
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([*lines, ""]), "utf-8")
    running = Broker(port, config)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@dataclass
class Follower:
    """What arrived so far, by topic the last."""

    last: dict[str, bytes] = field(default_factory=dict)
    retained: set[str] = field(default_factory=set)  # topics that were there before


@contextlib.contextmanager
def following(port: int, topic: str, user: str = "", password: str = "") -> Iterator[Follower]:
    """A client that follows `topic` for as long as the context is open."""
    follower, ready = Follower(), queue.Queue[bool]()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)  # type: ignore[attr-defined]  # an enumeration it exports
    if user:
        client.username_pw_set(user, password)

    def arrived(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        follower.last[message.topic] = bytes(message.payload)
        if message.retain:
            follower.retained.add(message.topic)

    client.on_message = arrived
    client.on_subscribe = lambda *_: ready.put(True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.subscribe(topic, qos=1)
        ready.get(timeout=10)
        yield follower
    finally:
        client.disconnect()
        client.loop_stop()
