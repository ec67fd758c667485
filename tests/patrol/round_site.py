"""The small site with checkpoints and routes on it, and entries of rounds."""

import itertools
from dataclasses import replace

from camera_config.round_rules import Inspection, Order, RoundRules, Route, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Checkpoint, Name, Point, Site
from patrol import Actor
from patrol.grid import Grid
from patrol.round_plan import RoundPlanner
from patrol.rounds import Act, CheckIn, Proof, Round, RoundCommand, RoundEntry, RoundFlag
from tests.patrol.small_site import NOON_S, small_site, team_actor

SEED = "00" * 32
GATE: Point = (120.002, 30.002)
METRE_DEG = 1 / 111_195  # of latitude
_ids = itertools.count(1)


def route(name: str = "r1", **changes: object) -> Route:
    """Four stops of g1 some 96 m apart, ten minutes each, at noon, by team t1."""
    values: dict[str, object] = {
        "id": name,
        "name": Name("夜巡", "Night round"),
        "stops": ("k1", "k2", "k3", "k4"),
        "starts": Starts(at=Times.parse("12:00")),
        "teams": ("t1",),
        "walk_min": (10.0, 10.0, 10.0),
        "order": Order.FIXED,
    }
    return Route(**(values | changes))  # type: ignore[arg-type]  # the table above has the right types


def inspection(**changes: object) -> Inspection:
    """Every key node between 8 and 18."""
    values: dict[str, object] = {
        "id": "keys",
        "name": Name("重点巡查", "Key nodes"),
        "schedule": Schedule.parse("08:00-18:00"),
    }
    return Inspection(**(values | changes))  # type: ignore[arg-type]  # as above


def round_site(*routes: Route, inspections: tuple[Inspection, ...] = (), site: Site | None = None, **rules: object) -> Site:
    """Checkpoints k1 to k4 in g1 and key nodes k5 in g2, k6 in g3."""
    base = site or small_site()
    points = [Checkpoint(f"k{n}", Name(f"点{n}", f"Point {n}"), "g1", GATE[0] + 0.001 * (n - 1), GATE[1]) for n in range(1, 5)]
    points.append(Checkpoint("k5", Name("校门", "School gate"), "g2", 120.007, 30.002, key_node=True))
    points.append(Checkpoint("k6", Name("医院", "Hospital"), "g3", 120.012, 30.002, key_node=True))
    asked = RoundRules(routes=routes, inspections=inspections, **rules)  # type: ignore[arg-type]  # given by name
    return replace(base, checkpoints=tuple(points), rounds=asked)


def planned(site: Site, now_s: float = NOON_S) -> tuple[Round, ...]:
    """The rounds due within a day of `now_s`, before and after."""
    return RoundPlanner(Grid(site), SEED).plan((), (), now_s - 43_200, now_s + 43_200).rounds


def visit(walk: Round, checkpoint: str, at_s: float, proof: Proof = Proof.CODE, **changes: object) -> RoundEntry:
    """A check-in that counts."""
    values: dict[str, object] = {"act": Act.CHECK_IN, "recorded_s": at_s, "by": team_actor(walk.team)}
    entry = {"id": f"entry-{next(_ids)}", "round": walk.id, "checkpoint": checkpoint, "at_s": at_s, "proof": proof}
    return RoundEntry(**(values | entry | changes))  # type: ignore[arg-type]  # as above


def entry(
    walk: Round, act: Act, at_s: float, checkpoint: str = "", reason: str = "", flags: tuple[RoundFlag, ...] = ()
) -> RoundEntry:
    by = team_actor(walk.team)
    return RoundEntry(f"entry-{next(_ids)}", walk.id, act, at_s, at_s, by, checkpoint, reason, flags=flags)


def asks(walk: Round, checkpoint: str = "", at_s: float = NOON_S, by: Actor | None = None, **changes: object) -> CheckIn:
    """A check-in by the round's own team."""
    values: dict[str, object] = {"id": f"cmd-{next(_ids)}", "round": walk.id, "by": by or team_actor(walk.team), "at_s": at_s}
    return CheckIn(**(values | {"checkpoint": checkpoint} | changes))  # type: ignore[arg-type]  # as above


def does(
    walk: Round, act: Act, at_s: float = NOON_S, checkpoint: str = "", reason: str = "", by: Actor | None = None
) -> RoundCommand:
    return RoundCommand(f"cmd-{next(_ids)}", walk.id, act, by or team_actor(walk.team), at_s, checkpoint, reason)
