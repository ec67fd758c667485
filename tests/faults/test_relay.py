"""The relay does to a line what its link says, and nothing else."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.servers.relay import Link, Relay

DEADLINE_S = 10.0
REQUEST = b"SETUP rtsp://x/ RTSP/1.0\r\nTransport: RTP/AVP;unicast;client_port=%d-%d\r\n\r\n"
ANSWER = b"RTSP/1.0 200 OK\r\nTransport: RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d\r\n\r\n"


@contextlib.contextmanager
def line(relay: Relay, target: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection through the relay."""
    with relay, socket.create_connection(("127.0.0.1", relay.port), DEADLINE_S) as client:
        camera, _ = target.accept()
        with camera:
            camera.settimeout(DEADLINE_S)
            yield client, camera


@pytest.fixture
def target() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(DEADLINE_S)
        yield listening


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def read(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += sock.recv(count - len(data))
    return data


def is_mute(sock: socket.socket) -> bool:
    """Whether nothing comes for a while, and the connection stands."""
    sock.settimeout(0.3)
    try:
        return not sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(DEADLINE_S)


def test_everything_arrives_in_order_both_ways_however_the_line_jitters(target: socket.socket) -> None:
    relay = Relay(port_of(target))
    relay.link = Link(delay_s=0.01, jitter_s=0.05)
    sent = bytes(index % 251 for index in range(300_000))
    with line(relay, target) as (client, camera):
        for near, far in ((client, camera), (camera, client)):
            thread = threading.Thread(target=near.sendall, args=(sent,), name="test-send")
            thread.start()
            assert read(far, len(sent)) == sent
            thread.join(DEADLINE_S)


def test_a_slow_line_takes_its_time(target: socket.socket) -> None:
    relay = Relay(port_of(target))
    relay.link = Link(delay_s=0.2, bytes_per_s=100_000)
    with line(relay, target) as (client, camera):
        began_s = time.monotonic()
        client.sendall(b"x" * 50_000)
        read(camera, 1)
        assert time.monotonic() - began_s >= 0.2
        read(camera, 49_999)
        assert time.monotonic() - began_s >= 0.5


def test_a_dead_direction_holds_back_and_later_loses_nothing(target: socket.socket) -> None:
    relay = Relay(port_of(target))
    with line(relay, target) as (client, camera):
        relay.link = Link(down=False)
        camera.sendall(b"later")
        client.sendall(b"now")
        assert read(camera, 3) == b"now"
        assert is_mute(client)
        relay.link = Link()
        assert read(client, 5) == b"later"


def test_an_end_is_passed_on(target: socket.socket) -> None:
    with line(Relay(port_of(target)), target) as (client, camera):
        camera.sendall(b"bye")
        camera.close()
        assert read(client, 3) == b"bye"
        assert client.recv(1) == b""


def test_a_reset_is_a_reset_on_both_sides_and_only_a_moment(target: socket.socket) -> None:
    relay = Relay(port_of(target))
    with line(relay, target) as (client, camera):
        relay.reset()
        for sock in (client, camera):
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        with socket.create_connection(("127.0.0.1", relay.port), DEADLINE_S):
            target.accept()[0].close()


def test_connections_are_refused_and_accepted_again_at_the_same_port(target: socket.socket) -> None:
    with Relay(port_of(target)) as relay:
        for accepting in (False, True):
            relay.link = Link(accepting=accepting)
            deadline_s = time.monotonic() + DEADLINE_S
            while connects(relay.port) is not accepting:
                assert time.monotonic() < deadline_s


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE_S).close()
    except ConnectionRefusedError:
        return False
    return True


def datagrams_through(target: socket.socket, link: Link, count: int) -> list[bytes]:
    """What arrives at a client of `count` numbered datagrams from a camera, up to a last one that is sent until it comes."""
    with contextlib.ExitStack() as stack:
        ours, ours_rtcp, theirs, theirs_rtcp = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(4))
        for sock in (ours, ours_rtcp, theirs, theirs_rtcp):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(DEADLINE_S)
        relay = Relay(port_of(target), udp=True, seed=3)
        client, camera = stack.enter_context(line(relay, target))
        client.sendall(REQUEST % (port_of(ours), port_of(ours_rtcp)))
        asked = camera.recv(1000).decode().partition("client_port=")[2].split()[0].split("-")
        camera.sendall(ANSWER % (int(asked[0]), int(asked[1]), port_of(theirs), port_of(theirs_rtcp)))
        answer = client.recv(1000)
        assert b"client_port=%d-%d" % (port_of(ours), port_of(ours_rtcp)) in answer
        assert b"server_port=%s-%s" % (asked[0].encode(), asked[1].encode()) in answer
        relay.link = link
        for index in range(count):
            theirs.sendto(index.to_bytes(2), ("127.0.0.1", int(asked[0])))
        found: list[bytes] = []
        deadline_s = time.monotonic() + DEADLINE_S
        ours.settimeout(0.2)
        while b"end" not in found:
            assert time.monotonic() < deadline_s
            with contextlib.suppress(TimeoutError):
                data, sender = ours.recvfrom(100)
                assert sender == ("127.0.0.1", int(asked[0]))
                found.append(data)
                continue
            theirs.sendto(b"end", ("127.0.0.1", int(asked[0])))
        return [data for data in found if data != b"end"]


def test_datagrams_are_lost_doubled_and_late_and_the_same_ones_every_time(target: socket.socket) -> None:
    everything = [index.to_bytes(2) for index in range(200)]
    assert datagrams_through(target, Link(), 200) == everything
    lossy = datagrams_through(target, Link(loss=0.2), 200)
    assert 120 < len(lossy) < 190 and lossy == datagrams_through(target, Link(loss=0.2), 200)
    mixed = datagrams_through(target, Link(twice=0.2, late=0.2), 200)
    assert sorted(set(mixed)) == everything and len(mixed) > 210 and mixed != sorted(mixed)
