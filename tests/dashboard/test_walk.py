"""The main job over the API: an event becomes an incident, a team goes, reports, and the incident is closed."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from dashboard.schemas import iso
from tests.dashboard.clip import JPEG
from tests.dashboard.conftest import Staff
from tests.dashboard.room import WAIT_S, Room, cookie_of


@contextmanager
def page(room: Room, client: httpx.Client, query: str = "") -> Iterator[ClientConnection]:
    """An open page of whoever `client` is."""
    headers = {"Cookie": f"gridpatrol_session={cookie_of(client)}", "Origin": room.url}
    with connect(room.socket_url + query, additional_headers=headers, open_timeout=WAIT_S) as socket:
        yield socket


def read(socket: ClientConnection) -> dict[str, object]:
    message = json.loads(socket.recv(timeout=WAIT_S))
    assert isinstance(message, dict)
    return message


def read_incident(socket: ClientConnection, work: str) -> dict[str, object]:
    """The next update of an incident, which must say `work`; updates of teams in between are skipped."""
    while True:
        message = read(socket)
        if message["type"] == "incident":
            incident = message["incident"]
            assert isinstance(incident, dict)
            assert incident["work"] == work
            return message


def step(client: httpx.Client, incident: dict[str, object], name: str, **more: object) -> dict[str, object]:
    body = {"step": name, "version": incident["version"], "command_id": str(uuid.uuid4()), **more}
    answer = client.post(f"/api/v1/incidents/{incident['id']}/steps", json=body)
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert isinstance(after, dict)
    return after


def test_an_event_is_walked_to_a_closed_incident(staff: Staff) -> None:
    room, operator, phone = staff.room, staff.operator, staff.phone
    with page(room, operator) as screen, page(room, phone) as pocket:
        assert read(screen)["type"] == read(pocket)["type"] == "hello"
        raised = room.raise_event()
        incident = read_incident(screen, "new")["incident"]
        assert isinstance(incident, dict)
        assert incident["id"] == raised.id
        assert incident["proposal"]["team"] == "t01"
        assert incident["proposal"]["reason"]["zh"]

        incident = step(operator, incident, "acknowledge")
        read_incident(screen, "acknowledged")
        assert incident["condition"] == "acknowledged"
        incident = step(operator, incident, "dispatch", team="t01")
        read_incident(screen, "dispatched")
        told = read_incident(pocket, "dispatched")["incident"]
        assert isinstance(told, dict)
        assert told["proposal"] is None  # a phone is not told which other teams might go

        assert [each["id"] for each in phone.get("/api/v1/me/assignments").json()["items"]] == [raised.id]
        assert phone.get(f"/api/v1/events/{raised.best_event}/snapshot").content == JPEG
        for name, work in (("accept", "accepted"), ("depart", "en_route"), ("arrive", "on_scene")):
            incident = step(phone, incident, name)
            read_incident(screen, work)
            read_incident(pocket, work)
        incident = step(phone, incident, "report", text="两名青少年翻墙，已劝离")
        read_incident(screen, "reported")
        incident = step(operator, incident, "verify")
        last = read_incident(screen, "verified")

    # the page loses its connection here, and comes back after the incident was closed
    incident = step(operator, incident, "close", verdict="true", cause="trespass")
    with page(room, operator, f"?epoch={room.app.state.updates.epoch}&since={last['seq']}") as screen:
        hello = read(screen)
        assert (hello["type"], hello["seq"]) == ("hello", last["seq"])
        assert str(hello["now"]).endswith("Z")
        missed = read_incident(screen, "closed")["incident"]
        assert isinstance(missed, dict)
        assert missed["verdict"] == "true"

    assert phone.get("/api/v1/me/assignments").json() == {"items": [], "next": None}
    assert phone.get(f"/api/v1/events/{raised.best_event}/snapshot").status_code == 403
    detail = operator.get(f"/api/v1/incidents/{raised.id}").json()
    steps = [entry["step"] for entry in detail["history"]]
    assert steps == ["opened", "acknowledge", "dispatch", "accept", "depart", "arrive", "report", "verify", "close"]
    assert detail["history"][3]["by"] == {"kind": "team", "id": "t01", "name": "东门岗"}
    assert list(detail["stages"]) == [
        "new",
        "acknowledged",
        "dispatched",
        "accepted",
        "en_route",
        "on_scene",
        "reported",
        "verified",
        "closed",
    ]
    assert detail["events"][0]["id"] == raised.best_event
    assert detail["events"][0]["began_at"].endswith("Z")


def test_a_step_taken_twice_counts_once(staff: Staff) -> None:
    raised = staff.room.raise_event("c0002")
    body = {"step": "acknowledge", "version": 1, "command_id": str(uuid.uuid4())}
    path = f"/api/v1/incidents/{raised.id}/steps"
    first, again = staff.operator.post(path, json=body), staff.operator.post(path, json=body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert len(staff.operator.get(f"/api/v1/incidents/{raised.id}").json()["history"]) == 2
    step(staff.operator, first.json(), "close", verdict="duplicate", cause="same matter")


def test_of_two_people_one_acknowledges_and_the_other_sees_who(staff: Staff) -> None:
    raised = staff.room.raise_event("c0002")
    path = f"/api/v1/incidents/{raised.id}/steps"
    won = staff.operator.post(path, json={"step": "acknowledge", "version": 1, "command_id": str(uuid.uuid4())})
    lost = staff.dispatcher.post(path, json={"step": "acknowledge", "version": 1, "command_id": str(uuid.uuid4())})
    assert (won.status_code, lost.status_code) == (200, 409)
    assert lost.json()["detail"]
    assert lost.json()["current"]["owner"]["name"] == "li.na"
    step(staff.operator, won.json(), "close", verdict="duplicate", cause="same matter")


def test_a_team_that_refuses_loses_the_incident_and_may_ask_again(staff: Staff) -> None:
    raised = staff.room.raise_event("c0003")
    incident = step(staff.operator, {"id": raised.id, "version": 1}, "acknowledge")
    with page(staff.room, staff.phone) as pocket:
        read(pocket)
        incident = step(staff.operator, incident, "dispatch", team="t01")
        read_incident(pocket, "dispatched")
        path = f"/api/v1/incidents/{raised.id}/steps"
        refusal = {"step": "refuse", "version": incident["version"], "command_id": str(uuid.uuid4()), "text": "on another call"}
        answer = staff.phone.post(path, json=refusal)
        assert answer.status_code == 200
        assert answer.json()["team"] is None
        assert read(pocket)["type"] == "reset"  # its page loads its list again, in which the incident is no more
    assert staff.phone.post(path, json=refusal).status_code == 200  # the answer was lost on the way: the same again
    assert staff.phone.post(path, json=refusal | {"command_id": str(uuid.uuid4())}).status_code == 403
    proposal = staff.operator.get(f"/api/v1/incidents/{raised.id}/proposal").json()
    assert proposal["team"] == "t02"
    step(staff.operator, answer.json(), "close", verdict="false_alarm", cause="animal")


def test_what_is_not_legal_or_incomplete_is_said_in_a_sentence(staff: Staff) -> None:
    raised = staff.room.raise_event("c0002")
    path = f"/api/v1/incidents/{raised.id}/steps"

    def post(**body: object) -> httpx.Response:
        return staff.operator.post(path, json={"version": 1, "command_id": str(uuid.uuid4()), **body})

    arrive = post(step="arrive")
    assert (arrive.status_code, arrive.json()["current"]["work"]) == (409, "new")
    assert "arrive" in arrive.json()["detail"]
    assert post(step="close").status_code == 422  # no verdict
    assert post(step="close", verdict="false_alarm").status_code == 422  # no cause
    assert post(step="dispatch", team="t99").status_code == 422
    assert post(step="acknowledge", owner="somebody").status_code == 422  # unknown field
    assert post(step="note", text="\x1b[31m").status_code == 422
    assert post(step="note", text="a" * 4001).status_code == 422
    unknown = staff.operator.post(
        path.replace(raised.id, str(uuid.uuid4())), json={"step": "note", "version": 1, "command_id": str(uuid.uuid4())}
    )
    assert unknown.status_code == 404
    closed = post(step="close", verdict="duplicate", cause="same matter")
    assert closed.status_code == 200


def test_incidents_come_in_pages_newest_first(new_room: Callable[..., Room]) -> None:
    room = new_room()
    operator = room.set_up()
    raised = [room.raise_event(camera).id for camera in ("c0001", "c0002", "c0003")]
    step(operator, {"id": raised[1], "version": 1}, "close", verdict="duplicate", cause="same matter")

    def pages(state: str) -> list[list[str]]:
        found, before = [], None
        while True:
            query = {"state": state, "limit": "2"} | ({"before": before} if before else {})
            answer = operator.get("/api/v1/incidents", params=query).json()
            found.append([each["id"] for each in answer["items"]])
            before = answer["next"]
            if before is None:
                return found

    assert pages("all") == [[raised[2], raised[1]], [raised[0]]]
    assert pages("open") == [[raised[2], raised[0]]]
    assert pages("closed") == [[raised[1]]]


def test_a_position_moves_the_team_on_every_map(staff: Staff) -> None:
    with page(staff.room, staff.operator) as screen:
        read(screen)
        now = staff.room.clock.now_s()
        body = {"lon": 121.012, "lat": 31.013, "accuracy_m": 8, "at": iso(now)}
        assert staff.phone.post("/api/v1/me/position", json=body).status_code == 204
        message = read(screen)
    assert message["type"] == "team"
    assert isinstance(message["team"], dict)
    assert (message["team"]["id"], message["team"]["lon"], message["team"]["lat"]) == ("t01", 121.012, 31.013)
    teams = {each["id"]: each for each in staff.operator.get("/api/v1/teams").json()["items"]}
    assert (teams["t01"]["lon"], teams["t01"]["lat"]) == (121.012, 31.013)
    assert teams["t03"]["status"] == "off_shift"
    for wrong in ({"lon": 181}, {"lat": "north"}, {"at": "2999-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00"}, {"team": "t02"}):
        assert staff.phone.post("/api/v1/me/position", json=body | wrong).status_code == 422, wrong


@pytest.mark.parametrize("query", ["state=gone", "limit=0", "limit=501", "before=1", "limit=9999999999999999999999"])
def test_a_wrong_query_is_refused(staff: Staff, query: str) -> None:
    answer = staff.operator.get(f"/api/v1/incidents?{query}")
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
