"""`desks.toml` and `assessment.toml`: read strictly, written so that the same comes back."""

from dataclasses import replace
from pathlib import Path

import pytest

from camera_config import SiteError, load_site, write_site
from camera_config.demo_desks import make_desks
from camera_config.desks import DeskKind
from camera_config.district import make_district
from camera_config.score import ScoreWeights

GOOD = '[[desk]]\nid = "mediation"\nname_zh = "调解"\nkind = "mediation"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("site")
    write_site(make_district(cameras=4).site, where)
    return where


def test_desks_and_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    site = make_district(cameras=4).site
    community = next(place.id for place in site.places if place.kind == "community")
    desks = (*make_desks(), replace(make_desks()[0], id="own", users=("陈", "li.na"), places=(community,)))
    write_site(replace(site, desks=desks, score=ScoreWeights(1, 2, 3, 0)), tmp_path)
    read = load_site(tmp_path)
    assert (read.desks, read.score) == (desks, ScoreWeights(1, 2, 3, 0))
    assert {desk.kind for desk in make_desks()} == set(DeskKind) - {DeskKind.OTHER}


def test_without_the_files_there_are_no_desks_and_the_usual_weights(folder: Path) -> None:
    (folder / "desks.toml").unlink(missing_ok=True)
    site = load_site(folder)
    assert (site.desks, site.score) == ((), ScoreWeights())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + GOOD, "desk.id: expected each id once, got 'mediation' again"),
        (GOOD + 'opening_hours = "never"', "no limit would ever be reached"),
        (GOOD + 'opening_hours = "9 to 5"', "expected 'always', 'never', or windows"),
        (GOOD + "receipt_min = 0", "expected a number from 1 to 132480, got 0"),
        (GOOD + 'places = ["nowhere"]', "expected ids of communities, compounds or grid cells, got 'nowhere'"),
        (GOOD + "users = []", "expected a list of names of users"),
        (GOOD + 'users = ["a", "a"]', "each once"),
        (GOOD + 'users = "chen"', "expected a list of names of users"),
        (GOOD + 'phone = "110"', "desk.phone: unknown key"),
        (GOOD.replace('kind = "mediation"', 'kind = "barber"'), "expected one of mediation, legal_aid"),
        ("[desk]\n", "expected [[desk]] with two brackets"),
    ],
)
def test_what_is_wrong_with_a_desk_is_said(folder: Path, text: str, sentence: str) -> None:
    (folder / "desks.toml").write_text(text, "utf-8")
    with pytest.raises(SiteError) as refused:
        load_site(folder)
    (folder / "desks.toml").unlink()
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("in_time = -1", "expected a number from 0 to 1000, got -1"),
        ("speed = 3", "speed: unknown key"),
        ("in_time = 0\nclosing = 0\npatrol = 0\ntrue_alarms = 0", "expected at least one weight above 0"),
    ],
)
def test_what_is_wrong_with_the_weights_is_said(folder: Path, text: str, sentence: str) -> None:
    (folder / "assessment.toml").write_text(text, "utf-8")
    with pytest.raises(SiteError) as refused:
        load_site(folder)
    (folder / "assessment.toml").unlink()
    assert sentence in str(refused.value)
