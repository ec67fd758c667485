"""Our client against a real socket: what works, every fault, and that the neighbour does not notice."""

import itertools
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from base import (
    AuthError,
    Codec,
    ConnectError,
    Health,
    Packet,
    ProtocolError,
    SourceError,
    StreamEnded,
    StreamTimeout,
    SystemClock,
)
from ingest import DEFAULT_SETTINGS, Feed, SweepReader
from ingest.life import CameraLife
from ingest.reader import choose_source
from ingest.rtsp_source import Resolver, RtspSource
from tests.ingest.conftest import GOP, HEIGHT, WIDTH, Clip, Until
from tests.servers.rtsp import Fault, RtspServer, Script

USER, PASSWORD = "operator", "s3cret:word"
QUICK = replace(
    DEFAULT_SETTINGS, connect_s=1.0, describe_s=1.0, first_key_s=1.5, stall_s=1.0, backoff_floor_s=0.1, backoff_after_stall_s=0.2
)


class Rig:
    """A reader over some cameras, swept by the test."""

    def __init__(self, urls: list[str], user: str = USER, password: str = PASSWORD) -> None:
        self.packets: list[list[Packet]] = [[] for _ in urls]
        feeds = [Feed(f"c{row}", url, user, password) for row, url in enumerate(urls)]
        self.reader = SweepReader(feeds, SystemClock(), QUICK, lambda row, packets: self.packets[row].extend(packets))

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()

    def life(self, row: int = 0) -> CameraLife:
        return self.reader.lives[row]

    def error(self, row: int = 0) -> str:
        return self.life(row).status(0.0, False).error

    def swept(self, condition: Callable[[], bool]) -> Callable[[], bool]:
        def turn() -> bool:
            self.reader.run_once()
            return condition()

        return turn


@pytest.mark.parametrize("auth", ["", "Basic", "MD5", "SHA-256"])
def test_media_arrives_whatever_way_to_sign_in(clip: Clip, until: Until, auth: str) -> None:
    with RtspServer(clip, Script(auth=auth, with_audio=True, channel=6)) as server, Rig([server.url()]) as rig:
        assert until(rig.swept(lambda: len(rig.packets[0]) >= 2 * GOP - 4), 10)
        packets = rig.packets[0]
        assert packets[0].is_key and [packet.is_key for packet in packets[:12]] == [at % GOP == 0 for at in range(12)]
        assert all(packet.pts_90k - before.pts_90k == 6000 for before, packet in itertools.pairwise(packets))
        assert all(packet.time_s > before.time_s for before, packet in itertools.pairwise(packets))
        status = rig.life().status(0.0, False)
        assert (status.width_px, status.height_px, status.codec, status.lost) == (WIDTH, HEIGHT, Codec.H264, 0)
        assert server.seen.methods[:2] == ["OPTIONS", "OPTIONS" if auth else "DESCRIBE"]


def test_a_camera_that_offered_digest_is_never_told_the_password_in_plain_text_later(clip: Clip, until: Until) -> None:
    with RtspServer(clip, Script(auth="MD5")) as server, Rig([server.url()]) as rig:
        assert until(rig.swept(lambda: len(rig.packets[0]) > 2), 10)
        server.script = replace(server.script, auth="Basic")
        authorized = server.seen.authorized
        server.drop_all()
        assert until(rig.swept(lambda: "for the password in plain text (Basic), refused" in rig.error()), 10)
        assert server.seen.authorized == authorized and server.seen.connections >= 2


def test_a_renewed_nonce_in_keep_alive_does_not_end_the_stream(clip: Clip, until: Until) -> None:
    script = Script(auth="MD5", session_timeout_s=2, stale_after_requests=6)
    with RtspServer(clip, script) as server, Rig([server.url()]) as rig:
        assert until(rig.swept(lambda: server.seen.methods.count("GET_PARAMETER") >= 3), 12)
        assert server.seen.connections == 1 and server.seen.refused >= 2 and rig.error() == ""


def test_a_name_is_looked_up_without_blocking(clip: Clip, until: Until) -> None:
    with (
        RtspServer(clip) as server,
        Rig([server.url().replace("127.0.0.1", "localhost"), "rtsp://no.such.host.invalid/x"]) as rig,
    ):
        assert until(rig.swept(lambda: len(rig.packets[0]) > 3 and rig.error(1) != ""), 15)
        assert "no.such.host.invalid" in rig.error(1)


def test_goodbye_is_said(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server:
        with Rig([server.url()]) as rig:
            assert until(rig.swept(lambda: len(rig.packets[0]) > 3), 10)
        assert until(lambda: server.seen.teardowns == 1, 5)


FAULTS: list[tuple[Fault, type[SourceError], str]] = [
    (Fault.SILENT, StreamTimeout, "no answer that leads to media within 1 s"),
    (Fault.SLOW_LORIS, StreamTimeout, "no answer that leads to media within 1 s"),
    (Fault.STALL, StreamTimeout, "no media for 1 s"),
    (Fault.CLOSE, StreamEnded, "closed the connection"),
    (Fault.GARBAGE, ProtocolError, "expected '$' or an RTSP message, got 0x01"),
    (Fault.WRONG_LENGTH, ProtocolError, "byte"),
    (Fault.TRUNCATED_FU, ProtocolError, "an FU-A of 2 bytes; expected at least 3 (SSRC 0x1234abcd, sequence"),
    (Fault.SAME_TIMESTAMP, StreamTimeout, "no media for 1 s"),
    (Fault.NO_PARAMETER_SETS, StreamTimeout, "no decodable key frame within 1.5 s"),
    (Fault.HUGE_SPS, ProtocolError, "a picture of 16384x16384"),
    (Fault.REDIRECT, ProtocolError, "leads to another host, 198.51.100.7"),
    (Fault.CONTROL_ELSEWHERE, ProtocolError, "leads to another host, 198.51.100.7"),
    (Fault.NOT_FOUND, ConnectError, "DESCRIBE with 404"),
    (Fault.FORGETS_SESSION, StreamEnded, "forgotten the session"),
]


@pytest.mark.parametrize(("fault", "kind", "says"), FAULTS, ids=[fault.name for fault, _, _ in FAULTS])
def test_a_fault_has_its_name_and_the_neighbour_plays_on(
    clip: Clip, until: Until, fault: Fault, kind: type[SourceError], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script(fault, after_frames=6, session_timeout_s=2 if fault is Fault.FORGETS_SESSION else 60)
    with RtspServer(clip, script) as bad, RtspServer(clip) as good, Rig([bad.url(), good.url()]) as rig:
        failed = rig.swept(lambda: rig.life().reconnects > 0)
        assert until(failed, 8)
        text = rig.error()
        assert says in text and text.startswith(f"127.0.0.1:{bad.port}"), text
        assert until(rig.swept(lambda: bad.seen.connections >= 2 and len(rig.packets[1]) > 10), 8)  # tries again
        assert rig.life(1).reconnects == 0
        assert not any(record.exc_info for record in caplog.records) and PASSWORD not in caplog.text
    assert issubclass(kind, SourceError)


def test_nobody_there(until: Until) -> None:
    with Rig(["rtsp://127.0.0.1:1/x", "nonsense", "rtsp://192.0.2.300:99999/"]) as rig:
        assert until(rig.swept(lambda: all(rig.error(row) for row in range(3))), 10)
        assert "Connection refused" in rig.error(0) and "expected rtsp://" in rig.error(2)


def test_a_wrong_password_is_named_and_never_shown(clip: Clip, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with RtspServer(clip, Script(auth="MD5")) as server, Rig([server.url() + "?password=hidden"], password="wr0ng!") as rig:
        assert until(rig.swept(lambda: rig.life().reconnects > 0), 5)
        assert "refuses the password of user 'operator'" in rig.error()
        shown = caplog.text + rig.error() + repr(rig.life().feed) + repr(rig.life().status(0, False))
        assert "wr0ng!" not in shown and "hidden" not in shown


def test_lost_rtp_packets_are_counted_and_their_pictures_dropped(clip: Clip, until: Until) -> None:
    with RtspServer(clip, Script(Fault.LOSE_EVERY_TENTH)) as server, Rig([server.url()]) as rig:
        assert until(rig.swept(lambda: rig.life().stats.lost >= 5), 15)
        assert any(packet.lost for packet in rig.packets[0])


def test_a_new_ssrc_costs_at_most_a_gop(clip: Clip, until: Until) -> None:
    with RtspServer(clip, Script(Fault.OTHER_SSRC, after_frames=12)) as server, Rig([server.url()]) as rig:
        assert until(rig.swept(lambda: sum(packet.is_key for packet in rig.packets[0]) >= 3), 10)
        assert server.seen.connections == 1 and sum(packet.lost for packet in rig.packets[0]) == 1
        steps = [b.pts_90k - a.pts_90k for a, b in zip(rig.packets[0], rig.packets[0][1:], strict=False)]
        # the timestamps jump by 69 000, and the new SSRC must have 0.4 s to itself
        assert all(0 < step <= 69_000 + 36_000 for step in steps)


def test_a_burst_at_the_start_is_dated_back(clip: Clip, until: Until) -> None:
    with RtspServer(clip, Script(fast_start=True)) as server, Rig([server.url()]) as rig:
        assert until(rig.swept(lambda: len(rig.packets[0]) >= GOP), 10)
        first, last = rig.packets[0][0], rig.packets[0][GOP - 1]
        assert last.time_s - first.time_s == pytest.approx((GOP - 1) / 15, abs=0.1)


def test_all_cameras_come_back_after_a_switch_rebooted(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server, Rig([server.url(f"c{row}") for row in range(10)]) as rig:
        assert until(rig.swept(lambda: all(rig.packets)), 10)
        server.drop_all()
        assert until(rig.swept(lambda: all(life.reconnects for life in rig.reader.lives)), 5)
        for packets in rig.packets:
            packets.clear()
        assert until(rig.swept(lambda: all(rig.packets)), 10)
        assert until(rig.swept(lambda: all(life.health is Health.ONLINE for life in rig.reader.lives)), 5)


def test_credentials_in_a_url_leave_it_at_once() -> None:
    feed = Feed("c1", "rtsp://op:p%40ss@192.0.2.1:554/live?x=1")
    assert (feed.url, feed.user, feed.password) == ("rtsp://192.0.2.1:554/live?x=1", "op", "p@ss")
    assert repr(feed) == "Feed(camera='c1', url='rtsp://192.0.2.1:554/live')"
    assert Feed("c1", "rtsp://op:x@192.0.2.1/", user="other", password="y").password == "y"


def test_the_right_source_is_chosen() -> None:
    resolver, clock = Resolver(), SystemClock()
    for url in ("rtsp://192.0.2.1/", "RTSPS://192.0.2.1/"):
        assert isinstance(choose_source(Feed("c", url), clock, resolver), RtspSource)
    for url in ("http://192.0.2.1/", "/tmp/x.mp4"):
        assert not isinstance(choose_source(Feed("c", url), clock, resolver), RtspSource)
    assert AuthError.__mro__[1] is SourceError
