"""`limits.toml`: what it gives, that it is written back as it was, and every way in which it is wrong."""

import dataclasses
from pathlib import Path

import pytest

from camera_config import Schedule, Site, SiteError, load_site, write_site
from camera_config.site import CompoundKind, Name, PlaceHours, Section
from camera_config.time_limits import Category, Limit, LimitedStep, TimeLimits
from tests.camera_config.small_site import write_small_site

LIMITS = """\
warn_at = 0.75
escalate_after = [0.25, 0.5, 2]
working_hours = "mon-fri 08:30-12:00, mon-fri 13:30-17:30"

[[limit]]
severity = [3, 4]
close_min = 2880
verify_min = 480.5
in_working_time = ["verify", "close"]

[[limit]]
severity = 1
category = "fire"
acknowledge_min = 0.5

[[hours]]
compound_kind = "school"
working_hours = "mon-fri 07:00-17:00"

[[hours]]
place = "yard"
working_hours = "06:00-22:00"

[[section]]
id = "section-1"
name_zh = "一片"
name_en = "Section 1"
grid_cells = ["cell-1"]
responsible = "leader 1"
"""


def site_with(folder: Path, limits: str) -> Site:
    write_small_site(folder)
    (folder / "limits.toml").write_text(limits, "utf-8")
    return load_site(folder)


def test_a_site_without_the_file_has_the_defaults(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    assert (site.time_limits, site.place_hours, site.sections) == (TimeLimits(), (), ())
    assert (TimeLimits().warn_at, TimeLimits().escalate_after) == (0.8, (0.5, 1.0, 2.0))


def test_everything_in_the_file_is_read(tmp_path: Path) -> None:
    site = site_with(tmp_path, LIMITS)
    limits = site.time_limits
    assert (limits.warn_at, limits.escalate_after, limits.working_hours.text[:7]) == (0.75, (0.25, 0.5, 2.0), "mon-fri")
    long = {LimitedStep.VERIFY: 28_830.0, LimitedStep.CLOSE: 172_800.0}
    assert limits.limits == (
        Limit((3, 4), (), long, frozenset(long)),
        Limit((1,), (Category.FIRE,), {LimitedStep.ACKNOWLEDGE: 30.0}),
    )
    assert site.place_hours == (
        PlaceHours(Schedule.parse("mon-fri 07:00-17:00"), "", CompoundKind.SCHOOL),
        PlaceHours(Schedule.parse("06:00-22:00"), "yard"),
    )
    assert site.sections == (Section("section-1", Name("一片", "Section 1"), ("cell-1",), "leader 1"),)


def test_a_site_is_written_back_with_its_limits(tmp_path: Path) -> None:
    site = site_with(tmp_path / "one", LIMITS)
    write_site(site, tmp_path / "two")
    assert load_site(tmp_path / "two") == dataclasses.replace(site, folder=tmp_path / "two")


# What is replaced, by what, and what the message says.
WRONG = [
    ("warn_at = 0.75", "warn_at = 1.5", "limits.toml:1: warn_at: expected a number from 0.05 to 0.99, got 1.5"),
    ("warn_at = 0.75", "warm_at = 0.75", "did you mean 'warn_at'?"),
    ("[0.25, 0.5, 2]", "[0.5, 0.25, 2]", "limits.toml:2: escalate_after: expected three rising numbers"),
    ("[0.25, 0.5, 2]", "[0.5, 1]", "expected three rising numbers"),
    ("[0.25, 0.5, 2]", '"soon"', "expected three rising numbers"),
    ("[0.25, 0.5, 2]", "[0.5, true, 2]", "expected three rising numbers"),
    ("mon-fri 08:30-12:00, mon-fri 13:30-17:30", "never", "with 'never' no limit would ever be reached"),
    ("mon-fri 08:30-12:00, mon-fri 13:30-17:30", "office hours", "limits.toml:3: working_hours: expected 'always'"),
    ("severity = 1", "severity = 5", "limits.toml:12: limit.severity: expected 1, 2, 3 or 4"),
    ("severity = 1", "severity = true", "expected 1, 2, 3 or 4"),
    ("severity = 1", "severity = []", "expected 1, 2, 3 or 4"),
    ('category = "fire"', 'category = "ghosts"', "limit.category: expected some of public_order, traffic, fire"),
    ("acknowledge_min = 0.5", "acknowledge_min = 0", "limit.acknowledge_min: expected a number from 0.5 to 527040"),
    ("acknowledge_min = 0.5", "acknowledge = 30", "did you mean 'acknowledge_min'?"),
    ("acknowledge_min = 0.5", "", "expected a limit such as acknowledge_min"),
    ("severity = [3, 4]", "severity = [2, 3]", "expected only with severities 3 and 4; the others do not wait"),
    ('["verify", "close"]', '["lunch"]', "limit.in_working_time: expected some of acknowledge"),
    ('compound_kind = "school"', "", "expected either place or compound_kind"),
    ('compound_kind = "school"', 'compound_kind = "school"\nplace = "yard"', "expected either place or compound_kind"),
    ('compound_kind = "school"', 'compound_kind = "castle"', "expected one of residential"),
    ('place = "yard"', 'place = "moon"', "hours.place: expected the id of a place, got 'moon'"),
    ('["cell-1"]', '["cell-9"]', "section.grid_cells: expected ids of grid cells, got 'cell-9'"),
    ('["cell-1"]', '["yard"]', "expected ids of grid cells, got 'yard'"),
    ('"section-1"', '"yard"', "section.id: expected an id that no place and no other section has"),
    ("[[section]]", "[section]", "section: expected [[section]] tables"),
    ("[[hours]]", "[[opening]]", "opening: unknown key"),
    ("warn_at = 0.75", "warn_at = ", "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), WRONG)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in LIMITS
    with pytest.raises(SiteError) as caught:
        site_with(tmp_path, LIMITS.replace(old, new))
    assert sentence in str(caught.value)


def test_a_cell_is_in_one_section(tmp_path: Path) -> None:
    again = LIMITS + '\n[[section]]\nid = "section-2"\nname_en = "Two"\ngrid_cells = ["cell-1"]\n'
    with pytest.raises(SiteError, match="expected each cell in one section, cell-1 is in section-1 already"):
        site_with(tmp_path, again)
