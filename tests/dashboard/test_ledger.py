"""The ledger and the assessment over the API, and the files they make."""

import csv
import io
import uuid
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from base import Gap, GapCause, SimulatedClock
from dashboard.ledger_export import Cell, csv_file, harmless, xlsx_file
from dashboard.schemas import iso
from patrol.ledger import COLUMNS, FILTERS, Book
from tests.dashboard.room import Room

NOON_S = 1_700_020_800.0  # 2023-11-15 12:00 in Shanghai
FROM, TO = "2023-11-14T16:00:00Z", "2023-11-15T16:00:00Z"  # that day there


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    return new_room(SimulatedClock(NOON_S))


def report(room: Room, client: object, text: str, category: str = "facility") -> None:
    body = {"command_id": str(uuid.uuid4()), "origin": "hotline", "category": category, "severity": 3, "text": text}
    answer = client.post("/api/v1/incidents", json=body | {"grid_cell": "g1", "caller": "Mrs Canary"})  # type: ignore[attr-defined]
    assert answer.status_code == 201, answer.text
    assert isinstance(room.clock, SimulatedClock)
    room.clock.advance(1)


def test_a_book_is_read_page_by_page_without_losing_or_doubling_a_line(room: Room) -> None:
    boss = room.set_up()
    for number in range(7):
        report(room, boss, f"路灯 {number}", "facility" if number % 2 else "help")
    seen, after = [], None
    while True:
        query = {"limit": "3"} | ({"after": after} if after else {})
        page = boss.get("/api/v1/ledger/incidents", params=query).json()
        seen += [line["summary"] for line in page["items"]]
        after = page["next"]
        if after is None:
            break
        if len(seen) == 3:
            report(room, boss, "later")  # comes before the pages read so far, so it is not in this walk
    assert seen == [f"路灯 {number}" for number in reversed(range(7))]
    assert [column["key"] for column in page["columns"]] == [column.key for column in COLUMNS[Book.INCIDENTS]]
    found = boss.get("/api/v1/ledger/incidents", params={"category": "help", "text": "路灯", "from": FROM, "to": TO}).json()
    assert [line["summary"] for line in found["items"]] == ["路灯 6", "路灯 4", "路灯 2", "路灯 0"]
    assert boss.get("/api/v1/ledger/incidents", params={"to": FROM}).json()["items"] == []
    assert boss.get("/api/v1/ledger/incidents", params={"text": "%"}).json()["items"] == []


def test_every_book_is_found_by_place_and_by_nothing_it_does_not_know(room: Room) -> None:
    boss = room.set_up()
    room.raise_event()
    room.store.record_gaps([Gap("c0002", NOON_S - 60, NOON_S, GapCause.STALL), Gap("c0003", NOON_S - 60, None, GapCause.CONNECT)])
    for book in Book:
        for query in ({"grid_cell": "g1"}, {"compound": "p1"}, {"community": "m1"}):
            lines = boss.get(f"/api/v1/ledger/{book}", params=query).json()["items"]
            assert bool(lines) == (book in (Book.INCIDENTS, Book.EVENTS, Book.GAPS)), (book, query)
            assert boss.get(f"/api/v1/ledger/{book}", params={next(iter(query)): "elsewhere"}).json()["items"] == []
        for name, value in {"team": "t01", "category": "help", "severity": "2", "verdict": "true"}.items():
            status = boss.get(f"/api/v1/ledger/{book}", params={name: value}).status_code
            assert status == (200 if name in FILTERS[book] else 422), (book, name)
        for name, value in {"after": "x", "limit": "501", "from": "yesterday", "grid_cell": "a b"}.items():
            assert boss.get(f"/api/v1/ledger/{book}", params={name: value}).status_code == 422
    gaps = boss.get("/api/v1/ledger/gaps", params={"limit": "1"}).json()
    assert (gaps["items"][0]["camera"], gaps["items"][0]["compound"]) == ("c0003", "p1")
    more = boss.get("/api/v1/ledger/gaps", params={"limit": "1", "after": gaps["next"]}).json()
    assert ([line["camera"] for line in more["items"]], more["next"]) == (["c0002"], None)
    assert boss.get("/api/v1/ledger/people").status_code == 422


def test_the_files_hold_what_the_pages_hold_and_no_formula(room: Room) -> None:
    boss = room.set_up()
    operator = room.person(boss, "li.na", "operator")
    said = ['=HYPERLINK("http://x")', '引号"、逗号,\n换行', "plain"]
    for text in said:
        report(room, boss, text)
    assert operator.get("/api/v1/ledger/incidents/export").status_code == 403
    answer = boss.get("/api/v1/ledger/incidents/export", params={"language": "zh"})
    assert answer.headers["content-disposition"] == 'attachment; filename="incidents.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in answer.content
    header, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert header == [column.name.zh for column in COLUMNS[Book.INCIDENTS]]
    by_name = [dict(zip(header, line, strict=True)) for line in lines]
    assert [line["内容"] for line in by_name] == ["plain", said[1], f"'{said[0]}"]
    assert by_name[2]["立案时间"] == "2023-11-15T12:00:00+08:00"
    assert (by_name[0]["类别"], by_name[0]["网格"], by_name[0]["来源"]) == ("公共设施", "网格 (g1)", "居民来电")
    assert "Canary" not in answer.text
    sheet = _sheet(boss.get("/api/v1/ledger/incidents/export", params={"format": "xlsx", "language": "en"}).content)
    assert sheet[0][:3] == ["Incident", "Opened", "Origin"]
    assert [line[sheet[0].index("What was reported")] for line in sheet[1:]] == ["plain", said[1], said[0]]
    rows = room.store.audit_rows(2)
    assert {row.action for row in rows} == {"export_ledger"}
    assert rows[0].detail == "xlsx, 3 lines"


def _sheet(content: bytes) -> list[list[str]]:
    """The texts and numbers of the first sheet; fails if any cell is a formula."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        assert next(tree.iter(f"{name}f"), None) is None
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            shared = ["".join(part.itertext()) for part in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
    rows = []
    for row in tree.iter(f"{name}row"):
        cells: dict[int, str] = {}
        for cell in row:
            column = 0
            for letter in cell.attrib["r"].rstrip("0123456789"):
                column = 26 * column + ord(letter) - 64
            text = "".join(cell.itertext())
            cells[column - 1] = shared[int(text)] if cell.attrib.get("t") == "s" else text
        rows.append([cells.get(column, "") for column in range(max(cells) + 1)])
    return rows


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＠x"])
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless(f"a{text}") == f"a{text}"
    [(first, second)] = csv.reader(io.StringIO(b"".join(csv_file(["a", "b"], [])).decode("utf-8-sig")))
    assert (first, second) == ("a", "b")


def test_numbers_stay_numbers() -> None:
    [_, line] = b"".join(csv_file(["n", "m", "t"], [[-1, -0.5, None]])).decode("utf-8-sig").splitlines()
    assert line == "-1,-0.5,"
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert _sheet(b"".join(xlsx_file(["n", "t"], [[-1, moment]])))[1] == ["-1", "46082.5"]


def test_a_file_is_made_a_little_at_a_time() -> None:
    """However many rows there are, only what is being written was asked for."""
    asked = []

    def rows() -> Iterator[Sequence[Cell]]:
        for number in range(20_000):
            asked.append(number)
            yield ["x" * 50, number]

    pieces = csv_file(["a", "b"], rows())
    first = next(pieces)
    assert len(asked) < 3000
    assert len(first) < 128 * 1024
    assert sum(map(len, pieces)) + len(first) > 1_000_000


def test_an_interrupted_file_lets_go_of_its_rows() -> None:
    def rows() -> Iterator[Sequence[Cell]]:
        yield ["a"]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(xlsx_file(["a"], rows()))


def test_figures_are_the_same_again_as_of_the_same_moment(room: Room) -> None:
    boss = room.set_up()
    operator = room.person(boss, "li.na", "operator")
    incident = room.raise_event()
    assert isinstance(room.clock, SimulatedClock)
    room.clock.advance(30)
    body = {"step": "acknowledge", "version": incident.version, "command_id": str(uuid.uuid4())}
    assert boss.post(f"/api/v1/incidents/{incident.id}/steps", json=body).status_code == 200
    assert operator.get("/api/v1/assessment", params={"from": FROM, "to": TO}).status_code == 403
    query = {"from": FROM, "to": TO, "by": "camera", "as_of": iso(NOON_S + 31)}
    room.clock.advance(600)
    answered = boss.get("/api/v1/assessment", params=query)
    assert answered.status_code == 200, answered.text
    before = answered.json()
    timing = before["all"]["timings"]["acknowledge"]
    assert timing == {"count": 1, "median_s": 30.0, "p90_s": 30.0, "runs": 1, "in_time": 1, "share": 1.0}
    assert (before["all"]["opened"], before["all"]["closing_rate"], before["groups"][0]["name"]) == (1, 0.0, "c0001")
    close = {"step": "close", "version": 2, "command_id": str(uuid.uuid4()), "verdict": "false_alarm", "cause": "rain"}
    assert boss.post(f"/api/v1/incidents/{incident.id}/steps", json=close).status_code == 200
    assert boss.get("/api/v1/assessment", params=query).json() == before
    after = boss.get("/api/v1/assessment", params=query | {"as_of": iso(room.clock.now_s()), "by": "rule"}).json()
    assert (after["all"]["closing_rate"], after["groups"][0]["name"], after["groups"][0]["false_alarm_rate"]) == (
        1,
        "c0001/night",
        1,
    )
    assert after["all"]["timings"]["dispatch"]["in_time"] == 0
    text = boss.get("/api/v1/assessment/export", params=query | {"language": "en"}).content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert (lines[0][:2], lines[1][:2], lines[2][0]) == (["camera", "Opened"], ["Camera 1 (c0001)", "1"], "All")
    wrong = ({"to": FROM}, {"to": "2025-01-01T00:00:00Z"}, {"as_of": "2030-01-01T00:00:00Z"}, {"by": "person"})
    for each in wrong:
        assert boss.get("/api/v1/assessment", params=query | each).status_code == 422, each
