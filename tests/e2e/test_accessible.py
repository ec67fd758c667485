"""Every page of the control room in both themes: contrast, names, tab order (WCAG 2.1 AA)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessible import faults_of
from tests.e2e.control_room import Control, control_running
from tests.e2e.lived_week import live_a_week
from tests.e2e.scene_room import DIST
from tests.fleet.test_coverage import SWITCH, the_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
if not (DIST / "index.html").is_file():
    pytestmark.append(pytest.mark.skip(reason="the page is not built"))

ADMIN = ("users", "system", "sessions", "audit", "notices", "desks", "limits", "networks")
PARTS = {
    "room": (),
    "wall": (),
    "board": (),
    "coverage": ("coverage-now", "coverage-places", "coverage-history", "coverage-report"),
    "cameras": ("cameras-watch", "cameras-uplinks", "cameras-registry", "cameras-import", "cameras-versions", "cameras-logins"),
    "teams": (),
    "reports": (),
    "users": tuple(
        f"admin-{part}" for part in ["users", "system", "sessions", "audit", "notices", "desks", "limits", "networks"]
    ),
}
"""The pages, and what each consists of."""


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder: Path = tmp_path_factory.mktemp("accessible")
    live_a_week(folder, the_site(), time.time(), days=1)
    with control_running(folder, the_site()) as running:
        running.lose(*SWITCH)
        running.room.raise_event("c1")
        yield running


def test_every_page_can_be_read_and_named_in_both_themes(control: Control) -> None:
    page, wrong = control.page("users", "admin-users", maps=False)
    found: dict[str, list[str]] = {}
    for theme in ("dark", "light"):
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        for tab, parts in PARTS.items():
            page.get_by_test_id(f"tab-{tab}").click()
            for part in parts or ("",):
                if part:
                    page.get_by_test_id(part).click()
                note(found, f"{theme} {tab} {part}", page)
        page.keyboard.press("?")
        note(found, f"{theme} help", page)
        page.keyboard.press("Escape")
        page.get_by_test_id("theme-toggle").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("signin-form")).to_be_visible(timeout=15_000)
    note(found, "sign-in", page)
    assert found == {} and wrong == []
    page.context.close()


def note(found: dict[str, list[str]], where: str, page: Page) -> None:
    settled(page)
    if faults := faults_of(page):
        found[where] = faults


def settled(page: Page) -> None:
    """Nothing shown says that it is still being loaded."""
    expect(page.locator("[aria-busy=true]:visible")).to_have_count(0, timeout=30_000)


def test_what_is_wrong_is_found(control: Control) -> None:
    page = control.browser.new_page()
    page.set_content(
        "<title>t</title><main><p style='color:#999;background:#fff'>pale</p><button></button><i id=a></i><i id=a></i>"
        "<p style='color:#767676;background:#fff'>enough</p><input><a href='#' aria-label='x'></a>"
        "<button disabled>off</button></main>"
    )
    faults = "\n".join(faults_of(page))
    assert "pale" in faults and "enough" not in faults and "off" not in faults
    assert faults.count("without a name") == 2 and "ids that stand twice: a" in faults and "no language" in faults
    page.close()
