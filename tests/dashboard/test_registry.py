"""The registry over HTTP: cameras, rules and masks are changed in the folder and the database, strictly, one after the other."""

import csv
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from base import EventKind, SystemClock
from camera_config import Rule, load_site, write_site
from camera_config.coverage import Coverage
from camera_config.sealed import Vault
from camera_config.site import Name
from dashboard import CoverageNow, DashboardSettings
from storage import Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import CANARY, Room, small_site

JsonObject = dict[str, Any]  # Any: as JSON has it


@dataclass
class Office:
    """An administrator of a room whose site has a folder."""

    room: Room
    root: httpx.Client
    folder: Path

    def get(self, path: str) -> JsonObject:
        answer = self.root.get(f"/api/v1/registry{path}")
        assert answer.status_code == 200, answer.text
        told: JsonObject = answer.json()
        return told

    def camera(self, camera: str = "c0001") -> JsonObject:
        return self.get(f"/cameras/{camera}")

    def send(self, method: str, path: str, body: JsonObject | None = None, status: int = 200) -> JsonObject:
        answer = self.root.request(method, f"/api/v1/registry{path}", json=body)
        assert answer.status_code == status, answer.text
        told: JsonObject = answer.json()
        return told

    def replace(self, change: JsonObject, camera: str = "c0001", status: int = 200) -> JsonObject:
        known = self.camera(camera)
        return self.send("PUT", f"/cameras/{camera}", {"digest": known["digest"], "camera": known["camera"] | change}, status)

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def calm_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One in which nothing is changed."""
    with an_office(tmp_path_factory.mktemp("calm")) as found:
        yield found


@contextmanager
def an_office(tmp_path: Path) -> Iterator[Office]:
    folder = tmp_path / "site"
    site = small_site(folder)
    frozen = tuple(
        Rule(camera.id, "still", EventKind.FROZEN, (), Name("", ""), (), dead_time_s=3600.0) for camera in site.cameras
    )
    write_site(replace(site, rules=(*site.rules, *frozen)), folder)
    site, clock = load_site(folder), SystemClock()
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
    room = Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, DashboardSettings(page=tmp_path / "no-page"))
    room.start()
    try:
        yield Office(room, room.set_up(), folder)
    finally:
        room.stop()


def test_a_camera_is_read_whole_and_without_a_password(calm_office: Office) -> None:
    office = calm_office
    told = office.camera()
    assert told["camera"]["url_sub"] == "rtsp://192.0.2.1/sub" and told["camera"]["credential"] == "gate"
    assert [rule["name"] for rule in told["rules"]] == ["night", "still"] and told["rules"][0]["zone"][0] == [0.1, 0.1]
    listed = office.get("/cameras")
    assert [each["id"] for each in listed["cameras"]] == ["c0001", "c0002", "c0003"]
    assert listed["cameras"][0]["digest"] == told["digest"]
    whole = office.root.get("/api/v1/registry").text + office.root.get("/api/v1/registry/cameras").text + str(told)
    assert CANARY not in whole and '"admin"' in whole


def test_a_change_is_in_the_folder_the_versions_and_the_audit(office: Office) -> None:
    before = office.camera()
    told = office.replace({"azimuth_deg": 87.5, "uplink": "switch-3", "gb_code": "34020000001320000417"})
    assert told["counts"] == {"added": 0, "changed": 1, "removed": 0} and told["version"] == 2
    assert told["after_restart"] and told["cameras"][0]["digest"] != before["digest"]  # nothing runs here
    site = load_site(office.folder)
    camera = site.camera_by_id["c0001"]
    assert (camera.azimuth_deg, camera.uplink, camera.gb_code) == (87.5, "switch-3", "34020000001320000417")
    newest, first = office.get("/versions")["items"]
    assert (newest["by"], newest["what"], newest["changed"], newest["files"]) == (
        "root", "camera_changed", ["c0001"], ["cameras.csv"],
    )  # fmt: skip
    assert first["what"] == "folder" and newest["digest"] == told["site_digest"]
    details = office.get("/versions/2")["details"]
    assert {"camera": "c0001", "field": "uplink", "before": "", "after": "switch-3"} in details and len(details) == 3
    assert any(row.action == "site_camera_changed" for row in office.room.store.audit_rows())


def test_the_same_again_changes_nothing(office: Office) -> None:
    office.replace({"azimuth_deg": 87.5})
    files = office.files
    told = office.replace({"azimuth_deg": 87.5})
    assert told["version"] is None and told["counts"]["changed"] == 0 and office.files == files
    assert len(office.get("/versions")["items"]) == 2


def test_who_is_slower_gets_what_is_newer_and_overwrites_nothing(office: Office) -> None:
    seen = office.camera()
    office.replace({"tilt_deg": 11})
    files = office.files
    late = office.send("PUT", "/cameras/c0001", {"digest": seen["digest"], "camera": seen["camera"] | {"tilt_deg": 12}}, 409)
    assert late["current"]["camera"]["tilt_deg"] == 11 and late["by"] == "root" and late["version"] == 2
    late = office.send("PUT", "/cameras/c0001", {"digest": seen["digest"], "rules": []}, 409)
    assert late["current"]["digest"] == office.camera()["digest"]
    office.send("DELETE", f"/cameras/c0001?digest={seen['digest']}", None, 409)
    other = office.camera("c0002")["digest"]
    both = {"cameras": {"c0002": other, "c0001": seen["digest"]}, "set": {"enabled": False}}
    office.send("POST", "/cameras/changes", both, 409)
    assert office.files == files


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"lon": 191.9}, "lon", "expected a number from -180 to 180, got '191.9'"),
        ({"lon": 2.35, "lat": 48.86}, "lon", "expected"),  # another district
        ({"hfov_deg": 0}, "hfov_deg", "from 1 to 180"),
        ({"hfov_deg": 360}, "hfov_deg", "from 1 to 180"),
        ({"height_m": -3}, "height_m", "from 0.5 to 300"),
        ({"grid_cell": "g9"}, "grid_cell", "expected the id of a grid_cell"),
        ({"url_sub": "http//no-colon"}, "url_sub", "expected"),
        ({"url_sub": "rtsp://admin:secret-4711@192.0.2.1/sub"}, "url_sub", "expected"),
        ({"credential": "nobody"}, "credential", "login"),
        ({"focal_mm": 4}, "sensor_mm", "expected focal_mm and sensor_mm together"),
        ({"gb_code": "3402"}, "gb_code", "20 digits"),
        ({"name": {"zh": "", "en": ""}}, "name_zh", "missing"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_place_and_nothing_is_written(
    calm_office: Office, change: JsonObject, field: str, expected: str
) -> None:
    office, files = calm_office, calm_office.files
    told = office.replace(change, status=422)
    [first, *_] = [each for each in told["problems"] if each["field"] == field]
    assert expected in first["reason"] and (first["file"], first["line"], first["camera"]) == ("cameras.csv", 2, "c0001")
    assert office.files == files and "secret-4711" not in str(told)
    assert len(office.get("/versions")["items"]) == 1


def test_cameras_are_added_and_deleted_with_their_rules(office: Office) -> None:
    new = office.camera()["camera"] | {"id": "c0009", "name": {"zh": "", "en": "New"}, "url_sub": "rtsp://192.0.2.9/sub"}
    told = office.send("POST", "/cameras", {"camera": new}, 201)
    assert told["counts"]["added"] == 1
    assert [rule["name"] for rule in told["cameras"][0]["rules"]] == ["still"]  # what holds for every camera
    again = office.send("POST", "/cameras", {"camera": new}, 409)
    assert again["current"]["camera"]["id"] == "c0009"
    for camera in ("c0001", "c0009", "c0002"):
        office.send("DELETE", f"/cameras/{camera}?digest={office.camera(camera)['digest']}")
    assert "night" not in (office.folder / "rules.toml").read_text()
    last = office.send("DELETE", f"/cameras/c0003?digest={office.camera('c0003')['digest']}", None, 422)
    assert last["problems"][0]["reason"].endswith("this is the last")


def test_several_cameras_at_once_or_none(office: Office) -> None:
    digests = {each["id"]: each["digest"] for each in office.get("/cameras")["cameras"]}
    told = office.send("POST", "/cameras/changes", {"cameras": digests, "set": {"uplink": "switch-1", "enabled": False}})
    assert told["counts"]["changed"] == 3
    assert {(camera.uplink, camera.enabled) for camera in load_site(office.folder).cameras} == {("switch-1", False)}
    digests = {each["id"]: each["digest"] for each in office.get("/cameras")["cameras"]}
    files = office.files
    wrong = office.send("POST", "/cameras/changes", {"cameras": digests, "set": {"grid_cell": "g9"}}, 422)
    assert {each["camera"] for each in wrong["problems"]} == set(digests) and office.files == files
    office.send("POST", "/cameras/changes", {"cameras": digests, "set": {}}, 422)


def test_rules_of_one_camera_leave_those_of_others(office: Office) -> None:
    known = office.camera()
    zone = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]
    rules = [
        known["rules"][0] | {"zone": zone, "severity": 1},
        {"name": "line", "kind": "line_crossing", "line": [[0, 0.5], [1, 0.5]], "zone_name": {"zh": "线", "en": "Line"}},
    ]
    told = office.send("PUT", "/cameras/c0001", {"digest": known["digest"], "rules": rules})
    assert [rule["name"] for rule in told["cameras"][0]["rules"]] == ["night", "line"]
    site = load_site(office.folder)
    assert [rule.name for rule in site.rules_of("c0002")] == ["still"] and site.rules_of("c0001")[0].severity == 1
    crossed = [{**rules[0], "zone": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]}, {**rules[1], "dwell_s": 9e9}]
    files = office.files
    wrong = office.send("PUT", "/cameras/c0001", {"digest": told["cameras"][0]["digest"], "rules": crossed}, 422)
    assert [each["field"] for each in wrong["problems"]] == ["rule 1: zone", "rule 2: dwell_s"] and office.files == files


def test_masks_of_one_camera(office: Office) -> None:
    outline = [[0, 0], [0.3, 0], [0.3, 0.2]]
    told = office.send("PUT", "/cameras/c0001", {"digest": office.camera()["digest"], "privacy": [outline]})
    assert told["cameras"][0]["privacy"] == [outline] and told["cameras"][0]["ignore"] == []
    digest = told["cameras"][0]["digest"]
    for wrong in ([[0, 0], [1.5, 0], [1, 1]], [[0, 0], [0, 0]], []):
        refused = office.send("PUT", "/cameras/c0001", {"digest": digest, "privacy": [wrong]}, 422)
        assert refused["problems"][0]["field"] == "privacy 1: outline"
    assert office.send("PUT", "/cameras/c0001", {"digest": digest, "privacy": []})["cameras"][0]["privacy"] == []
    assert load_site(office.folder).masks == ()


def test_camera_rules_and_masks_are_one_change_or_none(office: Office) -> None:
    known, files = office.camera(), office.files
    outline, zone = [[0, 0], [0.3, 0], [0.3, 0.2]], [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]
    rule = known["rules"][0] | {"zone": zone, "severity": 1, "dwell_s": 4.0, "labels": ["person", "vehicle"]}
    wanted = {"digest": known["digest"], "camera": known["camera"] | {"azimuth_deg": 87.5}, "rules": [rule], "privacy": [outline]}
    crossed = rule | {"zone": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]}
    wrong = {"camera": wanted["camera"] | {"height_m": -3}, "rules": [crossed], "ignore": [[[0, 0], [2, 0], [0, 1]]]}
    told = office.send("PUT", "/cameras/c0001", wanted | wrong, 422)
    assert [each["field"] for each in told["problems"]] == ["height_m", "rule 1: zone", "ignore 1: outline"]
    assert office.files == files and len(office.get("/versions")["items"]) == 1
    told = office.send("PUT", "/cameras/c0001", wanted)
    assert told["version"] == 2 and len(office.get("/versions")["items"]) == 2
    changed = told["cameras"][0]
    assert changed["camera"]["azimuth_deg"] == 87.5 and changed["privacy"] == [outline] and changed["ignore"] == []
    assert changed["rules"][0]["severity"] == 1 and changed["rules"][0]["dwell_s"] == 4.0
    assert [row.action for row in office.room.store.audit_rows()].count("site_camera_changed") == 1
    office.send("POST", "/versions/1/restore", {"digest": told["site_digest"]})
    assert office.camera() == known


def test_a_table_is_tried_then_imported_once(office: Office) -> None:
    exported = office.root.get("/api/v1/registry/export?format=csv")
    assert exported.headers["content-disposition"] == 'attachment; filename="cameras.csv"'
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    rows += [rows[0] | {"id": "c0010", "url_sub": "rtsp://192.0.2.10/sub"}, rows[0] | {"id": "c0011", "height_m": "-1"}]
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    files, path = office.files, "/api/v1/registry/import?format=csv"
    tried = office.root.post(path, content=table.getvalue().encode()).json()
    assert (tried["dry_run"], tried["added"], tried["unchanged"], tried["refused"]) == (True, 1, 3, 1)
    assert tried["faults"] == [
        {
            "line": 6,
            "camera": "c0011",
            "problems": [{"field": "height_m", "reason": "expected a number from 0.5 to 300, got '-1'"}],
        }
    ]
    assert office.files == files
    without = office.root.post(f"{path}&dry_run=false", content=table.getvalue().encode())
    assert without.status_code == 422 and "site_digest of the dry run" in without.json()["detail"]
    real = f"{path}&dry_run=false&digest={tried['site_digest']}"
    done = office.root.post(real, content=table.getvalue().encode()).json()
    assert done["changed_now"]["counts"]["added"] == 1 and "c0010" in load_site(office.folder).camera_by_id
    late = office.root.post(real, content=table.getvalue().encode())
    assert late.status_code == 409 and late.json()["version"] == 2
    again = office.root.post(f"{path}&dry_run=false&digest={done['site_digest']}", content=table.getvalue().encode()).json()
    assert again["changed_now"] is None and len(office.get("/versions")["items"]) == 2


@pytest.mark.parametrize("form", ["csv", "xlsx", "geojson"])
def test_what_is_exported_is_imported_without_a_change(calm_office: Office, form: str) -> None:
    office = calm_office
    table = office.root.get(f"/api/v1/registry/export?format={form}").content
    told = office.root.post(f"/api/v1/registry/import?format={form}", content=table).json()
    assert (told["unchanged"], told["rows"]) == (3, 3)
    broken = office.root.post(f"/api/v1/registry/import?format={form}", content=b"\x00\xff")
    assert broken.status_code == 422 and "/tmp" not in broken.json()["detail"]


def test_an_earlier_version_comes_back_as_a_new_one(office: Office) -> None:
    first = office.get("")
    office.replace({"azimuth_deg": 87.5})
    office.send("DELETE", f"/cameras/c0003?digest={office.camera('c0003')['digest']}")
    told = office.send("POST", "/versions/1/restore", {"digest": office.get("")["site_digest"]})
    assert told["version"] == 4 and told["site_digest"] == first["site_digest"]
    assert told["counts"] == {"added": 1, "changed": 1, "removed": 0}
    assert len(load_site(office.folder).cameras) == 3
    assert office.get("/versions?limit=2")["next"] == 3 and office.get("/versions")["items"][0]["restored"] == 1
    office.send("POST", "/versions/1/restore", {"digest": "0" * 64}, 409)
    office.send("POST", "/versions/99/restore", {"digest": "0" * 64}, 404)


def test_what_somebody_edits_in_the_folder_is_a_version_and_a_conflict(office: Office) -> None:
    seen = office.camera()
    table = office.folder / "cameras.csv"
    table.write_text(table.read_text().replace("rtsp://192.0.2.1/sub", "rtsp://192.0.2.77/sub"))
    late = office.send("PUT", "/cameras/c0001", {"digest": seen["digest"], "camera": seen["camera"]}, 409)
    assert late["current"]["camera"]["url_sub"] == "rtsp://192.0.2.77/sub" and late["by"] == "folder"
    assert office.get("/versions")["items"][0]["changed"] == ["c0001"]
    table.write_text(table.read_text().replace("rtsp://192.0.2.77/sub", "nonsense"))
    broken = office.root.put("/api/v1/registry/cameras/c0002", json={"digest": "0" * 64, "privacy": []})
    assert broken.status_code == 422 and broken.json()["problems"][0]["file"] == "cameras.csv"
    assert str(office.folder) not in broken.text


def test_only_administrators_may_look_or_change(office: Office) -> None:
    dispatcher = office.room.person(office.root, "dina", "dispatcher")
    known = office.camera()
    assert dispatcher.get("/api/v1/registry/cameras").status_code == 403
    body = {"digest": known["digest"], "camera": known["camera"]}
    assert dispatcher.put("/api/v1/registry/cameras/c0001", json=body).status_code == 403


def test_the_view_of_a_camera_that_is_not_saved(calm_office: Office) -> None:
    site = calm_office.room.site
    coverage = Coverage(site)
    calm_office.room.app.state.coverage.put(CoverageNow(1, 0.0, coverage, coverage.with_states({})))
    files, camera = calm_office.files, calm_office.camera()["camera"]
    told = calm_office.send("POST", "/geometry", {"camera": camera})
    assert told["area_m2"] == pytest.approx(coverage.view("c0001").area, rel=1e-3) and told["dead_zone_m"] > 1
    assert [band["band"] for band in told["bands"]] == ["monitor", "detect", "observe", "recognise", "identify"]
    assert told["view"] == told["bands"][1]["geometry"] and told["inside"] is None
    unsaved = {key: camera[key] for key in ("lon", "lat", "height_m", "azimuth_deg", "tilt_deg")}
    lens = calm_office.send("POST", "/geometry", {"camera": {**unsaved, "focal_mm": 12, "sensor_mm": 5.37}, "light": "night"})
    assert 0 < lens["area_m2"] != told["area_m2"]
    wrong = calm_office.send("POST", "/geometry", {"camera": {**unsaved, "hfov_deg": 360}}, 422)
    assert wrong["problems"][0]["field"] == "hfov_deg"
    answers = [calm_office.root.post("/api/v1/registry/geometry", json={"camera": camera}) for _ in range(40)]
    late = [answer for answer in answers if answer.status_code == 429]
    assert all(answer.headers["retry-after"] == "1" for answer in late)
    assert calm_office.files == files


def test_a_login_is_sealed_used_and_never_told(office: Office, tmp_path: Path) -> None:
    registry, secret = office.room.app.state.dashboard.registry, "correct horse 4711"
    path = "/credentials/yard"
    refused = office.send("PUT", path, {"user": "viewer", "password": secret}, 422)
    assert "no place for the key" in refused["detail"]
    registry.keep_logins_in(Vault(tmp_path / "credentials.key"))
    told = office.send("PUT", path, {"user": "viewer", "password": secret})
    assert told["credential"] == {"name": "yard", "user": "viewer", "source": "registry", "cameras": 0}
    assert stat.S_IMODE((tmp_path / "credentials.key").stat().st_mode) == 0o600
    told = office.replace({"credential": "yard"})
    assert told["counts"]["changed"] == 1
    listed = office.get("/credentials")["credentials"]
    assert [(each["name"], each["source"], each["cameras"]) for each in listed] == [
        ("gate", "secrets.toml", 2),
        ("yard", "registry", 1),
    ]
    everything = b"".join(office.files.values()) + (tmp_path / "gridpatrol.db").read_bytes()
    for answer in (told, listed, office.get(""), office.get("/versions/2")):
        assert secret not in str(answer)
    assert secret.encode() not in everything
    assert Vault(tmp_path / "credentials.key").opened(load_site(office.folder)).credential_by_name["yard"].password == secret
    (tmp_path / "other").write_bytes(bytes(32))
    (tmp_path / "other").chmod(0o600)
    assert Vault(tmp_path / "other").opened(load_site(office.folder)).credential_by_name["yard"].password == ""
    for name, status in (("yard", 409), ("gate", 409), ("nobody", 404)):  # used; in secrets.toml; not there
        assert office.root.delete(f"/api/v1/registry/credentials/{name}").status_code == status
    office.send("PUT", "/credentials/gate", {"user": "viewer", "password": secret}, 409)
    office.replace({"credential": "gate"})
    assert office.root.delete("/api/v1/registry/credentials/yard").status_code == 204
    assert not (office.folder / "credentials.toml").exists()
