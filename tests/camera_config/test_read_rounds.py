"""`rounds.toml`: read strictly, written back the same, and the demo has rounds for every hour of the day."""

from datetime import date
from pathlib import Path

import pytest

from camera_config import Inspection, OpensIncident, Order, RoundRules, SiteError, Times, load_site, write_site
from camera_config.district import make_district
from tests.camera_config.small_site import write_small_site

GOOD = """\
[visits]
geofence_m = 80
code_required = false
incidents = "always"
severity = 2

[[route]]
id = "day"
name_zh = "日巡"
teams = ["guards"]
stops = ["point-1"]
at = "mon-fri 08:00, 20:00"

[[route]]
id = "shift"
name_en = "Every three hours"
teams = ["guards"]
stops = ["point-1"]
order = "free"
every_h = 3

[[route]]
id = "chance"
name_en = "At random"
grid_cell = "cell-1"
stops = ["point-1"]
random = "22:00-06:00"
times = 3
early_min = 0
late_min = 30

[[inspection]]
id = "daily"
name_en = "Daily"
schedule = "08:00-18:00"
teams = ["guards"]

[[inspection]]
id = "surprise"
name_en = "Surprise"
checkpoints = ["point-1"]
draw = 1
within_min = 45
"""


def test_a_good_file_is_read_and_written_back_the_same(tmp_path: Path) -> None:
    folder = write_small_site(tmp_path / "site")
    assert load_site(folder).rounds == RoundRules()
    (folder / "rounds.toml").write_text(GOOD, "utf-8")
    site = load_site(folder)
    day, shift, chance = site.rounds.routes
    assert (day.order, day.teams, day.walk_min) == (Order.FIXED, ("guards",), ())
    assert day.starts.at is not None
    assert day.starts.at.on(date(2026, 3, 2)) == (480, 1200)
    assert day.starts.at.on(date(2026, 3, 1)) == (1200,)
    assert (shift.starts.every_h, shift.order) == (3.0, Order.FREE)
    assert chance.starts.within is not None
    assert (chance.starts.times, chance.grid_cell, chance.early_min, chance.late_min) == (3, "cell-1", 0.0, 30.0)
    assert site.rounds.inspections[1] == Inspection(
        "surprise", site.rounds.inspections[1].name, checkpoints=("point-1",), draw=1, within_min=45.0
    )
    assert (site.rounds.geofence_m, site.rounds.incidents, site.rounds.severity) == (80.0, OpensIncident.ALWAYS, 2)
    write_site(site, tmp_path / "again")
    assert load_site(tmp_path / "again").rounds == site.rounds


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('stops = ["point-1"]\nat', 'stops = ["point-9"]\nat', "checkpoint, such as point-1, got 'point-9'"),
        ('teams = ["guards"]\nstops = ["point-1"]\nat', 'teams = ["nobody"]\nstops = ["point-1"]\nat', "got 'nobody'"),
        ('grid_cell = "cell-1"', 'grid_cell = "yard"', "ids of a grid_cell"),
        ('grid_cell = "cell-1"\n', "", "either teams, or the grid_cell"),
        ('grid_cell = "cell-1"', 'grid_cell = "cell-1"\nteams = ["guards"]', "either teams, or the grid_cell"),
        ("every_h = 3", 'every_h = 3\nat = "08:00"', "exactly one of at, every_h, random, got at, every_h"),
        ("every_h = 3\n", "", "exactly one of at, every_h, random, got none"),
        ("every_h = 3", "every_h = 0", "a number from 0.25 to 24"),
        ("every_h = 3", "every_h = 3\ntimes = 2", "only beside random"),
        ("mon-fri 08:00", "mon-fri 24:00", "times such as"),
        ("mon-fri 08:00", "xyz 08:00", "times such as"),
        ('id = "shift"', 'id = "day"', "each id once among routes and inspections"),
        ('order = "free"', 'order = "any"', "one of fixed, free"),
        ('order = "free"', "walk_min = [5]", "expected 0 numbers of minutes"),
        ("draw = 1", "draw = -1", "a whole number from 0 to 100"),
        ('incidents = "always"', 'incidents = "some"', "one of never, key_nodes, always"),
        ("geofence_m = 80", "geofence_m = 80\nradius = 3", "unknown key"),
        ("[visits]", "[[visits]]", "expected one \\[visits\\] table"),
        ("[[inspection]]", "[[inspektion]]", "unknown key"),
        ("late_min = 30", "late_min = 0", "a number from 1 to 240"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = write_small_site(tmp_path)
    assert old in GOOD
    (folder / "rounds.toml").write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(SiteError, match=says) as caught:
        load_site(folder)
    assert all("rounds.toml:" in problem for problem in caught.value.problems)


@pytest.mark.parametrize("text", ["", "8:00", "08:60", "25:00", "08:00-09:00", "mon 08:00 09:00", "mon-xyz 08:00"])
def test_wrong_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="times such as"):
        Times.parse(text)


def test_the_demo_has_routes_by_day_and_by_night_and_key_nodes_to_inspect(tmp_path: Path) -> None:
    site = make_district(cameras=1).site
    asked = site.rounds
    assert len([route for route in asked.routes if route.starts.at is not None]) == 8
    assert len([route for route in asked.routes if route.starts.within is not None]) == 4
    for route in asked.routes:
        [team] = route.teams
        cells = {site.checkpoint_by_id[stop].grid_cell for stop in route.stops}
        assert cells <= set(site.team_by_id[team].grid_cells)
        assert len(route.stops) >= 3
    assert [inspection.draw for inspection in asked.inspections] == [0, 2]
    assert any(point.key_node for point in site.checkpoints)
    write_site(site, tmp_path)
    assert load_site(tmp_path).rounds == asked
