"""Plans: what is understood, and how each mistake is told."""

from pathlib import Path

import pytest

from base import ConfigError
from ingest.simulate import Fault, FaultKind, SceneSpec, SimCamera, SimPlan, SlowPhase, load_plan

GOOD = """
fps: 12
user: admin
password: "see-saw"
cameras:
  - id: c0001
    scene: gate
    light: night
    variant: 3
    offset_s: 12.5
    faults:
      - {kind: stall, at_s: 30, for_s: 5}
      - {kind: "401", at_s: 40, for_s: 0}
      - {kind: resolution, at_s: 50, width_px: 352, height_px: 288}
      - {kind: clock_jump, at_s: 60, jump_s: -120}
      - {kind: reset, at_s: 70}
      - {kind: slow_loris, at_s: 80, phase: setup}
      - {kind: flood, at_s: 90, mbit_per_s: 20}
  - id: c0002
"""


def test_a_plan_says_everything_that_can_be_asked_for() -> None:
    plan = load_plan(GOOD)
    assert (plan.fps, plan.user, plan.password) == (12, "admin", "see-saw")
    assert "see-saw" not in repr(plan)
    assert plan.cameras[1] == SimCamera("c0002")
    first = plan.cameras[0]
    assert (first.scene, first.light, first.variant, first.offset_s) == ("gate", "night", 3, 12.5)
    assert first.faults == (
        Fault(FaultKind.STALL, 30, 5),
        Fault(FaultKind.REFUSE, 40, 0),
        Fault(FaultKind.RESOLUTION, 50, width_px=352, height_px=288),
        Fault(FaultKind.CLOCK_JUMP, 60, jump_s=-120),
        Fault(FaultKind.RESET, 70),
        Fault(FaultKind.SLOW_LORIS, 80, phase=SlowPhase.SETUP),
        Fault(FaultKind.FLOOD, 90, mbit_per_s=20),
    )
    assert plan.spec(first) == SceneSpec("gate", "night", 3, fps=12)


def test_a_number_of_cameras_is_a_plan_too() -> None:
    plan = load_plan("cameras: 30\nseed: 5")
    assert [camera.id for camera in plan.cameras[:2]] == ["c0001", "c0002"]
    assert len({camera.scene for camera in plan.cameras}) == 4
    assert len({camera.light for camera in plan.cameras}) == 3
    assert len({camera.offset_s for camera in plan.cameras}) == 30
    assert plan == SimPlan.numbered(30, seed=5)
    assert len(plan.specs()) < 30  # clips are shared


def test_files_are_found_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "hall.mp4").write_bytes(b"x")
    (tmp_path / "plan.yaml").write_text("cameras: [{id: a, file: hall.mp4}]")
    plan = load_plan(tmp_path / "plan.yaml")
    assert plan.spec(plan.cameras[0]) == (tmp_path / "hall.mp4").resolve()


ERRORS = [
    ("cameras: [", "not valid YAML"),
    ("- a\n", "expected a mapping of keys to values, got a list"),
    ("", "got nothing"),
    ("fps: 15", "cameras: expected 1 to 10000 cameras"),
    ("cameras: 0", "1: cameras: expected a number from 1 to 10000, got '0'"),
    ("cameras: 2\ncolour: red", "2: colour: unknown key; allowed are fps,"),
    ("fps: 15\nfps: 25\ncameras: 2", "2: fps: the key is there twice"),
    ("fps: fast\ncameras: 2", "1: fps: expected a number from 1 to 60, got 'fast'"),
    ("fps: 12.5\ncameras: 2", "1: fps: expected a whole number"),
    ("fps: nan\ncameras: 2", "1: fps: expected a number"),
    ("user: admin\ncameras: 2", "1: user: user and password belong together"),
    ("cameras:\n  - scene: gate", "2: cameras[0].id: missing; expected a text"),
    ("cameras:\n  - id: c1\n  - id: c1", "cameras[1].id: 'c1' is already the id of cameras[0]"),
    ("cameras:\n  - id: 'a/b'", "2: cameras[0].id: expected letters, digits, - and _"),
    (
        "cameras:\n  - id: c1\n    scene: beach",
        "3: cameras[0].scene: expected one of street, courtyard, gate, car_park, got 'beach'",
    ),
    ("cameras:\n  - id: c1\n    light: [day]", "3: cameras[0].light: expected one of day, night, rain, got a list"),
    ("cameras:\n  - id: c1\n    file: no.mp4", "3: cameras[0].file: expected a video file, found none at"),
    ("cameras:\n  - id: c1\n    file: no.mp4\n    scene: gate", "a camera plays a file or a drawn scene, not both"),
    ("cameras:\n  - id: c1\n    faults: stop", "3: cameras[0].faults: expected a list"),
    ("cameras:\n  - {id: c1, faults: [{at_s: 1}]}", "cameras[0].faults[0].kind: missing; expected one of stop, stall,"),
    ("cameras:\n  - {id: c1, faults: [{kind: explode, at_s: 1}]}", "got 'explode'"),
    ("cameras:\n  - {id: c1, faults: [{kind: stop}]}", "cameras[0].faults[0].at_s: missing"),
    ("cameras:\n  - {id: c1, faults: [{kind: stop, at_s: -1}]}", "cameras[0].faults[0].at_s: expected a number from 0"),
    (
        "cameras:\n  - {id: c1, faults: [{kind: reset, at_s: 1, for_s: 3}]}",
        "faults[0].for_s: unknown key; allowed are kind, at_s",
    ),
    ("cameras:\n  - {id: c1, faults: [{kind: stop, at_s: 1, jump_s: 3}]}", "jump_s: unknown key"),
    ("cameras:\n  - {id: c1, faults: [{kind: silent, at_s: 1, phase: setup}]}", "phase: unknown key"),
    (
        "cameras:\n  - {id: c1, faults: [{kind: slow_loris, at_s: 1, phase: teardown}]}",
        "phase: expected one of options, describe, setup, play, media, got 'teardown'",
    ),
    (
        "cameras:\n  - {id: c1, faults: [{kind: flood, at_s: 1, mbit_per_s: 1000}]}",
        "mbit_per_s: expected a number from 1 to 200, got '1000'",
    ),
    (
        "cameras:\n  - {id: c1, faults: [{kind: resolution, at_s: 1, width_px: 321}]}",
        "width_px: expected an even number, got 321",
    ),
    ("cameras: !!python/object/apply:os.getcwd []", "cameras"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS, ids=[message[:40] for _, message in ERRORS])
def test_each_mistake_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_plan(text)
    assert message in str(error.value)


def test_a_missing_plan_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_plan(tmp_path / "nowhere.yaml")
