"""The administration in a real browser: each of its pages shows what is there and does what its buttons say."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from camera_config.desks import Desk, DeskKind
from camera_config.notification_rules import Language, NotificationRules, Robot, RobotService, TellRule
from camera_config.site import Name
from dashboard import Network, NetworkAccuracy
from storage import Outcome, SystemSample
from tests.e2e.control_room import Control, control_running
from tests.e2e.scene_room import DIST
from tests.fleet.test_coverage import the_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
if not (DIST / "index.html").is_file():
    pytestmark.append(pytest.mark.skip(reason="the page is not built"))


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder: Path = tmp_path_factory.mktemp("admin")
    desk = Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, users=("chen",))
    rules = NotificationRules(targets=(Robot("duty-group", RobotService.DINGTALK, "token"),), rules=(TellRule(("duty-group",)),))
    with control_running(folder, replace(the_site(), desks=(desk,))) as running:
        parts = running.room.app.state.dashboard
        running.room.app.state.dashboard = replace(parts, site=replace(parts.site, notifications=rules))
        row = NetworkAccuracy("Campus", "person", "all", 0.78, 0.026, 118)
        here = Network(
            "crop_x", "c.onnx", True, 9, "0" * 64, "", "us", "Apache-2.0", "crop", ("person",), "64", 0.1, "a core", "x"
        )
        gone = replace(here, name="big_y", present=False, accuracy=(row,))
        running.room.app.state.dashboard.networks.found_by(lambda: [here, gone])
        now_s = running.room.clock.now_s()
        for hour in range(48, 0, -1):  # a disk that loses a gigabyte an hour
            free = (30.0 + hour) * 1e9
            running.room.store.system.add(SystemSample(now_s - 3600.0 * hour, 1.0, 5e8, 4e9, free, 1e7, 5.0, 5.0, 0.0, 0.0))
        yield running


@pytest.fixture(scope="module")
def page(control: Control) -> Iterator[Page]:
    opened, wrong = control.page("users", "admin-users", maps=False)
    expect(opened.get_by_test_id("user-row").first).to_be_visible(timeout=15_000)
    yield opened
    assert wrong == []
    opened.context.close()


def test_system_health_has_its_figures_workers_and_pictures(control: Control, page: Page) -> None:
    page.get_by_test_id("admin-system").click()
    expect(page.get_by_test_id("system-tiles").locator("dd").first).to_be_visible(timeout=15_000)
    expect(page.get_by_test_id("worker-row")).to_have_count(1)
    page.get_by_test_id("system-168").click()
    pictures = page.get_by_test_id("system-pictures")
    expect(pictures.locator("path.chart-line").first).to_be_attached(timeout=15_000)
    pictures.locator("summary").first.click()
    expect(pictures.locator("details[open] tbody tr")).to_have_count(144)
    shown = json.loads(control.room.client(control.cookie).get("/api/v1/system").text)["advice"]
    expect(page.get_by_test_id("system-advice")).to_have_attribute("data-count", str(len(shown)))


def test_somebody_is_signed_out_after_being_asked_twice(control: Control, page: Page) -> None:
    store = control.room.store
    operator = control.room.sneak_in("user", store.add_user("li.na", "", "operator").id)
    assert operator.get("/api/v1/cameras").status_code == 200
    page.get_by_test_id("admin-sessions").click()
    row = page.locator("[data-testid=session-row][data-name='li.na']")
    row.get_by_test_id("session-end").click(timeout=15_000)
    assert operator.get("/api/v1/cameras").status_code == 200
    row.get_by_test_id("session-sure").click()
    expect(row).to_have_count(0, timeout=10_000)
    assert operator.get("/api/v1/cameras").status_code == 401


def test_the_audit_is_searched_and_read_further(control: Control, page: Page) -> None:
    for number in range(130):
        control.room.store.audit(control.room.store.audit_rows(1)[0].actor, "print_codes", f"site/{number}")
    page.get_by_test_id("admin-audit").click()
    expect(page.get_by_test_id("audit-row")).to_have_count(100, timeout=15_000)
    page.get_by_test_id("audit-action").select_option("print_codes")
    page.get_by_test_id("audit-more").click()
    expect(page.get_by_test_id("audit-row")).to_have_count(130, timeout=15_000)
    page.get_by_test_id("audit-text").fill("site/17")
    expect(page.get_by_test_id("audit-row")).to_have_count(1, timeout=15_000)


def test_desks_limits_and_networks_are_those_of_the_site(page: Page) -> None:
    page.get_by_test_id("admin-desks").click()
    expect(page.locator("[data-desk=mediation]")).to_contain_text("chen", timeout=15_000)
    page.get_by_test_id("admin-limits").click()
    expect(page.get_by_test_id("limits").locator("tbody tr")).to_have_count(7, timeout=15_000)
    expect(page.get_by_test_id("limits").locator("tbody tr").first.locator("td").first).to_contain_text("1:00")
    page.get_by_test_id("admin-networks").click()
    expect(page.get_by_test_id("network")).to_have_count(2, timeout=15_000)
    expect(page.locator("[data-testid=network][data-name=big_y]")).to_contain_text("not installed")


def test_receivers_are_tested_and_their_dead_messages_sent_again(control: Control, page: Page) -> None:
    store = control.room.store
    page.get_by_test_id("admin-notices").click()
    page.get_by_test_id("target-test").click(timeout=15_000)
    expect(page.get_by_test_id("notice")).to_contain_text("on its way", timeout=10_000)
    store.outgoing.address()
    store.outgoing.make_messages("duty-group", Language.EN, 1)
    for stored in store.outgoing.next_messages("duty-group", 1):
        store.outgoing.note(Outcome(stored.message.id, "answered code 310000", dead=True))
    dead = page.locator("[data-testid=message-row][data-state=dead]")
    expect(dead).to_contain_text("310000", timeout=20_000)
    page.get_by_test_id("target-retry").click(timeout=20_000)
    expect(dead).to_have_count(0, timeout=20_000)
