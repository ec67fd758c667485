"""What the paths of the API name, and whether who asks may know of it.

A path parameter has one meaning wherever it stands, so one table says what it names. `policy.Guard` asks it for every request:
what is not there, and what lies outside of the area of a limited user, is answered with the same 404. What a body names is
checked by `expect_team`; lists get the area as a filter of the store's queries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from base import ConfigError, DeniedError
from camera_config.site import Site
from dashboard.authorize import Principal
from dashboard.failures import NotFoundError
from dashboard.schemas import ID, UUID
from storage import Area, Store

__all__ = ["NAMED", "UNSCOPED", "check_path", "expect_own_team", "expect_team", "expect_whole"]

_Holds = Callable[["_Asked", str], bool]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks where; `area` None sees everything."""

    site: Site
    store: Store
    now_s: float
    area: Area | None


@dataclass(frozen=True, slots=True)
class _Named:
    """What a path parameter names. `holds` says whether there is such a thing in the area of who asks; it may block."""

    pattern: str
    nothing: str
    holds: _Holds


def check_path(site: Site, store: Store, now_s: float, principal: Principal, path: Mapping[str, str]) -> None:
    """Return if everything that `path` names is there for `principal`; raises NotFoundError. Blocks for the database."""
    asked = _Asked(site, store, now_s, principal.area)
    for parameter, name in path.items():
        named = NAMED.get(parameter)
        # The pattern first: no database is asked for what cannot be an id, and some refuse a question with such a thing in it.
        if named is not None and not (re.fullmatch(named.pattern, name) and named.holds(asked, name)):
            raise NotFoundError(named.nothing)


def expect_team(site: Site, principal: Principal, team: str) -> None:
    """Return if a body of `principal` may name this team; raises ConfigError, the same for unknown teams and those of others."""
    if team not in site.team_by_id or (principal.area is not None and team not in principal.area.teams):
        raise ConfigError(f"team: there is no team {team} on this site")


def expect_own_team(principal: Principal, team: str) -> None:
    """Return if `principal` decides on this team alone, on its roster and its phones; raises DeniedError."""
    if principal.area is not None and team not in principal.area.own_teams:
        raise DeniedError(f"Team {team} also serves places outside of your area; ask somebody who has all of them.")


def expect_whole(principal: Principal, what: str) -> None:
    """Return if `principal` has the whole sub-district; raises DeniedError."""
    if principal.area is not None:
        raise DeniedError(f"{what} concerns the whole sub-district; ask somebody who is not limited to a part of it.")


def _camera(asked: _Asked, name: str) -> bool:
    return name in asked.site.camera_by_id and (asked.area is None or name in asked.area.cameras)


def _team(asked: _Asked, name: str) -> bool:
    return name in asked.site.team_by_id and (asked.area is None or name in asked.area.teams)


def _checkpoint(asked: _Asked, name: str) -> bool:
    return name in asked.site.checkpoint_by_id and (asked.area is None or name in asked.area.checkpoints)


def _incident(asked: _Asked, name: str) -> bool:
    found = asked.store.incident(name)
    return found is not None and (asked.area is None or asked.area.holds_incident(found))


def _event(asked: _Asked, name: str) -> bool:
    found = asked.store.incident_of_event(name)
    return found is not None and (asked.area is None or asked.area.holds_incident(found))


def _photo(asked: _Asked, name: str) -> bool:
    found = asked.store.photos.photo(name)
    return found is not None and _incident(asked, found.incident)


def _round(asked: _Asked, name: str) -> bool:
    """Nobody knows of a round before it is announced."""
    found = asked.store.rounds.round(name)
    if found is None or found.planned.announced_s > asked.now_s:
        return False
    return asked.area is None or asked.area.holds_round(found.planned)


def _stop(asked: _Asked, name: str) -> bool:
    found = asked.store.rounds.temporary_stop(name)
    return found is not None and (asked.area is None or found.grid_cell in asked.area.grid_cells)


def _proposal(asked: _Asked, name: str) -> bool:
    found = asked.store.coverage.proposal(name)
    return found is not None and (asked.area is None or found.grid_cell in asked.area.grid_cells)


def _referral(asked: _Asked, name: str) -> bool:
    found = asked.store.desks.referral(name)
    return found is not None and _incident(asked, found.incident)


def _hold(asked: _Asked, name: str) -> bool:
    found = asked.store.retention.hold(name)
    return found is not None and _incident(asked, found.incident)


def _handover(asked: _Asked, name: str) -> bool:
    """A sheet is read and signed by those who have exactly what it is about, and by those who have everything."""
    found = asked.store.handovers.handover(name)
    return found is not None and (asked.area is None or found.areas == asked.area.key)


def _roster_change(asked: _Asked, name: str) -> bool:
    """A change is made and undone by who decides on all teams that it concerns."""
    found = asked.store.roster_change(name)
    return found is not None and (asked.area is None or {found.team, found.other} - {""} <= asked.area.own_teams)


def _user(asked: _Asked, name: str) -> bool:
    return asked.store.user(name) is not None


def _message(asked: _Asked, name: str) -> bool:
    return asked.store.outgoing.message(name) is not None


NAMED: Mapping[str, _Named] = {
    "camera": _Named(ID, "There is no such camera.", _camera),
    "change": _Named(UUID, "There is no such change of the roster.", _roster_change),
    "checkpoint": _Named(ID, "There is no such checkpoint.", _checkpoint),
    "event": _Named(UUID, "There is no such event.", _event),
    "handover": _Named(UUID, "There is no such sheet.", _handover),
    "hold": _Named(UUID, "There is no such hold.", _hold),
    "incident": _Named(UUID, "There is no such incident.", _incident),
    "message": _Named(UUID, "There is no such message.", _message),
    "photo": _Named(UUID, "There is no such photo.", _photo),
    "proposal": _Named(UUID, "There is no such proposal.", _proposal),
    "referral": _Named(UUID, "There is no such referral.", _referral),
    "round_id": _Named(UUID, "There is no such round.", _round),
    "stop": _Named(UUID, "There is no such stop.", _stop),
    "team": _Named(ID, "There is no such team.", _team),
    "user": _Named(UUID, "There is no such user.", _user),
}

UNSCOPED = frozenset({"book", "credential", "entry", "session", "settings", "target", "version", "view"})
"""Path parameters that name nothing of an area: a book of the ledger, a receiver of notices, a login, a camera of
the folder, a session, settings and a version of the site (administrators only), a live view (its session's own)."""
