"""The demo sub-district: as large as promised, the same every time, and geometrically sound."""

import dataclasses
import math
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import shapely
from shapely.geometry import Point, Polygon

from base import ConfigError
from camera_config import CompoundKind, PlaceKind, Site, load_site
from camera_config.demo_scenes import FORBIDDEN_ZONE, FORBIDDEN_ZONE_NAME, LIGHTS, SCENES
from camera_config.district import District, main, make_district, write_district
from ingest.simulate.plan import load_plan


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(727, password="for-the-test")


@pytest.fixture(scope="module")
def site(district: District) -> Site:
    return district.site


def shapes(site: Site, kind: PlaceKind) -> dict[str, Polygon]:
    return {place.id: Polygon(place.outline) for place in site.places if place.kind is kind}


def test_it_is_as_large_as_promised(site: Site) -> None:
    counts = Counter(place.kind for place in site.places)
    assert len(site.cameras) == 727
    assert counts[PlaceKind.COMPOUND] == 44
    assert counts[PlaceKind.SUB_DISTRICT] == 1
    assert counts[PlaceKind.COMMUNITY] == 8
    assert 55 <= counts[PlaceKind.GRID_CELL] <= 75
    assert 300 <= counts[PlaceKind.BUILDING] <= 900
    assert 12 <= len(site.teams) <= 20
    kinds = Counter(place.compound_kind for place in site.places if place.kind is PlaceKind.COMPOUND)
    assert set(kinds) == set(CompoundKind)
    assert kinds[CompoundKind.RESIDENTIAL] >= 20
    per_compound = Counter(camera.compound for camera in site.cameras)
    assert len(per_compound) == 44
    assert all(7 <= count <= 36 for count in per_compound.values())


@pytest.mark.parametrize("seed", [1, 2, 727])
def test_what_is_written_loads_again(seed: int, tmp_path: Path) -> None:
    district = make_district(seed)
    written = write_district(district, tmp_path / "demo")
    assert load_site(tmp_path / "demo") == written
    assert (len(written.cameras), sum(place.kind is PlaceKind.COMPOUND for place in written.places)) == (727, 44)


def test_the_same_seed_makes_the_same_district(district: District) -> None:
    again = make_district(727, password="for-the-test")
    assert again.site == district.site
    assert again.scenes == district.scenes
    assert make_district(728, password="for-the-test").site.cameras != district.site.cameras


def test_passwords_differ_each_time_and_are_not_shown() -> None:
    first, second = make_district(cameras=1).site, make_district(cameras=1).site
    assert first.credentials[0].password != second.credentials[0].password
    assert len(first.credentials[0].password) >= 16
    assert first.credentials[0].password not in repr(first)
    assert dataclasses.replace(first, credentials=()) == dataclasses.replace(second, credentials=())


def test_fewer_cameras_are_the_first_ones_of_the_same_district(district: District) -> None:
    few = make_district(727, cameras=16, password="for-the-test")
    assert few.site.cameras == district.site.cameras[:16]
    assert few.site.places == district.site.places
    assert few.scenes == {camera.id: district.scene_of(camera.id) for camera in few.site.cameras}
    assert {rule.camera for rule in few.site.rules} == {camera.id for camera in few.site.cameras}


def test_every_id_and_name_of_a_camera_is_its_own(site: Site) -> None:
    assert [camera.id for camera in site.cameras] == [f"c{number:04d}" for number in range(1, 728)]
    assert len({camera.name for camera in site.cameras}) == 727
    assert len({(camera.lon, camera.lat) for camera in site.cameras}) == 727
    compounds = [place.name for place in site.places if place.kind is PlaceKind.COMPOUND]
    assert len(set(compounds)) == 44
    assert all(place.name.zh and place.name.en.isascii() for place in site.places)


def test_every_camera_hangs_in_its_compound_and_cell_outside_of_walls(site: Site) -> None:
    top, compounds, cells = (shapes(site, kind) for kind in (PlaceKind.SUB_DISTRICT, PlaceKind.COMPOUND, PlaceKind.GRID_CELL))
    houses = shapely.union_all(list(shapes(site, PlaceKind.BUILDING).values()))
    shapely.prepare(houses)
    for camera in site.cameras:
        point = Point(camera.lon, camera.lat)
        assert top["sub-district"].contains(point), camera.id
        assert compounds[camera.compound].contains(point), camera.id
        assert cells[camera.grid_cell].contains(point), camera.id
        assert site.place_by_id[camera.grid_cell].parent == camera.compound
        assert not houses.contains(point), camera.id


def test_places_lie_in_their_parents_and_beside_each_other(site: Site) -> None:
    outlines = {place.id: Polygon(place.outline) for place in site.places}
    for place in site.places:
        if place.parent:
            inside = outlines[place.id].intersection(outlines[place.parent]).area
            assert inside >= 0.995 * outlines[place.id].area, place.id
    for kind in (PlaceKind.COMMUNITY, PlaceKind.COMPOUND, PlaceKind.GRID_CELL, PlaceKind.BUILDING):
        group = list(shapes(site, kind).values())
        total = sum(shape.area for shape in group)
        assert shapely.union_all(group).area >= 0.999 * total, f"two of kind {kind} overlap"


def test_cells_of_homes_have_250_to_500_households(site: Site) -> None:
    for place in site.places:
        if place.kind is PlaceKind.GRID_CELL:
            at_home = site.place_by_id[place.parent].compound_kind is CompoundKind.RESIDENTIAL
            assert (place.households is not None) == at_home
            assert place.households is None or 250 <= place.households <= 500


def test_cameras_look_into_the_place_they_watch(site: Site, district: District) -> None:
    """All but those at gates, half of which look out at the barrier, and a few at the end of a fence, which look along it."""
    compounds = shapes(site, PlaceKind.COMPOUND)
    astray = []
    for camera in site.cameras:
        angle = math.radians(camera.azimuth_deg)
        ahead = Point(camera.lon + 12 * math.sin(angle) / 95_900, camera.lat + 12 * math.cos(angle) / 110_900)
        if district.scene_of(camera.id).scene != "gate" and not compounds[camera.compound].contains(ahead):
            astray.append(camera.id)
    assert len(astray) <= 15


def test_every_cell_is_served_at_every_hour_of_the_week(site: Site) -> None:
    cells = {place.id for place in site.places if place.kind is PlaceKind.GRID_CELL}
    monday = datetime(2026, 3, 2, tzinfo=site.zone_info)
    for half_hour in range(7 * 48):
        now_s = (monday + timedelta(minutes=30 * half_hour)).timestamp()
        on_shift = [team for team in site.teams if team.shift.contains(now_s, site.zone_info)]
        assert {cell for team in on_shift for cell in team.grid_cells} == cells
        guards = {cell for team in on_shift if team.id.startswith("guards") for cell in team.grid_cells}
        assert guards == cells, "guards alone would do, without the police"


def test_every_cell_has_a_checkpoint_of_its_own(site: Site) -> None:
    cells = shapes(site, PlaceKind.GRID_CELL)
    assert {point.grid_cell for point in site.checkpoints} == set(cells)
    for point in site.checkpoints:
        assert cells[point.grid_cell].distance(Point(point.lon, point.lat)) < 1e-6, point.id
    assert sum(point.key_node for point in site.checkpoints) == 5, "gates of 3 schools and 2 hospitals"


def test_the_first_sixteen_show_everything_close_together(site: Site, district: District) -> None:
    first = site.cameras[:16]
    shown = [district.scene_of(camera.id) for camera in first]
    assert {scene.scene for scene in shown} == set(SCENES)
    assert {scene.light for scene in shown} == set(LIGHTS)
    assert [camera.id for camera, scene in zip(first, shown, strict=True) if scene.trespass] == ["c0002", "c0007"]
    assert len({(scene.scene, scene.light, scene.variant, scene.trespass) for scene in shown}) == 9, "each clip takes its time"
    assert len({camera.compound for camera in first}) == 4
    assert max(camera.lon for camera in first) - min(camera.lon for camera in first) < 0.010, "within a kilometre"
    severities = Counter(site.rules_of(camera.id)[0].severity for camera in first)
    assert severities[1] == 1
    assert set(severities) == {1, 2, 3}
    assert set(Counter(rule.severity for rule in site.rules)) == {1, 2, 3}


def test_every_camera_watches_the_forbidden_zone_of_its_scene(site: Site, district: District) -> None:
    assert len(site.rules) == 727
    for rule in site.rules:
        scene = district.scene_of(rule.camera).scene
        assert rule.zone == FORBIDDEN_ZONE[scene]
        assert rule.zone_name == FORBIDDEN_ZONE_NAME[scene]
        assert (rule.labels, rule.dwell_s, rule.dead_time_s, rule.schedule.text) == (("person",), 1.0, 120.0, "always")


@pytest.mark.parametrize("scene", SCENES)
def test_a_person_can_stand_in_a_forbidden_zone(scene: str) -> None:
    zone = Polygon(FORBIDDEN_ZONE[scene])
    left, top, right, bottom = zone.bounds
    assert zone.is_valid
    assert 0.25 <= right - left <= 0.36
    assert top >= 0.5
    assert bottom <= 0.95
    assert left > 0
    assert right < 1


def test_the_plan_is_one_the_simulator_reads(district: District, tmp_path: Path) -> None:
    write_district(district, tmp_path)
    plan = load_plan(tmp_path / "simulate.yaml")
    assert len(plan.cameras) == 727
    for camera in random.Random(3).sample(plan.cameras, 40):
        scene = district.scene_of(camera.id)
        shown = (camera.scene, camera.light, camera.variant, camera.trespass, camera.offset_s)
        assert shown == (scene.scene, scene.light, scene.variant, scene.trespass, scene.offset_s)
    assert len(plan.specs()) <= 26, "few clips, since each must be drawn once"
    assert "for-the-test" not in (tmp_path / "simulate.yaml").read_text("utf-8")


def test_the_command_writes_a_folder_again_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    for _ in range(2):
        assert main(["--seed", "5", "--out", str(folder), "--cameras", "20", "--port", "9000"]) == 0
    assert "20 cameras, 44 compounds" in capsys.readouterr().out
    site = load_site(folder)
    assert site.cameras[3].url_sub == "rtsp://127.0.0.1:9000/c0004/sub"
    assert site.cameras[3].url_main == "rtsp://127.0.0.1:9000/c0004/main"
    assert (folder / "secrets.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("option", "value"), [("--cameras", "0"), ("--cameras", "728"), ("--port", "0"), ("--port", "70000")])
def test_the_command_refuses_what_cannot_be(option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path / "demo"), option, value]) == 1
    assert f"expected 1 to {727 if option == '--cameras' else 65535}, got {value}" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_a_real_site_is_never_overwritten(district: District, tmp_path: Path) -> None:
    (tmp_path / "cameras.csv").write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match="expected a new or empty folder"):
        write_district(district, tmp_path)
    with pytest.raises(ConfigError, match="expected a new or empty folder"):
        write_district(district, tmp_path / "cameras.csv")
    assert (tmp_path / "cameras.csv").read_text("utf-8") == "mine"


def test_making_and_reading_it_is_quick(tmp_path: Path) -> None:
    """By processor time, so that a busy machine does not fail it: making 727 cameras in 3 s, reading them in 1 s."""
    began_s = time.process_time()
    write_district(make_district(727), tmp_path)
    made_s = time.process_time()
    load_site(tmp_path)
    assert made_s - began_s < 3
    assert time.process_time() - made_s < 1
