"""Reports, lists, merging, shelves, pauses and related cameras over the API."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from base import SimulatedClock, SystemClock
from dashboard.schemas import iso
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room
from tests.dashboard.test_walk import page, read, step

Json = dict[str, Any]  # answers of the API


def a_report(**changes: Any) -> Json:
    values = {"command_id": str(uuid.uuid4()), "origin": "hotline", "category": "facility", "severity": 3}
    return values | {"text": "路灯不亮", "caller": "4号楼居民", "lon": 121.012, "lat": 31.012} | changes


def post(client: httpx.Client, path: str, body: Json, status: int = 201) -> Json:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def take(client: httpx.Client, incident: Json, name: str, **more: object) -> Json:
    return dict(step(client, incident, name, **more))


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    return new_room()


def test_a_call_becomes_an_incident_on_every_page_once(staff: Staff) -> None:
    body = a_report()
    with page(staff.room, staff.operator) as screen:
        assert read(screen)["type"] == "hello"
        opened = post(staff.operator, "incidents", body)
        told = read(screen)["incident"]
    assert told == opened
    assert (opened["origin"], opened["category"], opened["kind"], opened["camera"]) == ("hotline", "facility", None, "")
    assert (opened["summary"], opened["caller"], opened["grid_cell"], opened["work"]) == ("路灯不亮", "4号楼居民", "g1", "new")
    assert opened["due"]["step"] == "acknowledge"
    assert opened["proposal"]["team"]
    assert post(staff.operator, "incidents", body) == opened
    other = staff.operator.post("/api/v1/incidents", json=body | {"text": "another"})
    assert (other.status_code, other.json()["detail"][:24]) == (422, "the command id " + body["command_id"][:9])
    take(staff.operator, opened, "close", verdict="duplicate", cause="test")


def test_a_team_reports_as_patrol_only_and_is_never_told_the_caller(staff: Staff) -> None:
    refused = staff.phone.post("/api/v1/incidents", json=a_report(caller=""))
    assert (refused.status_code, refused.json()["detail"]) == (422, "origin: a team's phone reports as patrol")
    seen = post(staff.phone, "incidents", a_report(origin="patrol", caller="", category="environment"))
    assert (seen["origin"], seen["proposal"]) == ("patrol", None)
    take(staff.operator, seen, "close", verdict="duplicate", cause="test")
    called = post(staff.operator, "incidents", a_report())
    owned = take(staff.operator, called, "acknowledge")
    with page(staff.room, staff.phone) as pocket:
        assert read(pocket)["type"] == "hello"
        sent = take(staff.operator, owned, "dispatch", team="t01")
        told = read(pocket)["incident"]
    assert isinstance(told, dict)
    assert (told["summary"], told["caller"]) == ("路灯不亮", None)
    assert take(staff.phone, sent, "accept")["caller"] is None
    [mine] = staff.phone.get("/api/v1/me/assignments").json()["items"]
    assert mine["caller"] is None
    current = staff.operator.get(f"/api/v1/incidents/{sent['id']}").json()
    assert current["caller"] == "4号楼居民"
    take(staff.operator, current, "close", verdict="duplicate", cause="test")


# (what is wrong, what the sentence says)
BAD: list[tuple[Json, str]] = [
    ({"origin": "event"}, "events open incidents by themselves"),
    ({"origin": "rumour"}, "origin"),
    ({"category": "ghosts"}, "category"),
    ({"severity": 0}, "severity"),
    ({"text": ""}, "text"),
    ({"text": "  "}, "text"),
    ({"text": "x" * 4001}, "text"),
    ({"text": "x" * 900_000}, "text"),  # more than the body may have: test_envelope.py
    ({"caller": "x" * 101}, "caller"),
    ({"caller": "x", "origin": "inspection"}, "only the hotline has callers"),
    ({"lat": None}, "either a point"),
    ({"lon": 300}, "lon"),
    ({"lon": 10.0}, "outside of the sub-district"),
    ({"lon": None, "lat": None, "grid_cell": "nowhere"}, "no grid cell nowhere"),
    ({"lon": None, "lat": None}, "either a point"),
    ({"at": "2090-01-01T00:00:00Z"}, "in the future"),
    ({"command_id": "x"}, "command_id"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("changes", "sentence"), BAD)
def test_bad_reports_are_refused_with_a_sentence(staff: Staff, changes: Json, sentence: str) -> None:
    before = staff.operator.get("/api/v1/incidents?state=all").json()
    answer = staff.operator.post("/api/v1/incidents", json=a_report(**changes))
    assert (answer.status_code, sentence in answer.json()["detail"]) == (422, True), answer.text
    assert staff.operator.get("/api/v1/incidents?state=all").json() == before


def test_lists_filter_and_say_what_they_do_not_know(room: Room) -> None:
    operator = room.set_up()
    alarm = room.raise_event()
    lamp = post(operator, "incidents", a_report())
    owned = take(operator, lamp, "acknowledge")

    def ids(**query: Any) -> list[str]:  # Any: values of a query
        answer = operator.get("/api/v1/incidents", params=query)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    assert ids() == [lamp["id"], alarm.id]
    assert ids(work="acknowledged") == ids(category="facility") == ids(severity="3") == ids(text="路灯") == [lamp["id"]]
    assert ids(category="public_order", grid_cell="g1", text=str(alarm.number)) == [alarm.id]
    assert ids(team="t02") == ids(overdue="true") == ids(to="2001-01-01T00:00:00Z") == []
    assert ids(**{"from": "2001-01-01T08:00:00+08:00"}) == [lamp["id"], alarm.id]
    refused = {"work": "asleep", "severity": "9", "from": "2001-01-01T00:00:00", "text": "x" * 101, "before": "yesterday"}
    for name, value in refused.items():
        assert operator.get("/api/v1/incidents", params={name: value}).status_code == 422, name
    assert owned["owner"]["name"] == "root"


def test_merging_and_splitting_are_answered_with_the_incident_that_goes_on(room: Room) -> None:
    operator = room.set_up()
    one, other = room.raise_event("c0001"), room.raise_event("c0002")
    body = {"into": one.id, "version": 1, "command_id": str(uuid.uuid4()), "text": "同一人"}
    with page(room, operator) as screen:
        assert read(screen)["type"] == "hello"
        grown = post(operator, f"incidents/{other.id}/merge", body, 200)
        told = [read(screen)["incident"] for _ in range(2)]
    assert [(each["id"], each["work"]) for each in told if isinstance(each, dict)] == [(other.id, "closed"), (one.id, "new")]
    assert (grown["id"], grown["event_count"], grown["cameras"]) == (one.id, 2, ["c0001", "c0002"])
    assert post(operator, f"incidents/{other.id}/merge", body, 200) == grown
    ended = operator.get(f"/api/v1/incidents/{other.id}").json()
    assert (ended["verdict"], ended["duplicate_of"], ended["history"][-1]["other"]) == ("duplicate", one.id, one.id)

    stale = operator.post(f"/api/v1/incidents/{one.id}/split", json={**_split([other.best_event]), "version": 9})
    assert (stale.status_code, stale.json()["current"]["id"]) == (409, one.id)
    begun = post(operator, f"incidents/{one.id}/split", {**_split([other.best_event]), "version": 2}, 200)
    assert (begun["number"], begun["event_count"], begun["camera"]) == (3, 1, "c0002")
    strange = operator.post(f"/api/v1/incidents/{one.id}/split", json={**_split([str(uuid.uuid4())]), "version": 3})
    assert (strange.status_code, "do not belong" in strange.json()["detail"]) == (422, True)
    for path in ("merge", "split"):
        extra = {"into": str(uuid.uuid4())} if path == "merge" else {"events": [other.best_event]}
        unknown = operator.post(
            f"/api/v1/incidents/{uuid.uuid4()}/{path}", json={"version": 1, "command_id": str(uuid.uuid4()), **extra}
        )
        assert unknown.status_code == 404
    by_steps = operator.post(
        f"/api/v1/incidents/{one.id}/steps", json={"step": "merge", "version": 3, "command_id": str(uuid.uuid4())}
    )
    assert by_steps.status_code == 422


def _split(events: list[str]) -> Json:
    return {"events": events, "command_id": str(uuid.uuid4())}


def test_shelving_pausing_and_reopening_need_their_reasons(room: Room) -> None:
    operator = room.set_up()
    raised = room.raise_event()
    incident: Json = {"id": raised.id, "version": 1}
    soon = iso(SystemClock().now_s() + 600)
    for bad in ({"text": "施工"}, {"until": soon}, {"text": "施工", "until": iso(SystemClock().now_s() + 9 * 3600)}):
        answer = operator.post(
            f"/api/v1/incidents/{raised.id}/steps",
            json={"step": "shelve", "version": 1, "command_id": str(uuid.uuid4()), **bad},
        )
        assert answer.status_code == 422, bad
    incident = take(operator, incident, "shelve", text="施工", until=soon)
    assert (incident["condition"], incident["shelved_until"]) == ("shelved", soon)
    incident = take(operator, incident, "unshelve")
    assert (incident["condition"], incident["shelved_until"]) == ("unacknowledged", None)
    incident = take(operator, incident, "acknowledge")
    incident = take(operator, incident, "pause", text="等待物业")
    assert incident["paused_since"]
    assert incident["due"] is None
    incident = take(operator, incident, "resume")
    assert incident["due"]["step"] == "dispatch"
    incident = take(operator, incident, "close", verdict="false_alarm", cause="light")
    incident = take(operator, incident, "reopen", text="又来了")
    assert (incident["work"], incident["verdict"]) == ("acknowledged", None)
    detail = operator.get(f"/api/v1/incidents/{raised.id}").json()
    assert [entry["step"] for entry in detail["history"]][1:] == [
        "shelve",
        "unshelve",
        "acknowledge",
        "pause",
        "resume",
        "close",
        "reopen",
    ]
    assert detail["history"][1]["until"] == soon
    assert detail["history"][6]["verdict"] == "false_alarm"


def test_a_breach_is_in_the_history_with_its_level_and_place(new_room: Callable[..., Room]) -> None:
    clock = SimulatedClock(SystemClock().now_s())
    room = new_room(clock)
    operator = room.set_up()
    raised = room.raise_event()
    clock.advance(100)
    [after] = room.store.tell_due()
    assert after.told == 2
    [overdue] = operator.get("/api/v1/incidents", params={"overdue": "true"}).json()["items"]
    assert (overdue["id"], overdue["told"]) == (raised.id, 2)
    warned, breached = operator.get(f"/api/v1/incidents/{raised.id}").json()["history"][1:]
    assert (warned["step"], warned["clock"], warned["level"]) == ("warned", "acknowledge", None)
    assert (breached["step"], breached["level"], breached["place"]) == ("breached", "cell", "g1")


def test_related_cameras_are_those_that_see_the_place(staff: Staff) -> None:
    raised = staff.room.raise_event("c0001")
    answer = staff.operator.get(f"/api/v1/incidents/{raised.id}/cameras")
    assert answer.status_code == 200
    [related] = answer.json()["items"]
    assert related["camera"] == "c0001"
    assert related["pixels_per_metre"] >= 12.5
    assert staff.operator.get(f"/api/v1/incidents/{uuid.uuid4()}/cameras").status_code == 404
    take(staff.operator, {"id": raised.id, "version": 1}, "close", verdict="duplicate", cause="test")


def test_everything_new_is_in_the_description_with_examples(staff: Staff) -> None:
    described = staff.operator.get("/api/v1/openapi.json").json()
    for path in ("incidents", "incidents/{incident}/merge", "incidents/{incident}/split"):
        body = described["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        name = body["$ref"].rsplit("/", 1)[1]
        assert described["components"]["schemas"][name]["examples"], name
    parameters = {each["name"] for each in described["paths"]["/api/v1/incidents"]["get"]["parameters"]}
    assert parameters >= {"work", "severity", "category", "grid_cell", "team", "text", "from", "to", "overdue"}
