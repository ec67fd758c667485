"""Accuracy as a regression test: the whole chain from packets to events on short labelled clips, against committed floors.

The floors stand in ``benchmarks/accuracy_floors.json``; all clips: ``python -m benchmarks.accuracy``.
"""

import json
from functools import cache
from pathlib import Path

import pytest

from base import ModelError
from benchmarks import accuracy
from benchmarks._labels import CLIPS, film_of
from benchmarks._live import Live
from detect import Networks, load_networks
from tests.detect.stage import clip_path

FLOORS = json.loads((Path(accuracy.__file__).with_name("accuracy_floors.json")).read_text("utf-8"))


@pytest.fixture(scope="module")
def networks() -> Networks:
    try:
        return load_networks([], "none")
    except ModelError:
        pytest.skip("the embedded crop network is not in models/")


@cache
def outcome(name: str, networks: Networks) -> accuracy.Outcome:
    """What came of a clip, with and without the gate; once for all tests."""
    clip_path(name)
    return accuracy.outcome_of(film_of(next(clip for clip in CLIPS if clip.name == name)), networks, baselines=False)


@pytest.mark.parametrize("name", FLOORS["clips"])
def test_a_clip_is_as_good_as_it_was(name: str, networks: Networks) -> None:
    floor, found = FLOORS["clips"][name], outcome(name, networks)
    assert found.ours.found >= floor["found"]
    assert found.ours.false <= floor["false"]
    assert (found.gate.recall or 0.0) >= floor["gate_recall"]
    assert (found.ours.latency(0.5) or 99.0) <= floor["latency_p50_s"]
    assert found.decoded < found.packets  # the quiet beginning is not decoded


def test_people_are_boxed_and_followed_as_well_as_they_were(networks: Networks) -> None:
    measured = accuracy.people_summary([outcome("mot/TUD-Campus/input.mp4", networks)])
    for key in ("person_ap50", "mota", "idf1"):
        value = measured[key]
        assert isinstance(value, float)
        assert value >= FLOORS[key], key


def test_the_same_clip_twice_gives_the_same_events(networks: Networks) -> None:
    clip_path("motion/sbi_IBMtest2/input.mp4")
    film = film_of(next(clip for clip in CLIPS if "IBMtest2" in clip.name))
    one, two = (list(Live(film.rules, networks).play(film.sent.packets())) for _ in range(2))
    assert one == two
    assert one
