"""A look at cameras for `gridpatrol check`, and the second look that tells a dead camera from one without a picture."""

import socket
import threading
from collections.abc import Iterator

import pytest

from base import Advice, CameraStatus, Codec, Health, Quality, SystemClock
from ingest import Feed, survey
from ingest.rtsp_source import Resolver
from ingest.second_look import SecondLook, look_at
from tests.ingest.conftest import GOP, HEIGHT, WIDTH, Clip, Until
from tests.servers.rtsp import Fault, RtspServer, Script

USER, PASSWORD = "operator", "s3cret:word"


def surveyed(url: str, password: str = PASSWORD, seconds: float = 8.0) -> CameraStatus:
    return survey([Feed("c1", url, USER, password)], SystemClock(), seconds)[0]


def test_a_camera_is_measured(clip: Clip) -> None:
    with RtspServer(clip, Script(auth="SHA-256")) as server:
        seen = surveyed(server.url())
    assert (seen.codec, seen.width_px, seen.height_px, seen.error) == (Codec.H264, WIDTH, HEIGHT, "")
    assert seen.frames_per_s == pytest.approx(15, rel=0.15) and seen.gop_s == pytest.approx(GOP / 15, abs=0.02)
    assert seen.kbit_per_s > 10 and "@" in seen.profile and seen.transport == "tcp" and seen.ring_s > GOP / 15
    assert (seen.health, seen.quality, seen.advice) == (Health.ONLINE, Quality.EXCELLENT, ())


def test_stored_frames_at_the_start_are_no_higher_rate(clip: Clip) -> None:
    with RtspServer(clip, Script(fast_start=True)) as server:
        assert surveyed(server.url()).frames_per_s == pytest.approx(15, rel=0.25)


def test_what_is_wrong_is_said(clip: Clip) -> None:
    with RtspServer(clip, Script(auth="MD5")) as server:
        wrong = surveyed(server.url(), "no")
        assert "refuses the password" in wrong.error and server.seen.connections == 1, "one try: accounts are locked"
        assert (wrong.health, wrong.advice) == (Health.DEGRADED, (Advice.WRONG_CREDENTIALS,))
        assert "none is configured" in survey([Feed("c1", server.url())], SystemClock(), 5)[0].error
    with RtspServer(clip, Script(Fault.SILENT)) as server:
        assert "still describing" in surveyed(server.url(), seconds=0.5).error


def test_a_dead_camera_is_offline_and_the_others_are_seen_meanwhile(clip: Clip) -> None:
    with RtspServer(clip) as server:
        feeds = [Feed("dead", "rtsp://127.0.0.1:1/x"), Feed("good", server.url())]
        told: list[int] = []
        dead, good = survey(feeds, SystemClock(), 8, told.append)
    assert "Connection refused" in dead.error and dead.health is Health.OFFLINE
    assert good.error == "" and good.health is Health.ONLINE and told[-1] == 2 and told == sorted(told)


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.close()


def found(look: SecondLook | None, until: Until) -> bool | None:
    assert look is not None
    until(lambda: look.poll() is not None, 8)
    try:
        return look.poll()
    finally:
        look.close()


@pytest.mark.parametrize("auth", ["", "MD5"])
def test_any_rtsp_answer_is_an_answer(clip: Clip, until: Until, resolver: Resolver, auth: str) -> None:
    with RtspServer(clip, Script(auth=auth)) as server:
        assert found(look_at(Feed("c", server.url()), SystemClock(), resolver), until) is True
        by_name = server.url().replace("127.0.0.1", "localhost")
        assert found(look_at(Feed("c", by_name), SystemClock(), resolver), until) is True


def greet(listener: socket.socket) -> None:
    """What a machine that is no camera says."""
    caller, _ = listener.accept()
    with caller:
        caller.send(b"SSH-2.0-OpenSSH\r\n")
        caller.recv(1000)


def test_nobody_and_nonsense_are_no_answer(until: Until, resolver: Resolver) -> None:
    assert found(look_at(Feed("c", "rtsp://127.0.0.1:1/x"), SystemClock(), resolver), until) is False
    assert found(look_at(Feed("c", "rtsp://no.such.host.invalid/x"), SystemClock(), resolver), until) is False
    assert look_at(Feed("c", "/tmp/clip.mp4"), SystemClock(), resolver) is None
    assert look_at(Feed("c", "rtsp://192.0.2.1:99999/"), SystemClock(), resolver) is None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"127.0.0.1:{listener.getsockname()[1]}"
        greeter = threading.Thread(target=greet, args=(listener,), daemon=True)
        greeter.start()
        assert found(look_at(Feed("c", f"rtsp://{url}/x"), SystemClock(), resolver), until) is False
        greeter.join(5)
        assert found(look_at(Feed("c", f"http://{url}/x"), SystemClock(), resolver), until) is True


def test_who_accepts_and_says_nothing_is_no_answer_after_five_seconds(until: Until, resolver: Resolver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        feed = Feed("c", f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x")
        assert found(look_at(feed, SystemClock(), resolver), until) is False
