"""Referrals and handovers over the API."""

import hashlib
import json
import uuid
from collections.abc import Callable

import httpx
import pytest

from base import SimulatedClock
from tests.dashboard.room import Room

NOON_S = 1_700_020_800.0  # 2023-11-15 12:00 in Shanghai


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    return new_room(SimulatedClock(NOON_S))


def acknowledged(room: Room, client: httpx.Client) -> str:
    incident = room.raise_event()
    body = {"step": "acknowledge", "version": incident.version, "command_id": str(uuid.uuid4())}
    assert client.post(f"/api/v1/incidents/{incident.id}/steps", json=body).status_code == 200
    return incident.id


def refer(client: httpx.Client, incident: str, desk: str = "mediation", name: str = "") -> httpx.Response:
    body = {"command_id": name or str(uuid.uuid4()), "desk": desk, "reason": "邻里纠纷"}
    return client.post(f"/api/v1/incidents/{incident}/referrals", json=body)


def step(client: httpx.Client, referral: str, name: str, text: str = "x") -> httpx.Response:
    body = {"command_id": str(uuid.uuid4()), "step": name, "text": text}
    return client.post(f"/api/v1/referrals/{referral}/steps", json=body)


def test_a_matter_goes_to_a_desk_and_comes_back(room: Room) -> None:
    boss = room.set_up()
    desk, other = room.person(boss, "chen", "operator"), room.person(boss, "li.na", "operator")
    incident = acknowledged(room, boss)
    assert refer(other, incident).status_code == 403
    assert refer(boss, incident, "barber").status_code == 422
    name = str(uuid.uuid4())
    sent = refer(boss, incident, name=name)
    assert (sent.status_code, sent.json()["state"], sent.json()["answers"]) == (201, "sent", "owner")
    assert refer(boss, incident, name=name).json() == sent.json()
    assert refer(boss, incident).status_code == 409
    assert refer(boss, str(uuid.uuid4())).status_code == 404
    referral = sent.json()["id"]
    assert step(other, referral, "receive").status_code == 403
    assert step(desk, referral, "done").status_code == 409
    assert step(desk, referral, "feedback", "").status_code in (409, 422)
    accepted = step(desk, referral, "receive", "")
    assert (accepted.json()["answers"], accepted.json()["clock"]) == ("desk", "feedback")
    assert boss.get(f"/api/v1/incidents/{incident}").json()["paused_since"] is not None
    close = {"step": "close", "version": 3, "command_id": str(uuid.uuid4()), "verdict": "false_alarm", "cause": "rain"}
    refused = boss.post(f"/api/v1/incidents/{incident}/steps", json=close)
    assert (refused.status_code, "referred to mediation" in refused.json()["detail"]) == (409, True)
    [listed] = boss.get("/api/v1/desks").json()["items"]
    assert (listed["waiting"], listed["accepted"], listed["users"]) == (0, 1, ["chen"])
    assert [each["id"] for each in boss.get("/api/v1/referrals", params={"desk": "mediation"}).json()["items"]] == [referral]
    assert step(desk, referral, "return", "不属于调解范围").json()["answers"] == "owner"
    assert boss.get(f"/api/v1/incidents/{incident}").json()["paused_since"] is None
    detail = boss.get(f"/api/v1/referrals/{referral}").json()
    assert [line["step"] for line in detail["history"]] == ["refer", "receive", "return"]
    assert detail["history"][2]["text"] == "不属于调解范围"
    assert boss.get("/api/v1/referrals").json() == {"items": []}
    assert [each["state"] for each in boss.get(f"/api/v1/incidents/{incident}/referrals").json()["items"]] == ["returned"]


def test_bad_referrals_are_refused_with_a_sentence(room: Room) -> None:
    boss = room.set_up()
    incident = acknowledged(room, boss)
    path = f"/api/v1/incidents/{incident}/referrals"
    good = {"command_id": str(uuid.uuid4()), "desk": "mediation", "reason": "x"}
    for wrong in ({"reason": ""}, {"reason": "很" * 4001}, {"reason": "\x1b[31m"}, {"command_id": "1"}, {"person": "张三"}):
        assert boss.post(path, json=good | wrong).status_code == 422, wrong
    assert boss.get(path).json() == {"items": []}
    assert step(boss, str(uuid.uuid4()), "receive").status_code == 404


def test_both_sides_sign_and_then_nothing_changes(room: Room) -> None:
    boss = room.set_up()
    outgoing, incoming = room.person(boss, "li.na", "operator"), room.person(boss, "wang", "operator")
    incident = acknowledged(room, outgoing)
    number = outgoing.get(f"/api/v1/incidents/{incident}").json()["number"]
    assert outgoing.get("/api/v1/handovers/draft").json()["content"]["incidents"][0]["number"] == number
    name = str(uuid.uuid4())
    made = outgoing.post("/api/v1/handovers", json={"id": name, "notes": "东门道闸故障"})
    assert (made.status_code, made.json()["state"]) == (201, "offered")
    sheet = made.json()
    assert hashlib.sha256(sheet["text"].encode()).hexdigest() == sheet["sha256"]
    assert json.loads(sheet["text"]) == sheet["content"]
    assert (sheet["content"]["notes"], sheet["content"]["outgoing"]) == ("东门道闸故障", "li.na")
    assert outgoing.post("/api/v1/handovers", json={"id": name, "notes": ""}).json() == sheet
    assert incoming.post("/api/v1/handovers", json={"id": str(uuid.uuid4())}).status_code == 409
    path = f"/api/v1/handovers/{name}"
    assert outgoing.post(f"{path}/confirm", json={"sha256": sheet["sha256"]}).status_code == 403
    assert incoming.post(f"{path}/confirm", json={"sha256": "0" * 64}).status_code == 422
    assert incoming.post(f"{path}/withdraw").status_code == 403
    confirmed = incoming.post(f"{path}/confirm", json={"sha256": sheet["sha256"], "remark": "收到"})
    assert confirmed.status_code == 200, confirmed.text
    assert (confirmed.json()["incoming"]["name"], confirmed.json()["remark"]) == ("wang", "收到")
    assert incoming.post(f"{path}/confirm", json={"sha256": sheet["sha256"], "remark": "x"}).json() == confirmed.json()
    assert boss.post(f"{path}/confirm", json={"sha256": sheet["sha256"]}).status_code == 409
    assert boss.post(f"{path}/withdraw").status_code == 409
    assert boss.get(path).json() == confirmed.json()


def test_a_dispatcher_withdraws_a_sheet_that_nobody_confirms(room: Room) -> None:
    boss = room.set_up()
    operator = room.person(boss, "li.na", "operator")
    names = [str(uuid.uuid4()), str(uuid.uuid4())]
    assert operator.post("/api/v1/handovers", json={"id": names[0]}).status_code == 201
    assert boss.post(f"/api/v1/handovers/{names[0]}/withdraw").json()["state"] == "withdrawn"
    assert isinstance(room.clock, SimulatedClock)
    room.clock.advance(1)
    assert operator.post("/api/v1/handovers", json={"id": names[1]}).status_code == 201
    first = boss.get("/api/v1/handovers", params={"limit": 1}).json()
    assert [each["id"] for each in first["items"]] == [names[1]]
    second = boss.get("/api/v1/handovers", params={"limit": 1, "before": first["next"]}).json()
    assert ([each["id"] for each in second["items"]], second["next"]) == ([names[0]], None)
    assert boss.get(f"/api/v1/handovers/{uuid.uuid4()}").status_code == 404
