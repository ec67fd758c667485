"""Coverage over HTTP: what is covered, why not, what it was like, as a report, and where another camera would help."""

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from base import Gap, GapCause
from camera_config.site import Pole
from dashboard import CoverageNow, announce_coverage
from dashboard.schemas import iso
from patrol.coverage_causes import SwitchLost
from tests.dashboard.two_halves import Halves, two_halves
from tests.patrol.small_site import NOON_S


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halves]:
    with two_halves(tmp_path_factory.mktemp("halves")) as found:
        yield found


def test_what_is_covered_now_with_its_causes(halves: Halves) -> None:
    told = halves.root.get("/api/v1/coverage").json()
    assert told["definition"]["band"] == "detect" and told["definition"]["pixels_per_metre"] == 25
    assert told["statistics"] | {"cameras": 4, "working": 0} == told["statistics"]
    places = {each["place"]: each for each in told["places"]}
    assert places.keys() == {"d1", "m1", "p1", "g1", "m2", "p2", "g2"}
    assert places["d1"]["figure"]["ground_m2"] == pytest.approx(
        places["g1"]["figure"]["ground_m2"] + places["g2"]["figure"]["ground_m2"], rel=1e-6
    )
    [cause] = told["causes"]
    assert (cause["cause"], len(cause["cameras"])) == ("offline", 4) and cause["lost_m2"] > 1000
    [first, *_] = told["blind_spots"]
    assert first["outline"]["type"] == "Polygon" and "key_node:k1" in first["touches"]
    assert len(first["names"]) == len([touch for touch in first["touches"] if touch != "lane"]) and all(
        name["zh"] or name["en"] for name in first["names"]
    )
    ring = first["outline"]["coordinates"][0]
    assert ring[0] == ring[-1] and all(120.9 < lon < 121.1 and 30.9 < lat < 31.1 for lon, lat in ring)


def test_a_limited_account_gets_its_own_part(halves: Halves) -> None:
    mine = halves.limited.get("/api/v1/coverage").json()
    assert {each["place"] for each in mine["places"]} == {"m1", "p1", "g1"} and mine["statistics"] is None
    assert {spot["community"] for spot in mine["blind_spots"]} == {"m1"}
    assert [len(cause["cameras"]) for cause in mine["causes"]] == [3]
    report = halves.limited.get("/api/v1/coverage/report").json()
    assert {each["place"] for each in report["places"]} == {"m1", "p1", "g1"}
    assert {each["grid_cell"] for each in halves.limited.get("/api/v1/coverage/history").json()["cells"]} <= {"g1"}
    for path in ("history?place=g2", "history?place=d1"):
        assert halves.limited.get(f"/api/v1/coverage/{path}").status_code == 422
    for body, status in (({"count": 1}, 403), ({"count": 1, "place": "g2"}, 422)):
        assert halves.limited.post("/api/v1/coverage/plan", json=body).status_code == status


def test_views_are_geojson_with_the_state_of_the_camera(halves: Halves) -> None:
    found = halves.root.get("/api/v1/coverage/views").json()
    assert found["type"] == "FeatureCollection" and len(found["features"]) == 4
    assert {feature["properties"]["state"] for feature in found["features"]} == {"offline"}
    near = halves.root.get("/api/v1/coverage/views", params={"band": "identify"}).json()
    assert near["features"][0]["geometry"] != found["features"][0]["geometry"]
    assert halves.root.get("/api/v1/coverage/views", params={"band": "everything"}).status_code == 422


def test_the_history_says_what_was_lost_and_how_much_was_covered(halves: Halves) -> None:
    now_s = halves.clock.now_s()
    gap = Gap("c0002", now_s - 3600, now_s - 1800, GapCause.STALL)
    halves.room.store.record_gaps([gap])
    asked: dict[str, str | int] = {"from": iso(now_s - 7200), "to": iso(now_s - 60), "points": 5, "place": "g1"}
    told = halves.root.get("/api/v1/coverage/history", params=asked).json()
    assert told["from"] == asked["from"]
    cell = next(each for each in told["cells"] if each["grid_cell"] == "g1")
    assert cell["minutes"] == {"offline": 30.0} and cell["cameras"] == 3
    assert cell["share"] == pytest.approx(30 / (3 * 119), abs=1e-5)
    working = [moment["working"] for moment in told["points"]]
    assert working[0] == 4 and min(working) == 3 and len(working) == 5
    rates = [moment["rate"] for moment in told["points"]]
    assert rates[working.index(3)] < rates[0]
    wrongs: tuple[dict[str, str], ...] = ({"from": iso(now_s + 60)}, {"from": iso(now_s - 40 * 86_400)}, {"points": "1000"})
    for wrong in wrongs:
        assert halves.root.get("/api/v1/coverage/history", params=wrong).status_code == 422


def test_a_moment_of_the_past_has_its_own_map_and_figures(halves: Halves) -> None:
    now_s = halves.clock.now_s()
    halves.room.store.record_gaps([Gap("c0003", now_s - 900, now_s - 600, GapCause.STALL)])

    def lost(at_s: float) -> list[str]:
        views = halves.root.get("/api/v1/coverage/views", params={"at": iso(at_s)}).json()
        return [each["properties"]["camera"] for each in views["features"] if each["properties"]["state"] != "working"]

    assert lost(now_s - 700) == ["c0003"] and lost(now_s - 500) == []
    then, later = (halves.root.get("/api/v1/coverage", params={"at": iso(at_s)}).json() for at_s in (now_s - 700, now_s - 500))
    assert then["at"] == iso(now_s - 700) and [cause["cameras"] for cause in then["causes"]] == [["c0003"]]
    assert then["statistics"]["working"] == 3 and later["statistics"]["working"] == 4 and later["causes"] == []
    assert then["proposals"] == [] == later["proposals"]
    for wrong_s in (now_s + 60, now_s - 40 * 86_400):
        for path in ("coverage", "coverage/views"):
            assert halves.root.get(f"/api/v1/{path}", params={"at": iso(wrong_s)}).status_code == 422


def test_an_assessment_has_the_mean_coverage_of_places_and_months(tmp_path: Path) -> None:
    with two_halves(tmp_path) as halves:
        began_s = halves.clock.now_s() - 60  # of the gaps of c0001 and c0004, which last
        halves.clock.advance(3 * 3600.0)
        limited = halves.room.sneak_in("user", halves.room.store.add_user("zhao", "", "dispatcher", ("m1",)).id)
        asked = {"from": iso(began_s - 86_400), "to": iso(began_s + 2 * 3600)}
        known = halves.root.get("/api/v1/coverage/history", params={"place": "g1"}).json()
        rate = known["points"][-1]["rate"]
        told = halves.root.get("/api/v1/assessment", params=asked | {"by": "grid_cell"}).json()
        by_cell = {group["name"]: group["coverage"] for group in told["groups"]}
        assert by_cell["g1"] == rate > 0 == by_cell["g2"]
        assert 0 < told["all"]["coverage"] < by_cell["g1"]
        months = halves.root.get("/api/v1/assessment", params=asked | {"by": "month"}).json()
        assert [group["coverage"] for group in months["groups"]] == [told["all"]["coverage"]]
        own = limited.get("/api/v1/assessment", params=asked).json()
        assert own["all"]["coverage"] == by_cell["g1"], "of its own ground"
        some = halves.root.get("/api/v1/assessment", params=asked | {"severity": "1"}).json()
        assert some["all"]["coverage"] is None
        file = halves.root.get("/api/v1/assessment/export", params=asked | {"by": "grid_cell", "language": "en"})
        header, *rows = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
        at = header.index("Mean coverage")
        assert {row[0].partition("(")[2].rstrip(")"): row[at] for row in rows[:-1]}["g1"] == str(by_cell["g1"])
        assert known["known_from"] == iso(began_s)


def test_the_report_is_a_file_too(halves: Halves) -> None:
    answer = halves.root.get("/api/v1/coverage/report", params={"format": "csv", "language": "en"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "Level" and rows[1][:3] == ["statistics", "cameras", "Cameras"] and rows[1][-1] == "4"
    assert [row[1] for row in rows if row[0] == "grid_cell"] == ["g1", "g2"]
    assert len({len(row) for row in rows}) == 1
    sheet = halves.root.get("/api/v1/coverage/report", params={"format": "xlsx"})
    assert sheet.content[:2] == b"PK"
    assert halves.root.get("/api/v1/coverage/report", params={"format": "pdf"}).status_code == 422


def test_a_plan_says_where_to_put_the_next_camera(halves: Halves) -> None:
    pole = Pole("pole-1", 121.005, 31.005, 5.0)
    answer = halves.root.post("/api/v1/coverage/plan", json={"count": 2, "place": "g1"})
    assert answer.json() == {"items": []}, "neither poles nor buildings"
    parts = halves.room.app.state.dashboard
    halves.room.app.state.dashboard = replace(parts, site=replace(parts.site, poles=(pole,)))
    try:
        [one] = halves.root.post("/api/v1/coverage/plan", json={"count": 1, "place": "g1"}).json()["items"]
    finally:
        halves.room.app.state.dashboard = parts
    assert (one["lon"], one["lat"]) == (pytest.approx(pole.lon), pytest.approx(pole.lat)) and one["gain_m2"] > 100
    assert one["view"]["type"] in ("Polygon", "MultiPolygon")
    assert halves.root.post("/api/v1/coverage/plan", json={"count": 0}).status_code == 422


def test_a_proposal_is_accepted_by_a_dispatcher_and_never_twice(tmp_path: Path) -> None:
    with two_halves(tmp_path) as halves:
        path = f"/api/v1/coverage/proposals/{halves.mine.ids['proposal']}/accept"
        assert halves.colleague.post(path).status_code == 403, "an operator sends no team"
        made = halves.limited.post(path)
        assert made.status_code == 200 and made.json()["state"] == "made"
        assert halves.limited.post(path).json() == made.json()
        stops = halves.limited.get("/api/v1/temporary-stops").json()["items"]
        assert made.json()["stop"] in {stop["id"] for stop in stops}
        halves.room.store.coverage.withdraw(["g1", "g2"])
        assert halves.root.post(path.replace(halves.mine.ids["proposal"], halves.other.ids["proposal"])).status_code == 409
        assert halves.root.post(f"/api/v1/coverage/proposals/{uuid.uuid4()}/accept").status_code == 404


def test_pages_are_told_in_short_and_each_of_its_own_area(halves: Halves) -> None:
    now: CoverageNow = halves.room.app.state.coverage.now()
    updates = halves.room.app.state.updates
    seen: list[dict[str, Any]] = []  # Any: JSON

    class Listener:
        def publish(self, kind: str, data: dict[str, Any], for_area: Any) -> None:  # Any: JSON, a function
            area = halves.room.store.area(("m1",))
            seen.extend([{"type": kind}, data, for_area(area)])

    announce_coverage(Listener(), now, halves.room.site)  # type: ignore[arg-type]  # all that it uses of the hub
    assert seen[0] == {"type": "coverage"} and seen[1]["causes"] == {"offline": 4} and seen[1]["figures"].keys() == {"d1"}
    assert seen[2]["causes"] == {"offline": 3} and seen[2]["figures"].keys() == {"m1", "g1"}
    before = updates.seq
    halves.room.call(announce_coverage, updates, now, halves.room.site)
    assert updates.seq == before + 1


def test_a_switch_that_is_down_names_its_incident(tmp_path: Path) -> None:
    with two_halves(tmp_path) as halves:
        store, now = halves.room.store, halves.room.app.state.coverage.now()
        [incident] = store.coverage.begin_outage(SwitchLost("switch-9", ("c0001", "c0002", "c0003"), NOON_S))
        lost = dict.fromkeys(("c0001", "c0002", "c0003"), "uplink:switch-9")
        halves.room.app.state.coverage.put(CoverageNow(2, NOON_S, now.coverage, now.coverage.with_states(lost)))
        [cause] = halves.root.get("/api/v1/coverage").json()["causes"]
        assert (cause["cause"], cause["uplink"], cause["incident"]) == ("uplink", "switch-9", incident.id)
        assert cause["since"] == iso(NOON_S) and len(cause["cameras"]) == 3
