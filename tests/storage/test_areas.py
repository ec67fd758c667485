"""Areas on both databases: what a query leaves out is what the area says does not lie in it."""

import uuid
from dataclasses import replace

import pytest

from base import ConfigError, Gap, GapCause, SimulatedClock
from camera_config.site import Checkpoint, Name, Place, PlaceKind, Site
from patrol import CommandError, Grid
from patrol.ledger import Book, LedgerFilter
from patrol.rounds import TemporaryStop
from storage import Area, IncidentFilter, RoundFilter, Store, WantedDraw, check_areas
from tests.patrol.round_site import inspection, round_site, route
from tests.patrol.small_site import LI, NOON_S, intrusion

ALL_CELLS = ("g1", "g2", "g3", "g4")


@pytest.fixture
def site() -> Site:
    """Two communities: m1 with g1 and g2, m2 with g3 and g4; a route in g1, key nodes in g2 and g3."""
    base = round_site(route(), inspections=(inspection(),))
    moved = {"g3": "p2", "g4": "p2"}
    places = [replace(each, parent=moved.get(each.id, each.parent)) for each in base.places]
    outline = places[0].outline
    second = (
        Place("m2", PlaceKind.COMMUNITY, Name("西社区", "West"), "d", outline),
        Place("p2", PlaceKind.COMPOUND, Name("二号院", "Court Two"), "m2", outline),
    )
    cameras = tuple(replace(each, compound=moved.get(each.grid_cell, each.compound)) for each in base.cameras)
    points = (*base.checkpoints, Checkpoint("far", Name("远", "Far"), "g4", 120.035, 30.002))
    return replace(base, places=(*places, *second), cameras=cameras, checkpoints=points)


def area_of(site: Site, *places: str) -> Area:
    return Area.of(Grid(site), places)


def test_an_area_is_made_of_communities_and_cells(site: Site) -> None:
    east = area_of(site, "m1")
    assert east.grid_cells == {"g1", "g2"}
    assert east.cameras == {"c1", "c2"}
    assert east.teams >= {"t1", "t2", "t3"}
    assert east.teams.isdisjoint({"t4", "t5"})
    both = area_of(site, "m1", "g4")
    assert both.grid_cells == {"g1", "g2", "g4"}
    assert (both.key, area_of(site, "g4", "m1").key) == ("g4,m1", "g4,m1")
    assert both.holds("g4", "m2")
    assert not both.holds("g3", "m2")
    assert both.holds("", "m1")
    assert not both.holds("", "m2"), "of the second community only one cell was named"
    assert not both.holds("", "")
    gone = area_of(site, "nowhere")
    assert (gone.grid_cells, gone.cameras, gone.teams) == (frozenset(), frozenset(), frozenset())
    assert check_areas(site, ["m2", "g1", "g1"]) == ("g1", "m2")
    for wrong in ("p1", "d", "", "nowhere"):
        with pytest.raises(ConfigError, match="areas"):
            check_areas(site, [wrong])


def test_the_shown_part_of_a_site_has_the_places_above_it(site: Site) -> None:
    part = area_of(site, "g4").part_of(site)
    assert {place.id for place in part.places} == {"d", "m2", "p2", "g4"}
    assert [camera.id for camera in part.cameras] == ["c4"]
    assert {rule.camera for rule in part.rules} == {"c4"}
    assert {point.id for point in part.checkpoints} == {"far"}


@pytest.mark.parametrize("places", [("m1",), ("g1",), ("m2", "g2"), ("nowhere",)])
def test_lists_and_counts_leave_out_what_lies_elsewhere(
    store: Store, clock: SimulatedClock, site: Site, places: tuple[str, ...]
) -> None:
    area = area_of(site, *places)
    opened = store.record_events([intrusion(camera, clock.now_s()) for camera in ("c1", "c2", "c3", "c4")])
    store.record_gaps([Gap(camera, clock.now_s(), None, GapCause.STALL) for camera in site.camera_by_id])
    mine = {each.id for each in opened if area.holds_incident(each)}
    found, follows = store.incident_page("open", 10, None, IncidentFilter(area=area))
    assert ({each.id for each in found}, follows) == (mine, None)
    for book in (Book.INCIDENTS, Book.EVENTS, Book.GAPS):
        page = store.ledger.page(book, LedgerFilter(), 10, area=area)
        cells = {str(line["grid_cell"]) for line in page.lines}
        assert cells == {each.grid_cell for each in opened if area.holds_incident(each)}
        assert store.ledger.count(book, LedgerFilter(), 10, area) == len(page.lines) == len(mine)
    store.rounds.plan(at_once=True)
    every = store.rounds.rounds(RoundFilter())
    assert every
    wanted = {each.planned.id for each in every if area.holds_round(each.planned)}
    assert {each.planned.id for each in store.rounds.rounds(RoundFilter(area=area))} == wanted
    assert {line["_id"] for line in store.ledger.page(Book.ROUNDS, LedgerFilter(), 100, area=area).lines} == wanted


def test_a_draw_is_known_where_nothing_else_could_have_been_drawn(store: Store, site: Site) -> None:
    near, far = (WantedDraw(str(uuid.uuid4()), "a" * 64, 1, pool) for pool in (("k1",), ("k1", "far")))
    for wanted in (near, far):
        store.rounds.draw(wanted, LI)
    draws = store.rounds.draws(area=area_of(site, "m1"))
    assert [draw.id for draw in draws] == [near.id]
    assert {draw.id for draw in store.rounds.draws(area=area_of(site, "m1", "m2"))} == {near.id, far.id}
    assert store.rounds.draws(area=area_of(site, "nowhere")) == []


def test_accounts_keep_their_areas(store: Store) -> None:
    user = store.add_user("li", "hash", "operator", ("g1",))
    store.add_session("s" * 64, "user", user.id, NOON_S + 1e6)
    assert store.change_user(user.id, "operator", ("g1",)) == user
    assert store.session("s" * 64) is not None
    changed = store.change_user(user.id, "dispatcher", ("g2", "m1"))
    assert changed == replace(user, role="dispatcher", areas=("g2", "m1"))
    assert store.user(user.id) == changed
    assert store.session("s" * 64) is None
    assert store.change_user("nobody", "operator", ()) is None
    assert store.area(()) is None
    area = store.area(("m1",))
    assert area is not None
    assert area.key == "m1"
    far = TemporaryStop(str(uuid.uuid4()), (120.035, 30.002), "dark", NOON_S + 3600.0)
    with pytest.raises(CommandError, match="outside"):
        store.rounds.add_temporary_stop(far, LI, area)
    stop = store.rounds.add_temporary_stop(far, LI)
    assert store.rounds.temporary_stop(stop.id) == stop
    assert store.rounds.temporary_stops(area=area) == []
    assert store.rounds.temporary_stops() == [stop]
