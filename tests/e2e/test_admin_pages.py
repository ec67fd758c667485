"""The administration in a real browser: each of its pages shows what is there and does what its buttons say."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from camera_config import load_site
from camera_config.desks import Desk, DeskKind
from camera_config.notification_rules import NoticeKind
from camera_config.site import Name
from dashboard import Network, NetworkAccuracy
from patrol.notify import Notice
from storage import SystemSample
from tests.e2e.control_room import Control, control_running
from tests.e2e.scene_room import DIST
from tests.fleet.running import wait_until
from tests.fleet.test_coverage import the_site
from tests.servers.receiver import receiving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
if not (DIST / "index.html").is_file():
    pytestmark.append(pytest.mark.skip(reason="the page is not built"))


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder: Path = tmp_path_factory.mktemp("admin")
    desk = Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, users=("chen",))
    with control_running(folder, replace(the_site(), desks=(desk,))) as running:
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
def one_page(control: Control) -> Iterator[Page]:
    opened, wrong = control.page("users", "admin-users", maps=False)
    expect(opened.get_by_test_id("user-row").first).to_be_visible(timeout=15_000)
    yield opened
    assert wrong == []
    opened.context.close()


@pytest.fixture
def page(one_page: Page) -> Page:
    """The administration, wherever the test before went."""
    one_page.get_by_test_id("tab-users").click()
    return one_page


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


def test_the_audit_that_is_asked_for_stands_in_the_address_and_in_a_file(control: Control, page: Page) -> None:
    odd = "=HYPERLINK(1)"
    control.room.store.audit(control.room.store.audit_rows(1)[0].actor, "print_codes", "site/odd", odd)
    page.get_by_test_id("admin-audit").click()
    page.get_by_test_id("audit-action").select_option("print_codes")
    page.get_by_test_id("audit-text").fill("site/odd")
    expect(page.get_by_test_id("audit-row")).to_have_count(1, timeout=15_000)
    page.reload()
    expect(page.get_by_test_id("audit-row")).to_have_count(1, timeout=20_000)
    expect(page.get_by_test_id("audit-text")).to_have_value("site/odd")
    with page.expect_download() as download:
        page.get_by_test_id("audit-csv").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 2 and lines[1].endswith(f",print_codes,site/odd,'{odd}")
    xlsx = control.room.client(control.cookie).get("/api/v1/audit/export?format=xlsx&action=print_codes&text=odd")
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx.content)).worksheets[0]
    assert [cell.value for cell in sheet[2]][3:] == ["print_codes", "site/odd", odd] and sheet["F2"].data_type == "s"
    assert control.room.store.audit_rows(1)[0].action == "export_audit"
    page.get_by_test_id("audit-text").fill("")
    page.get_by_test_id("audit-action").select_option("")


def test_every_page_has_an_address_that_a_reload_and_the_way_back_keep(control: Control, page: Page) -> None:
    page.get_by_test_id("tab-board").click()
    page.get_by_test_id("tab-reports").click()
    page.get_by_test_id("period-from").fill("2026-03-01")
    page.get_by_test_id("period-to").fill("2026-03-07")
    page.get_by_test_id("report-category").select_option("fire")
    expect(page).to_have_url(re.compile("#page=reports&from=2026-03-01&to=2026-03-07&category=fire$"))
    page.reload()
    expect(page.get_by_test_id("period-from")).to_have_value("2026-03-01", timeout=20_000)
    expect(page.get_by_test_id("report-category")).to_have_value("fire")
    page.get_by_test_id("tab-cameras").click()
    page.get_by_test_id("cameras-versions").click()
    expect(page.get_by_test_id("versions")).to_be_visible(timeout=15_000)
    for at in ("cameras&part=watch", "reports&from=2026-03-01&to=2026-03-07&category=fire", "board"):
        page.go_back()
        expect(page).to_have_url(re.compile(f"#page={at}$"), timeout=10_000)
    expect(page.get_by_test_id("board")).to_be_visible(timeout=15_000)
    page.get_by_test_id("tab-room").click()
    expect(page).to_have_url(f"{control.room.url}/")
    page.goto(f"{control.room.url}/#page=users&part=limits")
    expect(page.get_by_test_id("limits")).to_be_visible(timeout=20_000)


def test_the_bar_of_the_wall_is_one_line_at_1366_pixels(page: Page) -> None:
    page.get_by_test_id("tab-wall").click()
    page.locator("[data-view='9']").click()
    expect(page.locator("[data-mode='blank']")).to_be_visible(timeout=15_000)
    wrong = page.evaluate(
        """() => [...document.querySelectorAll(".wall-bar button, .wall-bar label")].filter(each => {
            const box = each.getBoundingClientRect();
            return box.height > 40 || box.right > innerWidth;
        }).map(each => each.outerHTML)"""
    )
    assert wrong == []
    page.locator("[data-view='overview']").click()


def test_desks_limits_and_networks_are_those_of_the_site(page: Page) -> None:
    page.get_by_test_id("admin-desks").click()
    expect(page.locator("[data-desk=mediation]")).to_contain_text("chen", timeout=15_000)
    page.get_by_test_id("admin-limits").click()
    expect(page.get_by_test_id("limits").locator("tbody tr")).to_have_count(7, timeout=15_000)
    expect(page.get_by_test_id("limits").locator("tbody tr").first.locator("td").first).to_contain_text("1:00")
    page.get_by_test_id("admin-networks").click()
    expect(page.get_by_test_id("network")).to_have_count(2, timeout=15_000)
    expect(page.locator("[data-testid=network][data-name=big_y]")).to_contain_text("not installed")


def test_a_desk_is_changed_in_a_form_that_says_what_is_wrong_and_taken_back(control: Control, page: Page) -> None:
    page.get_by_test_id("admin-desks").click()
    row = page.locator("[data-desk=mediation]")
    row.get_by_test_id("entry-edit").click(timeout=15_000)
    page.get_by_test_id("entry-receipt_min").fill("0")
    page.get_by_test_id("entry-responsible").fill("Head of the committee")
    page.get_by_test_id("entry-save").click()
    expect(page.get_by_test_id("wrong-receipt_min")).to_have_text("expected a number from 1 to 132480, got 0", timeout=15_000)
    page.get_by_test_id("entry-receipt_min").fill("90")
    page.get_by_test_id("entry-save").click()
    expect(page.get_by_test_id("entry-form")).to_have_count(0, timeout=15_000)
    expect(row).to_contain_text("1:30:00", timeout=15_000)
    assert load_site(control.folder).desks[0].receipt_min == 90.0
    page.get_by_test_id("settings-undo").click()
    expect(row).not_to_contain_text("1:30:00", timeout=15_000)
    page.get_by_test_id("add-desk").click()
    for key, text in (("id", "legal"), ("name_en", "Legal aid"), ("users", "li.na, chen")):
        page.get_by_test_id(f"entry-{key}").fill(text)
    page.get_by_test_id("entry-kind").select_option("legal_aid")
    page.get_by_test_id("entry-save").click()
    legal = page.locator("[data-desk=legal]")
    expect(legal).to_contain_text("li.na, chen", timeout=15_000)
    legal.get_by_test_id("entry-delete").click()
    legal.get_by_test_id("entry-sure").click()
    expect(legal).to_have_count(0, timeout=15_000)
    assert [desk.id for desk in load_site(control.folder).desks] == ["mediation"]


def test_a_limit_that_is_set_counts_for_what_runs(control: Control, page: Page) -> None:
    opened = control.room.raise_event("c1")
    assert opened.due is not None
    due_s = opened.due.at_s
    page.get_by_test_id("admin-limits").click()
    page.get_by_test_id("add-limit").click(timeout=15_000)
    page.get_by_test_id("entry-severity-2").check()
    page.get_by_test_id("entry-acknowledge_min").fill("240")
    page.get_by_test_id("entry-save").click()
    first = page.get_by_test_id("limits").locator("table tbody tr").first.locator("td").nth(1)
    expect(first).to_contain_text("4:00:00", timeout=15_000)
    found = control.room.store.incident(opened.id)
    assert found is not None and found.due is not None and found.due.at_s > due_s + 10_000
    page.get_by_test_id("edit-limits").click()
    page.get_by_test_id("entry-warn_at").fill("0.5")
    page.get_by_test_id("entry-save").click()
    expect(page.get_by_test_id("limits")).to_contain_text("after 50 % of a limit", timeout=15_000)


def test_a_receiver_is_added_told_and_sent_again_what_it_refused(control: Control, page: Page) -> None:
    with receiving() as receiver:
        page.get_by_test_id("admin-notices").click()
        page.get_by_test_id("add-webhook").click(timeout=15_000)
        page.get_by_test_id("entry-id").fill("city-hall")
        page.get_by_test_id("entry-url").fill("ftp://city.example.org")
        page.get_by_test_id("entry-save").click()
        expect(page.get_by_test_id("wrong-url")).to_contain_text("expected an address such as https://", timeout=15_000)
        page.get_by_test_id("entry-url").fill(f"{receiver.url}/in")
        page.get_by_test_id("entry-language").select_option("en")
        page.get_by_test_id("entry-save").click()
        row = page.locator("[data-testid=target-row][data-target=city-hall]")
        expect(row).to_be_visible(timeout=15_000)

        row.get_by_test_id("target-test").click()
        expect(page.get_by_test_id("notice")).to_contain_text("on its way", timeout=10_000)
        message = page.get_by_test_id("message-row")
        expect(message).to_have_attribute("data-state", "delivered", timeout=30_000)
        [got] = receiver.got
        assert got.path == "/in" and got.json["kind"] == "test" and got.json["target"] == "city-hall"

        receiver.answer = lambda _: (422, b"")
        row.get_by_test_id("target-test").click()
        dead = page.locator("[data-testid=message-row][data-state=dead]")
        expect(dead).to_contain_text("422", timeout=30_000)
        receiver.answer = lambda _: (200, b"")
        row.get_by_test_id("target-retry").click(timeout=20_000)
        expect(dead).to_have_count(0, timeout=30_000)

        page.get_by_test_id("add-rule").click()
        page.get_by_test_id("entry-targets-city-hall").check()
        page.get_by_test_id("entry-kinds-backup_failed").check()
        page.get_by_test_id("entry-group_s").fill("0")
        page.get_by_test_id("entry-save").click()
        expect(page.get_by_test_id("settings-rule").get_by_test_id("entry")).to_have_count(1, timeout=15_000)
        control.room.store.outgoing.tell(Notice(0, NoticeKind.BACKUP_FAILED, control.room.clock.now_s(), summary="no room"))
        wait_until(
            lambda: any(each.json["kind"] == "backup_failed" for each in list(receiver.got)),
            30.0,
            "the webhook hears of the backup",
        )
