"""The page as a limited operator has it, and a report with a photo from a phone that was offline, in a real browser."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.photo import LONGEST_PX
from dashboard.photo_format import measure
from tests.dashboard.room import Room, cookie_of, wait_until
from tests.dashboard.test_photos import GPS, with_segment
from tests.dashboard.two_halves import a_photo, two_halves

CHROMIUM = shutil.which("chromium")
DIST = Path(__file__).parents[2] / "dashboard" / "web" / "dist"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium installed"),
    pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the page is not built"),
]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def page_of(browser: Browser, room: Room, cookie: str, path: str = "/") -> tuple[Page, list[str]]:
    """A page that is signed in, and what goes wrong in it."""
    context = browser.new_context(viewport={"width": 1366, "height": 800})
    context.add_cookies([{"name": "gridpatrol_session", "value": cookie, "url": room.url}])
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(room.url + path)
    return page, wrong


def test_a_limited_operator_sees_one_community_and_gets_its_area_from_the_users_page(browser: Browser, tmp_path: Path) -> None:
    with two_halves(tmp_path, DIST) as halves:
        page, wrong = page_of(browser, halves.room, cookie_of(halves.colleague))
        shown = page.get_by_test_id("incident-panel").or_(page.get_by_test_id("incident-panel-empty"))
        expect(shown).to_be_visible(timeout=20_000)
        assert page.evaluate("fetch('/api/v1/cameras').then(answer => answer.json()).then(found => found.items.length)") == 3
        mine, other = (f"[data-incident='{half.ids['incident']}']" for half in (halves.mine, halves.other))
        expect(page.locator(mine).first).to_be_visible(timeout=10_000)
        expect(page.locator(other)).to_have_count(0)
        elsewhere, here = halves.room.raise_event("c0004"), halves.room.raise_event("c0003")
        expect(page.locator(f"[data-incident='{here.id}']").first).to_be_visible(timeout=10_000)
        expect(page.locator(f"[data-incident='{elsewhere.id}']")).to_have_count(0)
        assert wrong == []
        boss, wrong = page_of(browser, halves.room, cookie_of(halves.root))
        expect(boss.get_by_test_id("map")).to_be_visible(timeout=20_000)
        boss.get_by_test_id("tab-users").click()
        row = boss.get_by_test_id("user-row").filter(has_text="li.na")
        expect(row.get_by_test_id("user-areas")).to_have_text("Community", timeout=10_000)
        row.get_by_test_id("user-change").click()
        boss.get_by_test_id("area-m2").check()
        boss.get_by_test_id("area-m1").uncheck()
        boss.get_by_test_id("user-save").click()
        expect(row.get_by_test_id("user-areas")).to_have_text("Second", timeout=10_000)
        expect(page.get_by_test_id("signin-name")).to_be_visible(timeout=15_000)  # signed out by it
        assert wrong == []


def test_a_phone_that_was_offline_sends_its_report_with_the_photo(
    browser: Browser, new_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = new_room(page=DIST)
    root = room.set_up()
    incident = room.raise_event()
    phone = room.sneak_in("team", "t01")
    steps = (("acknowledge", root), ("dispatch", root), ("accept", phone), ("depart", phone), ("arrive", phone))
    for version, (step, client) in enumerate(steps, 1):
        body = {"step": step, "version": version, "command_id": str(uuid.uuid4())} | (
            {"team": "t01"} if step == "dispatch" else {}
        )
        assert client.post(f"/api/v1/incidents/{incident.id}/steps", json=body).status_code == 200
    file = tmp_path / "photo.jpg"
    file.write_bytes(with_segment(a_photo(2400, 1200), b"\xff" + GPS))
    page, wrong = page_of(browser, room, cookie_of(phone), "/phone")
    expect(page.get_by_test_id("phone-report-text")).to_be_visible(timeout=20_000)
    page.get_by_test_id("phone-photo").set_input_files(file)
    expect(page.get_by_test_id("phone-photo-taken")).to_have_count(1, timeout=10_000)
    page.get_by_test_id("phone-report-text").fill("Two people, sent away")
    page.context.set_offline(True)
    page.get_by_test_id("phone-report").click()
    expect(page.get_by_test_id("phone-queued")).to_have_attribute("data-count", "2", timeout=10_000)
    assert room.store.photos.of_incident(incident.id) == []
    page.context.set_offline(False)
    wait_until(lambda: bool(room.store.photos.of_incident(incident.id)), "the photo has come", timeout_s=30)
    expect(page.get_by_test_id("phone-queued")).to_have_count(0, timeout=10_000)
    [photo] = room.store.photos.of_incident(incident.id)
    report = next(entry for entry in room.store.history(incident.id) if entry.step == "report")
    assert photo.command == report.command
    assert photo.at_s <= report.at_s <= photo.recorded_s
    jpeg = room.store.photos.jpeg(photo.id)
    assert jpeg is not None
    assert b"GPS" not in jpeg
    assert (measure(jpeg).width_px, photo.width_px, photo.height_px) == (LONGEST_PX, LONGEST_PX, LONGEST_PX // 2)
    assert wrong == []
    boss, wrong = page_of(browser, room, cookie_of(root))
    boss.get_by_test_id("incident-panel").or_(boss.get_by_test_id("incident-panel-empty")).wait_for(timeout=20_000)
    row = boss.locator(f"[data-incident='{incident.id}']").first
    row.click()
    expect(boss.get_by_test_id("photos").locator("img")).to_have_count(1, timeout=10_000)
    assert wrong == []
