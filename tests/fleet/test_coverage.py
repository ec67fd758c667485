"""Living coverage: a switch dies and comes back, with the real store and a clock of the test's own; and once for real."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from base import (
    CameraStatus,
    Event,
    EventKind,
    Gap,
    GapCause,
    Health,
    Quality,
    SimulatedClock,
    SystemClock,
    Tier,
    Watched,
    WatchRun,
)
from camera_config import Camera, Name, Schedule, Site, Team, TeamKind, write_site
from camera_config.coverage_rules import CoverageRules, PatrolStops
from camera_config.site import Gate
from dashboard import CoverageNow
from fleet.coverage import LivingCoverage
from ingest.simulate import SimCamera, SimPlan, Simulator
from ingest.simulate.plan import Fault, FaultKind
from patrol import Actor, ActorKind, Step, Work
from patrol.coverage_history import camera_seconds
from storage import ProposalState, Store
from tests.camera_config.coverage_site import camera_at, lonlat, site_with
from tests.fleet.running import Running, wait_until
from tests.patrol.small_site import LI, NOON_S, command
from tests.simulate.stage import FPS, small_clip

logger = logging.getLogger(__name__)

SWITCH = ("c1", "c2", "c3", "c4")
WANG = Actor(ActorKind.USER, "u-wang", "王芳")


def the_site(patrol: PatrolStops = PatrolStops.PROPOSED) -> Site:
    """Four cameras of one switch in cell-1, one of them at a gate, and one of no switch in cell-2."""
    cameras: list[Camera] = [
        camera_at(name, -70.0 + 5 * number, -60.0, url_sub=f"rtsp://10.0.0.1/{name}", uplink="switch-1")
        for number, name in enumerate(SWITCH)
    ]
    cameras.append(camera_at("c5", 50.0, -60.0, grid_cell="cell-2", url_sub="rtsp://10.0.0.1/c5"))
    lon, lat = lonlat(-62.0, -40.0)
    always = Schedule.parse("always")
    return site_with(
        cameras,
        gates=(Gate("gate-1", Name("东门", "East gate"), lon, lat),),
        teams=(Team("t01", Name("一队", "Team 1"), TeamKind.PROPERTY_GUARD, ("cell-1",), always, lonlat(-50.0, 0.0)),),
        coverage=CoverageRules(patrol=patrol),
    )


class Room:
    """A site, its store and what follows its coverage; the test says which cameras are not seen."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.clock = SimulatedClock(NOON_S)
        self.folder, self.site = folder, site
        self.store = Store.open(f"sqlite:///{folder}/gridpatrol.db", self.clock, site)
        self.living = LivingCoverage(site, self.store, self.clock)
        self.gaps: dict[str, Gap] = {}
        self.statuses = {
            camera.id: CameraStatus(camera.id, Health.ONLINE, Quality.EXCELLENT, NOON_S, NOON_S) for camera in site.cameras
        }
        self.now: CoverageNow | None = None

    def turn(self, seconds: float = 1.0) -> CoverageNow:
        self.clock.advance(seconds)
        turn = self.living.turn(self.statuses, self.gaps)
        self.now = turn.now or self.now
        assert self.now is not None
        return self.now

    def lose(self, *cameras: str, cause: GapCause = GapCause.ENDED_BY_CAMERA) -> None:
        self.gaps |= {camera: Gap(camera, self.clock.now_s(), None, cause) for camera in cameras}
        self.store.record_gaps([self.gaps[camera] for camera in cameras])

    def bring_back(self, *cameras: str) -> None:
        self.store.record_gaps([replace(self.gaps.pop(camera), ended_s=self.clock.now_s()) for camera in cameras])

    def video_loss(self, camera: str) -> Event:
        at_s, box = self.clock.now_s(), (0.0, 0.0, 1.0, 1.0)
        name = f"00000000-0000-7000-8000-0000000000{camera}"
        return Event(name, camera, EventKind.VIDEO_LOSS, "", "lost", "", 3, at_s, at_s, None, 1.0, box, Tier.KEY_FRAME)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, the_site())
    yield made
    made.store.close()


def test_a_dead_switch_is_one_incident_and_recovery_withdraws_everything(room: Room) -> None:
    whole = room.turn().covered
    assert whole.lost == {} and whole.figures["cell-1"].important_rate > 0.9
    room.lose(*SWITCH)
    now = room.turn()
    assert set(now.covered.lost.values()) == {"uplink:switch-1"} and set(now.covered.lost) == set(SWITCH)
    assert now.covered.figures["cell-1"].covered_m2 < 0.001 and now.covered.figures["cell-2"] == whole.figures["cell-2"]
    assert any("gate:gate-1" in spot.touches for spot in now.covered.blind_spots)
    [incident] = room.store.incidents()
    assert "switch-1" in incident.summary and incident.grid_cell == "cell-1"
    assert room.store.coverage.proposals() == [], "what reconnects by itself sends nobody out"
    room.turn(300)
    [proposed] = room.store.coverage.proposals()
    assert (proposed.grid_cell, proposed.state) == ("cell-1", ProposalState.PROPOSED) and "gate:gate-1" in proposed.why
    room.turn(60)
    assert len(room.store.coverage.proposals()) == 1 == len(room.store.incidents())
    room.bring_back(*SWITCH)
    back = room.turn()
    assert back.covered.lost == {} and back.covered.figures == whole.figures
    assert room.store.coverage.proposals() == [] and room.store.incidents() == []
    assert [entry.step for entry in room.store.history(incident.id)][-1] == "lapsed"
    assert room.store.coverage.outages() == []


def test_alarms_of_its_cameras_end_in_the_incident_of_the_switch(room: Room) -> None:
    room.turn()
    room.lose("c1")
    [early] = room.store.record_events([room.video_loss("c1")])
    room.clock.advance(20)
    room.lose("c2", "c3", "c4")
    room.turn()
    [incident] = room.store.incidents()
    assert incident.id != early.id and incident.cameras == ("c1",)
    merged = room.store.incident(early.id)
    assert merged is not None and merged.duplicate_of == incident.id
    [joined] = room.store.record_events([room.video_loss("c2")])
    assert joined.id == incident.id and joined.cameras == ("c1", "c2")
    [apart] = room.store.record_events([room.video_loss("c5")])
    assert apart.id != incident.id, "a camera of another switch alarms as before"
    taken = room.store.apply(command(joined, Step.ACKNOWLEDGE, at_s=room.clock.now_s()))
    room.bring_back(*SWITCH)
    room.turn()
    told = room.store.incident(taken.id)
    assert told is not None and told.work is Work.ACKNOWLEDGED, "who has taken it on closes it"
    assert "works again" in room.store.history(taken.id)[-1].text


def test_one_camera_and_our_own_faults_are_no_switch(room: Room) -> None:
    room.turn()
    room.lose("c1")
    assert room.turn().covered.lost == {"c1": "offline"}
    room.lose("c2", "c3", "c4", cause=GapCause.WORKER)
    assert room.turn().covered.lost == {"c1": "offline", "c2": "not_watched", "c3": "not_watched", "c4": "not_watched"}
    assert room.store.incidents() == []


def test_what_the_picture_and_the_budget_say_counts_until_it_is_over(room: Room) -> None:
    room.turn()
    turned = replace(room.video_loss("c5"), kind=EventKind.SCENE_CHANGED)
    [incident] = room.store.record_events([turned])
    room.store.record_watch_runs([WatchRun("c1", NOON_S, None, Watched.BUDGET)])
    now = room.turn()
    assert now.covered.lost == {"c5": "unverified", "c1": "budget"} and now.covered.figures["cell-2"].covered_m2 < 0.001
    assert room.turn().version == now.version, "nothing is worked out while nothing changes"
    held = room.store.apply(command(incident, Step.ACKNOWLEDGE, at_s=room.clock.now_s()))
    room.store.apply(command(held, Step.CLOSE, at_s=room.clock.now_s()))
    room.store.record_watch_runs([WatchRun("c1", NOON_S + 60, None, Watched.QUIET)])
    assert room.turn().covered.lost == {}


def test_a_proposal_becomes_a_stop_by_one_press_and_is_called_off_on_recovery(room: Room) -> None:
    room.turn()
    room.lose(*SWITCH)
    room.turn()
    before = room.turn(300)
    [proposed] = room.store.coverage.proposals()
    made = room.store.coverage.accept(proposed.id, LI)
    assert made is not None and (made.state, made.by) == (ProposalState.MADE, LI.name)
    assert room.store.coverage.accept(proposed.id, WANG) == made, "a second press makes no second stop"
    [stop] = room.store.rounds.temporary_stops()
    assert (stop.id, stop.grid_cell) == (made.stop, "cell-1")
    assert room.turn().version == before.version + 1, "pages hear of it"
    room.bring_back(*SWITCH)
    room.turn()
    assert room.store.rounds.temporary_stops() == [] == room.store.coverage.proposals()


def test_a_site_may_make_stops_at_once(tmp_path: Path) -> None:
    room = Room(tmp_path, the_site(PatrolStops.AUTOMATIC))
    room.turn()
    room.lose(*SWITCH)
    room.turn()
    room.turn(300)
    assert [each.state for each in room.store.coverage.proposals()] == [ProposalState.MADE]
    assert len(room.store.rounds.temporary_stops()) == 1
    room.store.close()


def test_lost_minutes_agree_with_what_sql_says_of_the_gaps(room: Room) -> None:
    room.turn()
    room.lose("c1")
    room.clock.advance(90)
    room.lose("c5", cause=GapCause.CONNECT)
    room.clock.advance(30)
    room.bring_back("c1")
    room.clock.advance(60)
    room.lose(*SWITCH)
    room.turn(0)
    room.clock.advance(600)
    room.bring_back(*SWITCH)
    room.turn(0)
    to_s = room.clock.now_s()
    from_s = NOON_S + 60
    cell_of = {camera.id: camera.grid_cell for camera in room.site.cameras}
    found = camera_seconds(room.store.coverage.losses(from_s, to_s), cell_of)
    assert found["cell-1"].keys() == {"offline", "uplink:switch-1"}
    assert found["cell-1"]["uplink:switch-1"] == pytest.approx(4 * 600)
    with sqlite3.connect(f"file:{room.folder / 'gridpatrol.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT camera, sum(min(coalesce(ended_s, :to), :to) - max(began_s, :begin)) FROM gaps "
            "WHERE began_s < :to AND coalesce(ended_s, :to) > :begin GROUP BY camera",
            {"begin": from_s, "to": to_s},
        ).fetchall()
    for cell in ("cell-1", "cell-2"):
        by_sql_s = sum(seconds for camera, seconds in rows if cell_of[camera] == cell)
        assert sum(found[cell].values()) == pytest.approx(by_sql_s) and by_sql_s > 0


@contextmanager
def a_switch_running(folder: Path, out_s: float) -> Iterator[tuple[Running, httpx.Client, Simulator]]:
    """The whole program, four simulated cameras of one switch, and its administrator; the cameras stop for `out_s` when their
    faults are released."""
    faults = (Fault(FaultKind.STOP, at_s=0.0, for_s=out_s),)
    plan = SimPlan(tuple(SimCamera(name, faults=faults) for name in SWITCH), fps=FPS)
    simulator = Simulator(plan, {name: small_clip() for name in plan.specs()}, SystemClock(), hold_faults=True)
    simulator.start()
    site = the_site()
    cameras = tuple(
        replace(each, url_sub=simulator.url(each.id), enabled=each.id in SWITCH, hfov_deg=90.0) for each in site.cameras
    )
    rules = replace(site.coverage, patrol_after_min=0.0)
    write_site(replace(site, cameras=cameras, coverage=rules), folder / "site")
    try:
        with Running(folder / "site", folder / "data", "--workers", "1") as running, httpx.Client() as client:
            client.base_url, client.headers = httpx.URL(running.url), httpx.Headers({"Sec-Fetch-Site": "same-origin"})
            signed_in = {"secret": running.setup_secret, "name": "root", "password": "four words are plenty"}
            assert client.post("/api/v1/setup", json=signed_in).status_code == 200
            wait_until(lambda: causes_of(told_by(client)) == [("disabled", 1)], 60, "all four cameras cover something")
            yield running, client, simulator
    finally:
        simulator.stop()


def told_by(client: httpx.Client) -> dict[str, Any]:  # Any: JSON
    return dict(client.get("/api/v1/coverage").json())


def causes_of(told: dict[str, Any]) -> list[tuple[str, int]]:  # as above
    return [(each["cause"], len(each["cameras"])) for each in told.get("causes", [])]


@pytest.mark.timeout(180)
def test_a_switch_of_running_cameras_dies_and_comes_back(tmp_path: Path) -> None:
    """They stop, and within seconds the API says what that costs."""
    with a_switch_running(tmp_path, out_s=6.0) as (_, client, simulator):
        whole = told_by(client)
        released_s = simulator.release_faults()

        def is_known() -> bool:
            told = told_by(client)
            return ("uplink", 4) in causes_of(told) and bool(told["proposals"])

        wait_until(is_known, 30, "one cause, and a stop proposed for it")
        lost = told_by(client)
        assert len(client.get("/api/v1/incidents").json()["items"]) == 1
        assert lost["statistics"]["working"] == 0 < whole["statistics"]["working"]
        assert lost["blind_spots"][0]["importance"] > whole["blind_spots"][0]["importance"]
        assert [each["grid_cell"] for each in lost["proposals"]] == ["cell-1"]
        logger.info("the page knew %.1f s after the switch died", SystemClock().now_s() - released_s)
        wait_until(lambda: causes_of(told_by(client)) == [("disabled", 1)], 90, "the cameras are back")
        back = told_by(client)
        assert back["proposals"] == [] and back["statistics"] == whole["statistics"]
        assert client.get("/api/v1/incidents").json()["items"] == []
