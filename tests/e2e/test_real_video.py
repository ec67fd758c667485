"""The main job in a real browser, on real surveillance video from an RTSP server that knows nothing of us."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from camera_config import write_site
from tests.e2e.room import chromium, enter_room, wait_for_motion, walk_by_keyboard
from tests.fleet.running import Running
from tests.fleet.small_site import small_site
from tests.servers.gstreamer import PASSWORD, USER, gstreamer

DATA = Path(os.environ.get("GRIDPATROL_TEST_DATA", Path(__file__).parents[3] / "shared")) / "data"
CLIP = DATA / "video" / "intel_one-by-one-person-detection.mp4"
FRAMES = 30


@pytest.mark.browser
@pytest.mark.peer
@pytest.mark.timeout(300)
def test_a_person_on_real_video_is_found_dispatched_and_closed_by_keyboard(tmp_path: Path) -> None:
    if not CLIP.is_file():
        pytest.skip(f"no real clips: {CLIP} is missing (GRIDPATROL_TEST_DATA)")
    with gstreamer("--auth", "digest", "--file", str(CLIP)) as address, chromium() as browser:
        site = tmp_path / "site"
        write_site(small_site(site, {"c0001": f"{address}/0"}, login=(USER, PASSWORD)), site)
        with Running(site, tmp_path / "data", "--workers", "1") as running:
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            wrong = enter_room(page, running.url, running.setup_secret)
            row = page.get_by_test_id("incident-row").first
            expect(row).to_be_visible(timeout=120_000)
            row.click()
            decoded = wait_for_motion(page, FRAMES)
            walk_by_keyboard(page, browser, running.url)
            assert decoded >= FRAMES
            assert not wrong, wrong
            assert PASSWORD not in running.new_log()
