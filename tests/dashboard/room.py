"""A control room for tests: a real server in a thread, over a real database, with people signed in."""

import asyncio
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from base import Clock, Event, EventKind, Tier, uuid7
from camera_config.desks import Desk, DeskKind
from camera_config.dispatch_rules import DispatchRules, Minimum
from camera_config.schedule import Schedule
from camera_config.site import (
    Camera,
    Checkpoint,
    CompoundKind,
    Credential,
    Name,
    Place,
    PlaceKind,
    Rule,
    Site,
    Team,
    TeamKind,
)
from dashboard import DashboardSettings, WebServer, announce_incident, create_app, ensure_setup_secret
from patrol import Incident
from storage import Store
from tests.dashboard.clip import JPEG, ClipFleet

T = TypeVar("T")

CANARY = "Canary-9f3b71d2"
PASSWORD = "four words are plenty"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
WAIT_S = 10.0

_SQUARE = ((121.0, 31.0), (121.02, 31.0), (121.02, 31.02), (121.0, 31.02), (121.0, 31.0))


def small_site(folder: Path) -> Site:
    """Three cameras in one compound, two teams always on shift, one that never is; a camera password that must not get out."""
    always = Schedule.parse("always")
    cameras = tuple(
        Camera(
            id=f"c000{number}",
            name=Name(f"摄像机{number}", f"Camera {number}"),
            compound="p1",
            grid_cell="g1",
            lon=121.01,
            lat=31.01,
            height_m=4.0,
            azimuth_deg=120.0 * number,  # so that none sees what another one sees
            tilt_deg=20.0,
            hfov_deg=80.0,
            url_sub=f"rtsp://192.0.2.{number}/sub",
            credential="gate",
        )
        for number in (1, 2, 3)
    )
    zone = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9))
    return Site(
        folder=folder,
        id="test",
        name=Name("测试街道", "Test district"),
        timezone="Asia/Shanghai",
        cameras=cameras,
        places=(
            Place("d1", PlaceKind.SUB_DISTRICT, Name("街道", "District"), "", _SQUARE),
            Place("m1", PlaceKind.COMMUNITY, Name("社区", "Community"), "d1", _SQUARE),
            Place("p1", PlaceKind.COMPOUND, Name("小区", "Compound"), "m1", _SQUARE, CompoundKind.RESIDENTIAL),
            Place("g1", PlaceKind.GRID_CELL, Name("网格", "Grid cell"), "p1", _SQUARE, responsible="grid worker"),
        ),
        rules=(Rule("c0001", "night", EventKind.INTRUSION, zone, Name("绿化带", "Lawn")),),
        teams=(
            Team("t01", Name("东门岗", "East gate"), TeamKind.PROPERTY_GUARD, ("g1",), always, (121.01, 31.01)),
            Team("t02", Name("西门岗", "West gate"), TeamKind.PROPERTY_GUARD, ("g1",), always, (121.015, 31.01)),
            Team("t03", Name("志愿者", "Volunteers"), TeamKind.VOLUNTEER, ("g1",), Schedule.parse("never"), (121.0, 31.0)),
        ),
        checkpoints=(Checkpoint("k1", Name("校门", "School gate"), "g1", 121.01, 31.015, key_node=True),),
        credentials=(Credential("gate", "admin", CANARY),),
        dispatch=DispatchRules(minimums=(Minimum((), always, 2),)),
        desks=(Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, users=("chen",)),),
    )


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Return when `is_so`; fail with `what` if that takes longer than `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline_s, f"waited {timeout_s} s in vain: {what}"
        pause.wait(0.01)


@dataclass
class Room:
    """A running dashboard. `on_loop` runs a coroutine on the server's loop; `people` holds signed-in clients by name."""

    site: Site
    store: Store
    fleet: ClipFleet
    clock: Clock
    settings: DashboardSettings
    secret: str | None = None
    app: FastAPI = field(init=False)
    server: WebServer = field(init=False)
    loop: asyncio.AbstractEventLoop = field(init=False)
    _clients: list[httpx.Client] = field(default_factory=list)

    def start(self) -> None:
        self.secret = ensure_setup_secret(self.store, self.clock)
        self.app = create_app(self.site, self.store, self.fleet, self.clock, self.settings)
        self.server = WebServer(self.app, "127.0.0.1", 0)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="server")
        self._thread.start()
        self.on_loop(self.server.start())

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.on_loop(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()
        self.store.close()

    def on_loop(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine sends and yields
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_S)

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call `function` on the server's loop."""

        async def run() -> T:
            return function(*arguments)

        return self.on_loop(run())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/api/v1/updates"

    def client(self, cookie: str | None = None) -> httpx.Client:
        """A browser: it says that its requests come from the page itself."""
        cookies = {"gridpatrol_session": cookie} if cookie else None
        # without TLS there is nothing to verify, and loading the certificates takes longer than most tests
        client = httpx.Client(base_url=self.url, headers=SAME_ORIGIN, cookies=cookies, timeout=WAIT_S, verify=False)
        self._clients.append(client)
        return client

    def set_up(self) -> httpx.Client:
        """The first administrator, signed in."""
        client = self.client()
        answer = client.post("/api/v1/setup", json={"secret": self.secret, "name": "root", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    def person(self, administrator: httpx.Client, name: str, role: str) -> httpx.Client:
        """A new user of `role`, signed in."""
        answer = administrator.post("/api/v1/users", json={"name": name, "password": PASSWORD, "role": role})
        assert answer.status_code == 201, answer.text
        client = self.client()
        assert client.post("/api/v1/session", json={"name": name, "password": PASSWORD}).status_code == 200
        return client

    def sneak_in(self, kind: str, principal: str) -> httpx.Client:
        """A session made in the database, for tests that need one more and not the half second that signing in takes."""
        token = secrets.token_urlsafe(32)
        key = hashlib.sha256(token.encode()).hexdigest()
        self.store.add_session(key, kind, principal, self.clock.now_s() + 3600)
        return self.client(token)

    def phone(self, dispatcher: httpx.Client, team: str) -> httpx.Client:
        """A phone of `team`, signed in with a code."""
        code = dispatcher.post(f"/api/v1/teams/{team}/phone").json()["code"]
        client = self.client()
        assert client.post("/api/v1/session/team", json={"code": code}).status_code == 200
        return client

    def raise_event(self, camera: str = "c0001", kind: EventKind = EventKind.INTRUSION) -> Incident:
        """What the control loop does with an event: store it, then tell the pages."""
        (incident,) = self.store.record_events([an_event(self.clock.now_s(), camera, kind)])
        self.call(announce_incident, self.app.state.updates, incident)
        return incident


def an_event(now_s: float, camera: str = "c0001", kind: EventKind = EventKind.INTRUSION) -> Event:
    return Event(
        id=uuid7(now_s),
        camera=camera,
        kind=kind,
        label="person",
        rule="night",
        zone="Lawn",
        severity=2,
        began_s=now_s - 1.5,
        raised_s=now_s,
        ended_s=None,
        score=0.93,
        box=(0.4, 0.3, 0.5, 0.8),
        seen_by=Tier.KEY_FRAME,
        network="crop",
        snapshot_jpeg=JPEG,
    )


def cookie_of(client: httpx.Client) -> str:
    return client.cookies["gridpatrol_session"]


def a_room(folder: Path, clock: Clock, **changes: Any) -> Room:  # Any: settings of different types
    """A room that is not started yet, over a new database in `folder`."""
    site = small_site(folder)
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, site, folder / "clips")
    settings = replace(DashboardSettings(page=folder / "no-page"), **changes)
    return Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, settings)
