"""Every kind of rule in `rules.toml`: what it needs, what it refuses, and that it comes back from a written site."""

import re
from pathlib import Path

import pytest

from base import EventKind
from camera_config import HEALTH_KINDS, RULE_KINDS, Direction, Rule, SiteError, load_site, write_site
from camera_config.read_rules import keys_of
from detect.rules.camera_rules import WATCHES
from tests.camera_config.small_site import write_small_site

ZONE = "zone = [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9]]\nzone_en = 'Yard'\n"
LINE = "line = [[0.1, 0.5], [0.9, 0.5]]\n"
EXTRA = {
    EventKind.LINE_CROSSING: LINE + "zone_en = 'Gate'\ndirection = 'left'\n",
    EventKind.WRONG_WAY: ZONE + LINE,
    EventKind.CROWD: ZONE + "count = 8\ndensity = 0.4\n",
    EventKind.FAST_MOTION: ZONE + "speed = 2.5\n",
}


def text_of(kind: EventKind) -> str:
    return EXTRA.get(kind, ZONE if kind not in HEALTH_KINDS else "")


def load(folder: Path, text: str, camera: str = "'c0001'", kind: str = "intrusion") -> tuple[Rule, ...]:
    write_small_site(folder)
    (folder / "rules.toml").write_text(f"[[rule]]\ncamera = {camera}\nname = 'it'\nkind = '{kind}'\n{text}", "utf-8")
    return load_site(folder).rules


def test_every_kind_of_event_has_its_rule_and_every_rule_is_watched() -> None:
    assert set(RULE_KINDS) == set(EventKind)
    assert set(WATCHES) | HEALTH_KINDS == set(EventKind)
    assert not set(WATCHES) & HEALTH_KINDS


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_has_a_word_for_every_kind(language: str) -> None:
    words = (Path(__file__).resolve().parents[2] / f"dashboard/web/src/i18n/{language}.ts").read_text("utf-8")
    assert set(re.findall(r'"kind\.(\w+)"', words)) == set(EventKind)


@pytest.mark.parametrize("kind", EventKind)
def test_each_kind_is_read_with_its_defaults_and_written_again(kind: EventKind, tmp_path: Path) -> None:
    (one,) = load(tmp_path / "one", text_of(kind), kind=kind)
    about = RULE_KINDS[kind]
    assert (one.kind, one.labels, one.dwell_s, one.leave_s) == (kind, about.labels, about.dwell_s, about.leave_s)
    assert one.dead_time_s == about.dead_time_s
    write_site(load_site(tmp_path / "one"), tmp_path / "two")
    assert load_site(tmp_path / "two").rules == (one,)


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, about in RULE_KINDS.items() for key in about.needs])
def test_what_a_kind_needs_must_be_there(kind: EventKind, key: str, tmp_path: Path) -> None:
    without = re.sub(f"^{key} = .*\n", "", text_of(kind), flags=re.MULTILINE)
    with pytest.raises(SiteError, match=rf"rule\.{key}: expected a list of \[x, y\], got None"):
        load(tmp_path, without, kind=kind)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("intrusion", ZONE + LINE, r"rule\.line: not used by a rule of kind intrusion, which takes camera, name"),
        ("intrusion", ZONE + "speed = 3\n", r"rule\.speed: not used"),
        ("covered", ZONE, r"rule\.zone: not used"),
        ("object_left", ZONE + "labels = ['person']\n", r"rule\.labels: not used"),
        ("line_crossing", LINE + ZONE, r"rule\.zone: not used"),
        ("crowd", ZONE, r"rule\.count: missing; a crowd needs count, density or both"),
        ("crowd", ZONE + "count = 1\n", r"rule\.count: expected a whole number from 2 to 500"),
        ("crowd", ZONE + "density = 1.5\n", r"rule\.density: expected a number from 0\.05 to 1"),
        ("line_crossing", "line = [[0.1, 0.5]]\nzone_en = 'x'\n", r"rule\.line: expected 2 to 100 points, got 1"),
        ("line_crossing", "line = [[0.1, 0.5], [0.1, 0.5]]\nzone_en = 'x'\n", r"rule\.line: expected points that differ"),
        (
            "line_crossing",
            "line = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]\nzone_en = 'x'\n",
            r"rule\.line: expected a line that does not cross",
        ),
        ("line_crossing", LINE + "zone_en = 'x'\ndirection = 'up'\n", r"rule\.direction: expected one of any, left, right"),
        ("wrong_way", "zone = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]\nzone_en = 'x'\n" + LINE, "Self-intersection"),
        ("loitering", "zone = [[0.1, 0.1], [0.9, 0.9]]\nzone_en = 'x'\n", r"rule\.zone: expected an outline of at least 3"),
        ("fast_motion", ZONE + "speed = 0\n", r"rule\.speed: expected a number from 0\.5 to 20"),
        ("intrusion", ZONE + "leave_s = -1\n", r"rule\.leave_s: expected a number from 0 to 600"),
        ("intrusion", ZONE + "leav_s = 1\n", r"rule\.leav_s: unknown key; did you mean 'leave_s'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(kind: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"rules\.toml:\d+: " + message.removeprefix("^") if "rule" in message else message):
        load(tmp_path, text, kind=kind)


def test_a_rule_about_the_camera_may_hold_for_every_one(tmp_path: Path) -> None:
    rules = load(tmp_path, "", camera="'*'", kind="video_loss")
    assert [(rule.camera, rule.kind) for rule in rules] == [
        ("c0001", EventKind.VIDEO_LOSS),
        ("c0002", EventKind.VIDEO_LOSS),
    ]
    with pytest.raises(SiteError, match=r"rule\.camera: expected 1 to 64"):
        load(tmp_path, ZONE, camera="'*'")


def test_the_values_given_are_those_of_the_rule(tmp_path: Path) -> None:
    (one,) = load(tmp_path, EXTRA[EventKind.LINE_CROSSING], kind="line_crossing")
    assert (one.line, one.direction, one.zone) == (((0.1, 0.5), (0.9, 0.5)), Direction.LEFT, ())
    (two,) = load(tmp_path, EXTRA[EventKind.CROWD] + "leave_s = 3\n", kind="crowd")
    assert (two.count, two.density, two.leave_s) == (8, 0.4, 3.0)


@pytest.mark.parametrize("kind", EventKind)
def test_the_reference_says_what_each_kind_takes(kind: EventKind) -> None:
    reference = (Path(__file__).resolve().parents[2] / "docs/ref/site-folder.md").read_text("utf-8")
    (row,) = (line for line in reference.split("\n") if line.startswith("| ") and f"`{kind}`" in line.split("|")[2])
    named = set(re.findall(r"`(\w+)`", row.split("|")[3]))
    always = {"camera", "name", "kind", "schedule", "dwell_s", "dead_time_s", "severity", "zone_zh", "zone_en"}
    assert named == set(keys_of(kind)) - always
    dwell, leave = (cell.strip() for cell in row.split("|")[5:7])
    assert (dwell, leave) == (f"{RULE_KINDS[kind].dwell_s:g}", f"{RULE_KINDS[kind].leave_s:g}" if "leave_s" in named else "")
