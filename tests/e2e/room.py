"""A control room and a patrol team's phone in a real browser, worked by keyboard and touch."""

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.fleet.running import wait_until

__all__ = ["PASSWORD", "check_clip", "chromium", "enter_room", "open_phone", "wait_for_motion", "walk_by_keyboard"]

CHROMIUM = Path("/usr/bin/chromium")
_STEPS = ["opened", "acknowledge", "dispatch", "accept", "depart", "arrive", "report", "verify", "close"]
_BY_THEMSELVES = ("joined", "warned", "breached", "escalated")  # the last three on a slow machine
PASSWORD = "correct horse battery staple"
_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless; skips where it is not installed."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        yield browser
        browser.close()


def enter_room(page: Page, url: str, secret: str) -> list[str]:
    """Become the first administrator by the one-time link; returns the list that collects what goes wrong in the page."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if _is_error(message) else None)
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if _is_refusal(answer) else None)
    page.goto(f"{url}/#setup={secret}")
    page.get_by_test_id("setup-name").fill("demo")
    page.get_by_test_id("setup-password").fill(PASSWORD)
    page.get_by_test_id("setup-again").fill(PASSWORD)
    page.get_by_test_id("setup-submit").click()
    expect(page.get_by_test_id("map")).to_be_visible(timeout=20_000)
    return wrong


def wait_for_motion(page: Page, frames: int) -> int:
    """Wait until the live picture has decoded `frames` frames; how many it has then."""
    video = page.get_by_test_id("live-video").first
    expect(video).to_have_attribute("data-frames", re.compile(rf"^({_at_least(frames)})$"), timeout=30_000)
    return int(video.get_attribute("data-frames") or 0)


def ask(page: Page, path: str, method: str = "GET") -> dict[str, Any]:
    """An answer of the API, asked by the page itself with its session."""
    fetched: dict[str, Any] = page.evaluate(
        "([path, method]) => fetch(`/api/v1${path}`, {method}).then(answer => answer.json())", [path, method]
    )
    return fetched


def check_clip(page: Page, url: str, incident: str) -> None:
    """The clip of an incident comes, is what its hash says, and shows every frame from five seconds before its event on, or from
    the first that the worker saw, if it began later; then it says so."""
    wait_until(lambda: ask(page, f"/incidents/{incident}/clips")["items"], 90, "the clip")
    clip = ask(page, f"/incidents/{incident}/clips")["items"][0]
    [event] = [each for each in ask(page, f"/incidents/{incident}")["events"] if each["id"] == clip["event"]]
    data = page.request.get(f"{url}/api/v1/events/{clip['event']}/clip").body()
    assert hashlib.sha256(data).hexdigest() == clip["sha256"]
    with av.open(io.BytesIO(data), "r") as file:
        times = [float(frame.time or 0) for frame in file.decode(video=0)]
    began, ended, seen = (datetime.fromisoformat(at) for at in (clip["began_at"], clip["ended_at"], event["began_at"]))
    lacking = [(gap["cause"], gap["ended_at"]) for gap in clip["gaps"]]
    assert lacking == ([] if began <= seen - timedelta(seconds=5) else [("not_kept", clip["began_at"])]), (clip, event)
    assert began < seen
    assert len(times) == clip["frames"] and times[-1] == pytest.approx((ended - began).total_seconds(), abs=0.5)


def open_phone(page: Page, browser: Browser, url: str, team: str) -> Page:
    """The phone page of `team`, paired by a one-time code as a dispatcher would do it."""
    code = ask(page, f"/teams/{team}/phone", "POST")
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    phone.goto(url + code["path"])
    expect(phone.get_by_test_id("phone-assignment")).to_be_visible(timeout=15_000)
    return phone


def walk_by_keyboard(page: Page, browser: Browser, url: str) -> Page:
    """From the selected alarm to the closed case: A, D, D, the team on its phone, V, X and two digits. The phone's page."""
    panel = page.get_by_test_id("incident-panel")
    expect(panel).to_be_visible(timeout=15_000)
    incident = str(panel.get_attribute("data-incident"))
    page.keyboard.press("a")
    expect(panel).to_have_attribute("data-work", "acknowledged", timeout=10_000)
    page.keyboard.press("d")
    expect(page.get_by_test_id("proposal")).to_have_attribute("data-armed", "true")
    page.keyboard.press("d")
    expect(panel).to_have_attribute("data-work", "dispatched", timeout=10_000)
    phone = open_phone(page, browser, url, ask(page, f"/incidents/{incident}")["team"])
    for button, after in (("phone-accept", "accepted"), ("phone-depart", "en_route"), ("phone-arrive", "on_scene")):
        phone.get_by_test_id(button).tap()
        expect(panel).to_have_attribute("data-work", after, timeout=10_000)
    phone.get_by_test_id("phone-report-text").fill("One person in the closed area, left when asked.")
    phone.get_by_test_id("phone-report").tap()
    expect(panel).to_have_attribute("data-work", "reported", timeout=10_000)
    page.keyboard.press("v")
    expect(panel).to_have_attribute("data-work", "verified", timeout=10_000)
    page.keyboard.press("x")
    expect(page.get_by_test_id("choose-verdict")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_test_id("choose-cause")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator(f"[data-incident='{incident}'][data-work='verified']")).to_have_count(0, timeout=10_000)
    closed = ask(page, f"/incidents/{incident}")
    assert (closed["work"], closed["verdict"]) == ("closed", "true")
    assert [entry["step"] for entry in closed["history"] if entry["step"] not in _BY_THEMSELVES] == _STEPS
    return phone


def _is_error(message: ConsoleMessage) -> bool:
    """An error of the page's own; refused requests are told with their address by `_is_refusal`."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def _is_refusal(answer: Response) -> bool:
    """Anything refused but the first question who is signed in, which nobody is yet."""
    return answer.status >= 400 and not (answer.status == 401 and answer.url.endswith("/api/v1/session"))


def _at_least(number: int) -> str:
    """A regular expression for whole numbers of at least `number`, which must be below 100."""
    tens, ones = divmod(number, 10)
    return rf"{tens}[{ones}-9]|[{tens + 1}-9]\d|\d{{3,}}"
