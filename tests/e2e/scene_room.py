"""A control room for scenes: the real server and clocks over a real database, a clock that can leap, pages of people in it.

No camera runs: events are put in by the path that the fleet uses (`Store.record_events`, then `announce_incident`). Each scene
has a quarter of its own, one grid cell with two teams, so far from the others that no scene sees another one's teams.
"""

import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from base import SystemClock
from camera_config.round_rules import RoundRules, Route, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Camera, Checkpoint, CompoundKind, Name, Place, PlaceKind, Point, Site, Team, TeamKind
from dashboard import DashboardSettings
from fleet.clocks import clocks_running
from patrol import Incident
from storage import Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import Room, cookie_of, small_site
from tests.e2e.room import CHROMIUM

__all__ = ["DIST", "ROUND_LATE_MIN", "Desk", "LeapingClock", "Night", "Quarter", "Scenes", "place_of", "scenes_running", "utc"]

DIST = Path(__file__).parents[2] / "dashboard" / "web" / "dist"

ROUND_LATE_MIN = 5.0

_FLAGS = ["--no-sandbox", "--disable-3d-apis", "--use-fake-device-for-media-stream"]


class LeapingClock(SystemClock):
    """The machine's time, which a test lets leap ahead. Safe from any thread: leaping is one assignment."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now_s(self) -> float:
        return super().now_s() + self._ahead_s

    def leap_to(self, then_s: float) -> None:
        """Let it be `then_s` now, unless that is past."""
        self._ahead_s += max(0.0, then_s - self.now_s())


@dataclass(frozen=True)
class Quarter:
    """Where a scene happens: the grid cell `g{number}` with teams `t{number}1` and `t{number}2`, on shift unless nobody is there.

    Its cameras stand 0.002° of longitude (190 m) apart, so that none sees what another one sees.
    """

    number: int
    name: Name
    community: str = "m1"
    staffed: bool = True
    cameras: int = 6

    @property
    def west(self) -> float:
        return 121.0 + 0.1 * self.number  # 9.5 km from the next: further than any team is sent

    @property
    def cell(self) -> str:
        return f"g{self.number}"

    @property
    def teams(self) -> tuple[str, str]:
        return f"t{self.number}1", f"t{self.number}2"

    @property
    def gate(self) -> Point:
        return (self.west + 0.008, 31.008)

    def camera(self, n: int = 1) -> str:
        return f"c{self.number}{n:02d}"


@dataclass
class Desk:
    """Somebody at the control room: a page of theirs, a client for what others do meanwhile, and what went wrong in the page."""

    page: Page
    client: httpx.Client
    wrong: list[str] = field(default_factory=list)

    def leave(self) -> None:
        """Close the page, in which nothing may have gone wrong."""
        assert self.wrong == []
        self.page.context.close()

    def choose(self, incident: Incident) -> None:
        """Choose an incident as a person does who knows its number."""
        self.page.keyboard.press("/")
        self.page.keyboard.type(f"no {incident.number}")
        found = self.page.get_by_test_id("command-result")
        expect(found.first).to_contain_text(f"No. {incident.number} ", timeout=10_000)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_test_id("incident-panel")).to_have_attribute("data-incident", incident.id, timeout=10_000)

    def expect_work(self, work: str) -> None:
        expect(self.page.get_by_test_id("incident-panel")).to_have_attribute("data-work", work, timeout=10_000)


@dataclass
class Scenes:
    """The running room of a file of scenes."""

    room: Room
    clock: LeapingClock
    browser: Browser
    root: httpx.Client

    def desk(self, name: str, role: str = "dispatcher", areas: tuple[str, ...] = ()) -> Desk:
        """Somebody new signs in and has the room before them."""
        user = self.room.store.add_user(name, "", role, areas)
        client = self.room.sneak_in("user", user.id)
        return self.open(client, "clock")

    def phone(self, team: str, shown: str = "phone-assignment") -> Desk:
        """The phone of a team that has something to do, or as `shown`."""
        return self.open(self.room.sneak_in("team", team), shown, "/phone", width_px=390, height_px=844)

    def open(self, client: httpx.Client, shown: str, path: str = "/", width_px: int = 1366, height_px: int = 768) -> Desk:
        """A browser of its own with the session of `client`, once `shown` is."""
        context = self.browser.new_context(viewport={"width": width_px, "height": height_px}, locale="en-GB")
        context.add_cookies([{"name": "gridpatrol_session", "value": cookie_of(client), "url": self.room.url}])
        desk = Desk(context.new_page(), client)
        desk.page.on("pageerror", lambda error: desk.wrong.append(str(error)))
        desk.page.goto(self.room.url + path)
        expect(desk.page.get_by_test_id(shown)).to_be_visible(timeout=20_000)
        return desk

    def step(self, incident: Incident, step: str, client: httpx.Client | None = None, **body: object) -> dict[str, Any]:
        """A step that somebody takes elsewhere, on the incident as it is now; the incident after it."""
        version = self.room.store.incident(incident.id)
        assert version is not None
        values = {"step": step, "version": version.version, "command_id": str(uuid.uuid4())} | body
        answer = (client or self.root).post(f"/api/v1/incidents/{incident.id}/steps", json=values)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def detail(self, incident: Incident) -> dict[str, Any]:  # Any: JSON, read by key
        """An incident with its history, as the API has it."""
        return dict(self.root.get(f"/api/v1/incidents/{incident.id}").json())


@dataclass(frozen=True)
class Night:
    """The round that team 1 of the first quarter walks at `start_s`, a full minute: past gates 0.001° of latitude (111 m) apart,
    all expected at once."""

    start_s: float
    gates: int = 1
    late_min: float = ROUND_LATE_MIN


def scene_site(folder: Path, quarters: tuple[Quarter, ...], night: Night) -> Site:
    """Two communities of quarters, and a round."""
    start = datetime.fromtimestamp(night.start_s, ZoneInfo("Asia/Shanghai"))
    first = quarters[0]
    names = ("gate", *(f"gate{n}" for n in range(2, night.gates + 1)))
    route = Route(
        "night",
        Name("夜巡", "Night round"),
        names,
        Starts(at=Times.parse(f"{start:%H:%M}")),
        teams=(first.teams[0],),
        walk_min=(0.0,) * (night.gates - 1),
        late_min=night.late_min,
    )
    whole = _box(121.0, 31.0, 1.2)
    communities = (
        Place("m1", PlaceKind.COMMUNITY, Name("柳岸社区", "Willow Bank"), "d1", whole, responsible="secretary"),
        Place("m2", PlaceKind.COMMUNITY, Name("书院社区", "Academy"), "d1", whole, responsible="secretary"),
    )
    return replace(
        small_site(folder),
        name=Name("临江街道", "Riverside Sub-district"),
        cameras=tuple(_camera(quarter, n) for quarter in quarters for n in range(1, quarter.cameras + 1)),
        places=(
            Place("d1", PlaceKind.SUB_DISTRICT, Name("临江街道", "Riverside"), "", whole),
            *communities,
            *(place for quarter in quarters for place in _places(quarter)),
        ),
        rules=(),
        teams=tuple(team for quarter in quarters for team in _teams(quarter)),
        checkpoints=tuple(_gate(first, n, name) for n, name in enumerate(names)),
        rounds=RoundRules(routes=(route,)),
    )


@contextmanager
def scenes_running(folder: Path, quarters: tuple[Quarter, ...], night: Night | None = None) -> Iterator[Scenes]:
    """A room over a new database in `folder`, with a browser, and the clocks of incidents and rounds as in a running site."""
    clock = LeapingClock()
    site = scene_site(folder, quarters, night or Night(clock.now_s()))
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, site, folder / "clips")
    settings = DashboardSettings(page=DIST, idle_s=1e6)  # nobody is sent away while the clock leaps
    room = Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, settings)
    room.start()
    beside = AsyncExitStack()
    try:
        room.on_loop(beside.enter_async_context(clocks_running(store, room.app.state.updates, every_s=0.2)))
        with sync_playwright() as playwright:
            # Without WebGL: scenes are about people, and a map drawn in software takes most of the time.
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
            yield Scenes(room, clock, browser, room.set_up())
            browser.close()
    finally:
        room.on_loop(beside.aclose())
        room.stop()


def place_of(point: Point) -> dict[str, float]:
    """Where a phone says that it is."""
    return {"lon": point[0], "lat": point[1], "accuracy_m": 5.0}


def utc(then_s: float) -> str:
    """A moment as the API writes it."""
    return datetime.fromtimestamp(then_s, UTC).isoformat()


def _places(quarter: Quarter) -> tuple[Place, Place]:
    outline = _box(quarter.west, 31.0, 0.05)
    court, cell = f"p{quarter.number}", quarter.cell
    return (
        Place(court, PlaceKind.COMPOUND, quarter.name, quarter.community, outline, CompoundKind.RESIDENTIAL),
        Place(cell, PlaceKind.GRID_CELL, Name(f"网格{cell}", f"Cell {cell}"), court, outline, responsible="grid worker"),
    )


def _gate(quarter: Quarter, n: int, name: str) -> Checkpoint:
    lon, lat = quarter.gate
    words = Name("校门", "School gate") if n == 0 else Name(f"{n + 1}号门", f"Gate {n + 1}")
    return Checkpoint(name, words, quarter.cell, lon, lat + 0.001 * n, key_node=True)


def _camera(quarter: Quarter, n: int) -> Camera:
    return Camera(
        id=quarter.camera(n),
        name=Name(f"{quarter.name.zh}{n}号", f"{quarter.name.en} {n}"),
        compound=f"p{quarter.number}",
        grid_cell=quarter.cell,
        lon=quarter.west + 0.002 * n,
        lat=31.004 + 0.004 * (n % 2),
        height_m=4.0,
        azimuth_deg=0.0,
        tilt_deg=20.0,
        hfov_deg=80.0,
        url_sub=f"rtsp://192.0.2.1/{quarter.camera(n)}",
    )


def _teams(quarter: Quarter) -> tuple[Team, Team]:
    shift = Schedule.parse("always" if quarter.staffed else "never")
    near, far = quarter.teams
    zh, en = quarter.name.zh, quarter.name.en
    return (
        Team(
            near, Name(f"{zh}一队", f"{en} one"), TeamKind.PROPERTY_GUARD, (quarter.cell,), shift, (quarter.west + 0.003, 31.004)
        ),
        Team(far, Name(f"{zh}二队", f"{en} two"), TeamKind.POLICE_POST, (quarter.cell,), shift, (quarter.west + 0.014, 31.014)),
    )


def _box(west: float, south: float, size: float) -> tuple[Point, ...]:
    return ((west, south), (west + size, south), (west + size, south + size), (west, south + size), (west, south))
