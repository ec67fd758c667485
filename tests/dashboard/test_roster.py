"""Shifts, swaps, gaps, the board, support and positions over the API."""

import dataclasses
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from base import EventKind, SimulatedClock
from dashboard import DashboardSettings, announce_incident, create_app
from dashboard.schemas import iso
from dashboard.updates import Audience
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room, an_event
from tests.dashboard.test_walk import page, read, read_incident

NOON_S = 1_700_020_800.0  # 2023-11-15 12:00 in Shanghai
FROM, TO = "2023-11-14T16:00:00Z", "2023-11-15T16:00:00Z"  # that day there


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    return new_room(SimulatedClock(NOON_S))


def change(client: httpx.Client, **body: object) -> httpx.Response:
    return client.post("/api/v1/roster-changes", json={"id": str(uuid.uuid4()), **body})


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, object]]:
    answer = client.get(f"/api/v1/{path}", params={"from": FROM, "to": TO} | query)
    assert answer.status_code == 200, answer.text
    found = answer.json()["items"]
    assert isinstance(found, list)
    return found


def test_an_extra_shift_shows_up_and_is_undone(room: Room) -> None:
    boss = room.set_up()
    assert items(boss, "shifts", team="t03") == []
    made = change(boss, kind="extra", team="t03", day="2023-11-15", begin="11:00", end="02:00", reason="节日")
    assert made.status_code == 201, made.text
    assert (made.json()["begin"], made.json()["end"], made.json()["by"]) == ("11:00", "02:00", "root")
    [duty] = items(boss, "shifts", team="t03")
    assert duty["begin_at"] == "2023-11-15T03:00:00.000Z"
    assert duty["end_at"] == "2023-11-15T18:00:00.000Z"
    row = next(each for each in boss.get("/api/v1/teams/board").json()["items"] if each["team"] == "t03")
    assert (row["on_shift"], row["status"], row["shift_until"]) == (True, "available", "2023-11-15T18:00:00.000Z")
    path = f"/api/v1/roster-changes/{made.json()['id']}"
    assert boss.delete(path).json()["undone_by"] == "root"
    assert boss.delete(path).status_code == 200
    assert items(boss, "shifts", team="t03") == []
    assert [each["undone_by"] for each in items(boss, "roster-changes")] == ["root"]
    assert boss.delete(f"/api/v1/roster-changes/{uuid.uuid4()}").status_code == 404


def test_a_swap_once_and_what_cannot_be(room: Room) -> None:
    boss = room.set_up()
    swap = {"kind": "swap", "team": "t01", "day": "2023-11-16", "other": "t02", "other_day": "2023-11-17"}
    assert change(boss, **swap).status_code == 201
    again = change(boss, **swap)
    assert (again.status_code, "changed already" in again.json()["detail"]) == (409, True)
    wrong: list[dict[str, object]] = [
        {"kind": "swap", "team": "t01", "day": "2023-11-16"},
        {"kind": "leave", "team": "t01", "day": "2023-11-16", "other_day": "2023-11-16"},
        {"kind": "extra", "team": "t01", "day": "2023-11-16", "begin": "24:00", "end": "01:00"},
        {"kind": "extra", "team": "t01", "day": "2023-11-16", "begin": "8", "end": "01:00"},
        {"kind": "leave", "team": "t99", "day": "2023-11-16"},
        {"kind": "leave", "team": "t01", "day": "2023-02-30"},
        {"kind": "leave", "team": "t01", "day": "2023-11-16", "reason": "\x1b[31m"},
        {"kind": "leave", "team": "t01", "day": "2023-11-16", "owner": "me"},
    ]
    for body in wrong:
        assert change(boss, **body).status_code == 422, body
    assert boss.get("/api/v1/shifts", params={"from": FROM, "to": FROM}).status_code == 422
    assert boss.get("/api/v1/shifts", params={"from": FROM, "to": "2024-11-15T00:00:00Z"}).status_code == 422
    assert boss.get("/api/v1/shifts", params={"from": "2023-11-15T00:00:00"}).status_code == 422


def test_leave_that_empties_a_cell_is_a_gap_in_advance(room: Room) -> None:
    boss = room.set_up()
    assert items(boss, "staffing-gaps") == []
    assert change(boss, kind="leave", team="t02", day="2023-11-15").status_code == 201
    [gap] = items(boss, "staffing-gaps")
    assert gap == {"grid_cell": "g1", "begin_at": iso(_s(FROM)), "end_at": iso(_s(TO)), "needed": 2, "teams": ["t01"]}


def _s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_support_is_sent_moved_by_the_team_itself_and_ends(room: Room) -> None:
    boss = room.set_up()
    incident = room.raise_event()
    path = f"/api/v1/incidents/{incident.id}/support"
    phone, other = room.phone(boss, "t02"), room.phone(boss, "t01")
    sent = boss.post(path, json={"id": str(uuid.uuid4()), "team": "t02"})
    assert (sent.status_code, sent.json()["state"]) == (201, "en_route")
    assert boss.post(path, json={"id": str(uuid.uuid4()), "team": "t02"}).status_code == 409
    assert boss.post(path, json={"id": str(uuid.uuid4()), "team": "t99"}).status_code == 422
    assert (
        boss.post(f"/api/v1/incidents/{uuid.uuid4()}/support", json={"id": str(uuid.uuid4()), "team": "t01"}).status_code == 404
    )
    team = next(each for each in boss.get("/api/v1/teams").json()["items"] if each["id"] == "t02")
    assert (team["status"], team["supporting"], team["incident"]) == ("en_route", True, incident.id)
    [mine] = phone.get("/api/v1/me/support").json()["items"]
    assert (mine["incident"], mine["about"]["id"], mine["about"]["proposal"]) == (incident.id, incident.id, None)
    assert other.put(f"{path}/t02", json={"state": "on_scene"}).status_code == 403
    assert other.put(f"{path}/t01", json={"state": "on_scene"}).status_code == 404
    assert phone.put(f"{path}/t02", json={"state": "on_scene"}).json()["state"] == "on_scene"
    assert phone.put(f"{path}/t02", json={"state": "en_route"}).status_code == 422
    future = iso(NOON_S + 3600)
    assert phone.put(f"{path}/t02", json={"state": "done", "at": future}).status_code == 422
    assert boss.put(f"{path}/t02", json={"state": "done"}).json()["state"] == "done"
    assert phone.put(f"{path}/t02", json={"state": "on_scene"}).status_code == 409
    assert phone.get("/api/v1/me/support").json() == {"items": []}
    assert [each["state"] for each in boss.get(path).json()["items"]] == ["done"]


def test_the_phone_of_a_supporting_team_hears_of_the_incident(room: Room) -> None:
    boss = room.set_up()
    incident = room.raise_event()
    path = f"/api/v1/incidents/{incident.id}"
    phone = room.phone(boss, "t02")
    with page(room, phone) as socket:
        assert read(socket)["type"] == "hello"
        boss.post(f"{path}/support", json={"id": str(uuid.uuid4()), "team": "t02"})
        told = [read(socket), read(socket)]
        assert [each["type"] for each in told] == ["support", "incident"]
        step(boss, incident.id, incident.version, step="acknowledge")
        assert read_incident(socket, "acknowledged")["incident"]["caller"] is None  # type: ignore[index]  # JSON
    # A server that starts anew knows who supports what.
    updates = create_app(room.site, room.store, room.fleet, room.clock, DashboardSettings()).state.updates
    subscriber, _ = updates.subscribe(Audience("t02"), "s")
    announce_incident(updates, incident)
    assert subscriber.queue.qsize() == 1


def test_a_phone_off_shift_is_told_that_its_position_is_not_kept(room: Room) -> None:
    boss = room.set_up()
    phone = room.phone(boss, "t03")
    body = {"lon": 121.01, "lat": 31.01, "accuracy_m": 5, "at": iso(NOON_S)}
    answer = phone.post("/api/v1/me/position", json=body)
    assert answer.status_code == 409
    assert "off shift" in answer.json()["detail"]
    row = next(each for each in boss.get("/api/v1/teams/board").json()["items"] if each["team"] == "t03")
    assert (row["position"], row["position_at"]) == ("none", None)


def test_the_board_says_why_a_position_is_not_used_and_how_old_the_last_one_is(room: Room) -> None:
    boss = room.set_up()
    phone = room.phone(boss, "t01")

    def send(lon: float) -> int:
        body = {"lon": lon, "lat": 31.01, "accuracy_m": 5, "at": iso(room.clock.now_s())}
        return phone.post("/api/v1/me/position", json=body).status_code

    def row() -> dict[str, object]:
        found = next(each for each in boss.get("/api/v1/teams/board").json()["items"] if each["team"] == "t01")
        assert isinstance(found, dict)
        return found

    assert send(121.01) == 204
    assert (row()["position"], row()["doubt"]) == ("fresh", None)
    assert isinstance(room.clock, SimulatedClock)
    room.clock.advance(1000)
    assert row()["position"] == "fresh"  # and the session stays awake
    room.clock.advance(801)
    assert send(122.5) == 204
    assert row()["position"] == "stale"
    assert row()["doubt"] == {
        "zh": "定位在辖区 2 公里以外，未采用",
        "en": "position more than 2 km outside the sub-district, not used",
    }
    assert row()["position_at"] == iso(NOON_S)


def test_a_phone_knows_its_name_in_both_languages(staff: Staff) -> None:
    principal = staff.phone.get("/api/v1/session").json()["principal"]
    assert (principal["name"], principal["name_en"]) == ("东门岗", "East gate")
    operator = staff.operator.get("/api/v1/session").json()["principal"]
    assert operator["name"] == operator["name_en"] == "li.na"


def test_the_week_ahead_is_the_default(staff: Staff) -> None:
    duties = staff.operator.get("/api/v1/shifts").json()["items"]
    ends = [datetime.fromisoformat(str(each["end_at"])) for each in duties]
    assert {each["team"] for each in duties} == {"t01", "t02"}
    assert max(ends) - datetime.now(UTC) > timedelta(days=6)


def test_an_incident_whose_team_is_called_away_is_told_to_every_page(room: Room) -> None:
    boss = room.set_up()
    lesser = room.raise_event("c0001")
    worse = dataclasses.replace(an_event(NOON_S, "c0002", EventKind.LOITERING), severity=1)
    [worst] = room.store.record_events([worse])
    for incident in (lesser, worst):
        step(boss, incident.id, 1, step="acknowledge")
    step(boss, lesser.id, 2, step="dispatch", team="t01")
    with page(room, boss) as screen:
        assert read(screen)["type"] == "hello"
        step(boss, worst.id, 2, step="dispatch", team="t01")
        told = [read(screen) for _ in range(2)]
    shown = [message["incident"] for message in told]
    assert all(isinstance(each, dict) for each in shown)
    assert [(each["id"], each["work"], each["team"]) for each in shown if isinstance(each, dict)] == [
        (lesser.id, "acknowledged", None),
        (worst.id, "dispatched", "t01"),
    ]


def step(client: httpx.Client, incident: str, version: int, **body: str) -> None:
    answer = client.post(
        f"/api/v1/incidents/{incident}/steps", json={"version": version, "command_id": str(uuid.uuid4()), **body}
    )
    assert answer.status_code == 200, answer.text
