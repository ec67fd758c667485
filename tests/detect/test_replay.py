"""Replay: the same clip twice gives the same events, byte for byte."""

import uuid
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from base import Event, FrameBatch, uuid7
from camera_config import Rule
from detect import replay
from detect.outbox import pack_event
from detect.replay import stable_id
from tests.detect.stage import ByShape, Pair, batch, noisy, rule, scene, walker, with_thing

START_S = 1_704_465_000.0  # Friday 2024-01-05 14:30 UTC


def clip(seconds: float = 20.0) -> Iterator[FrameBatch]:
    """A person walks through from second 4 to 9, another comes at 14 and stays."""
    for number in range(round(seconds * 10)):
        time_s = number / 10
        picture = scene()
        if 4 <= time_s < 9:
            picture = with_thing(picture, walker(0.1 + (time_s - 4) * 0.16))
        if time_s >= 14:
            picture = with_thing(picture, walker(min(0.6, 0.1 + (time_s - 14) * 0.2)))
        yield batch([noisy(picture, number)], time_s, awake=False)


def play(*rules: Rule, start_s: float = START_S) -> list[Event]:
    return list(replay(clip(), "c0", rules, ZoneInfo("UTC"), Pair(ByShape()), start_s=start_s))


def test_a_clip_gives_complete_events_in_the_order_they_were_raised() -> None:
    first, second = play(rule(dead_time_s=0.0))
    assert first.began_s == pytest.approx(START_S + 4.0, abs=0.2)
    assert first.ended_s == pytest.approx(START_S + 8.9, abs=0.2)
    assert second.began_s == pytest.approx(START_S + 14.0, abs=0.2)
    assert second.ended_s == pytest.approx(START_S + 19.9, abs=0.05)  # the end of the clip
    assert len(first.snapshot_jpeg) > 1000


def test_the_same_clip_twice_gives_the_same_bytes() -> None:
    rules = (rule(name="a", dead_time_s=0.0), rule(name="b", dead_time_s=0.0))
    one, two = ([pack_event(event) for event in play(*rules)] for _ in range(2))
    assert one == two
    assert len(set(one)) == 4


def test_dead_time_and_schedule_hold_in_replay() -> None:
    assert len(play(rule(dead_time_s=120.0))) == 1
    assert len(play(rule(schedule="fri 14:00-15:00"))) == 1
    assert play(rule(schedule="sat 14:00-15:00")) == []
    assert len(play(rule(schedule="sat 14:00-15:00"), start_s=START_S + 86_400)) == 1


def test_stable_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    one, other, later = stable_id(START_S, "a"), stable_id(START_S, "b"), stable_id(START_S + 1, "a")
    assert one == stable_id(START_S, "a")
    assert len({one, other, later}) == 3
    assert max(one, other) < later
    parsed = uuid.UUID(one)
    assert (parsed.version, parsed.variant, parsed.int >> 80) == (7, uuid.RFC_4122, int(START_S * 1000))


def test_a_stable_id_is_a_uuid7_with_given_bits() -> None:
    """The ids of clips that were replayed before stay what they were."""
    assert uuid7(START_S, 0) == "018cda07-e640-7000-8000-000000000000"
    assert uuid7(START_S, (1 << 80) - 1) == "018cda07-e640-7fff-bfff-ffffffffffff"
    assert stable_id(START_S, "a") == "018cda07-e640-7ca9-8112-ca1bbdcafac2"
