"""A camera's life on a simulated clock: deadlines, back-off, lanes, health. No sockets."""

import itertools
import threading

import pytest

from base import (
    Advice,
    AuthError,
    Codec,
    ConnectError,
    GapCause,
    Health,
    Lane,
    ProtocolError,
    Quality,
    StreamEnded,
)
from ingest import Phase, UnsupportedStream
from ingest.source import CodecChanged, Flood, PlainPassword
from tests.ingest.street import Street


def test_a_quiet_camera_is_swept_five_times_a_second_and_a_watched_one_forty_times() -> None:
    street = Street(3)
    street.run(7)  # 5 s in which it is found out how much they bring
    before = [camera.sweeps for camera in street.cameras]
    street.reader.watch(1, True)
    street.awake.add(2)
    street.run(10)
    quiet, watched, awake = (camera.sweeps - earlier for camera, earlier in zip(street.cameras, before, strict=True))
    assert quiet == 50 and 390 <= watched <= 400 and 390 <= awake <= 400
    lanes = [life.status(0.0, False).lane for life in street.reader.lives]
    assert lanes == [Lane.QUIET, Lane.FAST, Lane.FAST]
    street.reader.watch(1, False)
    street.run(1)
    earlier = street.cameras[1].sweeps
    street.run(10)
    assert street.cameras[1].sweeps - earlier == 50


@pytest.mark.parametrize(
    ("phase", "after_s", "says"),
    [
        (Phase.CONNECTING, 5, "no connection within 5 s"),
        (Phase.DESCRIBING, 10, "no answer that leads to media within 10 s"),
        (Phase.STARTING, 15, "no decodable key frame within 15 s"),
    ],
)
def test_every_phase_has_a_deadline(phase: Phase, after_s: float, says: str) -> None:
    street = Street()
    street.cameras[0].phase = phase
    street.run(after_s - 0.5)
    assert street.cameras[0].closed == 0
    street.run(1.0)
    assert street.cameras[0].closed == 1 and street.status()[2] == f"192.0.2.1:554: {says}"


@pytest.mark.parametrize("how", ["silent", "one timestamp for ever"])
def test_a_stall_is_seen_by_media_progress_and_waits_five_seconds(how: str) -> None:
    street = Street()
    street.run(3)
    camera = street.cameras[0]
    if how == "silent":
        camera.fps = 0
    else:
        camera.stuck = True
    street.run(9)
    assert camera.closed == 0
    street.run(2)
    assert camera.closed == 1 and "no media for 10 s" in street.status()[2]
    street.run(3)
    assert len(camera.opened_s) == 1  # floor 5 s, jitter 30 %
    street.run(5)
    assert len(camera.opened_s) == 2


def test_delays_grow_to_their_cap_and_are_spread() -> None:
    street = Street()
    street.cameras[0].error = ConnectError("192.0.2.1:554: Connection refused")
    street.run(1500)
    opened = street.cameras[0].opened_s
    delays = [later - earlier for earlier, later in itertools.pairwise(opened)]
    assert 0.7 <= delays[0] <= 1.4 and delays[3] > 4 and max(delays) <= 120 * 1.3 + 0.1 and len(set(delays)) == len(delays)
    assert street.status()[:2] == (Health.OFFLINE, Quality.UNUSABLE)


def test_brief_success_does_not_forgive_and_a_minute_does() -> None:
    street = Street()
    camera = street.cameras[0]
    for good_s, expected in ((5, [0, 1, 2, 3]), (70, [3, 1, 1])):
        for attempts in expected:
            life = street.reader.lives[0]
            assert life._backoff.attempts >= min(attempts, 1)
            camera.error = None
            while not life.streaming:
                street.run(1)
            street.run(good_s)
            camera.error = StreamEnded("192.0.2.1:554: closed")
            street.run(0.5)
        camera.error = None
        assert street.reader.lives[0]._backoff.attempts == (4 if good_s == 5 else 1)


def test_a_changed_codec_is_asked_for_at_once_but_not_for_ever() -> None:
    street = Street()
    camera = street.cameras[0]
    street.run(70)
    for waits in (False, True):
        tries, camera.error = len(camera.opened_s), CodecChanged("192.0.2.1:554: H.264 to H.265")
        while street.reader.lives[0].connected:
            street.run(0.025)
        camera.error = None
        street.run(0.5)
        assert (len(camera.opened_s) == tries) is waits
        street.run(5)
        assert street.status()[0] is Health.ONLINE


def test_good_media_before_a_flood_forgives_nothing() -> None:
    street = Street()
    camera = street.cameras[0]
    for failures in range(1, 4):
        while not street.reader.lives[0].streaming:
            street.run(1)
        street.run(70)
        camera.error = Flood("192.0.2.1:554: 100,000 pictures a second")
        street.run(0.3)
        camera.error = None
        assert street.reader.lives[0]._backoff.attempts == failures


def test_a_password_asked_for_in_plain_text_is_told_as_that_though_it_was_good_before() -> None:
    street = Street()
    street.run(3)
    street.cameras[0].error = PlainPassword("192.0.2.1:554: Digest first, and now Basic")
    street.run(2)
    assert street.advice() == (Advice.WRONG_CREDENTIALS,) and "too many" not in street.status()[2]


def test_at_most_five_tries_in_five_minutes_after_401() -> None:
    street = Street()
    street.cameras[0].error, street.cameras[0].answers = AuthError("192.0.2.1:554: refused (401)"), True
    street.run(900)
    opened = street.cameras[0].opened_s
    for start in opened:
        assert sum(start <= moment < start + 299 for moment in opened) <= 5
    assert street.status() == (Health.DEGRADED, Quality.UNUSABLE, "192.0.2.1:554: refused (401)")
    assert street.advice() == (Advice.WRONG_CREDENTIALS,)


def test_a_401_after_good_media_is_too_many_connections_until_it_goes_on_and_on() -> None:
    street = Street()
    street.run(3)
    street.cameras[0].error, street.cameras[0].answers = AuthError("192.0.2.1:554: refused (401)"), True
    street.run(2)
    assert "too many connections" in street.status()[2] and street.advice() == (Advice.TOO_MANY_CONNECTIONS,)
    street.run(280)
    assert street.advice() == (Advice.TOO_MANY_CONNECTIONS,)
    street.run(60)
    assert street.advice() == (Advice.WRONG_CREDENTIALS,) and street.status()[0] is Health.DEGRADED
    street.cameras[0].error = None
    street.run(300)
    assert street.status()[0] is Health.ONLINE and street.advice() == ()


def test_a_stream_our_client_does_not_read_is_told_and_tried_again() -> None:
    street = Street()
    street.cameras[0].error = UnsupportedStream("192.0.2.1:554: a video track of JPEG")
    street.run(0.025)
    assert street.status()[2] == "192.0.2.1:554: a video track of JPEG" and len(street.cameras[0].opened_s) == 1
    street.cameras[0].error = None
    street.run(3)
    assert len(street.cameras[0].opened_s) == 2 and street.status()[0] is Health.ONLINE
    street.cameras[0].error = UnsupportedStream("192.0.2.1:554: a video track of JPEG")
    street.run(1)
    assert street.advice() == (Advice.UNSUPPORTED_STREAM,)


def test_one_camera_that_breaks_us_does_not_break_the_others(caplog: pytest.LogCaptureFixture) -> None:
    street = Street(2)
    street.run(2)
    street.cameras[0].error = ZeroDivisionError("our own mistake")  # type: ignore[assignment]  # not a SourceError on purpose
    before = street.delivered[1]
    street.run(2)
    assert street.delivered[1] > before + 8 and "ZeroDivisionError" in caplog.text
    assert street.status(0)[2].endswith("ZeroDivisionError")


def test_health_and_quality_follow_the_media() -> None:
    street = Street()
    street.run(40)
    assert street.status() == (Health.ONLINE, Quality.EXCELLENT, "")
    camera = street.cameras[0]
    camera.lost = 1
    street.run(0.2)
    camera.lost = 0
    street.run(10)
    assert street.status()[:2] == (Health.ONLINE, Quality.FAIR)  # one of some hundred
    camera.lost = 1
    street.run(3)
    assert street.status()[:2] == (Health.DEGRADED, Quality.POOR) and Advice.PACKET_LOSS in street.advice()
    camera.error = StreamEnded("192.0.2.1:554: closed")
    street.run(3)
    assert street.status() == (Health.DEGRADED, Quality.UNUSABLE, "192.0.2.1:554: closed")
    street.run(4)
    assert street.status()[0] is Health.OFFLINE
    camera.error, camera.lost = None, 0
    street.run(20)
    assert street.status() == (Health.ONLINE, Quality.FAIR, "")  # one reconnect in this hour
    street.run(3700)
    assert street.status() == (Health.ONLINE, Quality.EXCELLENT, "")


def test_offline_is_said_only_when_a_second_look_finds_nobody_too() -> None:
    street = Street()
    camera = street.cameras[0]
    camera.error, camera.answers = ConnectError("192.0.2.1:554: Connection refused"), None
    street.run(7)
    assert len(camera.looks_s) == 1 and street.status()[0] is Health.DEGRADED
    street.run(60)
    assert street.status()[0] is Health.DEGRADED, "nobody knows yet"
    camera.answers = False
    street.run(2)
    assert street.status()[0] is Health.OFFLINE and camera.looks_closed == 1 and street.advice() == ()
    camera.answers = True
    street.run(80)
    assert street.status()[0] is Health.DEGRADED and street.advice() == (Advice.NO_PICTURE,)
    camera.error = None
    street.run(121)
    assert street.status() == (Health.ONLINE, Quality.EXCELLENT, "") and street.advice() == ()
    assert camera.looks_closed == len(camera.looks_s)


def test_a_camera_that_speaks_is_not_offline_whatever_the_second_look_missed() -> None:
    street = Street()
    camera = street.cameras[0]
    for error in (ProtocolError("nonsense"), AuthError("401")):
        camera.error = error
        street.run(1)
        assert street.status()[0] is Health.DEGRADED
    camera.error, camera.phase = None, Phase.STARTING  # it plays, but no key frame comes
    street.run(400)
    assert street.status()[0] is Health.DEGRADED and Advice.NO_PICTURE in street.advice()


def test_there_is_at_most_one_look_a_minute_and_none_while_there_is_media() -> None:
    street = Street(4)
    for camera in street.cameras[1:]:
        camera.error = ConnectError("192.0.2.1:554: Connection refused")
    street.run(1800)
    assert street.cameras[0].looks_s == []
    for camera in street.cameras[1:]:
        pauses = [later - earlier for earlier, later in itertools.pairwise(camera.looks_s)]
        assert min(pauses) >= 60 and 24 <= len(camera.looks_s) <= 31
    assert len({camera.looks_s[5] for camera in street.cameras[1:]}) == 3, "not all in the same second"


def test_a_frame_rate_below_what_is_usual_is_graded_and_named() -> None:
    street = Street()
    street.cameras[0].fps = 20
    street.run(90)
    assert street.status()[1] is Quality.EXCELLENT
    street.cameras[0].fps = 15
    street.run(70)
    assert street.status()[1] is Quality.FAIR and street.advice() == ()
    street.cameras[0].fps = 10
    street.run(70)
    assert street.status()[1] is Quality.POOR and street.advice() == (Advice.LOW_FRAME_RATE,)


def test_pauses_are_counted_graded_and_recorded_as_gaps() -> None:
    street = Street()
    street.run(40)
    camera = street.cameras[0]
    street.reader.gaps.take()
    for _ in range(25):
        camera.fps = 0
        street.run(4)
        camera.fps = 5
        street.run(40)
    assert street.status()[1] is Quality.POOR and street.advice() == (Advice.UNSTABLE,)
    assert street.reader.lives[0].status(0.0, False).stalls == 25
    gaps = street.reader.gaps.take()
    assert len(gaps) == 25 and {gap.cause for gap in gaps} == {GapCause.STALL}
    assert all(3.8 <= (gap.ended_s or 0) - gap.began_s <= 4.3 for gap in gaps)


def test_a_camera_clock_that_stays_wrong_is_named() -> None:
    street = Street()
    street.run(2)
    life = street.reader.lives[0]
    camera = street.cameras[0]
    camera.skew_s = -3600.0
    street.run(20)
    assert street.advice() == () and life.status(0.0, False).skew_s == -3600.0
    street.run(20)
    assert street.advice() == (Advice.CLOCK_SKEW,) and street.status()[0] is Health.ONLINE
    camera.skew_s = 0.4
    street.run(2)
    assert street.advice() == ()


def test_filler_counts_as_what_the_camera_brings() -> None:
    street = Street()
    street.cameras[0].filler = 1000  # bytes beside each of five pictures a second
    street.run(30)
    assert street.reader.lives[0].status(1.5, True).kbit_per_s == pytest.approx(44, rel=0.05)


@pytest.mark.parametrize(("transport", "lane"), [("udp", Lane.FAST), ("tcp", Lane.QUIET)])
def test_a_camera_whose_key_frame_half_fills_the_buffer_of_datagrams_is_swept_often(transport: str, lane: Lane) -> None:
    street = Street()
    camera = street.cameras[0]
    camera.transport, camera.fps, camera.gop, camera.key_size, camera.buffer_bytes = transport, 25, 250, 120_000, 212_992
    lanes = set()
    for _ in range(20):
        street.run(1.5)
        lanes.add(street.reader.lives[0].lane)
    assert (lanes == {Lane.FAST}) is (lane is Lane.FAST)


def test_the_error_tells_where_to_look_in_a_capture() -> None:
    street = Street()
    street.run(3)
    street.cameras[0].position = "byte 4711, SSRC 0x1234abcd, sequence 99"
    street.cameras[0].fps = 0
    street.run(11)
    assert street.status()[2] == "192.0.2.1:554: no media for 10 s (byte 4711, SSRC 0x1234abcd, sequence 99)"


def test_rates_are_of_the_last_minute() -> None:
    street = Street()
    street.run(30)
    status = street.reader.lives[0].status(1.5, True)
    assert status.frames_per_s == pytest.approx(5, rel=0.05) and status.kbit_per_s == pytest.approx(4, rel=0.05)
    assert status.gop_s == pytest.approx(2.0) and (status.width_px, status.codec) == (640, Codec.H264)
    assert status.awake and status.ring_s == 1.5


def test_a_smart_codec_is_named_with_advice() -> None:
    street = Street()
    street.cameras[0].gop = 60
    street.run(11)
    assert street.advice() == (Advice.LONG_GOP,), "before the first GOP is over"
    street.run(40)
    status = street.reader.lives[0].status(0.0, False)
    assert status.health is Health.DEGRADED and status.advice == (Advice.LONG_GOP,)
    assert status.gop_s == pytest.approx(12) == status.gop_most_s
    street.cameras[0].gop = 10
    street.run(30)
    assert street.advice() == () and street.reader.lives[0].status(0.0, False).gop_s == pytest.approx(2)


def test_a_closed_camera_costs_no_sweep_and_each_connection_is_announced() -> None:
    street = Street()
    street.cameras[0].error = ConnectError("refused")
    street.run(100)
    camera = street.cameras[0]
    assert camera.sweeps == len(camera.opened_s) == len(street.restarts) <= 12


@pytest.mark.parametrize("mbit_per_s", [0.5, 4, 8, 25])
def test_the_kernels_buffer_of_a_busy_camera_never_overflows_beside_700_quiet_ones(mbit_per_s: float) -> None:
    street = Street(701)
    busy = street.cameras[0]
    busy.fps, busy.size, busy.buffer_bytes = 25, round(mbit_per_s * 1e6 / 8 / 25), 212_992
    for camera in street.cameras[1:]:
        camera.size = 2_000
    street.run(45)
    assert busy.sent > 700 and busy.overflows == 0
    assert street.reader.lives[0].lane is (Lane.FAST if mbit_per_s > 4 else Lane.QUIET)
    assert sum(life.lane is Lane.FAST for life in street.reader.lives[1:]) == 0


def test_a_camera_that_becomes_busy_is_swept_often_and_one_that_calms_down_is_not() -> None:
    street = Street()
    camera = street.cameras[0]
    camera.fps = 25
    lanes = []
    for size, seconds in ((2_000, 10), (32_000, 1), (32_000, 30), (2_000, 8)):  # 32 kB: 160 between two quiet sweeps, of 200
        camera.size = size
        street.run(seconds)
        lanes.append(street.reader.lives[0].lane)
    assert lanes == [Lane.QUIET, Lane.FAST, Lane.FAST, Lane.QUIET] and camera.overflows == 0


def test_what_comes_beside_the_pictures_counts_for_the_lane() -> None:
    """Filler of an encoder with a constant bit rate, or pictures that were damaged: no packets, but bytes in the kernel."""
    street = Street()
    camera = street.cameras[0]
    camera.fps, camera.size = 25, 2_000
    lanes = []
    for filler, seconds in ((0, 10), (30_000, 3), (0, 8)):
        camera.filler = filler
        street.run(seconds)
        lanes.append(street.reader.lives[0].lane)
    assert lanes == [Lane.QUIET, Lane.FAST, Lane.QUIET]


def test_run_stops_on_request_and_closes_all() -> None:
    street, stop = Street(2), threading.Event()
    street.run(2)
    stop.set()
    street.reader.run(stop)
    assert [camera.closed for camera in street.cameras] == [1, 1]
