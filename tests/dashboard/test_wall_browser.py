"""The overview and the wall in a real browser: pictures really decoded, drawn and moving."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect, sync_playwright

from base import Codec, Health
from tests.dashboard.room import Room, cookie_of, wait_until

CHROMIUM = shutil.which("chromium")
DIST = Path(__file__).parents[2] / "dashboard" / "web" / "dist"
SLOW_MS = 20_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium installed"),
    pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the page is not built"),
]

# Brightness of each eighth of a tile's picture, from left to right: where the bright bar of the clip is.
COLUMNS = """tile => {
  const copy = new OffscreenCanvas(8, 1), brush = copy.getContext("2d");
  brush.drawImage(tile.querySelector("canvas"), 0, 0, 8, 1);
  return [...brush.getImageData(0, 0, 8, 1).data].filter((_, at) => at % 4 === 1);
}"""


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    room = new_room(page=DIST)
    for camera, status in room.fleet.status.items():
        room.fleet.status[camera] = replace(status, gop_s=0.5)
    return room


@pytest.fixture
def context(room: Room) -> Iterator[BrowserContext]:
    client = room.set_up()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns"]
        )
        context = chromium.new_context(viewport={"width": 1366, "height": 800}, locale="en-GB")
        context.add_cookies([{"name": "gridpatrol_session", "value": cookie_of(client), "url": room.url}])
        yield context
        chromium.close()


def open_wall(context: BrowserContext, room: Room, view: str) -> Page:
    page = context.new_page()
    page.goto(f"{room.url}/#wall")  # alone in its window: without the map it is there sooner
    page.locator(f"[data-view='{view}']").click(timeout=SLOW_MS)
    return page


def tile(page: Page, camera: str) -> Locator:
    return page.locator(f"[data-camera='{camera}']")


def said_to_have_mains(route: Route) -> None:
    answer = route.fetch()
    site = answer.json()
    for camera in site["cameras"]["features"]:
        camera["properties"]["has_main"] = True
    route.fulfill(response=answer, json=site)


def picture(found: Locator) -> list[int]:
    columns: list[int] = found.evaluate(COLUMNS)
    return columns


def is_of_the_clip(columns: list[int]) -> bool:
    """A grey picture with a bright bar: 60 and 220 before they were encoded."""
    return max(columns) > 100 and 30 < min(columns) < 100


def test_the_overview_shows_every_camera_and_says_which_picture_is_not_of_now(context: BrowserContext, room: Room) -> None:
    page = open_wall(context, room, "overview")
    for camera in ("c0001", "c0002", "c0003"):
        expect(tile(page, camera)).to_have_attribute("data-state", "fresh", timeout=SLOW_MS)
        assert is_of_the_clip(picture(tile(page, camera)))
    expect(tile(page, "c0001")).to_contain_text(re.compile(r"c0001.*\d s"))

    room.fleet.frozen.add("c0002")  # says that it is online, and sends nothing
    expect(tile(page, "c0002")).to_have_attribute("data-state", "old", timeout=SLOW_MS)
    assert "grayscale" in tile(page, "c0002").locator("canvas").evaluate("canvas => getComputedStyle(canvas).filter")
    expect(tile(page, "c0001")).to_have_attribute("data-state", "fresh")
    room.fleet.frozen.clear()
    expect(tile(page, "c0002")).to_have_attribute("data-state", "fresh", timeout=SLOW_MS)

    room.fleet.status["c0003"] = replace(room.fleet.status["c0003"], awake=True)
    expect(tile(page, "c0003")).to_have_attribute("data-state", "moving", timeout=SLOW_MS)
    before = picture(tile(page, "c0003"))
    wait_until(lambda: picture(tile(page, "c0003")) != before, "the bar moves", timeout_s=SLOW_MS / 1000)

    page.evaluate("document.querySelector('[type=search]').focus()")
    page.keyboard.type("0002")
    expect(page.get_by_test_id("overview-tile")).to_have_count(1)


def test_what_the_browser_cannot_decode_comes_as_snapshots_and_nothing_of_an_offline_camera(
    context: BrowserContext, room: Room, a_jpeg: bytes
) -> None:
    async def snapshot(camera: str) -> bytes:
        del camera
        return a_jpeg

    room.fleet.snapshot = snapshot  # type: ignore[method-assign]  # one that is a picture
    room.fleet.set_codec("c0001", Codec.OTHER)
    room.fleet.set_health("c0002", Health.OFFLINE)
    page = open_wall(context, room, "overview")
    expect(tile(page, "c0001")).to_have_attribute("data-state", "fresh", timeout=SLOW_MS)
    assert min(picture(tile(page, "c0001"))) > 150
    expect(tile(page, "c0002")).to_have_attribute("data-state", "none")
    expect(tile(page, "c0002")).to_contain_text("Offline")


def test_the_wall_goes_round_until_something_happens_and_shows_that_first(context: BrowserContext, room: Room) -> None:
    page = open_wall(context, room, "1")
    only = page.get_by_test_id("wall-tile")
    expect(only).to_have_attribute("data-why", "tour", timeout=SLOW_MS)
    video = page.get_by_test_id("wall-video")
    expect(video).to_have_attribute("data-frames", re.compile(r"^\d{2,}$"), timeout=SLOW_MS)
    first = only.get_attribute("data-camera")
    page.locator("[aria-label='How long each picture stays']").select_option("5")
    expect(page.get_by_test_id("tour-state")).to_have_attribute("data-pause", "input")

    alarmed = "c0003" if first != "c0003" else "c0002"
    room.raise_event(alarmed)
    expect(tile(page, alarmed)).to_have_attribute("data-why", "alarm", timeout=SLOW_MS)
    expect(page.get_by_test_id("tour-state")).to_have_attribute("data-pause", "alarm")
    expect(video).to_have_attribute("data-frames", re.compile(r"^\d{2,}$"), timeout=SLOW_MS)
    wait_until(lambda: room.fleet.open_now == 1, "the picture that nobody sees any more has ended", timeout_s=SLOW_MS / 1000)

    page.locator("[data-view='4']").click()
    page.keyboard.press("2")
    expect(page.get_by_test_id("wall-tile")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("wall-tile")).to_have_count(4)
    page.locator("[data-mode='blank']").click()
    expect(page.locator("[data-why='none']")).to_have_count(3)
    page.reload()
    expect(page.locator("[data-why='none']")).to_have_count(3, timeout=SLOW_MS)  # remembered
    expect(tile(page, alarmed)).to_have_attribute("data-why", "alarm", timeout=SLOW_MS)


def test_a_wall_in_its_own_window_follows_the_desk(context: BrowserContext, room: Room) -> None:
    wall = open_wall(context, room, "4")
    wall.locator("[data-mode='blank']").click()
    desk = context.new_page()
    desk.goto(room.url)
    desk.get_by_test_id("tab-wall").click(timeout=SLOW_MS)
    tile(desk, "c0002").click(timeout=SLOW_MS)
    expect(tile(wall, "c0002")).to_have_attribute("data-why", "followed", timeout=SLOW_MS)


def test_a_large_tile_asks_for_the_main_stream_and_falls_back_where_it_fails(context: BrowserContext, room: Room) -> None:
    context.route("**/api/v1/site", said_to_have_mains)
    room.fleet.mains = frozenset({"c0001"})  # the others do not give theirs
    page = open_wall(context, room, "4")
    for camera, large in (("c0001", "main"), ("c0002", "sub")):
        live = tile(page, camera).locator(".live")
        expect(live).to_have_attribute("data-stream", "sub", timeout=SLOW_MS)
        tile(page, camera).get_by_role("button", name="Enlarge").click(timeout=SLOW_MS)
        expect(page.get_by_test_id("wall-tile")).to_have_count(1)
        expect(live).to_have_attribute("data-stream", large, timeout=SLOW_MS)
        expect(live).to_have_attribute("data-state", "playing", timeout=SLOW_MS)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("wall-tile")).to_have_count(4)
    wait_until(lambda: room.fleet.open_now == 3, "the main stream ends when nobody sees it large", timeout_s=SLOW_MS / 1000)


def test_a_click_in_the_overview_shows_its_picture_at_once_and_asks_for_one_still(context: BrowserContext, room: Room) -> None:
    page = open_wall(context, room, "overview")
    expect(tile(page, "c0001")).to_have_attribute("data-state", "fresh", timeout=SLOW_MS)
    asked: list[str] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route.request.url)
        held.append(route)

    page.route("**/snapshot?*", hold)
    tile(page, "c0001").click()
    still = page.locator(".live-window .live-still").first
    wait_until(lambda: bool(still.evaluate("image => image.complete && image.naturalWidth > 0")), "the tile's picture is shown")
    expect(page.get_by_test_id("live-video-large")).to_have_attribute("data-frames", re.compile(r"^\d{2,}$"), timeout=SLOW_MS)
    assert len(asked) == 1
    for route in held:
        route.abort()
