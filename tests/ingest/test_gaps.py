"""A camera's time is cut into seen and not seen without a remainder, and every gap has its cause."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import (
    AuthError,
    ConnectError,
    Gap,
    GapCause,
    ProtocolError,
    SourceError,
    StreamEnded,
    StreamTimeout,
    TooManyConnections,
)
from ingest import Phase, UnsupportedStream
from ingest.gaps import GapLog, GapTrack, cause_of
from tests.ingest.street import Street

CLOSED = StreamEnded("192.0.2.1:554: closed")
REFUSED = ConnectError("192.0.2.1:554: Connection refused")


def recorded(street: Street) -> list[Gap]:
    """The newest record of every gap since the street began, by time."""
    found = {(gap.camera, gap.began_s): gap for gap in street.reader.gaps.take()}
    return [found[key] for key in sorted(found)]


@pytest.mark.parametrize(
    ("error", "phase", "cause"),
    [
        (REFUSED, Phase.CONNECTING, GapCause.CONNECT),
        (StreamTimeout("no connection within 5 s"), Phase.CONNECTING, GapCause.CONNECT),
        (StreamTimeout("no answer"), Phase.DESCRIBING, GapCause.CONNECT),
        (StreamTimeout("no decodable key frame"), Phase.STARTING, GapCause.STALL),
        (StreamTimeout("no media"), Phase.STREAMING, GapCause.STALL),
        (AuthError("401"), Phase.DESCRIBING, GapCause.CREDENTIALS),
        (TooManyConnections("401"), Phase.DESCRIBING, GapCause.TOO_MANY_CONNECTIONS),
        (UnsupportedStream("MJPEG"), Phase.DESCRIBING, GapCause.UNSUPPORTED),
        (ProtocolError("garbage"), Phase.STREAMING, GapCause.PROTOCOL),
        (SourceError("our own mistake"), Phase.STREAMING, GapCause.PROTOCOL),
        (CLOSED, Phase.STREAMING, GapCause.ENDED_BY_CAMERA),
    ],
)
def test_every_error_is_a_cause(error: SourceError, phase: Phase, cause: GapCause) -> None:
    assert cause_of(error, phase) is cause


def test_a_reboot_is_one_gap_from_the_last_frame_to_the_first() -> None:
    street = Street()
    street.run(10)
    [start] = recorded(street)
    assert start.cause is GapCause.STARTING and start.ended_s is not None and start.ended_s - start.began_s < 0.2
    ended_s = street.clock.now_s()
    street.cameras[0].error = CLOSED
    street.run(1)
    [going_on] = recorded(street)
    assert going_on.ended_s is None and going_on.cause is GapCause.ENDED_BY_CAMERA
    street.cameras[0].error = REFUSED
    street.run(30)
    street.cameras[0].error = None
    back_s = street.clock.now_s()
    street.run(60)
    [gap] = recorded(street)
    assert gap.cause is GapCause.ENDED_BY_CAMERA and gap.began_s == pytest.approx(ended_s, abs=0.3) == going_on.began_s
    first_s = next(at_s for at_s, _ in street.arrivals if at_s > back_s - street.clock.now_s() + street.clock.monotonic_s())
    assert gap.ended_s == pytest.approx(first_s + street.clock.now_s() - street.clock.monotonic_s(), abs=1e-6)


def test_a_stall_began_with_the_last_frame_not_when_it_was_noticed() -> None:
    street = Street()
    street.run(10)
    recorded(street)
    last_s = street.clock.now_s()
    street.cameras[0].fps = 0
    street.run(12)
    [gap] = recorded(street)
    assert gap.cause is GapCause.STALL and gap.began_s == pytest.approx(last_s, abs=0.3)


def test_what_an_administrator_can_act_on_counts_more_than_how_it_began() -> None:
    street = Street()
    street.run(5)
    recorded(street)
    for error, seconds in ((CLOSED, 1), (REFUSED, 5), (AuthError("401"), 40), (REFUSED, 60)):
        street.cameras[0].error = error
        street.run(seconds)
    [gap] = recorded(street)
    assert gap.cause is GapCause.TOO_MANY_CONNECTIONS and gap.ended_s is None


def test_a_clock_that_is_set_makes_no_gap_longer() -> None:
    street = Street()
    street.run(5)
    street.cameras[0].error = CLOSED
    street.run(2)
    street.clock.step_wall(3600)
    street.cameras[0].error = None
    street.run(200)
    start, gap = recorded(street)
    assert gap.ended_s is not None and 2 <= gap.ended_s - gap.began_s < 10 and start.ended_s is not None


def test_the_log_is_bounded_and_drops_the_oldest() -> None:
    log = GapLog()
    for number in range(5000):
        GapTrack(f"c{number}", log, 1e9, 0.0)
    gaps = log.take()
    assert (len(gaps), gaps[0].camera, gaps[-1].camera) == (4096, "c904", "c4999") and log.take() == ()


STATES = ("good", "silent", "stuck", "refused", "closed", "wrong password", "no key frame", "garbage")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STATES), st.floats(0.05, 40)), min_size=1, max_size=8))
def test_seen_and_not_seen_add_up_to_the_time_observed(script: list[tuple[str, float]]) -> None:
    street = Street()
    camera, began_s = street.cameras[0], street.clock.monotonic_s()
    errors = {"refused": REFUSED, "closed": CLOSED, "wrong password": AuthError("401"), "garbage": ProtocolError("0x01")}
    for state, seconds in script:
        camera.error, camera.stuck = errors.get(state), state == "stuck"
        camera.fps = 0 if state == "silent" else 5
        camera.phase = Phase.STARTING if state == "no key frame" else Phase.STREAMING
        street.run(seconds)
    now_s, utc_s = street.clock.monotonic_s(), street.clock.now_s()

    gaps = recorded(street)
    assert gaps[0].began_s == pytest.approx(utc_s - now_s + began_s)
    assert all(gap.ended_s is not None for gap in gaps[:-1])
    assert all((gap.ended_s or 0) <= later.began_s + 1e-6 for gap, later in itertools.pairwise(gaps))
    not_seen_s = sum((utc_s if gap.ended_s is None else gap.ended_s) - gap.began_s for gap in gaps)

    # What happened, told without the life: frames within 2 s of each other in one connection belong together.
    seen_s, last = 0.0, None
    for at_s, _, connection in frames_of(street):
        if last is not None and last[1] == connection and at_s - last[0] <= 2.0:
            seen_s += at_s - last[0]
        last = at_s, connection
    if last is not None and gaps[-1].ended_s is not None:
        seen_s += now_s - last[0]
    assert seen_s + not_seen_s == pytest.approx(now_s - began_s, abs=1e-5)


def frames_of(street: Street) -> list[tuple[float, int, int]]:
    """(when, media time, number of the connection) of every delivery that made progress."""
    found: list[tuple[float, int, int]] = []
    for at_s, pts in street.arrivals:
        connection = sum(opened_s <= at_s for opened_s in street.cameras[0].opened_s)
        if not found or (pts, connection) != found[-1][1:]:
            found.append((at_s, pts, connection))
    return found
