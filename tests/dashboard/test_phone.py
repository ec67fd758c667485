"""What a team's phone asks about its own work, and its calls for help."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from base import SimulatedClock
from camera_config.dispatch_rules import Automatic, Matter
from camera_config.schedule import Schedule
from dashboard import DashboardSettings
from dashboard.policy import TEAM_HEADER
from dashboard.schemas import iso
from storage import Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import Room, small_site
from tests.dashboard.test_walk import page, read, step

NOON_S = 1_700_020_800.0  # 2023-11-15 12:00 in Shanghai, a Wednesday

Json = dict[str, Any]  # JSON, read by key


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    return new_room(SimulatedClock(NOON_S))


def boss_of(room: Room) -> httpx.Client:
    """An administrator, without the half second that a password takes."""
    return room.sneak_in("user", room.store.add_user("root", "", "administrator").id)


def call(phone: httpx.Client, status: int = 201, **body: Any) -> Json:  # Any: JSON
    answer = phone.post("/api/v1/me/sos", json={"id": str(uuid.uuid4()), **body})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def incident_of(client: httpx.Client, support: Json) -> Json:
    return dict(client.get(f"/api/v1/incidents/{support['incident']}").json())


def test_a_call_for_help_is_an_alarm_of_level_1_that_others_are_proposed_for(room: Room) -> None:
    boss = boss_of(room)
    phone = room.sneak_in("team", "t01")
    with page(room, boss) as screen:
        assert read(screen)["type"] == "hello"
        made = call(phone, lon=121.012, lat=31.012, at=iso(NOON_S - 60))
        told = [read(screen) for _ in range(3)]
    assert [each["type"] for each in told] == ["support", "incident", "team"]
    seen = incident_of(boss, made)
    assert (seen["origin"], seen["category"], seen["severity"], seen["summary"]) == ("patrol", "help", 1, "SOS")
    assert (seen["lon"], seen["lat"], seen["began_at"]) == (121.012, 31.012, iso(NOON_S - 60))
    assert seen["proposal"]["team"] == "t02"
    assert (made["state"], made["arrived_at"], made["about"]["proposal"]) == ("on_scene", iso(NOON_S - 60), None)
    teams = {each["team"]: each for each in boss.get("/api/v1/teams/board").json()["items"]}
    assert (teams["t01"]["status"], teams["t01"]["supporting"]) == ("on_scene", True)


def test_a_team_calls_once_however_often_its_phones_say_so(room: Room) -> None:
    phone, second = room.sneak_in("team", "t01"), room.sneak_in("team", "t01")
    identity = str(uuid.uuid4())
    first = call(phone, id=identity, lon=121.012, lat=31.012)
    assert call(phone, id=identity, lon=121.013, lat=31.012)["incident"] == first["incident"]
    assert call(second)["incident"] == first["incident"]
    assert call(room.sneak_in("team", "t02"), status=409, id=identity)["detail"]
    path = f"/api/v1/incidents/{first['incident']}/support/t01"
    assert phone.put(path, json={"state": "done"}).status_code == 200
    assert phone.get("/api/v1/me/support").json() == {"items": []}
    assert call(phone)["incident"] != first["incident"]


def test_what_one_team_pressed_is_not_taken_from_another_or_from_a_user(room: Room) -> None:
    boss = boss_of(room)
    other = room.sneak_in("team", "t02")
    sos = {"id": str(uuid.uuid4())}
    asked = ("POST", "/api/v1/me/sos", sos), ("GET", "/api/v1/session", None)
    for client in (boss, other, room.client()):
        for method, path, body in asked:
            answer = client.request(method, path, json=body, headers={TEAM_HEADER: "t01"})
            assert answer.status_code == 401, (path, answer.text)
    assert boss.get("/api/v1/incidents?state=all&limit=10").json()["items"] == []
    made = room.sneak_in("team", "t01").post("/api/v1/me/sos", json=sos, headers={TEAM_HEADER: "t01"})
    assert (made.status_code, made.json()["team"]) == (201, "t01")


def test_the_phone_hears_that_the_control_room_has_taken_the_call(room: Room) -> None:
    boss = boss_of(room)
    phone = room.sneak_in("team", "t01")
    made = call(phone)
    with page(room, phone) as pocket:
        assert read(pocket)["type"] == "hello"
        step(boss, incident_of(boss, made), "acknowledge")
        told: Json = read(pocket)["incident"]  # type: ignore[assignment]  # JSON
    assert (told["work"], told["owner"]["name"]) == ("acknowledged", "root")
    [mine] = phone.get("/api/v1/me/support").json()["items"]
    assert mine["about"]["owner"]["name"] == "root"


# (what the phone says, where the incident is, how the text ends)
PLACES: list[tuple[Json, tuple[object, object], str]] = [
    ({"lon": 121.012, "lat": 31.012}, (121.012, 31.012), "SOS"),
    ({}, (121.011, 31.011), "SOS"),  # the last position known
    ({"lon": 121.012}, (121.011, 31.011), "SOS"),  # half a place is none
    ({"lon": 121.5, "lat": 31.2}, (121.011, 31.011), "SOS (31.20000, 121.50000)"),  # outside of the sub-district
    ({"at": iso(NOON_S + 900)}, (121.011, 31.011), "SOS"),  # a wrong clock
]


@pytest.mark.parametrize(("said", "place", "text"), PLACES)
def test_a_call_is_never_refused_for_its_place_or_time(room: Room, said: Json, place: tuple[object, object], text: str) -> None:
    boss = boss_of(room)
    phone = room.sneak_in("team", "t01")
    here = {"lon": 121.011, "lat": 31.011, "accuracy_m": 5, "at": iso(NOON_S)}
    assert phone.post("/api/v1/me/position", json=here).status_code == 204
    seen = incident_of(boss, call(phone, **said))
    assert ((seen["lon"], seen["lat"]), seen["summary"]) == (place, text)
    assert seen["began_at"] == iso(NOON_S)


def test_off_shift_and_without_a_position_a_call_comes_from_the_post(room: Room) -> None:
    boss = boss_of(room)
    seen = incident_of(boss, call(room.sneak_in("team", "t03")))  # its post lies on the border
    assert (seen["grid_cell"], seen["proposal"]["team"]) == ("g1", "t01")


def test_a_team_that_calls_leaves_what_it_supported_and_no_rule_sends_it_to_itself(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    rule = Automatic("worst", Matter(severities=(1,)), Schedule.parse("always"))
    site = replace(site, dispatch=replace(site.dispatch, automatic=(rule,)))
    clock = SimulatedClock(NOON_S)
    store = Store.open(f"sqlite:///{tmp_path}/g.db", clock, site, tmp_path / "clips")
    room = Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, DashboardSettings(page=tmp_path / "none"))
    room.start()
    try:
        boss = boss_of(room)
        alarm = room.raise_event()
        path = f"/api/v1/incidents/{alarm.id}/support"
        assert boss.post(path, json={"id": str(uuid.uuid4()), "team": "t01"}).status_code == 201
        made = call(room.sneak_in("team", "t01"), lon=121.01, lat=31.01)
        assert incident_of(boss, made)["team"] == "t02"
        assert [each["state"] for each in boss.get(path).json()["items"]] == ["done"]
    finally:
        room.stop()


def test_a_team_reads_its_own_shift_and_the_next_one(room: Room) -> None:
    boss = boss_of(room)
    always, volunteers = room.sneak_in("team", "t01"), room.sneak_in("team", "t03")
    now = always.get("/api/v1/me/shift").json()
    assert (now["on_shift"], now["until"], now["next"], now["grid_cells"]) == (True, None, None, ["g1"])
    off = volunteers.get("/api/v1/me/shift").json()
    assert (off["on_shift"], off["since"], off["until"], off["next"], off["rest"]) == (False, None, None, None, None)
    for day, begin, end in (("2023-11-15", "11:00", "18:00"), ("2023-11-16", "08:00", "10:00")):
        extra = {"id": str(uuid.uuid4()), "kind": "extra", "team": "t03", "day": day, "begin": begin, "end": end}
        assert boss.post("/api/v1/roster-changes", json=extra).status_code == 201
    on = volunteers.get("/api/v1/me/shift").json()
    assert (on["on_shift"], on["since"], on["until"]) == (True, "2023-11-15T03:00:00.000Z", "2023-11-15T10:00:00.000Z")
    assert (on["next"]["begin_at"], on["next"]["end_at"]) == ("2023-11-16T00:00:00.000Z", "2023-11-16T02:00:00.000Z")
