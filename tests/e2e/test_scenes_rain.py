"""Rain on eighty cameras: a person still sees what matters, and everything else is two clicks away."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from base import EventKind
from camera_config.site import Name
from dashboard import announce_incident
from tests.dashboard.room import an_event
from tests.e2e.room import CHROMIUM
from tests.e2e.scene_room import DIST, Quarter, Scenes, scenes_running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
    pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the page is not built"),
]

QUARTERS = tuple(Quarter(n, Name(f"{n}号院", f"Court {n}"), cameras=20) for n in range(1, 5))
EVENTS, RAIN_S = 300, 300.0
SHOWN = 10
"""The most alarms that a person is shown in ten minutes of a flood (EEMUA 191)."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    with scenes_running(tmp_path_factory.mktemp("rain"), QUARTERS) as running:
        yield running


def test_rain_on_eighty_cameras_shows_ten_alarms_at_most_and_hides_none(scenes: Scenes) -> None:
    desk = scenes.desk("wang")
    page = desk.page
    rain(scenes)
    highest = raise_level_1(scenes)
    expect(page.get_by_test_id("flood")).to_be_visible(timeout=10_000)
    open_now = scenes.root.get("/api/v1/incidents", params={"state": "open", "limit": 500}).json()["items"]
    assert sum(one["event_count"] for one in open_now) == EVENTS + 1
    assert len(open_now) > 5 * SHOWN
    expect(page.get_by_test_id("queue-alarms")).to_contain_text(str(len(open_now)))
    assert rows(page) <= SHOWN
    expect(page.get_by_test_id("incident-row").first).to_have_attribute("data-incident", highest)  # stands alone, at once
    heard = page.evaluate("JSON.parse(sessionStorage.getItem('gridpatrol.heard') ?? '[]').length")
    assert 0 < heard <= SHOWN + 1  # until it was a flood, and then one for each place
    # First click: what is behind the rows. Second click: one of them, with its events.
    behind = page.get_by_test_id("queue-more")
    expect(behind).to_have_count(len(QUARTERS))
    for n in reversed(range(len(QUARTERS))):  # from below, where an opened one pushes nothing away
        behind.nth(n).click()
    expect(page.get_by_test_id("queue").get_by_role("listitem").first).to_have_attribute("aria-setsize", str(len(open_now)))
    page.get_by_test_id("incident-row").nth(1).click()
    chosen = str(page.get_by_test_id("incident-panel").get_attribute("data-incident"))
    events = next(one["event_count"] for one in open_now if one["id"] == chosen)
    expect(page.get_by_test_id("history").locator("[data-step=opened], [data-step=joined]")).to_have_count(events)
    desk.leave()


def rain(scenes: Scenes) -> None:
    """300 events within the last five minutes, round and round the cameras, as they come out of the outboxes."""
    cameras = [quarter.camera(n) for n in range(1, 21) for quarter in QUARTERS]
    began_s = scenes.clock.now_s() - RAIN_S
    events = [
        replace(an_event(began_s + RAIN_S * n / EVENTS, cameras[n % len(cameras)]), severity=3, label="", score=0.55)
        for n in range(EVENTS)
    ]
    for first in range(0, EVENTS, 50):
        for incident in scenes.room.store.record_events(events[first : first + 50]):
            scenes.room.call(announce_incident, scenes.room.app.state.updates, incident)


def raise_level_1(scenes: Scenes) -> str:
    """An alarm of the highest level in the middle of it, of a kind that no rain makes; its incident."""
    event = replace(an_event(scenes.clock.now_s(), QUARTERS[0].camera(1), EventKind.FIRE_SMOKE), severity=1)
    [incident] = scenes.room.store.record_events([event])
    scenes.room.call(announce_incident, scenes.room.app.state.updates, incident)
    return incident.id


def rows(page: Page) -> int:
    """How many alarms the queue shows, those that would have to be scrolled to counted in."""
    return int(page.get_by_test_id("queue").get_by_role("listitem").first.get_attribute("aria-setsize") or 0)
