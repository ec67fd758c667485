"""A control room for the administrator's pages: the real server, registry and living coverage over a site folder, no cameras.

Cameras are lost as the fleet tells it (a gap in the ledger); what the page shows comes by the way that it does in a running site.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Browser, Page

from base import Clock, Gap, GapCause, Health, SystemClock
from camera_config import Site, load_site, write_site
from camera_config.live_site import LiveSite
from dashboard import Applied, DashboardSettings
from fleet.coverage import coverage_running
from fleet.notices import notices_running
from storage import Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import Room, cookie_of
from tests.dashboard.two_halves import a_photo
from tests.e2e.room import chromium
from tests.e2e.scene_room import DIST

__all__ = ["Control", "control_running"]


_NO_WEBGL = """
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.startsWith("webgl") ? null : getContext.call(this, kind, ...more);
};
"""


class PictureFleet(ClipFleet):
    """Cameras whose newest picture a browser can show."""

    def __init__(self, cameras: tuple[str, ...], clock: Clock) -> None:
        super().__init__(cameras, clock)
        self._jpeg = a_photo(320, 180)

    async def snapshot(self, camera: str) -> bytes:
        return self._jpeg


@dataclass
class Control:
    """The running room, the folder of its site, and a browser in which somebody is an administrator."""

    room: Room
    fleet: PictureFleet
    browser: Browser
    cookie: str
    folder: Path

    def page(
        self,
        tab: str,
        part: str,
        locale: str = "en-GB",
        theme: str = "dark",
        maps: bool = True,
        at: tuple[str, str] | None = None,
    ) -> tuple[Page, list[str]]:
        """A page of its own with one part of a tab before it, and what goes wrong in it. `at`: URL and session of another room.

        Without `maps` the browser has no WebGL: drawn in software a map takes most of the time.
        """
        context = self.browser.new_context(viewport={"width": 1366, "height": 768}, locale=locale, reduced_motion="reduce")
        url, cookie = at or (self.room.url, self.cookie)
        context.add_cookies([{"name": "gridpatrol_session", "value": cookie, "url": url}])
        context.add_init_script(f"localStorage.setItem('gridpatrol.theme', '{theme}')")
        if not maps:
            context.add_init_script(_NO_WEBGL)
        page, wrong = context.new_page(), list[str]()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        page.get_by_test_id(f"tab-{tab}").click(timeout=20_000)
        page.get_by_test_id(part).click()
        return page, wrong

    def lose(self, *cameras: str) -> None:
        """From now on no picture comes from these."""
        gaps = {camera: Gap(camera, self.room.clock.now_s(), None, GapCause.ENDED_BY_CAMERA) for camera in cameras}
        self.room.store.record_gaps(list(gaps.values()))

        def tell() -> None:
            self.fleet.gaps.update(gaps)
            for camera in cameras:
                self.fleet.set_health(camera, Health.OFFLINE)

        self.room.call(tell)


class _Taking:
    """Follows changes of a site in which no camera runs."""

    def __init__(self, site: LiveSite, store: Store) -> None:
        self._site, self._store = site, store

    async def follow(self, after: Site) -> Applied:
        self._site.take(after)
        await asyncio.to_thread(self._store.retime)
        return Applied()


@contextmanager
def control_running(folder: Path, site: Site, before: Callable[[Store, float], None] | None = None) -> Iterator[Control]:
    """A room over `site`, which is written to `folder/site`; stops are proposed at once.

    `before` gets the store and the time before anything runs, to fill the ledgers.
    """
    write_site(replace(site, coverage=replace(site.coverage, patrol_after_min=0.0)), folder / "site")
    read, clock = LiveSite.of(load_site(folder / "site")), SystemClock()
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, read, folder / "clips")
    if before is not None:
        before(store, clock.now_s())
    fleet = PictureFleet(tuple(read.camera_by_id), clock)
    room = Room(read, store, fleet, clock, DashboardSettings(page=DIST))
    room.start()
    beside = AsyncExitStack()
    app = room.app.state
    app.dashboard.registry.follow_with(_Taking(read, store))
    room.on_loop(beside.enter_async_context(notices_running(read, store, fleet, clock)))
    room.on_loop(beside.enter_async_context(coverage_running(read, store, fleet, app.coverage, app.updates, clock)))
    try:
        with chromium() as browser:
            yield Control(room, fleet, browser, cookie_of(room.set_up()), folder / "site")
    finally:
        room.on_loop(beside.aclose())
        room.stop()
