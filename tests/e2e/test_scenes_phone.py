"""Scenes of a team's phone: hours without network, a round with its codes, support, a call for help."""

import math
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from base import SystemClock
from camera_config.site import Name, Point
from tests.e2e.room import CHROMIUM
from tests.e2e.scene_room import DIST, Desk, Night, Quarter, Scenes, scenes_running
from tests.fleet.running import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
    pytest.mark.skipif(not (DIST / "phone.html").is_file(), reason="the page is not built"),
]

WALK = Quarter(1, Name("学府里", "College Court"))
AWAY = Quarter(2, Name("码头", "Wharf"))
HELP = Quarter(3, Name("江心洲", "Mid-river Island"))
SHIFT = Quarter(4, Name("换班里", "Change Court"))

API = "**/api/**"
OFFLINE_MIN = 12
STEPS = (("accept", "accepted"), ("depart", "en_route"), ("arrive", "on_scene"), ("report", "reported"))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    soon_s = 60.0 * math.ceil(SystemClock().now_s() / 60.0)  # a round may begin a little early
    with scenes_running(
        tmp_path_factory.mktemp("scenes"), (WALK, AWAY, HELP, SHIFT), Night(soon_s, gates=3, late_min=120)
    ) as running:
        yield running


def stands_at(phone: Desk, place: Point) -> None:
    phone.page.context.grant_permissions(["geolocation", "camera"])
    phone.page.context.set_geolocation({"longitude": place[0], "latitude": place[1], "accuracy": 5})


def ahead(phone: Desk, minutes: int) -> None:
    """Time passes on the phone."""
    phone.page.clock.fast_forward(60_000 * minutes)


def out_of_reach(phone: Desk) -> None:
    """The phone has no network. What a page sends while it loads may slip past the browser's own switch: that is shut too."""
    phone.page.context.set_offline(True)
    phone.page.context.route(API, lambda route: route.abort("internetdisconnected"))


def within_reach(phone: Desk) -> None:
    phone.page.context.unroute(API)
    phone.page.context.set_offline(False)


def press(phone: Desk, testid: str) -> None:
    phone.page.get_by_test_id(testid).click()


def installed(phone: Desk) -> None:
    """Wait until the page is kept on the phone, all of it and nothing else."""
    phone.page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    kept = phone.page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async name => (await caches.open(name)).keys())))
            .flat().map(each => new URL(each.url).pathname)"""
    )
    assert {"/phone", "/phone.webmanifest", "/icon.svg"} == {path for path in kept if not path.startswith("/assets/")}


def seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def shown_on(phone: Desk) -> dict[str, Any]:  # Any: JSON, read by key
    """The round of the phone's team, as the room has it."""
    [found] = [each for each in phone.client.get("/api/v1/me/rounds").json()["items"] if each["kind"] == "route"][-1:]
    return dict(found)


def code_of(scenes: Scenes, checkpoint: str) -> str:
    items = scenes.root.get("/api/v1/checkpoint-codes").json()["items"]
    return next(str(each["text"]) for each in items if each["checkpoint"] == checkpoint)


def check_targets(phone: Desk) -> None:
    """Whatever can be touched is at least 48 pixels high, for fingers in gloves."""
    heights = phone.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input")].filter(each => each.checkVisibility()).map(
            each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect().height])"""
    )
    assert [(what, height) for what, height in heights if height < 48] == []


def test_twelve_minutes_without_network_and_a_reload_lose_nothing_and_double_nothing(scenes: Scenes) -> None:
    incident = scenes.room.raise_event(AWAY.camera())
    scenes.step(incident, "acknowledge")
    scenes.step(incident, "dispatch", team=AWAY.teams[0])
    phone = scenes.phone(AWAY.teams[0])
    installed(phone)
    check_targets(phone)
    phone.page.clock.install()
    out_of_reach(phone)
    done_s: list[float] = []
    assignment = phone.page.get_by_test_id("phone-assignment")
    for step, work in STEPS:
        if step == "arrive":  # the page was closed on the way: it opens without network, and still knows what it did
            phone.page.reload()
            expect(phone.page.get_by_test_id("phone-queued")).to_have_attribute("data-count", "2", timeout=20_000)
        if step == "report":
            phone.page.get_by_test_id("phone-report-text").fill("Gate was open, closed it")
        press(phone, f"phone-{step}")
        expect(assignment).to_have_attribute("data-expected", work)
        done_s.append(phone.page.evaluate("Date.now()") / 1000)
        ahead(phone, OFFLINE_MIN // len(STEPS))
    expect(phone.page.get_by_test_id("phone-link")).to_have_attribute("data-state", "offline")
    scenes.clock.leap_to(scenes.clock.now_s() + 60 * OFFLINE_MIN)
    assert scenes.detail(incident)["work"] == "dispatched"
    within_reach(phone)
    ahead(phone, 0)
    wait_until(lambda: _try_again(phone) or scenes.detail(incident)["work"] == "reported", 30, "what waited on the phone")
    names = [step for step, _ in STEPS]
    history = [entry for entry in scenes.detail(incident)["history"] if entry["step"] in names]
    assert [entry["step"] for entry in history] == names
    assert [seconds(entry["at"]) for entry in history] == pytest.approx(done_s, abs=2.0)
    assert all(seconds(entry["recorded_at"]) >= done_s[-1] for entry in history)
    expect(phone.page.get_by_test_id("phone-queued")).to_have_count(0)
    phone.leave()


def _try_again(phone: Desk) -> bool:
    """Let the page's timers run: it tries the network every five seconds."""
    phone.page.clock.run_for(1000)
    return False


def test_a_round_is_walked_by_typed_code_camera_and_reason_and_the_phone_says_what_is_odd(scenes: Scenes) -> None:
    phone = scenes.phone(WALK.teams[0], "phone-none")
    page = phone.page
    stands_at(phone, (WALK.gate[0], WALK.gate[1] + 0.003))
    code = code_of(scenes, "gate2")
    page.add_init_script(
        f"globalThis.BarcodeDetector = class {{ detect() {{ return Promise.resolve([{{rawValue: '{code}'}}]); }} }}"
    )
    press(phone, "phone-to-round")
    stop, said = page.get_by_test_id("stop-card"), page.get_by_test_id("round-said")
    expect(stop).to_have_attribute("data-checkpoint", "gate")
    check_targets(phone)
    type_code(phone, "no code at all")
    check_targets(phone)
    expect(page.get_by_test_id("checkin-wrong")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    type_code(phone, code_of(scenes, "gate").split(":", 3)[3])  # version and seal, as printed below the code
    expect(said).to_contain_text("this phone was 33")
    assert shown_on(phone)["stops"][0]["state"] == "open"
    stands_at(phone, WALK.gate)
    page.reload()  # with a browser that reads codes, and no network
    press(phone, "phone-to-round")
    expect(page.get_by_test_id("phone-link")).to_have_attribute("data-state", "online")
    out_of_reach(phone)
    before_s = scenes.clock.now_s()
    press(phone, "stop-checkin")
    page.get_by_test_id("checkin-code").fill(code_of(scenes, "gate"))
    press(phone, "checkin-send")
    expect(stop).to_have_attribute("data-checkpoint", "gate2")
    pressed_s = scenes.clock.now_s()
    within_reach(phone)
    expect(said).to_contain_text("School gate: recorded", timeout=15_000)
    assert before_s - 2 <= seconds(shown_on(phone)["stops"][0]["visited_at"]) <= pressed_s + 2
    stands_at(phone, (WALK.gate[0], WALK.gate[1] + 0.001))
    press(phone, "stop-checkin")  # the camera sees the code at once
    expect(said).to_contain_text("Gate 2: recorded", timeout=15_000)
    expect(said).to_contain_text("faster than anybody walks")
    press(phone, "stop-skip")
    page.get_by_role("button", name="Closed, no access").click()
    press(phone, "skip-send")
    expect(page.get_by_test_id("round-card")).to_have_attribute("data-state", "completed", timeout=10_000)
    history = scenes.root.get(f"/api/v1/rounds/{_route(scenes)}").json()["history"]
    assert [(each["act"], each["checkpoint"]) for each in history] == [
        ("check_in", "gate"),
        ("check_in", "gate"),
        ("check_in", "gate2"),
        ("skip", "gate3"),
    ]
    assert history[0]["flags"] == ["far"]
    phone.leave()


def type_code(phone: Desk, text: str) -> None:
    press(phone, "stop-checkin")
    phone.page.get_by_test_id("checkin-code").fill(text)
    press(phone, "checkin-send")


def _route(scenes: Scenes) -> str:
    items = scenes.root.get("/api/v1/rounds", params={"state": "completed"}).json()["items"]
    return str(items[0]["id"])


def test_a_call_for_help_made_without_network_rings_and_the_phone_says_who_took_it(scenes: Scenes) -> None:
    phone = scenes.phone(HELP.teams[0], "phone-none")
    page, card = phone.page, phone.page.get_by_test_id("phone-sos-card")
    press(phone, "phone-sos")  # a touch is not a call
    expect(page.get_by_text("Hold for 2 seconds to call for help")).to_be_visible()
    expect(card).to_have_count(0)
    out_of_reach(phone)
    page.get_by_test_id("phone-sos").hover()
    page.mouse.down()
    expect(card).to_have_attribute("data-state", "waiting", timeout=10_000)
    page.mouse.up()
    within_reach(phone)
    expect(card).to_have_attribute("data-state", "sent", timeout=15_000)
    desk = scenes.desk("sun")
    [found] = [each for each in scenes.root.get("/api/v1/incidents").json()["items"] if each["category"] == "help"]
    assert (found["severity"], found["grid_cell"], found["proposal"]["team"]) == (1, HELP.cell, HELP.teams[1])
    incident = scenes.room.store.incident(found["id"])
    assert incident is not None
    desk.choose(incident)
    desk.page.keyboard.press("a")
    expect(card).to_have_attribute("data-state", "taken", timeout=10_000)
    expect(card).to_contain_text("sun has taken your call")
    desk.page.keyboard.press("d")
    desk.page.keyboard.press("d")
    expect(card).to_have_attribute("data-state", "coming", timeout=10_000)
    press(phone, "phone-safe")
    expect(card).to_have_count(0)
    wait_until(lambda: phone.client.get("/api/v1/me/support").json()["items"] == [], 15, "that the team is safe")
    desk.leave()
    phone.leave()


def test_a_supporting_team_says_without_network_when_it_came_and_left(scenes: Scenes) -> None:
    incident = scenes.room.raise_event(AWAY.camera(4))
    path = f"/api/v1/incidents/{incident.id}/support"
    phone = scenes.phone(AWAY.teams[1], "phone-none")
    asked = {"id": str(uuid.uuid4()), "team": AWAY.teams[1]}
    assert scenes.root.post(path, json=asked).status_code == 201
    card = phone.page.get_by_test_id("phone-support")
    expect(card).to_have_attribute("data-state", "en_route", timeout=10_000)
    out_of_reach(phone)
    press(phone, "support-arrive")
    expect(card).to_have_attribute("data-state", "on_scene")
    arrived_s = scenes.clock.now_s()
    scenes.clock.leap_to(arrived_s + 600)
    press(phone, "support-done")
    expect(card).to_have_count(0)
    within_reach(phone)
    wait_until(lambda: scenes.root.get(path).json()["items"][0]["state"] == "done", 30, "what waited on the phone")
    [support] = scenes.root.get(path).json()["items"]
    assert seconds(support["arrived_at"]) <= arrived_s + 1
    phone.leave()


def test_what_another_team_left_on_a_phone_is_told_as_theirs_and_goes_out_as_theirs(scenes: Scenes) -> None:
    incident = scenes.room.raise_event(SHIFT.camera())
    scenes.step(incident, "acknowledge")
    scenes.step(incident, "dispatch", team=SHIFT.teams[0])
    phone = scenes.phone(SHIFT.teams[0])
    out_of_reach(phone)
    press(phone, "phone-accept")
    expect(phone.page.get_by_test_id("phone-queued")).to_have_attribute("data-count", "1")
    expect(phone.page.get_by_test_id("phone-others")).to_have_count(0)
    phone.page.context.set_offline(False)  # the page itself comes, and nothing of what it asks
    phone.page.goto(phone.page.url + "#code=2222-2222-2222")  # the link of the next shift, which is too old
    code_input = phone.page.get_by_test_id("phone-code-input")
    expect(code_input).to_have_value("2222-2222-2222", timeout=15_000)
    within_reach(phone)
    code_input.press("Enter")
    expect(phone.page.get_by_text("ask the control room for a new one")).to_be_visible(timeout=15_000)
    assert scenes.root.delete(f"/api/v1/teams/{SHIFT.teams[0]}/phone").status_code == 204

    left = phone.page.get_by_test_id("phone-others")
    for team in (None, SHIFT.teams[1], SHIFT.teams[0]):  # nobody, the next shift, and they themselves again
        if team is not None:
            code = scenes.root.post(f"/api/v1/teams/{team}/phone").json()["code"]
            phone.page.get_by_test_id("phone-code-input").fill(code)
            phone.page.keyboard.press("Enter")
        if team == SHIFT.teams[0]:
            break
        expect(left).to_have_attribute("data-team", SHIFT.teams[0], timeout=20_000)
        expect(left).to_contain_text("still wait on this phone")
        assert scenes.root.get(f"/api/v1/incidents/{incident.id}").json()["work"] == "dispatched"
        if team is not None:
            press(phone, "phone-tab-shift")
            press(phone, "phone-signout")
            expect(phone.page.get_by_test_id("phone-code-input")).to_be_visible(timeout=15_000)
    expect(left).to_have_count(0, timeout=20_000)
    wait_until(lambda: scenes.root.get(f"/api/v1/incidents/{incident.id}").json()["work"] == "accepted", 20.0, "it goes out")
    phone.leave()
