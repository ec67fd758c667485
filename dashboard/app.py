"""The dashboard as one ASGI application: the parts, the routes, the layers around them, and what runs beside them."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from base import Clock, GridpatrolError
from camera_config.site import Site
from dashboard.coverage_board import CoverageBoard
from dashboard.cross_origin import CrossOriginGuard
from dashboard.envelope import BODY_DEADLINE_S, BodyLimit, RequestCounter, SecurityHeaders
from dashboard.failures import add_failures
from dashboard.fleet_view import FleetView
from dashboard.live import LiveViews
from dashboard.network_shelf import NetworkShelf
from dashboard.overview import Overview
from dashboard.pages import add_pages
from dashboard.policy import Dashboard, check_policies
from dashboard.registry import Registry
from dashboard.routes import ROUTERS
from dashboard.schemas import Failure
from dashboard.sessions import Sessions
from dashboard.settings import DashboardSettings
from dashboard.updates import Updates
from dashboard.vitals import Vitals
from storage import Store

__all__ = ["create_app"]

logger = logging.getLogger(__name__)

FORGET_S = 60.0
"""How often positions of teams that went off duty are deleted; nobody is shown them even before."""

REVIEW_S = 2.0
"""How often open pages and live views are checked for sessions that have ended; they must close within 5 s."""


def create_app(site: Site, store: Store, fleet: FleetView, clock: Clock, settings: DashboardSettings) -> FastAPI:
    """The application; `app.state.updates` is the hub that the control loop publishes to, `app.state.coverage` the
    board on which it puts the coverage.

    Raises RuntimeError if a route has no policy: better no server than an open door.
    """
    updates = Updates(settings.replay, settings.queue)
    for support in store.all_support():
        updates.support(support.incident, support.team, lasts=True)
    parts = Dashboard(
        site=site,
        store=store,
        fleet=fleet,
        clock=clock,
        settings=settings,
        sessions=Sessions(store, site, clock, settings),
        updates=updates,
        live=LiveViews(fleet, site, clock, settings.viewers, settings.transcodes),
        overview=Overview(fleet, clock),
        coverage=CoverageBoard(),
        registry=Registry(site, store),
        vitals=Vitals(store, fleet, clock, settings.data),
        networks=NetworkShelf(),
    )
    app = FastAPI(
        title="Gridpatrol",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        responses={status: {"model": Failure} for status in (401, 403, 404, 413, 422, 503)},
    )
    app.state.dashboard = parts
    app.state.updates = updates
    app.state.coverage = parts.coverage
    app.state.answers = Counter()
    app.state.site_json = {}
    app.state.site_json_of = (site.cameras, site.rules)
    for router in ROUTERS:
        app.include_router(router)
    add_pages(app, settings.page)
    check_policies(app.routes)
    add_failures(app)
    # The last added is the outermost: every answer, refusals included, gets its headers and is counted.
    app.add_middleware(BodyLimit, limit_bytes=settings.body_bytes, deadline_s=BODY_DEADLINE_S)
    app.add_middleware(CrossOriginGuard)
    app.add_middleware(RequestCounter, answers=app.state.answers)
    app.add_middleware(SecurityHeaders)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Dashboard = app.state.dashboard
    tasks = [
        asyncio.create_task(_review_sessions(parts), name="review-sessions"),
        asyncio.create_task(_forget_positions(parts), name="forget-positions"),
        asyncio.create_task(parts.vitals.run(), name="vitals"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.overview.stop()
        await parts.live.stop()


async def _review_sessions(parts: Dashboard) -> None:
    """Close pages and live views whose session has ended, whoever ended it; runs until cancelled."""
    while True:
        await asyncio.sleep(REVIEW_S)
        keys = parts.updates.sessions() | parts.live.sessions() | parts.overview.sessions()
        try:
            ended = keys - await parts.sessions.valid(keys)
        except GridpatrolError as error:  # the database is away: keep who is here, and look again
            logger.warning("sessions could not be reviewed: %s", error)
            continue
        except Exception:
            logger.exception("sessions could not be reviewed")
            continue
        for key in ended:
            parts.updates.revoke(key)
            parts.live.revoke(key)
            parts.overview.revoke(key)


async def _forget_positions(parts: Dashboard) -> None:
    """Delete what is known of where teams were once they are off duty; runs until cancelled."""
    while True:
        try:
            for team in await asyncio.to_thread(parts.store.forget_positions):
                logger.info("the position of team %s was deleted: off duty", team)
        except GridpatrolError as error:  # the database is away: the next turn deletes it
            logger.warning("positions could not be deleted: %s", error)
        except Exception:
            logger.exception("positions could not be deleted")
        await asyncio.sleep(FORGET_S)
