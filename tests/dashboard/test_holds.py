"""Legal holds over HTTP: put on, seen, repeated, lifted, and what is wrong with a request."""

import uuid

from dashboard.schemas import iso
from tests.dashboard.conftest import Staff


def test_a_hold_is_put_on_seen_and_lifted(staff: Staff) -> None:
    incident = staff.room.raise_event().id
    body = {"id": str(uuid.uuid4()), "reason": "Court, case 2026-117"}
    made = staff.administrator.post(f"/api/v1/incidents/{incident}/holds", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["reason"], made.json()["until"], made.json()["lifted_at"]) == (body["reason"], None, None)
    again = staff.administrator.post(f"/api/v1/incidents/{incident}/holds", json=body)
    assert again.json() == made.json()
    for path in ("/api/v1/holds", f"/api/v1/incidents/{incident}/holds"):
        assert staff.operator.get(path).json()["items"] == [made.json()]
    lifted = staff.administrator.delete(f"/api/v1/holds/{body['id']}")
    assert lifted.json()["lifted_by"] == made.json()["by"]
    assert staff.operator.get("/api/v1/holds").json()["items"] == []
    assert staff.operator.get(f"/api/v1/incidents/{incident}/holds").json()["items"] == [lifted.json()]
    about = [row.action for row in staff.room.store.audit_rows() if row.resource == f"incident/{incident}"]
    assert about == ["lift_hold", "hold"]


def test_what_is_wrong_with_a_hold_is_said(staff: Staff) -> None:
    incident, now_s = staff.room.raise_event().id, staff.room.clock.now_s()
    there, nowhere = f"/api/v1/incidents/{incident}/holds", f"/api/v1/incidents/{uuid.uuid4()}/holds"
    good = {"id": str(uuid.uuid4()), "reason": "case"}
    assert staff.administrator.post(nowhere, json=good).status_code == 404
    assert staff.administrator.delete(f"/api/v1/holds/{uuid.uuid4()}").status_code == 404
    for wrong in (
        {"reason": ""},
        {"reason": "x" * 501},
        {"id": "x"},
        {"until": "tomorrow"},
        {"until": iso(now_s - 1)},
        {"more": 1},
    ):
        answer = staff.administrator.post(there, json=good | wrong)
        assert answer.status_code == 422, (wrong, answer.text)
    assert staff.room.store.retention.holds() == []
