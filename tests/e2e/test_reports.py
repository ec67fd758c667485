"""The reports page in a real browser: what it shows is what an independent sum of the incidents says."""

import csv
import io
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median_low

import pytest
from playwright.sync_api import Page, expect

from patrol import Verdict
from tests.e2e.control_room import Control, control_running
from tests.e2e.lived_week import live_a_week
from tests.e2e.scene_room import DIST
from tests.fleet.test_coverage import the_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
if not (DIST / "index.html").is_file():
    pytestmark.append(pytest.mark.skip(reason="the page is not built"))

DAYS = 2


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder: Path = tmp_path_factory.mktemp("reports")
    site = the_site()
    live_a_week(folder, site, time.time(), DAYS)
    with control_running(folder, site) as running:
        yield running


@pytest.fixture(scope="module")
def page(control: Control) -> Iterator[Page]:
    opened, wrong = control.page("reports", "reports", maps=False)
    for part in ("times", "hours", "false", "patrol"):
        expect(opened.get_by_test_id(f"report-{part}")).to_have_attribute("data-busy", "false", timeout=30_000)
    yield opened
    assert wrong == []
    opened.context.close()


def test_the_figures_are_those_of_the_incidents(control: Control, page: Page) -> None:
    incidents = control.room.store.incidents("all", limit=500)
    assert len(incidents) > 5
    tiles = page.get_by_test_id("times-tiles").locator("dd")
    expect(tiles.first).to_have_text(str(len(incidents)))
    took = sorted(one.since_s - one.opened_s for one in incidents if one.work == "closed")
    seconds = int(median_low(took))
    expect(tiles.last).to_have_text(f"{seconds // 60}:{seconds % 60:02d}")
    by_cell = Counter(one.grid_cell for one in incidents)
    for cell, number in by_cell.items():
        row = page.locator(f"[data-testid=times-table] [data-group='{cell}']")
        expect(row.locator("td").first).to_have_text(str(number))


def test_the_heat_map_is_a_table_of_the_numbers(control: Control, page: Page) -> None:
    zone = control.room.site.zone_info
    incidents = control.room.store.incidents("all", limit=500)
    counted = Counter((one.grid_cell, datetime.fromtimestamp(one.opened_s, UTC).astimezone(zone).hour) for one in incidents)
    page.get_by_test_id("hours-incidents").click()
    expect(page.get_by_test_id("heat").locator("tfoot td").last).to_have_text(str(len(incidents)), timeout=15_000)
    for (cell, hour), number in counted.items():
        expect(page.locator(f"[data-testid=heat] [data-cell='{cell}'] td").nth(hour)).to_have_text(str(number))
    with page.expect_download() as saved:
        page.get_by_test_id("report-hours-csv").click()
    header, *lines = csv.reader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig")))
    assert header[:3] == ["Grid cell", "All", "00:00"] and lines[-1][:2] == ["All", str(len(incidents))]


def test_the_worst_rule_is_first_and_leads_to_its_camera(control: Control, page: Page) -> None:
    false = Counter(one.camera for one in control.room.store.incidents("all", limit=500) if one.verdict is Verdict.FALSE_ALARM)
    assert false
    page.get_by_test_id("false-camera").click()
    rows = page.get_by_test_id("false-row")
    expect(rows.first).to_have_attribute("data-name", re.compile("^[^/]+$"), timeout=15_000)  # no longer those of rules
    expect(rows).to_have_count(len(false))
    shown = [int(row.locator("td").first.inner_text()) for row in rows.all()]
    assert shown == sorted(false.values(), reverse=True)
    camera = str(rows.first.get_attribute("data-name"))
    rows.first.get_by_role("button").click()
    expect(page.get_by_test_id("editor")).to_be_visible(timeout=15_000)
    expect(page.get_by_test_id("editor")).to_contain_text(camera)
    page.get_by_test_id("tab-reports").click()


def test_a_time_that_cannot_be_asked_for_is_said_and_nothing_is_asked(page: Page) -> None:
    page.get_by_test_id("period-from").fill("2020-01-01")
    expect(page.get_by_test_id("reports-wrong")).to_contain_text("366")
    page.get_by_test_id("period-today").click()
    expect(page.get_by_test_id("report-times")).to_have_attribute("data-busy", "false", timeout=15_000)
