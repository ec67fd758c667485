"""The reports over the API: hours and coverage as figures and files, in an account's area only."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from base import Gap, GapCause
from dashboard.schemas import iso
from tests.dashboard.two_halves import Halves, two_halves
from tests.patrol.small_site import NOON_S

DAY = {"from": iso(NOON_S - 86_400), "to": iso(NOON_S + 86_400)}


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halves]:
    with two_halves(tmp_path_factory.mktemp("halves")) as made:
        yield made


def lines_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_hours_are_those_of_the_site_and_of_the_area(halves: Halves) -> None:
    everything = halves.root.get("/api/v1/reports/hours", params=DAY).json()
    assert everything["timezone"] == "Asia/Shanghai"
    assert {cell["grid_cell"]: cell["hours"][12] for cell in everything["cells"]} == {"g1": 1, "g2": 1}
    assert (everything["total"], everything["hours"][12], sum(everything["hours"])) == (2, 2, 2)
    own = halves.limited.get("/api/v1/reports/hours", params=DAY).json()
    assert [(cell["grid_cell"], cell["total"]) for cell in own["cells"]] == [("g1", 1)] and own["total"] == 1
    opened = halves.root.get("/api/v1/reports/hours", params=DAY | {"of": "incidents"}).json()
    assert opened["total"] == halves.root.get("/api/v1/assessment", params=DAY).json()["all"]["opened"]
    assert halves.colleague.get("/api/v1/reports/hours", params=DAY).status_code == 403
    for wrong in ({"of": "people"}, {"to": DAY["from"]}, {"severity": "5"}):
        assert halves.root.get("/api/v1/reports/hours", params=DAY | wrong).status_code == 422


def test_the_file_of_hours_has_a_line_for_each_cell_and_is_in_the_audit(halves: Halves) -> None:
    answer = halves.limited.get("/api/v1/reports/hours/export", params=DAY | {"language": "en"})
    header, *lines = lines_of(answer.content)
    assert header == ["Grid cell", "All", *(f"{hour:02d}:00" for hour in range(24))]
    assert [line[:2] for line in lines] == [["Grid cell (g1)", "1"], ["All", "1"]]
    assert lines[0][2 + 12] == "1"
    assert "g2" not in answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="events-by-hour.csv"'
    row = halves.room.store.audit_rows(1)[0]
    assert (row.action, row.resource, row.detail) == ("export_report", "reports/hours", "csv, events")


def test_coverage_is_a_series_with_its_means(tmp_path: Path) -> None:
    with two_halves(tmp_path) as halves:
        began_s = halves.clock.now_s() - 60  # of the gaps of c0001 and c0004, which last
        halves.room.store.record_gaps([Gap("c0002", began_s, began_s + 1800, GapCause.STALL)])
        halves.clock.advance(4 * 3600.0)
        wang, zhao = (
            halves.room.sneak_in("user", halves.room.store.add_user(name, "", "dispatcher", areas).id)
            for name, areas in (("sun", ()), ("zhao", ("m1",)))
        )
        asked = {"from": iso(began_s), "to": iso(began_s + 3 * 3600)}
        found = wang.get("/api/v1/reports/coverage", params=asked).json()
        rates = [point["rate"] for point in found["points"]]
        assert [point["at"] for point in found["points"]] == [iso(began_s + hour * 3600) for hour in range(3)]
        assert rates[0] < rates[1] == rates[2] and found["known_from"] == iso(began_s)
        assert found["mean"] == pytest.approx(sum(rates) / 3, abs=1e-4)
        by_place = {each["place"]: each for each in found["places"]}
        assert set(by_place) == {"m1", "m2", "g1", "g2"}
        assert by_place["g1"]["lowest_at"] == iso(began_s) and by_place["g1"]["lowest"] < by_place["g1"]["mean"]
        assert found["mean"] == wang.get("/api/v1/assessment", params=asked).json()["all"]["coverage"]
        fast = wang.get("/api/v1/assessment", params=asked | {"with_coverage": "false"}).json()
        assert fast["all"]["coverage"] is None
        own = zhao.get("/api/v1/reports/coverage", params=asked).json()
        assert {each["place"] for each in own["places"]} == {"m1", "g1"}
        header, *lines = lines_of(zhao.get("/api/v1/reports/coverage/export", params=asked | {"language": "en"}).content)
        assert header == ["Time", "Covered share", "Community (m1)"]
        assert [float(line[1]) for line in lines] == [point["rate"] for point in own["points"]]
        assert lines[0][0] == "2023-11-15T11:59:00+08:00"
        assert wang.get("/api/v1/reports/coverage", params=asked | {"severity": "1"}).status_code == 422
