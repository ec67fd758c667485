"""Teams, holidays, ways and rules of dispatch: read, written again, and refused with the place and what is allowed."""

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from camera_config import (
    Automatic,
    DispatchRules,
    Holiday,
    Matter,
    Minimum,
    Name,
    Need,
    Rest,
    Rotation,
    Schedule,
    SiteError,
    TravelMode,
    Way,
    load_site,
    write_site,
)
from camera_config.district import make_district
from camera_config.time_limits import Category
from patrol import staffing_gaps
from tests.camera_config.small_site import FILES, write_small_site

TEAMS = """\
[[team]]
id = "guards"
name_zh = "保安"
kind = "property_guard"
grid_cells = ["cell-1"]
shift = "from 2026-01-05: 07:00-19:00 | 19:00-07:00 | off"
holiday_shift = "09:00-17:00"
home = [121.9022, 30.6012]
stationed = true
travels = "drive"
members = 3
call_signs = ["Lion 1", "狮子 2"]
skills = ["first_aid"]
equipment = ["car", "extinguisher"]

[[holiday]]
first = 2026-02-16
last = 2026-02-18
name_zh = "春节"

[[holiday]]
first = 2026-02-14
name_en = "Made up"
made_up = true
"""

DISPATCH = """\
[rest]
assignments = 4
minutes = 10

[[need]]
category = "fire"
equipment = ["extinguisher"]

[[automatic]]
name = "at-night"
severity = [1, 2]
category = ["fire", "help"]
schedule = "22:00-06:00"

[[minimum]]
teams = 2
grid_cells = ["cell-1"]

[[minimum]]
schedule = "19:00-07:00"
"""

PATHS = """\
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"mode": "drive"},
 "geometry": {"type": "LineString", "coordinates": [[121.901, 30.601], [121.902, 30.601], [121.903, 30.602]]}},
{"type": "Feature", "properties": {"mode": "walk"},
 "geometry": {"type": "LineString", "coordinates": [[121.902, 30.601], [121.902, 30.602]]}}
]}
"""


def folder_with(tmp_path: Path, **texts: str) -> Path:
    write_small_site(tmp_path)
    for name, text in {"teams.toml": TEAMS, "dispatch.toml": DISPATCH, "paths.geojson": PATHS, **texts}.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_everything_is_read_and_survives_being_written(tmp_path: Path) -> None:
    site = load_site(folder_with(tmp_path))
    team = site.team_by_id["guards"]
    assert isinstance(team.shift, Rotation)
    assert team.shift.days == (((420, 1140),), ((1140, 1860),), ())
    assert team.holiday_shift == Schedule.parse("09:00-17:00")
    assert (team.travels, team.stationed, team.call_signs) == (TravelMode.DRIVE, True, ("Lion 1", "狮子 2"))
    assert (team.skills, team.equipment) == (("first_aid",), ("car", "extinguisher"))
    assert site.holidays == (
        Holiday(date(2026, 2, 16), date(2026, 2, 18), Name("春节", "春节")),
        Holiday(date(2026, 2, 14), date(2026, 2, 14), Name("Made up", "Made up"), made_up=True),
    )
    assert site.dispatch == DispatchRules(
        Rest(4, 4.0, 10.0),
        (Need(Matter(categories=(Category.FIRE,)), (), ("extinguisher",)),),
        (Automatic("at-night", Matter((1, 2), (Category.FIRE, Category.HELP)), Schedule.parse("22:00-06:00")),),
        (Minimum(("cell-1",), Schedule.parse("always"), 2), Minimum((), Schedule.parse("19:00-07:00"))),
    )
    assert site.ways[1] == Way(TravelMode.WALK, ((121.902, 30.601), (121.902, 30.602)))
    write_site(site, tmp_path / "again")
    assert load_site(tmp_path / "again") == dataclasses.replace(site, folder=tmp_path / "again")


def test_all_of_it_may_be_missing(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    assert (site.holidays, site.ways, site.dispatch) == ((), (), DispatchRules())
    assert "teams.toml" in FILES


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("teams.toml", "from 2026-01-05:", "from 5.1.2026:", "teams.toml:6: team.shift: expected 'from 2026-01-05"),
        ("teams.toml", "| off", "| mon 08:00-09:00", "without weekdays"),
        ("teams.toml", '"09:00-17:00"', '"daily"', "teams.toml:7: team.holiday_shift: expected 'always'"),
        ("teams.toml", '"drive"', '"fly"', "team.travels: expected one of walk, drive"),
        ("teams.toml", "stationed = true", 'stationed = "yes"', "team.stationed: expected true or false"),
        ("teams.toml", "members = 3", "members = 1", "team.call_signs: expected each once and at most one for each of 1 members"),
        ("teams.toml", '"Lion 1"', '"Lion\\n1"', "team.call_signs: expected no control characters"),
        ("teams.toml", '["first_aid"]', '"first_aid"', "team.skills: expected a list of ids"),
        ("teams.toml", "last = 2026-02-18", "last = 2026-02-01", "holiday.last: expected a day not before 2026-02-16"),
        ("teams.toml", "last = 2026-02-18", 'last = "2026-02-18"', "holiday.last: expected a date such as 2026-02-16 without"),
        ("teams.toml", "last = 2026-02-18", "last = 2026-02-18T00:00:00Z", "holiday.last: expected a date"),
        ("teams.toml", "[[holiday]]", "[[holidays]]", "holidays: unknown key; expected only [[team]], [[holiday]] tables"),
        ("dispatch.toml", "assignments = 4", "assignments = -1", "rest.assignments: expected a whole number from 0 to 100"),
        ("dispatch.toml", "[rest]", "[[rest]]", "rest: expected one table [rest]"),
        ("dispatch.toml", '"fire"\n', '"flood"\n', "need.category: expected some of public_order"),
        ("dispatch.toml", "severity = [1, 2]", "severity = [0]", "automatic.severity: expected some of 1, 2, 3, 4, got [0]"),
        ("dispatch.toml", "severity = [1, 2]", "severity = [true]", "automatic.severity: expected some of"),
        ("dispatch.toml", 'equipment = ["extinguisher"]', "", "need.skills: missing; expected a list here, or in equipment"),
        ("dispatch.toml", '["cell-1"]', '["cell-9"]', "minimum.grid_cells: expected the id of a grid_cell, such as cell-1"),
        ("dispatch.toml", "teams = 2", "people = 2", "minimum.people: unknown key"),
        ("paths.geojson", '"walk"', '"swim"', "mode: expected one of walk, drive"),
        ("paths.geojson", "LineString", "Point", "geometry: expected a LineString, got 'Point'"),
        ("paths.geojson", "[121.902, 30.602]", "[121.902, 30.601]", "geometry: expected a line of at least two different points"),
        ("paths.geojson", "[[121.902, 30.601], [121.902, 30.602]]", "[[1.0, 2.0], [1.0, 3.0]]", "in or near the sub-district"),
        ("paths.geojson", "FeatureCollection", "Topology", "type: expected a FeatureCollection"),
        ("paths.geojson", '{"mode": "walk"}', '{"mode": "walk", "name": "x"}', "name: unknown key"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    texts = {"teams.toml": TEAMS, "dispatch.toml": DISPATCH, "paths.geojson": PATHS}
    assert old in texts[file]
    with pytest.raises(SiteError) as caught:
        load_site(folder_with(tmp_path, **{file: texts[file].replace(old, new, 1)}))
    assert says in str(caught.value)


def test_the_demo_district_is_staffed_as_it_asks_for_and_its_ways_hang_together() -> None:
    site = make_district().site
    monday = 1_772_380_800.0  # 2026-03-02 00:00 in Shanghai
    assert staffing_gaps(site, (), monday, monday + 7 * 86_400) == []
    assert {len(team.call_signs) == team.members for team in site.teams} == {True}
    neighbours: dict[tuple[float, float], set[tuple[float, float]]] = {}
    for way in site.ways:
        for a, b in zip(way.line, way.line[1:], strict=False):
            neighbours.setdefault(a, set()).add(b)
            neighbours.setdefault(b, set()).add(a)
    reached, open_points = set(), [site.ways[0].line[0]]
    while open_points:
        point = open_points.pop()
        if point not in reached:
            reached.add(point)
            open_points += neighbours[point]
    assert reached == set(neighbours)
