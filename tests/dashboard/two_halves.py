"""A sub-district of two communities with one of everything in each, and a dispatcher who is limited to the first."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from base import Gap, GapCause, SimulatedClock
from camera_config.coverage import Coverage
from camera_config.round_rules import RoundRules, Route, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Camera, Checkpoint, CompoundKind, Name, Place, PlaceKind, Point, Site, Team, TeamKind
from dashboard import CoverageNow, DashboardSettings
from dashboard.schemas import iso
from patrol.coverage_patrol import PatrolSpot
from storage import RoundFilter, Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import PASSWORD, Room, small_site
from tests.patrol.small_site import NOON_S

__all__ = ["Half", "Halves", "a_photo", "two_halves"]


@dataclass(frozen=True)
class Half:
    """What lies in one community: ids by the name of the path parameter, and more."""

    ids: dict[str, str]
    cell: str
    community: str
    place: Point
    teams: tuple[str, ...]


@dataclass(frozen=True)
class Halves:
    room: Room
    clock: SimulatedClock
    root: httpx.Client
    limited: httpx.Client  # a dispatcher of the first community
    colleague: httpx.Client  # an operator of the first community
    mine: Half
    other: Half


def a_photo(width_px: int = 64, height_px: int = 48, kind: str = ".jpg", seed: int = 0) -> bytes:
    """A picture of noise as a file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), np.uint8)
    done, data = cv2.imencode(kind, pixels)
    assert done
    return data.tobytes()


def _site(folder: Path) -> Site:
    base = small_site(folder)
    east = ((121.02, 31.0), (121.04, 31.0), (121.04, 31.02), (121.02, 31.02), (121.02, 31.0))
    whole = ((121.0, 31.0), (121.04, 31.0), (121.04, 31.02), (121.0, 31.02), (121.0, 31.0))
    district, *places = base.places
    second = (
        Place("m2", PlaceKind.COMMUNITY, Name("二社区", "Second"), "d1", east),
        Place("p2", PlaceKind.COMPOUND, Name("二小区", "Compound 2"), "m2", east, CompoundKind.RESIDENTIAL),
        Place("g2", PlaceKind.GRID_CELL, Name("二网格", "Cell 2"), "p2", east),
    )
    camera: Camera = replace(base.cameras[0], id="c0004", compound="p2", grid_cell="g2", lon=121.03)
    always = Schedule.parse("always")
    guards = (
        Team("t04", Name("二社区岗", "Second post"), TeamKind.PROPERTY_GUARD, ("g2",), always, (121.03, 31.01)),
        Team("t05", Name("派出所", "Police"), TeamKind.POLICE_POST, ("g1", "g2"), always, (121.02, 31.01)),
    )
    routes = tuple(
        Route(f"noon-{team}", Name("午巡", "Noon"), (point,), Starts(at=Times.parse("12:00")), teams=(team,))
        for team, point in (("t01", "k1"), ("t04", "k2"))
    )
    return replace(
        base,
        cameras=(*base.cameras, camera),
        places=(replace(district, outline=whole), *places, *second),
        teams=(*base.teams, *guards),
        checkpoints=(*base.checkpoints, Checkpoint("k2", Name("后门", "Back gate"), "g2", 121.03, 31.015, key_node=True)),
        rounds=RoundRules(routes=routes),
    )


@contextmanager
def two_halves(folder: Path, page: Path | None = None) -> Iterator[Halves]:
    """A running room of it, with the built page if `page` says where that is."""
    clock = SimulatedClock(NOON_S)
    site = _site(folder)
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, site)
    settings = DashboardSettings(page=page or folder / "no-page", idle_s=1e6)  # nobody is sent away while the clock leaps
    room = Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, settings)
    room.start()
    coverage = Coverage(site)
    room.app.state.coverage.put(
        CoverageNow(1, NOON_S, coverage, coverage.with_states(dict.fromkeys(site.camera_by_id, "offline")))
    )
    try:
        store.rounds.plan(at_once=True)
        root = room.set_up()
        body = {"name": "wang", "password": PASSWORD, "role": "dispatcher", "areas": ["m1"]}
        wang = root.post("/api/v1/users", json=body).json()
        limited = room.sneak_in("user", str(wang["id"]))
        colleague = room.sneak_in("user", store.add_user("li.na", "", "operator", ("m1",)).id)
        mine = _half(room, root, "c0001", "t01", ("g1", "m1", (121.01, 31.01)), colleague)
        other = _half(room, root, "c0004", "t04", ("g2", "m2", (121.03, 31.01)), root)
        yield Halves(room, clock, root, limited, colleague, mine, other)
    finally:
        room.stop()


def _half(room: Room, root: httpx.Client, camera: str, team: str, where: tuple[str, str, Point], signer: httpx.Client) -> Half:
    """One of everything around `camera` and `team`; the handover sheet is one of who `signer` is."""
    cell, community, place = where
    incident = room.raise_event(camera)
    phone = room.sneak_in("team", team)
    checkpoint = "k1" if cell == "g1" else "k2"
    until = iso(room.clock.now_s() + 3600)

    def done(client: httpx.Client, method: str, path: str, **body: Any) -> dict[str, Any]:  # Any: JSON
        answer = client.request(method, f"/api/v1/{path}", json=body)
        assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def new() -> str:
        return str(uuid.uuid4())

    of_it = f"incidents/{incident.id}"
    done(root, "POST", f"{of_it}/steps", step="acknowledge", version=1, command_id=new())
    supporting = "t02" if cell == "g1" else team
    done(root, "POST", f"{of_it}/support", id=new(), team=supporting)
    command = new()
    report = {"origin": "patrol", "category": "facility", "severity": 4, "text": "lamp", "grid_cell": cell}
    reported = done(phone, "POST", "incidents", command_id=command, **report)
    photo = new()
    sent = phone.post(
        f"/api/v1/incidents/{reported['id']}/photos",
        params={"id": photo, "command": command},
        content=a_photo(),
        headers={"Content-Type": "image/jpeg"},
    )
    assert sent.status_code == 201, sent.text
    [walk] = room.store.rounds.rounds(RoundFilter(team=team))
    bad = {"command_id": new(), "code": "GP1:TEST:K1:1:AAAAAAAAAAAAAAAA"}
    assert phone.post(f"/api/v1/rounds/{walk.planned.id}/check-ins", json=bad).status_code == 409
    room.store.record_gaps([Gap(camera, room.clock.now_s() - 60, None, GapCause.STALL)])
    stop = done(root, "POST", "temporary-stops", command_id=new(), lon=place[0], lat=place[1], why="dark", until=until)
    draw = done(root, "POST", "inspection-draws", command_id=new(), count=1, checkpoints=[checkpoint])
    room.store.coverage.propose([PatrolSpot(cell, place, 100.0, ("lane",))])
    [proposal] = [each for each in room.store.coverage.proposals() if each.grid_cell == cell]
    names = {
        "camera": camera,
        "incident": incident.id,
        "event": incident.best_event,
        "team": team,
        "checkpoint": checkpoint,
        "photo": photo,
        "round_id": walk.planned.id,
        "stop": str(stop["id"]),
        "proposal": proposal.id,
        "draw": str(draw["id"]),
        "referral": str(done(root, "POST", f"{of_it}/referrals", command_id=new(), desk="mediation", reason="x")["id"]),
        "hold": str(done(root, "POST", f"{of_it}/holds", id=new(), reason="case")["id"]),
        "change": str(done(root, "POST", "roster-changes", id=new(), kind="leave", team=team, day="2023-11-20")["id"]),
        "handover": str(done(signer, "POST", "handovers", id=new(), notes="")["id"]),
        "report": str(reported["id"]),
    }
    return Half(names, cell, community, place, (team, supporting))
