"""H.265 on the wall of a real browser: transcoded by the server, or decoded by the page."""

import asyncio
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from base import Codec, Packet
from dashboard.live import LiveViews
from ingest import Feed, RtspSource
from ingest.rtsp_source import Resolver
from tests.dashboard.clip import HEIGHT, WIDTH, ClipFleet
from tests.dashboard.room import Room, cookie_of, wait_until
from tests.dashboard.test_live import live_of
from tests.servers.gstreamer import gstreamer

CHROMIUM = shutil.which("chromium")
DIST = Path(__file__).parents[2] / "dashboard" / "web" / "dist"
SLOW_MS = 30_000
MANY = re.compile(r"^\d{2,}$")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium installed"),
    pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the page is not built"),
]

# Chromium on Debian decodes no H.265. It is told H.264 instead, which is what really comes: all but the bits is as with H.265.
SAYS_THAT_IT_DECODES = "VideoDecoder.isConfigSupported = async () => ({ supported: true });"
AND_DOES = """
const configure = VideoDecoder.prototype.configure;
VideoDecoder.prototype.configure = function (config) {
  configure.call(this, { ...config, codec: config.codec.replace(/^hev1.*/, "avc1.42e01f") });
};
"""

# Brightness of each eighth of a picture, from left to right.
COLUMNS = """picture => {
  const copy = new OffscreenCanvas(8, 1), brush = copy.getContext("2d");
  brush.drawImage(picture, 0, 0, 8, 1);
  return [...brush.getImageData(0, 0, 8, 1).data].filter((_, at) => at % 4 === 1);
}"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


def wall(browser: Browser, room: Room, cookie: str, *cameras: str, locale: str = "en-GB", before: str = "") -> Page:
    """A page of its own with these cameras on its wall; `before` runs in it first."""
    context = browser.new_context(viewport={"width": 1366, "height": 800}, locale=locale)
    context.add_cookies([{"name": "gridpatrol_session", "value": cookie, "url": room.url}])
    layout = f"{{view: {1 if len(cameras) == 1 else 4}, pinned: {list(cameras)}}}"
    context.add_init_script(f"localStorage.setItem('gridpatrol.wall.window', JSON.stringify({layout})); {before}")
    page = context.new_page()
    page.goto(f"{room.url}/#wall")
    return page


def moves(page: Page, camera: str, element: str = "video") -> None:
    """Return when pictures of `camera` come and what is drawn changes."""
    tile = page.locator(f"[data-camera='{camera}']")
    expect(tile.locator("video")).to_have_attribute("data-frames", MANY, timeout=SLOW_MS)
    expect(tile.locator(".live")).to_have_attribute("data-state", "playing")
    picture = tile.locator(element)
    first = picture.evaluate(COLUMNS)
    wait_until(lambda: bool(picture.evaluate(COLUMNS) != first), f"the picture of {camera} changes", timeout_s=SLOW_MS / 1000)


def look_elsewhere(page: Page) -> None:
    """All cameras as stills: what moved hangs up. A page that just vanishes is missed by ICE only, after half a minute."""
    page.locator("[data-view='overview']").click()


def over_rtsp(fleet: ClipFleet, url: str, camera: str) -> Callable[[str], AsyncGenerator[Packet, None]]:
    """What the cameras of `fleet` send, with `camera` read from a real RTSP server as its worker would."""
    play = fleet._play

    async def read(name: str) -> AsyncGenerator[Packet, None]:
        if name != camera:
            async for packet in play(name):
                yield packet
        source = RtspSource(Feed(camera, url), fleet.clock, Resolver())
        source.open()
        try:
            while True:
                for packet in source.sweep(fleet.clock.now_s()):
                    yield packet
                await asyncio.sleep(0.02)  # the sweep of a camera that is watched
        finally:
            source.close()

    return read


def called_h265(fleet: ClipFleet) -> Callable[[str], AsyncIterator[Packet]]:
    play = fleet._play

    async def read(name: str) -> AsyncIterator[Packet]:
        packets = play(name)
        try:
            async for packet in packets:
                yield packet._replace(codec=Codec.H265)
        finally:
            await packets.aclose()

    return read


def quiet(live: LiveViews, room: Room) -> Callable[[], bool]:
    return lambda: (len(live), live.transcodes, live.taps, room.fleet.open_now) == (0, 0, 0, 0)


@pytest.mark.peer
def test_a_camera_of_h265_moves_for_two_pages_by_one_transcode_and_no_more_are_transcoded_than_may(
    new_room: Callable[..., Room], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = new_room(page=DIST, transcodes=1)
    cookie, live = cookie_of(room.set_up()), live_of(room)
    for camera in ("c0001", "c0002"):
        room.fleet.set_codec(camera, Codec.H265)
    with gstreamer("--codec", "h265") as url:
        monkeypatch.setattr(room.fleet, "_play", over_rtsp(room.fleet, f"{url}/cam", "c0001"))
        one = wall(browser, room, cookie, "c0001")
        moves(one, "c0001")
        assert one.get_by_test_id("wall-video").evaluate("video => [video.videoWidth, video.videoHeight]") == [640, 360]
        two = wall(browser, room, cookie, "c0001", "c0002", "c0003", locale="zh-CN")
        moves(two, "c0001")
        moves(two, "c0003")
        assert (len(live), live.transcodes) == (3, 1)
        refused = two.locator("[data-camera='c0002'] .live-failed")
        expect(refused).to_contain_text("H.265", timeout=SLOW_MS)
        expect(refused).to_contain_text("最多同时转码 1 路")
        look_elsewhere(one)
        wait_until(lambda: len(live) == 2, "the first page has hung up", timeout_s=SLOW_MS / 1000)
        moves(two, "c0001")
        look_elsewhere(two)
        wait_until(quiet(live, room), "nobody looks, so all is closed", timeout_s=SLOW_MS / 1000)


def test_a_browser_that_decodes_h265_gets_the_packets_and_the_server_transcodes_nothing(
    new_room: Callable[..., Room], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = new_room(page=DIST)
    cookie, live = cookie_of(room.set_up()), live_of(room)
    monkeypatch.setattr(room.fleet, "_play", called_h265(room.fleet))
    page = wall(browser, room, cookie, "c0001", before=SAYS_THAT_IT_DECODES + AND_DOES)
    moves(page, "c0001", "canvas")
    canvas = page.locator("[data-camera='c0001'] canvas")
    assert canvas.evaluate("canvas => [canvas.width, canvas.height]") == [WIDTH, HEIGHT]
    wait_until(lambda: max(canvas.evaluate(COLUMNS)) > 100, "the clip's bar is drawn", timeout_s=SLOW_MS / 1000)
    assert (len(live), live.transcodes, live.taps) == (1, 0, 1)
    look_elsewhere(page)
    wait_until(quiet(live, room), "nobody looks, so all is closed", timeout_s=SLOW_MS / 1000)


def test_a_browser_that_only_says_that_it_decodes_h265_gets_the_transcode(
    new_room: Callable[..., Room], browser: Browser
) -> None:
    room = new_room(page=DIST)
    cookie = cookie_of(room.set_up())
    room.fleet.set_codec("c0001", Codec.H265)
    page = wall(browser, room, cookie, "c0001", before=SAYS_THAT_IT_DECODES)
    moves(page, "c0001")
    assert live_of(room).transcodes == 1
