"""Clips over HTTP: in ranges, under their hash, to whoever may see the picture; and a real browser plays them."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from base import Clip, ClipGap, ClipGapCause, EventKind, Packet, uuid7
from dashboard import DashboardSettings
from ingest.clip_file import write_clip
from patrol import Incident
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room, an_event, cookie_of, wait_until
from tests.ingest.conftest import encode

RATE, BEFORE_S = 10, 6.0
PAGE = DashboardSettings().page


def clip_of(room: Room, folder: Path, lists_gap: bool = False) -> tuple[Incident, Clip]:
    """An incident whose event has a clip of eight seconds, which began six before it was raised."""
    event = an_event(room.clock.now_s())
    [incident] = room.store.record_events([event])
    began_s = event.raised_s - BEFORE_S
    units = encode(8 * RATE, gop=2 * RATE)
    packets = [Packet(event.camera, began_s + at / RATE, at * 9000, at % (2 * RATE) == 0, unit) for at, unit in enumerate(units)]
    file = folder / f"{uuid7(began_s)}.mp4"
    footage = write_clip(file, packets)
    gaps = (ClipGap(began_s - 1, began_s, ClipGapCause.NOT_KEPT),) if lists_gap else ()
    digest, size = hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size
    facts = (began_s, began_s + 8, 8 * RATE, footage.codec, footage.width_px, footage.height_px, size, digest, False)
    clip = Clip(event.id, event.camera, *facts, gaps, file)
    room.store.clips.store(clip)
    return incident, clip


def test_a_clip_is_listed_and_served_in_ranges_under_its_hash(staff: Staff, tmp_path: Path) -> None:
    incident, clip = clip_of(staff.room, tmp_path, lists_gap=True)
    [told] = staff.operator.get(f"/api/v1/incidents/{incident.id}/clips").json()["items"]
    assert (told["event"], told["sha256"], told["codec"], told["frames"]) == (clip.event, clip.sha256, "h264", 8 * RATE)
    assert [gap["cause"] for gap in told["gaps"]] == ["not_kept"] and told["reencoded"] is False
    url, data = f"/api/v1/events/{clip.event}/clip", clip.file.read_bytes()
    whole = staff.operator.get(url)
    assert whole.status_code == 200 and whole.content == data and hashlib.sha256(whole.content).hexdigest() == clip.sha256
    assert whole.headers["content-type"] == "video/mp4" and whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["etag"] == f'"{clip.sha256}"'
    assert (
        whole.headers["content-disposition"].startswith("inline; filename") and "c0001%20" in whole.headers["content-disposition"]
    )
    part = staff.operator.get(url, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == data[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    assert staff.operator.get(url, headers={"Range": "bytes=-50"}).content == data[-50:]
    assert staff.operator.get(url, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    same = {"Range": "bytes=0-9", "If-Range": f'"{clip.sha256}"'}
    assert staff.operator.get(url, headers=same).status_code == 206
    assert staff.operator.get(url, headers=same | {"If-Range": '"another"'}).content == data
    assert staff.operator.get(url, headers={"If-None-Match": f'"{clip.sha256}"'}).status_code == 304


def test_who_may_see_the_picture_may_see_the_clip(staff: Staff, tmp_path: Path) -> None:
    _, clip = clip_of(staff.room, tmp_path)
    for of in ("clip", "snapshot"):
        answers = {role: client.get(f"/api/v1/events/{clip.event}/{of}").status_code for role, client in staff.by_role().items()}
        assert answers == {"anonymous": 401, "team": 403, "operator": 200, "dispatcher": 200, "administrator": 200}


def test_an_event_without_a_clip_has_none_and_a_lost_file_is_said(staff: Staff, tmp_path: Path) -> None:
    bare = staff.room.raise_event("c0002")
    missing = staff.operator.get(f"/api/v1/events/{bare.best_event}/clip")
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no clip of this event.")
    assert staff.operator.get(f"/api/v1/incidents/{bare.id}/clips").json() == {"items": []}
    _, clip = clip_of(staff.room, tmp_path)
    stored = staff.room.store.clips.clip(clip.event)
    assert stored is not None
    stored.file.unlink()
    lost = staff.operator.get(f"/api/v1/events/{clip.event}/clip")
    assert (lost.status_code, lost.json()["detail"]) == (404, "The file of this clip is not where it was put.")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium installed")
def test_chromium_plays_a_clip_and_finds_any_second_of_it(new_room: Callable[..., Room], tmp_path: Path) -> None:
    room = new_room()
    client = room.set_up()
    _, clip = clip_of(room, tmp_path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.context.add_cookies([{"name": "gridpatrol_session", "value": cookie_of(client), "url": room.url}])
        page.goto(f"{room.url}/api/v1/events/{clip.event}/clip")
        wait_until(lambda: bool(page.evaluate("document.querySelector('video')?.readyState >= 2")), "it loads", timeout_s=20)
        assert page.evaluate("document.querySelector('video').duration") == pytest.approx(8.0, abs=0.11)
        drawn = """async (second) => {
            const video = document.querySelector('video');
            video.pause();
            const shown = new Promise((done) => video.requestVideoFrameCallback((_, facts) => done(facts.mediaTime)));
            video.currentTime = second;
            return await shown;
        }"""
        for second in (BEFORE_S, 1.5, 7.9):
            assert page.evaluate(drawn, second) == pytest.approx(second, abs=1 / RATE)
        browser.close()


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium installed")
@pytest.mark.skipif(not (PAGE / "index.html").is_file(), reason="the page is not built")
def test_the_panel_shows_the_still_and_plays_the_clip_by_keys(new_room: Callable[..., Room], tmp_path: Path) -> None:
    room = new_room(page=PAGE)
    client = room.set_up()
    _, clip = clip_of(room, tmp_path, lists_gap=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.context.add_cookies([{"name": "gridpatrol_session", "value": cookie_of(client), "url": room.url}])
        page.goto(room.url)
        page.get_by_test_id("incident-row").first.click()
        expect(page.get_by_test_id("clip-bar")).to_be_visible(timeout=20_000)
        still, video = page.get_by_test_id("incident-snapshot"), page.get_by_test_id("incident-clip")
        expect(still).to_be_visible()
        expect(video).to_be_hidden()
        page.keyboard.press(" ")  # the row has the focus: it is shown already, so the key plays
        expect(video).to_be_visible()
        wait_until(lambda: bool(page.evaluate("document.querySelector('.clip-video').currentTime > 0.5")), "it plays")
        page.keyboard.press(" ")
        wait_until(lambda: bool(page.evaluate("document.querySelector('.clip-video').paused")), "it stands still")
        at = page.evaluate("document.querySelector('.clip-video').currentTime")
        page.keyboard.press(".")
        wait_until(lambda: bool(page.evaluate("!document.querySelector('.clip-video').seeking")), "it is there")
        assert page.evaluate("document.querySelector('.clip-video').currentTime") == pytest.approx(at + 1 / RATE, abs=0.02)
        page.keyboard.press(",")
        page.keyboard.press(",")
        wait_until(lambda: bool(page.evaluate("!document.querySelector('.clip-video').seeking")), "it is there")
        assert page.evaluate("document.querySelector('.clip-video').currentTime") == pytest.approx(at - 1 / RATE, abs=0.02)
        assert clip.event in (
            page.get_by_role("link", name="Save").or_(page.get_by_role("link", name="保存")).get_attribute("href") or ""
        )
        assert [text for text in complaints if "Content Security Policy" in text] == []
        browser.close()


def test_what_two_kinds_of_rules_saw_at_once_is_marked_as_related(staff: Staff) -> None:
    first = staff.room.raise_event("c0003", EventKind.INTRUSION)
    second = staff.room.raise_event("c0003", EventKind.LINE_CROSSING)
    elsewhere = staff.room.raise_event("c0002", EventKind.CROWD)
    for one, other in ((first, second), (second, first)):
        items = staff.operator.get(f"/api/v1/incidents/{one.id}/related").json()["items"]
        assert [item["id"] for item in items] == [other.id]
    items = staff.operator.get(f"/api/v1/incidents/{elsewhere.id}/related").json()["items"]
    assert not {first.id, second.id} & {item["id"] for item in items}, "that camera looks elsewhere"
