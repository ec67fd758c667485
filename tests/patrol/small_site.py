"""A site small enough to reason about by hand, and events and commands on it.

Three grid cells in a row, each about 500 m wide, then a fourth one far to the east that touches nobody::

    g1 | g2 | g3            g4
"""

import itertools
from pathlib import Path

from base import Event, EventKind, Tier
from camera_config.schedule import Schedule
from camera_config.site import Camera, CompoundKind, Name, Place, PlaceKind, Point, Rule, Site, Team, TeamKind
from patrol import Actor, ActorKind, Command, Incident, Step, Verdict

NOON_S = 1_700_020_800.0
"""2023-11-15 12:00 in Shanghai, a Wednesday."""

LI = Actor(ActorKind.USER, "u-li", "李伟")
WANG = Actor(ActorKind.USER, "u-wang", "王芳")

_ids = itertools.count(1)


def team_actor(team: str) -> Actor:
    return Actor(ActorKind.TEAM, team, f"Team {team}")


def small_site(shifts: dict[str, str] | None = None) -> Site:
    """Teams t1, t2 of g1, t3 of g2, t4 of g3, t5 of g4; on shift always unless `shifts` says otherwise."""
    shift = {"t1": "always", "t2": "always", "t3": "always", "t4": "always", "t5": "always"} | (shifts or {})
    teams = (
        _team("t1", ("g1",), (120.002, 30.002), shift),
        _team("t2", ("g1",), (120.004, 30.002), shift),
        _team("t3", ("g2",), (120.007, 30.002), shift),
        _team("t4", ("g3",), (120.012, 30.002), shift),
        _team("t5", ("g4",), (120.035, 30.002), shift),
    )
    cells = (_cell("g1", 120.000, "post 1"), _cell("g2", 120.005, ""), _cell("g3", 120.010, ""), _cell("g4", 120.033, ""))
    places = (
        Place("d", PlaceKind.SUB_DISTRICT, Name("柳河街道", "Willow River"), "", _box(119.9, 120.1)),
        Place("m1", PlaceKind.COMMUNITY, Name("东社区", "East Community"), "d", _box(119.9, 120.1), responsible="secretary"),
        Place("p1", PlaceKind.COMPOUND, Name("一号院", "Court One"), "m1", _box(119.9, 120.1), CompoundKind.RESIDENTIAL),
        *cells,
    )
    cameras = (
        _camera("c1", "g1", 120.002),
        _camera("c2", "g2", 120.007),
        _camera("c3", "g3", 120.012),
        _camera("c4", "g4", 120.035),
    )
    rules = tuple(
        Rule(camera.id, "night", EventKind.INTRUSION, ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)), Name("院内", "yard"))
        for camera in cameras
    )
    return Site(Path("."), "s", Name("柳河街道", "Willow River"), "Asia/Shanghai", cameras, places, rules, teams, ())


def intrusion(camera: str = "c1", at_s: float = NOON_S, **changes: object) -> Event:
    """An intrusion event with an id of its own."""
    values: dict[str, object] = {
        "id": f"00000000-0000-7000-8000-{next(_ids):012d}",
        "camera": camera,
        "kind": EventKind.INTRUSION,
        "label": "person",
        "rule": "night",
        "zone": "yard",
        "severity": 2,
        "began_s": at_s - 1.0,
        "raised_s": at_s,
        "ended_s": None,
        "score": 0.8,
        "box": (0.1, 0.2, 0.3, 0.4),
        "seen_by": Tier.KEY_FRAME,
        "network": "crop",
        "snapshot_jpeg": b"\xff\xd8 not really a picture \xff\xd9",
    }
    return Event(**(values | changes))  # type: ignore[arg-type]  # the table above has the right types


def command(incident: Incident, step: Step, by: Actor = LI, at_s: float = NOON_S, **changes: object) -> Command:
    """A complete command for `step` at the incident's present version."""
    values: dict[str, object] = {"id": f"cmd-{next(_ids)}", "incident": incident.id, "step": step, "version": incident.version}
    values |= {"by": by, "at_s": at_s}
    if step is Step.DISPATCH:
        values["team"] = "t1"
    if step in (Step.REPORT, Step.NOTE, Step.SHELVE, Step.PAUSE, Step.REOPEN):
        values["text"] = "两人已离开"
    if step is Step.SHELVE:
        values["until_s"] = at_s + 3600.0
    if step is Step.CLOSE:
        values |= {"verdict": Verdict.FALSE_ALARM, "cause": "light"}
    return Command(**(values | changes))  # type: ignore[arg-type]  # as above


def _team(name: str, cells: tuple[str, ...], home: Point, shift: dict[str, str]) -> Team:
    return Team(name, Name(f"{name}队", f"Team {name}"), TeamKind.PROPERTY_GUARD, cells, Schedule.parse(shift[name]), home)


def _cell(name: str, west: float, responsible: str) -> Place:
    outline = _box(west, west + 0.005)
    return Place(name, PlaceKind.GRID_CELL, Name(f"{name}网格", f"Cell {name}"), "p1", outline, responsible=responsible)


def _camera(name: str, cell: str, lon: float) -> Camera:
    return Camera(name, Name(name, name), "p1", cell, lon, 30.002, 4.0, 0.0, 15.0, 90.0, f"rtsp://192.0.2.1/{name}")


def _box(west: float, east: float) -> tuple[Point, ...]:
    return ((west, 30.0), (east, 30.0), (east, 30.005), (west, 30.005), (west, 30.0))
