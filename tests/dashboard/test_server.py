"""The web server inside somebody else's event loop."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from base import ConfigError, SystemClock
from dashboard import DashboardSettings, WebServer, create_app
from tests.dashboard.room import Room, a_room, cookie_of

NewRoom = Callable[..., Room]


def test_a_busy_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    room = a_room(tmp_path, SystemClock())
    app = create_app(room.site, room.store, room.fleet, room.clock, room.settings)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use.*--port"):
            asyncio.run(WebServer(app, "127.0.0.1", port).start())
    room.store.close()


def test_it_stops_within_three_seconds_though_pages_are_open(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()
    headers = {"Cookie": f"gridpatrol_session={cookie_of(client)}"}
    with (
        connect(room.socket_url, additional_headers=headers) as page,
        socket.create_connection(("127.0.0.1", room.server.port)) as idle,
    ):
        page.recv(timeout=5)
        idle.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        begin_s = time.monotonic()
        room.on_loop(room.server.stop())
        assert time.monotonic() - begin_s <= 3
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012  # come back
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", room.server.port), timeout=1)
    room.on_loop(room.server.stop())  # once more does nothing


def test_the_same_port_can_be_had_again_at_once(tmp_path: Path) -> None:
    room = a_room(tmp_path, SystemClock())

    async def run() -> None:
        port = 0
        for _ in range(3):
            app = create_app(room.site, room.store, room.fleet, room.clock, room.settings)
            server = WebServer(app, "127.0.0.1", port)
            await server.start()
            assert port in (0, server.port)
            port = server.port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
            await server.stop()
            writer.close()

    asyncio.run(run())
    room.store.close()


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="viewers: expected more than 0, got 0"):
        DashboardSettings(viewers=0)
    with pytest.raises(ValueError, match="at least 16 characters"):
        DashboardSettings(metrics_token="short")


def test_a_client_that_never_finishes_its_head_is_let_go(new_room: NewRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.head_deadline.HEAD_S", 0.2)
    room = new_room()
    silent = socket.create_connection(("127.0.0.1", room.server.port), timeout=5)
    slow = socket.create_connection(("127.0.0.1", room.server.port), timeout=5)
    second = socket.create_connection(("127.0.0.1", room.server.port), timeout=5)
    with silent, slow, second:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        second.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while b'"ok"}' not in answer:
            answer += second.recv(65_536)
        second.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")  # the first request was in time, this one is not
        for connection in (silent, slow, second):
            assert connection.recv(65_536).startswith(b"HTTP/1.1 408")
            assert connection.recv(65_536) == b""


def test_a_request_or_a_page_that_lasts_longer_than_a_head_may_is_left_alone(
    new_room: NewRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.head_deadline.HEAD_S", 0.2)
    monkeypatch.setattr("dashboard.routes.updates.PING_S", 0.3)
    room = new_room()
    client = room.set_up()
    with connect(room.socket_url, additional_headers={"Cookie": f"gridpatrol_session={cookie_of(client)}"}) as page:
        assert [len(str(page.recv(timeout=5))) > 0 for _ in range(4)] == [True] * 4  # hello and three pings: 0.9 s
