"""The administrator's pages in a real browser: a camera on the map and on its picture, a file with a bad row, a dead switch."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from base import EventKind
from camera_config import load_site
from camera_config.site import MaskKind
from tests.e2e.control_room import Control, control_running
from tests.e2e.scene_room import DIST
from tests.fleet.test_coverage import SWITCH, a_switch_running, the_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
if not (DIST / "index.html").is_file():
    pytestmark.append(pytest.mark.skip(reason="the page is not built"))


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with control_running(tmp_path_factory.mktemp("control"), the_site()) as running:
        yield running


def edit(page: Page, camera: str) -> Locator:
    """Open a camera of the table in the editor."""
    page.locator(f"[data-camera={camera}] .registry-open").click(timeout=15_000)
    expect(page.get_by_test_id("editor")).to_be_visible(timeout=15_000)
    return page.get_by_test_id("editor-reading")


def drag(page: Page, handle: Locator, right_px: float, down_px: float) -> None:
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right_px / 2, y + down_px / 2)
    page.mouse.move(x + right_px, y + down_px)
    page.mouse.up()


def test_a_camera_is_dragged_and_turned_and_saved(control: Control) -> None:
    page, wrong = control.page("cameras", "cameras-registry")
    reading = edit(page, "c5")
    before = load_site(control.folder).camera_by_id["c5"]
    expect(page.get_by_test_id("editor-map")).to_have_attribute("data-state", "ready", timeout=30_000)
    expect(reading).to_have_attribute("data-exact", "true", timeout=15_000)
    drag(page, page.get_by_test_id("place-handle"), 60, 0)
    expect(page.get_by_test_id("editor")).to_have_attribute("data-changed", "true")
    moved = float(page.get_by_test_id("field-lon").input_value())
    assert moved > before.lon and float(page.get_by_test_id("field-lat").input_value()) == pytest.approx(before.lat, abs=2e-6)
    turn = page.get_by_test_id("turn-handle")
    drag(page, turn, 96, 96)  # from north to east of the camera
    expect(reading).to_have_attribute("data-azimuth", re.compile(r"^(8[5-9]|9[0-5])"))
    turn.press("Shift+ArrowRight")
    expect(reading).to_have_attribute("data-azimuth", re.compile(r"^(9[5-9]|10[0-5])"))
    page.get_by_test_id("undo").click()
    expect(reading).to_have_attribute("data-azimuth", re.compile(r"^(8[5-9]|9[0-5])"))
    expect(reading).to_have_attribute("data-exact", "true", timeout=10_000)  # the bands are those of the new direction
    page.get_by_test_id("editor-save").click()
    expect(page.get_by_test_id("editor")).to_have_attribute("data-changed", "false", timeout=15_000)
    after = load_site(control.folder).camera_by_id["c5"]
    assert after.lon == moved and after.azimuth_deg == pytest.approx(90, abs=5)
    assert replace(after, lon=before.lon, lat=before.lat, azimuth_deg=before.azimuth_deg) == before
    assert wrong == []
    page.context.close()


def test_somebody_who_was_faster_is_named(control: Control) -> None:
    page, wrong = control.page("cameras", "cameras-registry", maps=False)
    edit(page, "c4")
    client = control.room.client(control.cookie)
    known = client.get("/api/v1/registry/cameras/c4").json()
    faster = {"digest": known["digest"], "camera": known["camera"] | {"height_m": 2.5}}
    assert client.put("/api/v1/registry/cameras/c4", json=faster).status_code == 200
    page.get_by_test_id("field-height_m").fill("3")
    page.get_by_test_id("editor-save").click()
    expect(page.get_by_test_id("editor-refused")).to_contain_text("root changed this meanwhile", timeout=10_000)
    assert load_site(control.folder).camera_by_id["c4"].height_m == 2.5
    page.get_by_test_id("editor-reload").click()
    expect(page.get_by_test_id("field-height_m")).to_have_value("2.5", timeout=10_000)
    assert wrong == []
    page.context.close()


def test_a_mask_and_a_zone_are_drawn_by_mouse_and_by_keys(control: Control) -> None:
    page, wrong = control.page("cameras", "cameras-registry", maps=False)
    edit(page, "c3")
    page.get_by_test_id("editor-view-picture").click()
    canvas = page.get_by_test_id("picture-canvas")
    expect(canvas).to_be_visible()
    page.get_by_test_id("tool-privacy").click()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.up()
    corners = page.get_by_test_id("point-handle")
    expect(corners).to_have_count(4)
    corners.first.press("Shift+ArrowRight")
    corners.nth(1).press("Delete")
    expect(corners).to_have_count(3)
    page.keyboard.press("Control+z")
    expect(corners).to_have_count(4)
    page.get_by_test_id("tool-zone").press("Enter")
    page.get_by_test_id("tool-zone").press("Enter")  # once more: in the middle of the picture, without a mouse
    expect(page.locator("[data-testid=shape][data-layer=zone]")).to_have_count(1)
    page.get_by_test_id("rule-severity").select_option("1")
    page.get_by_test_id("rule-dwell").fill("4")
    page.get_by_test_id("rule-label-vehicle").check()
    versions = len(control.room.store.site_versions.page(200))
    page.get_by_test_id("editor-save").click()
    expect(page.get_by_test_id("editor")).to_have_attribute("data-changed", "false", timeout=15_000)
    site = load_site(control.folder)
    [mask] = [each for each in site.masks if each.camera == "c3"]
    [rule] = [each for each in site.rules if each.camera == "c3"]
    assert (rule.severity, rule.dwell_s, rule.labels) == (1, 4.0, ("person", "vehicle"))
    assert len(control.room.store.site_versions.page(200)) == versions + 1, "mask and rule are one change"
    assert rule.kind is EventKind.INTRUSION and rule.zone[0] == (0.35, 0.35) and rule.zone[2] == (0.65, 0.65)
    assert mask.kind is MaskKind.PRIVACY and len(mask.outline) == 4
    assert mask.outline[0] == pytest.approx((0.25, 0.2), abs=0.01) and mask.outline[2] == pytest.approx((0.5, 0.6), abs=0.01)
    assert wrong == []
    page.context.close()


def test_several_cameras_are_changed_at_once(control: Control) -> None:
    page, wrong = control.page("cameras", "cameras-registry", maps=False)
    page.get_by_test_id("registry-filter").fill("c1")
    expect(page.get_by_test_id("registry-row")).to_have_count(1, timeout=15_000)
    page.get_by_test_id("registry-all").check()
    page.get_by_test_id("registry-filter").fill("")
    page.locator("[data-camera=c2] input").check()
    expect(page.get_by_test_id("bulk-bar")).to_contain_text("2 chosen")
    page.get_by_test_id("bulk-field").select_option("tilt_deg")
    page.get_by_test_id("bulk-value").fill("12")
    page.get_by_test_id("bulk-apply").click()
    expect(page.get_by_test_id("bulk-bar")).to_have_count(0, timeout=10_000)
    assert [each.tilt_deg for each in load_site(control.folder).cameras] == [12, 12, 0, 0, 0]
    assert wrong == []
    page.context.close()


def test_a_file_with_a_bad_row_is_shown_row_by_row_and_its_good_rows_come_in(control: Control, tmp_path: Path) -> None:
    page, wrong = control.page("cameras", "cameras-import", maps=False)
    header, first, second, *_ = (control.folder / "cameras.csv").read_text("utf-8").splitlines()
    columns = header.split(",")
    good, bad = first.split(","), second.split(",")
    good[columns.index("height_m")] = "3.5"
    bad[columns.index("lon")] = "191.9"
    file = tmp_path / "new.csv"
    file.write_text("\n".join([header, ",".join(good), ",".join(bad)]) + "\n", "utf-8")
    page.get_by_test_id("import-file").set_input_files(file)
    found = page.get_by_test_id("import-found")
    expect(found).to_have_attribute("data-dry-run", "true", timeout=15_000)
    expect(page.get_by_test_id("import-refused")).to_have_text("1")
    expect(page.get_by_test_id("import-fault")).to_contain_text("lon")
    expect(page.get_by_test_id("import-fault").locator("td").first).to_have_text("3")
    assert load_site(control.folder).camera_by_id[good[0]].height_m == 1.0, "nothing is written by looking"
    page.get_by_test_id("import-do").click()
    expect(found).to_have_attribute("data-dry-run", "false", timeout=15_000)
    assert load_site(control.folder).camera_by_id[good[0]].height_m == 3.5
    page.get_by_test_id("cameras-versions").click()
    expect(page.get_by_test_id("version").first).to_contain_text("Import", timeout=10_000)
    assert wrong == []
    page.context.close()


def test_a_switch_that_dies_is_one_cause_with_its_hatched_ground_and_a_proposed_stop(control: Control) -> None:
    page, wrong = control.page("coverage", "coverage-now")
    shown = page.get_by_test_id("coverage-map")
    expect(shown).to_have_attribute("data-state", "ready", timeout=30_000)
    expect(page.get_by_test_id("coverage-working")).to_have_text("5 / 5", timeout=15_000)
    expect(shown).to_have_attribute("data-lost", "0")
    control.lose(*SWITCH)
    cause = page.get_by_test_id("cause")
    expect(cause).to_have_count(1, timeout=15_000)
    expect(cause).to_have_attribute("data-cause", "uplink:switch-1")
    expect(cause).to_contain_text("4 cameras")
    expect(page.get_by_test_id("coverage-working")).to_have_text("1 / 5")
    expect(shown).to_have_attribute("data-lost", "4", timeout=15_000)
    stop = page.get_by_test_id("stop-proposal")
    expect(stop).to_have_attribute("data-cell", "cell-1", timeout=15_000)
    expect(shown.get_by_test_id("stop-mark")).to_have_count(1)
    page.get_by_test_id("stop-accept").click()
    expect(stop).to_have_attribute("data-state", "made", timeout=10_000)
    assert len(control.room.store.rounds.temporary_stops()) == 1
    page.get_by_test_id("coverage-history").click()
    expect(page.get_by_test_id("slider-time")).to_contain_text("1 cameras at work", timeout=15_000)
    page.get_by_test_id("slider").press("Home")  # a day ago nothing was known to be lost
    expect(page.get_by_test_id("coverage-working")).to_have_text("5 / 5", timeout=15_000)
    expect(shown).to_have_attribute("data-lost", "0", timeout=15_000)
    assert wrong == []
    page.context.close()


def test_sockets_of_simulated_cameras_that_close_are_one_cause_on_the_page(tmp_path: Path, control: Control) -> None:
    """As above, with the whole program: nobody tells the page but the cameras themselves."""
    with a_switch_running(tmp_path, out_s=600.0) as (running, client, simulator):
        page, wrong = control.page("coverage", "coverage-now", at=(running.url, client.cookies["gridpatrol_session"]))
        shown = page.get_by_test_id("coverage-map")
        expect(shown).to_have_attribute("data-state", "ready", timeout=30_000)
        expect(page.get_by_test_id("coverage-working")).to_have_text("4 / 4", timeout=15_000)
        simulator.release_faults()
        cause = page.get_by_test_id("cause")
        expect(cause).to_have_attribute("data-cause", "uplink:switch-1", timeout=30_000)
        expect(cause).to_contain_text("4 cameras")
        expect(shown).to_have_attribute("data-lost", "4", timeout=15_000)
        expect(page.get_by_test_id("stop-proposal")).to_have_attribute("data-cell", "cell-1", timeout=15_000)
        expect(shown.get_by_test_id("stop-mark")).to_have_count(1)
        assert wrong == []
        page.context.close()
