"""The control room in a browser: the overview, live pictures, alarms, the map, fifty pages.

The real server and page; cameras are played, not decoded (`_played.py`). Chromium is headless without a graphics chip, on the
same cores. What each key means: benchmarks/README.md. The last line is one JSON object.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserContext, CDPSession, FloatRect, Page, Route, sync_playwright
from websockets.sync.client import ClientConnection, connect

from benchmarks._bare import open_bare_map
from benchmarks._machine import machine
from benchmarks._pages import Pages
from benchmarks._played import BITS, CLOCK, FPS, PlayedRoom
from benchmarks._viewers import WALL, scenes_of, until, viewers
from benchmarks.events import percentile

__all__ = ["measure"]

CHROMIUM = "/usr/bin/chromium"
PLAIN = ["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns"]
WITH_GL = [*PLAIN, "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SCREENS, DESK = {"width": 3840, "height": 2160}, {"width": 1920, "height": 1080}

TEAMS = 200

PARTS = ("viewers", "sent", "overview", "clicks", "moving", "pixels", "fifty", "map")

COUNT = """
window.drawn = 0;
const transfer = ImageBitmapRenderingContext.prototype.transferFromImageBitmap;
ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
  window.drawn += 1;
  transfer.call(this, bitmap);
};
window.seen = {};
new MutationObserver(() => {
  for (const row of document.querySelectorAll("[data-incident]")) {
    const id = row.dataset.incident;
    if (!(id in window.seen)) { window.seen[id] = 0; requestAnimationFrame(() => (window.seen[id] = Date.now())); }
  }
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-incident"] });
"""

CLICK = """async (camera) => {
  const until = async (is) => { while (!is()) await new Promise((next) => setTimeout(next, 4)); return performance.now(); };
  const began = performance.now();
  document.querySelector(`[data-testid=overview-tile][data-camera=${camera}]`).click();
  const still = () => document.querySelector(".live-window .live-still");
  const [picture, moving] = await Promise.all([
    until(() => still()?.complete && still().naturalWidth > 0),
    until(() => Number(document.querySelector(".live-window video")?.dataset.frames) > 0),
  ]);
  document.querySelector(".live-window header button:last-of-type").click();
  await until(() => !document.querySelector(".live-window"));
  return [picture - began, moving - began];
}"""

GLASS = """async ([bits, count]) => {
  const video = document.querySelector("video[data-testid=wall-video]");
  const brush = new OffscreenCanvas(640, 1).getContext("2d", { willReadFrequently: true });
  const found = [];
  while (found.length < count) {
    await new Promise((next) => video.requestVideoFrameCallback(next));
    const now = Date.now();
    brush.drawImage(video, 0, video.videoHeight / 2, video.videoWidth, 1, 0, 0, 640, 1);
    const row = brush.getImageData(0, 0, 640, 1).data;
    let number = 0;
    const wide = Math.floor(640 / bits);
    for (let bit = 0; bit < bits; bit += 1) if (row[4 * Math.floor((bit + 0.5) * wide)] > 127) number |= 1 << bit;
    found.push([now, number]);
  }
  return found;
}"""

ACKNOWLEDGE = """(id) => fetch(`/api/v1/incidents/${id}/steps`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ step: "acknowledge", version: 1, command_id: "00000000-0000-4000-8000-" + id.slice(-12) }),
}).then((answer) => { if (!answer.ok) throw new Error(`HTTP ${answer.status}`); })"""

FRAMES = """(ms) => new Promise((done) => {
  let frames = 0;
  const began = performance.now();
  const next = () => {
    const lasted = performance.now() - began;
    frames += 1;
    if (lasted > ms) done(1000 * frames / lasted);
    else requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""


def measure(cameras: int, alarms: int, seconds: float, only: Collection[str]) -> dict[str, object]:
    """All keys, one part after another; a part that fails is named in `failed` with its reason, and its keys are missing."""
    found: dict[str, object] = {"cameras": cameras, "load_before": round(os.getloadavg()[0], 1), "failed": {}}
    failed: dict[str, str] = {}
    if not only or "viewers" in only:
        try:
            with PlayedRoom(WALL, scenes_of) as room, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=PLAIN)
                found |= viewers(room, _page(browser, room, DESK, "about:blank"), seconds)
                browser.close()
        except Exception as error:
            print(f"viewers: {error}", file=sys.stderr)
            failed["viewers"] = f"{type(error).__name__}: {error}"[:300]
    if set(only) == {"viewers"}:
        return found | {"failed": failed, "load": round(os.getloadavg()[0], 1), "machine": machine()}
    with PlayedRoom(cameras) as room, sync_playwright() as playwright:
        if not only or "sent" in only:
            found |= sent(room, seconds)
        parts: list[tuple[Callable[[PlayedRoom, Page, float], dict[str, object]], list[str], dict[str, int], str]] = [
            (overview, PLAIN, SCREENS, "/#wall"),
            (clicks, PLAIN, DESK, "/#wall"),
            (moving, PLAIN, DESK, "/#wall"),
            (pixels, PLAIN, DESK, "/"),
        ]
        for part, flags, size, path in parts:
            if only and part.__name__ not in only:
                continue
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            try:
                found |= part(room, _page(browser, room, size, path), seconds)
            except Exception as error:  # the other parts are worth having
                print(f"{part.__name__}: {error}", file=sys.stderr)
                failed[part.__name__] = f"{type(error).__name__}: {error}"[:300]
            browser.close()
        if not only or "fifty" in only:
            found |= fifty(room, seconds)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=WITH_GL)
        try:
            if not only or "map" in only:
                found |= interactive(room, browser, alarms)
                found |= over_the_map(room, browser)
        except Exception as error:
            failed["map"] = f"{type(error).__name__}: {error}"[:300]
        browser.close()
    return found | {"failed": failed, "load": round(os.getloadavg()[0], 1), "machine": machine()}


def sent(room: PlayedRoom, seconds: float) -> dict[str, object]:
    """All cameras over the socket of one page that does nothing with them: what the server's part costs."""
    headers = {"Cookie": f"gridpatrol_session={room.cookies[1]}", "Origin": room.url}
    with connect(
        room.url.replace("http:", "ws:") + "/api/v1/overview", additional_headers=headers, max_size=None, compression=None
    ) as page:
        page.send(json.dumps({"visible": room.cameras, "codecs": ["h264"]}))
        _received(page, 5.0)
        server_s, tap_s = room.cpu_s()
        lasted_s, received_bytes, messages = _received(page, seconds)
        server_now_s, tap_now_s = room.cpu_s()
    return {
        "overview_server_cores": round((server_now_s - server_s) / lasted_s, 3),
        "overview_tap_cores": round((tap_now_s - tap_s) / lasted_s, 3),
        "overview_sent_mbyte_per_s": round(received_bytes / lasted_s / 1e6, 2),
        "overview_messages_per_s": round(messages / lasted_s, 1),
    }


def _received(page: ClientConnection, seconds: float) -> tuple[float, int, int]:
    """Read for so long: seconds it took, bytes, messages."""
    began_s, received_bytes, messages = time.monotonic(), 0, 0
    while time.monotonic() < began_s + seconds:
        received_bytes += len(page.recv(timeout=10))
        messages += 1
    return time.monotonic() - began_s, received_bytes, messages


def overview(room: PlayedRoom, page: Page, seconds: float) -> dict[str, object]:
    """All cameras on one screen, as small as they come."""
    del room
    page.locator("[data-view=overview]").click(timeout=60_000)
    page.locator("[data-size=small]").click(timeout=60_000)
    until(page, "window.drawn > 300")
    page.wait_for_timeout(3_000)
    drawn, at_s = page.evaluate("window.drawn"), time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    lasted_s = time.monotonic() - at_s
    tiles = page.evaluate("[document.querySelectorAll('[data-testid=overview-tile]').length, window.drawn]")
    states = page.evaluate(
        "[...document.querySelectorAll('[data-testid=overview-tile]')].filter(one => one.dataset.state === 'old').length"
    )
    return {
        "overview_tiles": tiles[0],
        "overview_tiles_per_s": round((tiles[1] - drawn) / lasted_s, 1),
        "overview_old": states,
        "overview_browser_mb": round(_browser_bytes() / 1e6),
    }


def clicks(room: PlayedRoom, page: Page, seconds: float) -> dict[str, object]:
    """A click on a tile of the overview, to its still and to its moving picture; the first one warms up."""
    del seconds
    page.locator("[data-view=overview]").click(timeout=60_000)
    page.locator("[data-testid=overview-tile].drawn").first.wait_for(timeout=60_000)
    shown = page.evaluate("[...document.querySelectorAll('[data-testid=overview-tile]')].map(one => one.dataset.camera)")
    took = [page.evaluate(CLICK, camera) for camera in shown[1:22]][1:]
    del room
    return {
        "click_to_picture_p95_ms": percentile([picture for picture, _ in took], 95),
        "click_to_moving_p95_ms": percentile([moved for _, moved in took], 95),
        "clicks": len(took),
    }


def moving(room: PlayedRoom, page: Page, seconds: float) -> dict[str, object]:
    """A wall of one that shows the clock."""
    del room, seconds
    page.evaluate("camera => localStorage.setItem('gridpatrol.wall.window', JSON.stringify({view: 1, pinned: [camera]}))", CLOCK)
    page.reload()
    until(page, "Number(document.querySelector('[data-testid=wall-video]')?.dataset.frames) > 45")
    late_ms = [_behind_ms(now, number) for now, number in page.evaluate(GLASS, [BITS, 5 * FPS])]
    return {
        "glass_to_glass_ms": percentile(late_ms, 50),
        "glass_to_glass_p95_ms": percentile(late_ms, 95),
    }


def _behind_ms(now_ms: float, number: int) -> float:
    """How old a frame of the clock is: the newest one with this number that may have been sent by then."""
    newest = int(now_ms / 1000 * FPS)
    shown = newest - (newest - number) % (1 << BITS)
    return now_ms - 1000 * shown / FPS


def pixels(room: PlayedRoom, page: Page, seconds: float) -> dict[str, object]:
    """An event handed to the database, until its incident is drawn; then it is acknowledged, so that no flood folds the next."""
    page.get_by_test_id("tab-room").wait_for(timeout=60_000)
    page.wait_for_timeout(5_000)
    took: list[float] = []
    events = int(3 * seconds)
    for camera in room.cameras[10 : 10 + events]:
        incident, at_s = room.ask("event", camera)
        try:
            until(page, f"window.seen['{incident}'] > 0", 5.0)
        except TimeoutError:
            continue
        took.append(page.evaluate("id => window.seen[id]", incident) - 1000 * at_s)
        page.evaluate(ACKNOWLEDGE, incident)
    return {
        "event_to_pixel_p50_ms": percentile(took, 50),
        "event_to_pixel_p99_ms": percentile(took, 99),
        "events": events,
        "events_not_drawn": events - len(took),
    }


def fifty(room: PlayedRoom, seconds: float) -> dict[str, object]:
    """Fifty pages that follow the updates while three events a second happen."""
    pages = Pages(room.url.replace("http:", "ws:"), room.cookies)
    handed = dict[str, float]()
    used_s, at_s = room.cpu_s()[0], time.monotonic()
    skew_s = time.time() - time.monotonic()
    for camera in room.cameras[100 : 100 + int(3 * seconds)]:
        incident, event_s = room.ask("event", camera)
        handed.setdefault(incident, event_s - skew_s)
        time.sleep(0.3)
    cores = (room.cpu_s()[0] - used_s) / (time.monotonic() - at_s)
    took: list[float] = []
    for heard in pages.close():
        first = dict[str, float]()
        for incident, _, heard_s in heard:
            first.setdefault(incident, heard_s)
        took += [1000 * (first[incident] - event_s) for incident, event_s in handed.items() if incident in first]
    return {
        "fifty_server_cores": round(cores, 3),
        "fifty_update_p50_ms": percentile(took, 50),
        "fifty_update_p99_ms": percentile(took, 99),
        "fifty_updates": len(took),
    }


def interactive(room: PlayedRoom, browser: Browser, alarms: int) -> dict[str, object]:
    """A page opened anew: until alarms and the map's place are there, until the map is drawn, until all alarms are known."""
    opened, _ = room.ask("stored", alarms)
    took: dict[str, list[float]] = {"interactive_ms": [], "interactive_map_ms": [], "interactive_all_ms": []}
    for _ in range(3):
        page, began_s = _page(browser, room, DESK, "about:blank"), time.monotonic()
        page.goto(room.url, wait_until="commit")
        page.locator("[data-incident]").first.wait_for(timeout=90_000)
        page.get_by_test_id("map").wait_for(timeout=90_000)
        took["interactive_ms"].append(1000 * (time.monotonic() - began_s))
        page.locator("[data-testid=map][data-state=ready]").wait_for(timeout=90_000)
        took["interactive_map_ms"].append(1000 * (time.monotonic() - began_s))
        until(page, f"Number(document.querySelector('[data-testid=queue-alarms] .num')?.textContent) >= {opened}")
        took["interactive_all_ms"].append(1000 * (time.monotonic() - began_s))
        page.context.close()
    medians: dict[str, object] = {name: percentile(each, 50) for name, each in took.items()}
    return medians | {"interactive_open_incidents": int(opened), "interactive_events": alarms}


def over_the_map(room: PlayedRoom, browser: Browser) -> dict[str, object]:
    """The map dragged to and fro for four seconds, and a bare one of the same size before and after it."""
    page = _page(browser, room, DESK, "about:blank")
    page.route("**/api/v1/teams", _as_many_teams)
    page.goto(room.url)
    page.locator("[data-testid=map][data-state=ready]").wait_for(timeout=90_000)
    _settled(page)
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    bare = [_bare_fps(browser, room, box)]
    fps, script_ms = _dragged(page, box)
    page.context.close()
    bare.append(_bare_fps(browser, room, box))
    return {
        "map_fps": round(fps, 1),
        "map_script_ms": round(script_ms, 1),
        "map_bare_fps": round(max(bare), 1),
        "map_of_bare": round(fps / max(bare), 2),
    }


def _as_many_teams(route: Route) -> None:
    """The district's teams again, each time at another place, until there are as many as in a large district."""
    drawn = [team for team in route.fetch().json()["items"] if team["on_shift"] and team["lon"] is not None]
    more = [
        team
        | {
            "id": f"{team['id']}-{again}",
            "lon": team["lon"] + 3e-3 * (again % 6 - 2.5),
            "lat": team["lat"] + 2e-3 * (again // 6 - 2.5),
        }
        for again in range(1, TEAMS // len(drawn) + 1)
        for team in drawn
    ]
    route.fulfill(json={"items": [*drawn, *more][:TEAMS]})


def _settled(page: Page) -> None:
    """Return when the page has learned all incidents that it is told of."""
    count, before = "Number(document.querySelector('[data-testid=queue-alarms] .num')?.textContent)", -1
    while (known := int(page.evaluate(count))) != before:
        before = known
        page.wait_for_timeout(4_000)


def _bare_fps(browser: Browser, room: PlayedRoom, box: FloatRect) -> float:
    page = _page(browser, room, DESK, "about:blank")
    open_bare_map(page, room.url, box)
    page.wait_for_timeout(1_000)
    fps, _ = _dragged(page, box)
    page.context.close()
    return fps


def _dragged(page: Page, box: FloatRect) -> tuple[float, float]:
    """Drag what is in `box`: frames a second, and milliseconds of script in each."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # Assigned, not returned: what is evaluated would be waited for.
    page.evaluate(f"void (window.fps = ({FRAMES})(4000))")
    script_s, at_s = _script_s(cdp), time.monotonic()
    page.mouse.move(x, y)
    page.mouse.down()
    step = 0
    while time.monotonic() - at_s < 4:
        step += 1
        page.mouse.move(x + 200 * ((step // 20) % 2) + 10 * (step % 20), y + 3 * (step % 20))
    script_ms = 1000 * (_script_s(cdp) - script_s)
    page.mouse.up()
    fps = float(page.evaluate("window.fps"))
    return fps, script_ms / max(1.0, 4 * fps)


def _script_s(cdp: CDPSession) -> float:
    return next(float(one["value"]) for one in cdp.send("Performance.getMetrics")["metrics"] if one["name"] == "ScriptDuration")


def _page(browser: Browser, room: PlayedRoom, size: dict[str, int], path: str) -> Page:
    context: BrowserContext = browser.new_context(viewport={"width": size["width"], "height": size["height"]}, locale="en-GB")
    context.add_cookies([{"name": "gridpatrol_session", "value": room.cookies[0], "url": room.url}])
    context.add_init_script(COUNT)
    page = context.new_page()
    if path.startswith("/"):
        page.goto(room.url + path)
    return page


def _browser_bytes() -> int:
    """What all processes of the browser hold, memory that they share counted once."""
    return sum(process.memory_full_info().pss for process in _browsers())


def _browsers() -> Iterator[psutil.Process]:
    for child in psutil.Process().children(recursive=True):
        if "chromium" in child.name():
            yield child


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; all if none is named")
    parser.add_argument("--cameras", type=int, default=727)
    parser.add_argument("--alarms", type=int, default=10_000, help="events stored before a page is opened anew")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each part is measured")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object as the last line, which is all that is printed anyway"
    )
    arguments = parser.parse_args()
    if not Path(CHROMIUM).exists():
        parser.error(f"no browser at {CHROMIUM}; on Debian: apt-get install chromium")
    print(json.dumps(measure(arguments.cameras, arguments.alarms, arguments.seconds, arguments.parts)))


if __name__ == "__main__":
    main()
