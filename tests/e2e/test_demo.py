"""The main job in a real browser, on the demo district: what a newcomer sees after `make demo`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.room import check_clip, chromium, enter_room, wait_for_motion, walk_by_keyboard
from tests.fleet.running import Running


@pytest.mark.browser
@pytest.mark.timeout(420)
def test_the_demo_by_keyboard(tmp_path: Path) -> None:
    with chromium() as browser, Running.demo(tmp_path / "demo", "--cameras", "4") as running:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        wrong = enter_room(page, running.url, running.setup_secret)
        row = page.get_by_test_id("incident-row").first
        expect(row).to_be_visible(timeout=120_000)
        row.click()
        assert wait_for_motion(page, 30) >= 30
        incident = str(row.get_attribute("data-incident"))
        walk_by_keyboard(page, browser, running.url)
        check_clip(page, running.url, incident)
        assert not wrong, wrong


@pytest.mark.timeout(420)
def test_the_demo_walks_itself_to_a_closed_case_and_says_how_long_it_took(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fleet.cli", "demo", "--cameras", "4", "--headless", "--until-event", "--json"]
    done = subprocess.run([*command, "--data", str(tmp_path / "demo")], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["kind"] == "intrusion"
    assert result["label"] == "person"
    assert result["reason"]
    assert 0 < result["event_s"] <= result["incident_s"] <= result["proposed_s"] <= result["dispatched_s"] <= result["closed_s"]
