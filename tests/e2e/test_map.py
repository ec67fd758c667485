"""The map in a real browser: what it shows of many incidents from afar, and nearer."""

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from camera_config.district import make_district
from storage import Store
from tests.dashboard.room import an_event
from tests.e2e.control_room import control_running
from tests.e2e.scene_room import DIST

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
if not (DIST / "index.html").is_file():
    pytestmark.append(pytest.mark.skip(reason="the page is not built"))


def test_from_afar_a_full_cell_has_one_sign_and_pressing_it_leads_to_its_places(tmp_path: Path) -> None:
    site = make_district(cameras=120).site
    count = Counter(camera.grid_cell for camera in site.cameras)
    full = [camera for camera in site.cameras if camera.grid_cell == count.most_common(1)[0][0]][:8]
    urgent = next(camera for camera in site.cameras if camera.grid_cell != full[0].grid_cell)
    assert len(full) == 8

    def rain(store: Store, now_s: float) -> None:
        store.record_events([an_event(now_s, camera.id) for camera in full])
        store.record_events([replace(an_event(now_s, urgent.id), severity=1)])

    with control_running(tmp_path, site, rain) as control:
        page, wrong = control.page("room", "map")
        expect(page.get_by_test_id("map")).to_have_attribute("data-state", "ready", timeout=60_000)
        rings = page.locator(".map-ring")  # one around each sign of what nobody has
        page.locator(".map-tools button").first.click()
        page.locator(".map-tools button").last.click()
        expect(rings).to_have_count(2, timeout=20_000)
        cell = page.locator(".map-ring.level-2").bounding_box()
        assert cell is not None
        until = time.monotonic() + 30
        while rings.count() == 2 and time.monotonic() < until:  # a sign is drawn some frames after its ring
            page.mouse.click(cell["x"], cell["y"])
            page.wait_for_timeout(500)
        expect(rings).to_have_count(len(full) + 1)
        assert wrong == []
