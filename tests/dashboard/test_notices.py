"""Receivers, dead letters, retries, tests and drills over the API; CAP; metrics."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from base import SystemClock, uuid7
from camera_config.notification_rules import Language, NotificationRules, Robot, RobotService, TellRule
from dashboard.schemas import iso
from storage import Outcome, Store
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room, an_event
from tests.patrol.test_cap import check


@pytest.fixture
def room(new_room: Callable[..., Room]) -> Room:
    room = new_room()
    rules = NotificationRules(
        targets=(Robot("duty-group", RobotService.DINGTALK, "token"),), rules=(TellRule(("duty-group", "old-one")),)
    )
    room.app.state.dashboard = replace(room.app.state.dashboard, site=replace(room.site, notifications=rules))
    return room


def dead_letters(store: Store, target: str, count: int) -> None:
    """Messages that a receiver would not take."""
    store.outgoing.make_messages(target, Language.EN, count)
    for stored in store.outgoing.next_messages(target, count):
        store.outgoing.note(Outcome(stored.message.id, "answered code 310000", dead=True))


def test_a_test_message_is_queued_for_its_receiver_and_a_dead_one_is_tried_again(room: Room) -> None:
    administrator = room.set_up()
    assert administrator.post("/api/v1/notice-targets/nobody/test").status_code == 404
    for _ in range(2):
        assert administrator.post("/api/v1/notice-targets/duty-group/test").status_code == 202
        room.store.outgoing.address()
        dead_letters(room.store, "duty-group", 1)
    [target] = administrator.get("/api/v1/notice-targets").json()["items"]
    assert target == {
        "id": "duty-group",
        "channel": "dingtalk",
        "language": "zh",
        "configured": True,
        "waiting": 0,
        "dead": 2,
        "oldest_at": None,
    }
    found = administrator.get("/api/v1/messages", params={"state": "dead", "limit": 1}).json()
    [message] = found["items"]
    assert (message["kind"], message["tries"], message["error"]) == ("test", 1, "answered code 310000")
    [older] = administrator.get("/api/v1/messages", params={"state": "dead", "before": found["next"]}).json()["items"]
    assert older["id"] != message["id"]
    again = administrator.post(f"/api/v1/messages/{message['id']}/retry").json()
    assert (again["id"], again["state"]) == (message["id"], "waiting")
    assert administrator.post("/api/v1/notice-targets/duty-group/retry").json() == {"count": 1}
    assert administrator.get("/api/v1/messages", params={"state": "dead"}).json()["items"] == []
    assert administrator.post(f"/api/v1/messages/{uuid7(1.0)}/retry").status_code == 404
    metrics = administrator.get("/metrics").text
    assert 'gridpatrol_notices_waiting{target="duty-group"} 2.0' in metrics
    assert 'gridpatrol_notices_dead{target="duty-group"} 0.0' in metrics


def test_a_drill_of_the_whole_site_and_of_one_incident(new_room: Callable[..., Room]) -> None:
    room = new_room()
    administrator = room.set_up()
    now_s = SystemClock().now_s()
    assert administrator.get("/api/v1/drill").json() == {"drill": None}
    refused = administrator.post("/api/v1/drill", json={"until": "2020-01-01T00:00:00Z", "reason": "spring"})
    assert (refused.status_code, "within 12 hours" in refused.text) == (409, True)
    begun = administrator.post("/api/v1/drill", json={"until": iso(now_s + 600), "reason": "spring"})
    assert begun.status_code == 201
    assert administrator.get("/api/v1/drill").json()["drill"] == begun.json()
    [incident] = room.store.record_events([an_event(now_s)])
    shown = administrator.get(f"/api/v1/incidents/{incident.id}").json()
    assert shown["drill"] is True
    assert administrator.delete("/api/v1/drill").status_code == 204
    assert administrator.get("/api/v1/drill").json() == {"drill": None}
    path = f"/api/v1/incidents/{incident.id}/drill"
    assert administrator.put(path, json={"drill": False}).status_code == 422
    marked = administrator.put(path, json={"drill": False, "reason": "it burns"}).json()
    assert (marked["drill"], marked["version"]) == (False, shown["version"] + 1)
    [_, last] = administrator.get(f"/api/v1/incidents/{incident.id}").json()["history"]
    assert (last["step"], last["text"]) == ("marked_real", "it burns")


def test_an_incident_is_read_as_cap(staff: Staff) -> None:
    [incident] = staff.room.store.record_events([an_event(staff.room.clock.now_s(), camera="c0002")])
    answer = staff.operator.get(f"/api/v1/incidents/{incident.id}/cap")
    assert answer.headers["content-type"] == "application/cap+xml"
    check(ElementTree.fromstring(answer.content))
    assert staff.operator.get(f"/api/v1/incidents/{uuid7(1.0)}/cap").status_code == 404
