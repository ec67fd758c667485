"""When what is to be seen on which camera: arithmetic on the loop, across its end and for any time asked."""

from itertools import pairwise

import pytest

from base import SimulatedClock
from ingest.simulate import Appearance, Clip, SimCamera, SimPlan, Simulator, TruthBox
from tests.simulate.stage import FPS, FRAMES, small_clip

LENGTH_S = FRAMES / FPS
BOX = (0.1, 0.1, 0.2, 0.3)


def simulator(offset_s: float) -> Simulator:
    """One person from 0.4 s to 1.4 s of the loop, in the zone from 0.6 s to 1 s."""
    truth = tuple((TruthBox("person", BOX, 9 <= index < 15, 0),) if 6 <= index < 21 else () for index in range(FRAMES))
    still = small_clip()
    clip = Clip(still.name, still.width_px, still.height_px, still.fps, still.frames, truth)
    running = Simulator(SimPlan((SimCamera("c1", offset_s=offset_s),)), {still.name: clip}, SimulatedClock(1000.0))
    running._start_utc_s = 1000.0
    return running


@pytest.mark.parametrize("offset_s", [0.0, 0.7, 1.9, 41.3])
def test_an_appearance_comes_back_with_every_loop(offset_s: float) -> None:
    found = simulator(offset_s).appearances("c1", 1000.0, 1000.0 + 5 * LENGTH_S)
    assert len(found) in (5, 6)
    for appearance in found:
        assert (appearance.appeared_s - 1000.0 + offset_s) % LENGTH_S == pytest.approx(0.4)
        assert appearance.left_s - appearance.appeared_s == pytest.approx(1.0)
        assert appearance.trespass
        assert appearance.zone_from_s == pytest.approx(appearance.appeared_s + 0.2)
        assert appearance.zone_to_s == pytest.approx(appearance.appeared_s + 0.6)
    steps = [b.appeared_s - a.appeared_s for a, b in pairwise(found)]
    assert steps == pytest.approx([LENGTH_S] * len(steps))


def test_only_what_overlaps_the_time_asked_for_is_told() -> None:
    running = simulator(0.0)
    assert running.appearances("c1", 1000.0, 1000.3) == ()
    assert running.appearances("c1", 1001.5, 1002.3) == ()
    (one,) = running.appearances("c1", 1001.0, 1001.1)
    assert isinstance(one, Appearance)
    assert (one.camera, one.label, one.appeared_s, one.left_s) == ("c1", "person", 1000.4, 1001.4)
