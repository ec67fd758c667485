"""The way from a request to a permitted principal; a route without a policy stops the server from starting."""

import asyncio
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from base import Clock
from camera_config.site import Site
from dashboard.authorize import ANONYMOUS, POLICY, Action, NotSignedInError, Principal, PrincipalKind, authorize
from dashboard.coverage_board import CoverageBoard
from dashboard.fleet_view import FleetView
from dashboard.live import LiveViews
from dashboard.network_shelf import NetworkShelf
from dashboard.overview import Overview
from dashboard.registry import Registry
from dashboard.scope import NAMED, UNSCOPED, check_path
from dashboard.sessions import Sessions, SignedIn
from dashboard.settings import DashboardSettings
from dashboard.updates import Updates
from dashboard.vitals import Vitals
from patrol import Incident
from storage import Store

__all__ = [
    "COOKIE",
    "TEAM_HEADER",
    "Dashboard",
    "Guard",
    "Parts",
    "check_policies",
    "guard_of",
    "policy",
    "routes_of",
    "signed_in_of",
]

COOKIE = "gridpatrol_session"

TEAM_HEADER = "X-Gridpatrol-Team"
"""The team for which a phone asks: a browser's cookie is of whoever signed in last, what was pressed before may not be theirs."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The parts a route works with; one per application, at `app.state.dashboard`."""

    site: Site
    store: Store
    fleet: FleetView
    clock: Clock
    settings: DashboardSettings
    sessions: Sessions
    updates: Updates
    live: LiveViews
    overview: Overview
    coverage: CoverageBoard
    registry: Registry
    vitals: Vitals
    networks: NetworkShelf

    def done_s(self, at: datetime | None) -> float:
        """When something was done, UTC seconds: as a client says, or now."""
        return self.clock.now_s() if at is None else at.timestamp()


def _parts(connection: HTTPConnection) -> Dashboard:
    parts = connection.app.state.dashboard
    assert isinstance(parts, Dashboard)
    return parts


Parts = Annotated[Dashboard, Depends(_parts)]

Of = Callable[[Store, dict[str, str]], Incident | None]
"""Which incident a request is about, from its path; runs in a thread."""


class Guard:
    """A dependency that lets through who may do `action`, and gives the principal; denies by raising.

    Raises NotFoundError, too, for a path that names something that is not there or not in the area of who asks.
    """

    def __init__(self, action: Action, of: Of | None = None) -> None:
        self.action = action
        self.of = of

    async def __call__(self, connection: HTTPConnection) -> Principal:
        if POLICY[self.action].anonymous:  # open to everybody, so not worth asking a database that may be away
            authorize(ANONYMOUS, self.action)
            return ANONYMOUS
        parts = _parts(connection)
        principal = await self._principal(connection, parts)
        _check_team(connection, principal)
        resource = None
        if self.of is not None and principal.kind is PrincipalKind.TEAM:  # only a team's right depends on it
            resource = await asyncio.to_thread(self.of, parts.store, connection.path_params)
        authorize(principal, self.action, resource)
        if connection.path_params:
            now_s, path = parts.clock.now_s(), connection.path_params
            await asyncio.to_thread(check_path, parts.site, parts.store, now_s, principal, path)
        return principal

    async def _principal(self, connection: HTTPConnection, parts: Dashboard) -> Principal:
        token = connection.cookies.get(COOKIE)
        signed_in = await parts.sessions.find(token) if token else None
        connection.state.signed_in = signed_in
        if signed_in is not None:
            return signed_in.principal
        expected, given = parts.settings.metrics_token, connection.headers.get("authorization", "")
        if expected and hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
            return Principal(PrincipalKind.SCRAPER)
        return ANONYMOUS


def _check_team(connection: HTTPConnection, principal: Principal) -> None:
    """Raise NotSignedInError, so that the phone tries again later, if a request names a team that is not the one signed in."""
    meant = connection.headers.get(TEAM_HEADER)
    if meant is not None and meant != principal.team:
        raise NotSignedInError("This was sent for a team that is not signed in here.")


def policy(action: Action, of: Of | None = None) -> Any:  # Any: what FastAPI calls a parameter's metadata
    """The metadata that guards a route: `principal: Annotated[Principal, policy(Action.X)]`."""
    return Depends(Guard(action, of))


def signed_in_of(connection: HTTPConnection) -> SignedIn:
    """The session of a request that a guard let through as signed in."""
    signed_in = connection.state.signed_in
    assert isinstance(signed_in, SignedIn)
    return signed_in


def guard_of(route: BaseRoute) -> Guard | None:
    """The one guard of a route, None if it has none."""
    dependant = getattr(route, "dependant", None)
    guards = list(_guards(dependant)) if isinstance(dependant, Dependant) else []
    return guards[0] if len(guards) == 1 else None


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """All routes, those of included routers too, which newer FastAPI keeps nested."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from routes_of(inner.routes)


def check_policies(routes: Iterable[BaseRoute]) -> None:
    """Return if every route but static files has exactly one policy, and `scope.py` knows everything that its path names.

    Raises RuntimeError naming those that have not.
    """
    bare = [route for route in routes_of(routes) if not _is_static(route) and not _is_guarded(route)]
    if bare:
        names = ", ".join(str(getattr(route, "path", route)) for route in bare)
        raise RuntimeError(f"these routes have no policy, or several: {names}; give each one `policy(Action.…)`")
    parameters = {name for route in routes_of(routes) if _is_guarded(route) for name in getattr(route, "param_convertors", ())}
    if unknown := parameters - NAMED.keys() - UNSCOPED:
        raise RuntimeError(f"scope.py does not know what these path parameters name: {', '.join(sorted(unknown))}")


def _is_guarded(route: BaseRoute) -> bool:
    return isinstance(route, APIRoute | APIWebSocketRoute) and guard_of(route) is not None


def _is_static(route: BaseRoute) -> bool:
    return isinstance(route, Mount) and isinstance(route.app, StaticFiles)


def _guards(dependant: Dependant) -> Iterator[Guard]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Guard):
            yield inner.call
        yield from _guards(inner)
