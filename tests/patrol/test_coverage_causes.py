"""Which switch is down, why a camera covers nothing, and the account of lost time: pure functions on their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Advice, CameraStatus, Gap, GapCause, Health, Quality
from patrol.coverage_causes import Loss, failed_since, lost_cameras, switches_back, switches_lost
from patrol.coverage_history import LossInterval, account, camera_seconds, lost_at

FED = {"s": tuple(f"c{number}" for number in range(10))}


@pytest.mark.parametrize(
    ("count", "apart_s", "is_lost"),
    [
        (8, 0.0, True),  # 80 %
        (7, 0.0, False),
        (10, 6.0, True),  # the last eight within 42 s
        (10, 9.0, False),  # never eight within a minute
    ],
)
def test_most_cameras_within_a_minute_are_one_switch(count: int, apart_s: float, is_lost: bool) -> None:
    failed = {f"c{number}": 1000.0 + apart_s * number for number in range(count)}
    found = switches_lost(FED, failed)
    assert bool(found) is is_lost
    if found:
        assert found[0].cameras == tuple(sorted(failed)) and found[0].began_s == 1000.0


def test_two_cameras_are_no_switch_and_half_of_them_back_end_an_outage() -> None:
    assert switches_lost({"t": ("c1", "c2")}, {"c1": 0.0, "c2": 0.0}) == []
    down = {f"c{number}": 0.0 for number in range(10)}
    assert switches_back(FED, ["s"], down) == []
    for number in range(5):
        del down[f"c{number}"]
    assert switches_back(FED, ["s"], down) == ["s"]
    assert switches_back({}, ["gone"], {}) == ["gone"], "the site has no such switch any more"


def test_what_hides_most_comes_first() -> None:
    def status(camera: str, *advice: Advice) -> CameraStatus:
        return CameraStatus(camera, Health.DEGRADED, Quality.POOR, 0.0, 0.0, advice=advice)

    unread = CameraStatus("g", Health.OFFLINE, Quality.UNUSABLE, 0.0, None, error="not connected yet")
    statuses = {
        "g": unread,
        "a": status("a", Advice.PACKET_LOSS),
        "b": status("b", Advice.LONG_GOP),
        "c": status("c", Advice.PACKET_LOSS),
    }
    gaps = {
        "c": Gap("c", 0.0, None, GapCause.STALL),
        "d": Gap("d", 0.0, None, GapCause.CONNECT),
        "e": Gap("e", 0.0, None, GapCause.WORKER),
    }
    troubles = {"a": Loss.COVERED, "e": Loss.UNVERIFIED}
    lost = lost_cameras(statuses, gaps, troubles, {"a", "f"}, {"d": "s1", "e": "s1"})
    assert lost == {"a": "covered", "c": "offline", "d": "uplink:s1", "e": "not_watched", "f": "budget", "g": "not_watched"}
    assert failed_since(gaps) == {"c": 0.0, "d": 0.0}


CAUSES = st.sampled_from(["offline", "uplink:s1", "covered", "budget", "not_watched"])
INTERVALS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), CAUSES, st.integers(0, 100), st.integers(1, 50)).map(
        lambda drawn: LossInterval(drawn[0], drawn[1], float(drawn[2]), float(drawn[2] + drawn[3]))
    ),
    max_size=12,
)
ORDER = ["uplink:s1", "offline", "not_watched", "covered", "budget"]


@given(INTERVALS)
def test_each_second_is_lost_to_the_first_cause_that_holds(told: list[LossInterval]) -> None:
    found = account(told, 10.0, 120.0)
    for camera in ("a", "b"):
        for at_s in range(10, 120):
            holding = [each.cause for each in told if each.camera == camera and each.began_s <= at_s < each.ended_s]
            expected = min(holding, key=ORDER.index) if holding else None
            assert lost_at(found, float(at_s)).get(camera) == expected
    seconds = camera_seconds(found, {"a": "g1", "b": ""})
    assert sum(seconds.get("g1", {}).values()) == sum(each.seconds for each in found if each.camera == "a")
