"""Scenes of a control room in which people meet: who owns, who refuses, who is missing, who takes over, who may see what."""

import math
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from base import SystemClock
from camera_config.site import Name
from patrol import Incident
from tests.e2e.room import CHROMIUM
from tests.e2e.scene_room import DIST, ROUND_LATE_MIN, Desk, Night, Quarter, Scenes, place_of, scenes_running, utc
from tests.fleet.running import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
    pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the page is not built"),
]

ROUND = Quarter(1, Name("学府里", "College Court"))
NIGHT = Quarter(2, Name("柳岸新村", "Willow Village"))
REFUSED = Quarter(3, Name("棉纺宿舍", "Cotton Mill Homes"))
NOBODY = Quarter(4, Name("江心洲", "Mid-river Island"), staffed=False)
PHONE = Quarter(5, Name("码头", "Wharf"))
HANDOVER = Quarter(6, Name("老城里", "Old Town"))
RELOAD = Quarter(7, Name("公园里", "Park Court"))
THERE = Quarter(8, Name("书院路", "Academy Road"), community="m2")

OFFLINE_S = 12 * 60.0


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    quarters = (ROUND, NIGHT, REFUSED, NOBODY, PHONE, HANDOVER, RELOAD, THERE)
    soon_s = 60.0 * math.ceil(SystemClock().now_s() / 60.0) + 600.0  # a full minute, after the room is open
    with scenes_running(tmp_path_factory.mktemp("scenes"), quarters, Night(soon_s)) as running:
        yield running


@pytest.fixture(scope="module")
def seat(scenes: Scenes) -> Iterator[Desk]:
    desk = scenes.desk("wang")
    yield desk
    desk.leave()


@pytest.fixture
def desk(seat: Desk) -> Desk:
    """A dispatcher who has just sat down: each scene begins with a new page."""
    seat.page.reload()
    expect(seat.page.get_by_test_id("clock")).to_be_visible(timeout=20_000)
    return seat


def other_than(name: str) -> str:
    """A name that nobody has yet; the database is shared by the scenes of the file."""
    return f"{name}-{uuid.uuid4().hex[:6]}"


def test_a_night_intrusion_is_answered_with_a_d_d(scenes: Scenes, desk: Desk) -> None:
    incident = scenes.room.raise_event(NIGHT.camera())
    desk.choose(incident)
    page = desk.page
    proposal = page.get_by_test_id("proposal")
    expect(proposal.get_by_test_id("proposal-choice").first).to_have_attribute("data-team", NIGHT.teams[0], timeout=10_000)
    reason = proposal.get_by_test_id("proposal-choice").first.inner_text()
    held = list[Route]()
    # A network so slow that all three keys are pressed before the first is answered.
    page.route("**/steps", lambda route: route.continue_() if held else held.append(route))
    page.keyboard.press("a")
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(page.get_by_test_id("proposal")).to_have_attribute("data-armed", "false")
    page.wait_for_function("performance.now() > 0")  # gives the route its turn
    assert len(held) == 1
    held[0].continue_()
    desk.expect_work("dispatched")
    page.unroute("**/steps")
    expect(page.get_by_test_id("due")).to_be_visible()
    found = scenes.detail(incident)
    assert [entry["step"] for entry in found["history"]][1:] == ["acknowledge", "dispatch"]
    assert (found["team"], found["owner"]["id"]) == (NIGHT.teams[0], my_id(desk))
    assert found["proposal"]["reason"]["en"] in reason


def test_of_two_operators_who_press_a_at_once_one_owns_and_the_other_reads_who(scenes: Scenes, desk: Desk) -> None:
    first, second = desk, scenes.desk(other_than("zhao"), "operator")
    incident = scenes.room.raise_event(NIGHT.camera(4))
    for each in (first, second):
        each.choose(incident)
    press_together(first.page, second.page, "a")
    for each in (first, second):
        each.expect_work("acknowledged")
    owner = str(scenes.detail(incident)["owner"]["name"])
    [loser] = [each for each in (first, second) if "(you)" not in each.page.get_by_test_id("incident-owner").inner_text()]
    expect(loser.page.get_by_test_id("incident-owner")).to_have_text(owner)
    expect(loser.page.get_by_test_id("notice")).to_contain_text(owner)
    assert [entry["step"] for entry in scenes.detail(incident)["history"]].count("acknowledge") == 1
    second.leave()


def test_a_team_that_refuses_makes_room_for_the_next_with_a_reason(scenes: Scenes, desk: Desk) -> None:
    incident = scenes.room.raise_event(REFUSED.camera())
    desk.choose(incident)
    scenes.step(incident, "acknowledge", desk.client)
    scenes.step(incident, "dispatch", desk.client, team=REFUSED.teams[0])
    desk.expect_work("dispatched")
    phone = scenes.phone(REFUSED.teams[0])
    phone.page.get_by_test_id("phone-refuse").click()
    phone.page.get_by_test_id("phone-refuse-send-text").fill("With another matter")
    phone.page.get_by_test_id("phone-refuse-send").click()
    desk.expect_work("acknowledged")
    next_one = desk.page.get_by_test_id("proposal-choice").first
    expect(next_one).to_have_attribute("data-team", REFUSED.teams[1], timeout=10_000)
    expect(next_one).to_contain_text("free and on shift in this grid cell")
    expect(desk.page.get_by_test_id("proposal")).to_contain_text(f"{REFUSED.name.en} one")
    phone.leave()


def test_with_nobody_on_shift_the_panel_says_what_is_missing_and_who_decides(scenes: Scenes, desk: Desk) -> None:
    desk.choose(scenes.room.raise_event(NOBODY.camera()))
    shortfall = desk.page.get_by_test_id("shortfall")
    expect(shortfall).to_be_visible(timeout=10_000)
    expect(shortfall).to_contain_text("off shift")
    expect(shortfall).to_contain_text(f"Cell {NOBODY.cell}")
    assert desk.page.get_by_test_id("proposal-choice").count() == 0


def test_a_phone_that_was_offline_for_twelve_minutes_tells_when_things_were_done(scenes: Scenes, desk: Desk) -> None:
    incident = scenes.room.raise_event(PHONE.camera())
    scenes.step(incident, "acknowledge", desk.client)
    scenes.step(incident, "dispatch", desk.client, team=PHONE.teams[0])
    phone = scenes.phone(PHONE.teams[0])
    phone.page.context.set_offline(True)
    done_s = []
    for button, work in (("phone-accept", "accepted"), ("phone-depart", "en_route"), ("phone-arrive", "on_scene")):
        phone.page.get_by_test_id(button).click()
        expect(phone.page.get_by_test_id("phone-assignment")).to_have_attribute("data-expected", work)
        done_s.append(SystemClock().now_s())
    expect(phone.page.get_by_test_id("phone-queued")).to_have_attribute("data-count", "3")
    ahead_s = scenes.clock.now_s() - SystemClock().now_s()
    scenes.clock.leap_to(scenes.clock.now_s() + OFFLINE_S)
    assert scenes.detail(incident)["work"] == "dispatched"
    phone.page.context.set_offline(False)
    wait_until(lambda: scenes.detail(incident)["work"] == "on_scene", 30, "what waited on the phone")
    history = [entry for entry in scenes.detail(incident)["history"] if entry["step"] in ("accept", "depart", "arrive")]
    assert [entry["step"] for entry in history] == ["accept", "depart", "arrive"]
    for entry, then_s in zip(history, done_s, strict=True):
        assert seconds(entry["at"]) <= then_s + ahead_s + 1.0 < seconds(entry["recorded_at"]) - OFFLINE_S / 2
    desk.choose(incident)
    expect(desk.page.get_by_test_id("history").locator("[data-step=arrive]")).to_contain_text("received")
    phone.leave()


def test_a_missed_checkpoint_raises_a_level_3_alarm_that_a_late_scan_withdraws(scenes: Scenes, desk: Desk) -> None:
    walk = scenes.root.get("/api/v1/rounds").json()["items"][0]
    due_s = seconds(walk["due_at"])
    scenes.clock.leap_to(due_s + 60 * ROUND_LATE_MIN + 30)
    page = desk.page
    wait_until(lambda: missed(scenes), 20, "the alarm about the checkpoint")
    [incident] = missed(scenes)
    desk.choose(incident)
    expect(page.get_by_test_id("summary")).to_contain_text("School gate")
    expect(page.get_by_test_id("incident-panel")).to_have_class("panel level-3")
    codes = scenes.root.get("/api/v1/checkpoint-codes").json()["items"]
    scanned = {"command_id": str(uuid.uuid4()), "code": codes[0]["text"], "place": place_of(ROUND.gate), "at": utc(due_s + 120)}
    phone = scenes.room.sneak_in("team", ROUND.teams[0])
    answer = phone.post(f"/api/v1/rounds/{walk['id']}/check-ins", json=scanned)
    assert answer.status_code == 200, answer.text
    expect(page.locator(f"[data-testid=incident-row][data-incident='{incident.id}']")).to_have_count(0, timeout=10_000)
    assert missed(scenes) == []
    desk.choose(incident)
    desk.expect_work("closed")
    expect(page.get_by_test_id("history").locator("[data-step=lapsed]")).to_contain_text("School gate")


def test_six_open_incidents_are_handed_over_with_two_signatures_and_get_their_owners(scenes: Scenes, desk: Desk) -> None:
    leaves, comes = desk, scenes.desk(other_than("feng"))
    six = [scenes.room.raise_event(HANDOVER.camera(n)) for n in range(1, 7)]
    assert len({incident.id for incident in six}) == 6
    for incident in six[:4]:
        scenes.step(incident, "acknowledge", leaves.client)
    leaves.page.get_by_test_id("tab-board").click()
    sheet = leaves.page.get_by_test_id("handover")
    sheet.get_by_test_id("handover-draft").click()
    for incident in six:
        expect(sheet).to_contain_text(f"No. {incident.number}")
    sheet.get_by_role("textbox").fill("Gate 2 stays closed tonight")
    sheet.get_by_test_id("handover-sign").click()
    expect(sheet).to_contain_text("waits for the next shift")
    comes.page.get_by_test_id("tab-board").click()
    comes.page.get_by_test_id("handover-confirm").click()
    expect(comes.page.get_by_test_id("handover-draft")).to_be_visible(timeout=10_000)
    signed = scenes.root.get("/api/v1/handovers").json()["items"][0]
    assert (signed["outgoing"]["id"], signed["incoming"]["id"]) == (my_id(leaves), my_id(comes))
    assert {one["number"] for one in signed["content"]["incidents"]} >= {incident.number for incident in six}
    comes.page.get_by_test_id("tab-room").click()
    for incident in six:
        comes.choose(incident)
        comes.page.keyboard.press("a")
        comes.page.keyboard.press("a")
        expect(comes.page.get_by_test_id("incident-owner")).to_contain_text("(you)", timeout=10_000)
    assert {scenes.detail(incident)["owner"]["id"] for incident in six} == {my_id(comes)}
    comes.leave()


def test_a_limited_operator_neither_sees_nor_finds_nor_hears_what_lies_elsewhere(scenes: Scenes) -> None:
    desk = scenes.desk(other_than("han"), "operator", areas=("m2",))
    page = desk.page
    elsewhere, here = scenes.room.raise_event(NIGHT.camera(6)), scenes.room.raise_event(THERE.camera())
    expect(page.locator(f"[data-testid=incident-row][data-incident='{here.id}']")).to_be_visible(timeout=10_000)
    expect(page.locator(f"[data-incident='{elsewhere.id}']")).to_have_count(0)
    heard = page.evaluate("sessionStorage.getItem('gridpatrol.heard')") or ""
    assert here.id in heard
    assert elsewhere.id not in heard
    page.keyboard.press("/")
    page.keyboard.type(f"cam {NIGHT.camera(6)[1:]}")
    expect(page.get_by_test_id("command-bar")).to_contain_text("Nothing")
    expect(page.get_by_test_id("command-result")).to_have_count(0)
    page.keyboard.press("Escape")
    listed = desk.client.get("/api/v1/incidents", params={"state": "all"}).json()["items"]
    assert {one["community"] for one in listed} == {"m2"}
    assert desk.client.get(f"/api/v1/incidents/{elsewhere.id}").status_code == 404
    assert {camera["id"] for camera in desk.client.get("/api/v1/cameras").json()["items"]} == {
        THERE.camera(n) for n in range(1, 7)
    }
    book = desk.client.get("/api/v1/ledger/incidents").json()["items"]
    assert {line["community"] for line in book} == {"m2"}
    assert desk.client.get("/api/v1/ledger/incidents/export").status_code == 403  # an operator takes no files away
    assert desk.client.get("/metrics").status_code == 403
    desk.leave()


def test_a_reload_in_the_middle_brings_everything_back_and_sounds_nothing_twice(scenes: Scenes, desk: Desk) -> None:
    page = desk.page
    mine, other = scenes.room.raise_event(RELOAD.camera(1)), scenes.room.raise_event(RELOAD.camera(4))
    desk.choose(mine)
    page.keyboard.press("a")
    desk.expect_work("acknowledged")
    page.keyboard.press("l")
    expect(page.get_by_test_id("live-window")).to_contain_text(RELOAD.camera(1))
    page.get_by_test_id("sound-toggle").click()
    heard = set(page.evaluate("JSON.parse(sessionStorage.getItem('gridpatrol.heard'))"))
    assert other.id in heard
    page.reload()
    panel = page.get_by_test_id("incident-panel")
    expect(panel).to_have_attribute("data-incident", mine.id, timeout=10_000)
    expect(page.get_by_test_id("incident-owner")).to_contain_text("(you)")
    expect(page.get_by_test_id("live-window")).to_contain_text(RELOAD.camera(1))
    expect(page.get_by_test_id("sound-toggle")).to_have_class("rail-tool off")
    page.get_by_test_id("sound-toggle").click()
    assert set(page.evaluate("JSON.parse(sessionStorage.getItem('gridpatrol.heard'))")) >= heard


def press_together(first: Page, second: Page, key: str) -> None:
    """Press a key in two pages in the same moment."""
    press = """([key, at_ms]) => void setTimeout(
        () => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })), at_ms - Date.now())"""
    at_ms = 1000 * (SystemClock().now_s() + 0.3)
    for page in (first, second):
        page.evaluate(press, [key, at_ms])


def missed(scenes: Scenes) -> list[Incident]:
    """Open incidents about checkpoints that nobody visited."""
    items: list[dict[str, Any]] = scenes.root.get("/api/v1/incidents", params={"state": "open"}).json()["items"]
    found = (scenes.room.store.incident(item["id"]) for item in items if item["origin"] == "inspection")
    return [incident for incident in found if incident is not None]


def my_id(desk: Desk) -> str:
    return str(desk.client.get("/api/v1/session").json()["principal"]["id"])


def seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
