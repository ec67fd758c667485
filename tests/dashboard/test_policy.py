"""Every route against every role. The table here is written by hand; a new route that is not in it fails."""

import uuid
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.routing import APIRoute, APIWebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from base import DeniedError, EventKind
from dashboard.authorize import (
    ANONYMOUS,
    POLICY,
    STEP_ACTION,
    Action,
    NotSignedInError,
    Principal,
    PrincipalKind,
    Role,
    authorize,
)
from dashboard.policy import check_policies, guard_of, policy, routes_of
from patrol import Step
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room, an_event, cookie_of

ROLES = ("anonymous", "team", "operator", "dispatcher", "administrator")

USERS = {"operator", "dispatcher", "administrator"}
SIGNED_IN = USERS | {"team"}
EVERYBODY = SIGNED_IN | {"anonymous"}

MAY: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/phone"): EVERYBODY,
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/api/v1/setup"): EVERYBODY,
    ("POST", "/api/v1/setup"): EVERYBODY,
    ("POST", "/api/v1/session"): EVERYBODY,
    ("POST", "/api/v1/session/team"): EVERYBODY,
    ("GET", "/api/v1/session"): SIGNED_IN,
    ("DELETE", "/api/v1/session"): SIGNED_IN,
    ("GET", "/api/v1/site"): SIGNED_IN,
    ("POST", "/api/v1/incidents/{incident}/steps"): USERS,  # of somebody else's incident; a team's own: test_walk.py
    ("WS", "/api/v1/updates"): SIGNED_IN,
    ("WS", "/api/v1/overview"): USERS,
    ("WS", "/api/v1/cameras/{camera}/packets"): USERS,
    ("GET", "/metrics"): {"administrator"},
    ("GET", "/api/v1/openapi.json"): USERS,
    ("GET", "/api/v1/cameras"): USERS,
    ("GET", "/api/v1/cameras/{camera}/snapshot"): USERS,
    ("GET", "/api/v1/cameras/{camera}/gaps"): USERS,
    ("GET", "/api/v1/cameras/{camera}/watched"): USERS,
    ("GET", "/api/v1/registry"): {"administrator"},
    ("GET", "/api/v1/registry/cameras"): {"administrator"},
    ("POST", "/api/v1/registry/cameras"): {"administrator"},
    ("POST", "/api/v1/registry/cameras/changes"): {"administrator"},
    ("GET", "/api/v1/registry/cameras/{entry}"): {"administrator"},
    ("PUT", "/api/v1/registry/cameras/{entry}"): {"administrator"},
    ("DELETE", "/api/v1/registry/cameras/{entry}"): {"administrator"},
    ("GET", "/api/v1/registry/cameras/{entry}/encoder"): {"administrator"},
    ("POST", "/api/v1/registry/cameras/{entry}/encoder"): {"administrator"},
    ("POST", "/api/v1/registry/geometry"): {"administrator"},
    ("POST", "/api/v1/registry/import"): {"administrator"},
    ("GET", "/api/v1/registry/export"): {"administrator"},
    ("GET", "/api/v1/registry/credentials"): {"administrator"},
    ("PUT", "/api/v1/registry/credentials/{credential}"): {"administrator"},
    ("DELETE", "/api/v1/registry/credentials/{credential}"): {"administrator"},
    ("GET", "/api/v1/registry/settings/{settings}"): {"administrator"},
    ("PUT", "/api/v1/registry/settings/{settings}"): {"administrator"},
    ("GET", "/api/v1/registry/versions"): {"administrator"},
    ("GET", "/api/v1/registry/versions/{version}"): {"administrator"},
    ("POST", "/api/v1/registry/versions/{version}/restore"): {"administrator"},
    ("GET", "/api/v1/coverage"): USERS,
    ("GET", "/api/v1/coverage/history"): USERS,
    ("GET", "/api/v1/coverage/report"): USERS,
    ("GET", "/api/v1/coverage/views"): USERS,
    ("POST", "/api/v1/coverage/plan"): USERS,
    ("POST", "/api/v1/coverage/proposals/{proposal}/accept"): {"dispatcher", "administrator"},
    ("POST", "/api/v1/cameras/{camera}/whep"): USERS,
    ("DELETE", "/api/v1/live/{view}"): USERS,
    ("GET", "/api/v1/incidents"): USERS,
    ("GET", "/api/v1/incidents/{incident}"): USERS,
    ("GET", "/api/v1/incidents/{incident}/proposal"): USERS,
    ("GET", "/api/v1/incidents/{incident}/holds"): USERS,
    ("POST", "/api/v1/incidents/{incident}/holds"): {"administrator"},
    ("GET", "/api/v1/holds"): USERS,
    ("DELETE", "/api/v1/holds/{hold}"): {"administrator"},
    ("GET", "/api/v1/incidents/{incident}/cameras"): USERS,
    ("GET", "/api/v1/incidents/{incident}/photos"): USERS,
    ("POST", "/api/v1/incidents/{incident}/photos"): SIGNED_IN,  # a team to its own reports only: test_photos.py
    ("GET", "/api/v1/photos/{photo}"): USERS,  # a team those of its own incident: test_photos.py
    ("POST", "/api/v1/incidents"): SIGNED_IN,
    ("POST", "/api/v1/incidents/{incident}/merge"): USERS,
    ("POST", "/api/v1/incidents/{incident}/split"): USERS,
    ("GET", "/api/v1/events/{event}/snapshot"): USERS,
    ("GET", "/api/v1/events/{event}/clip"): USERS,
    ("GET", "/api/v1/incidents/{incident}/clips"): USERS,
    ("GET", "/api/v1/incidents/{incident}/related"): USERS,
    ("GET", "/api/v1/teams"): USERS,
    ("GET", "/api/v1/teams/board"): USERS,
    ("GET", "/api/v1/shifts"): USERS,
    ("GET", "/api/v1/staffing-gaps"): USERS,
    ("GET", "/api/v1/roster-changes"): USERS,
    ("POST", "/api/v1/roster-changes"): {"dispatcher", "administrator"},
    ("DELETE", "/api/v1/roster-changes/{change}"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/incidents/{incident}/support"): USERS,
    ("POST", "/api/v1/incidents/{incident}/support"): USERS,
    ("PUT", "/api/v1/incidents/{incident}/support/{team}"): USERS,  # a team its own: test_roster.py
    ("GET", "/api/v1/me/support"): {"team"},
    ("GET", "/api/v1/me/shift"): {"team"},
    ("POST", "/api/v1/me/sos"): {"team"},
    ("GET", "/api/v1/rounds"): USERS,
    ("GET", "/api/v1/rounds/{round_id}"): USERS,
    ("GET", "/api/v1/round-figures"): USERS,
    ("GET", "/api/v1/me/rounds"): {"team"},
    ("POST", "/api/v1/rounds/{round_id}/steps"): SIGNED_IN,  # a team its own only: test_rounds.py
    ("POST", "/api/v1/rounds/{round_id}/check-ins"): SIGNED_IN,  # likewise
    ("GET", "/api/v1/temporary-stops"): USERS,
    ("POST", "/api/v1/temporary-stops"): {"dispatcher", "administrator"},
    ("DELETE", "/api/v1/temporary-stops/{stop}"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/inspection-draws"): USERS,
    ("POST", "/api/v1/inspection-draws"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/checkpoint-codes"): {"administrator"},
    ("GET", "/api/v1/checkpoint-codes/{checkpoint}"): {"administrator"},
    ("POST", "/api/v1/checkpoint-codes/renew"): {"administrator"},
    ("GET", "/api/v1/code-attempts"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/desks"): USERS,
    ("GET", "/api/v1/referrals"): USERS,
    ("GET", "/api/v1/referrals/{referral}"): USERS,
    ("POST", "/api/v1/referrals/{referral}/steps"): USERS,
    ("GET", "/api/v1/incidents/{incident}/referrals"): USERS,
    ("POST", "/api/v1/incidents/{incident}/referrals"): USERS,
    ("GET", "/api/v1/handovers"): USERS,
    ("POST", "/api/v1/handovers"): USERS,
    ("GET", "/api/v1/handovers/draft"): USERS,
    ("GET", "/api/v1/handovers/{handover}"): USERS,
    ("POST", "/api/v1/handovers/{handover}/confirm"): USERS,
    ("POST", "/api/v1/handovers/{handover}/withdraw"): USERS,
    ("GET", "/api/v1/ledger/{book}"): USERS,
    ("GET", "/api/v1/ledger/{book}/export"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/assessment"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/assessment/export"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/reports/hours"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/reports/hours/export"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/reports/coverage"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/reports/coverage/export"): {"dispatcher", "administrator"},
    ("POST", "/api/v1/teams/{team}/phone"): {"dispatcher", "administrator"},
    ("DELETE", "/api/v1/teams/{team}/phone"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/system"): {"administrator"},
    ("GET", "/api/v1/system/history"): {"administrator"},
    ("GET", "/api/v1/sessions"): {"administrator"},
    ("DELETE", "/api/v1/sessions/{session}"): {"administrator"},
    ("GET", "/api/v1/audit"): {"administrator"},
    ("GET", "/api/v1/audit/export"): {"administrator"},
    ("GET", "/api/v1/limits"): {"administrator"},
    ("GET", "/api/v1/networks"): {"administrator"},
    ("GET", "/api/v1/users"): {"administrator"},
    ("POST", "/api/v1/users"): {"administrator"},
    ("PUT", "/api/v1/users/{user}"): {"administrator"},
    ("GET", "/api/v1/notice-targets"): {"administrator"},
    ("POST", "/api/v1/notice-targets/{target}/test"): {"administrator"},
    ("POST", "/api/v1/notice-targets/{target}/retry"): {"administrator"},
    ("GET", "/api/v1/messages"): {"administrator"},
    ("POST", "/api/v1/messages/{message}/retry"): {"administrator"},
    ("GET", "/api/v1/drill"): USERS,
    ("POST", "/api/v1/drill"): {"dispatcher", "administrator"},
    ("DELETE", "/api/v1/drill"): {"dispatcher", "administrator"},
    ("PUT", "/api/v1/incidents/{incident}/drill"): {"dispatcher", "administrator"},
    ("GET", "/api/v1/incidents/{incident}/cap"): USERS,
    ("GET", "/api/v1/me/assignments"): {"team"},
    ("POST", "/api/v1/me/position"): {"team"},
}

REFUSED_FOR_OTHER_REASONS = {("POST", "/api/v1/session"), ("POST", "/api/v1/session/team"), ("POST", "/api/v1/setup")}
"""Signing in with a wrong password is a 401, too, and setting up a second time a 403: told apart by their sentence."""


def _routes(app: FastAPI) -> list[tuple[str, str]]:
    found = []
    for route in routes_of(app.routes):
        if isinstance(route, APIWebSocketRoute):
            found.append(("WS", route.path))
        elif isinstance(route, APIRoute):
            found += [(method, route.path) for method in sorted((route.methods or set()) - {"HEAD"})]
    return found


@pytest.fixture(scope="module")
def incident(staff: Staff) -> tuple[str, str]:
    """An open incident to which nobody was sent, and its event."""
    event = an_event(staff.room.clock.now_s(), kind=EventKind.LOITERING)
    (opened,) = staff.room.store.record_events([event])
    return opened.id, event.id


def _ask(staff: Staff, client: httpx.Client, method: str, path: str, incident: tuple[str, str]) -> httpx.Response:
    names = {"camera": "c0001", "view": "nothing", "team": "t02", "change": str(uuid.uuid4())}
    names |= {"target": "nobody", "message": str(uuid.uuid4())}
    names |= {"round_id": str(uuid.uuid4()), "stop": str(uuid.uuid4()), "checkpoint": "k1"}
    names |= {"referral": str(uuid.uuid4()), "handover": str(uuid.uuid4()), "book": "incidents", "hold": str(uuid.uuid4())}
    names |= {"entry": "c0001", "credential": "yard", "version": "1"}
    names |= {"session": "0" * 32}
    names |= {"settings": "limits", "photo": str(uuid.uuid4()), "user": str(uuid.uuid4()), "proposal": str(uuid.uuid4())}
    concrete = path.format(incident=incident[0], event=incident[1], **names)
    bodies: dict[str, dict[str, object]] = {
        "/api/v1/setup": {"secret": "x", "name": "x", "password": "x"},
        "/api/v1/session": {"name": str(uuid.uuid4()), "password": "x"},
        "/api/v1/session/team": {"code": "x"},
        "/api/v1/incidents/{incident}/steps": {"step": "note", "version": 1, "command_id": str(uuid.uuid4()), "text": "seen"},
        "/api/v1/incidents": {
            "command_id": str(uuid.uuid4()),
            "origin": "patrol",
            "category": "help",
            "severity": 4,
            "text": "x",
            "grid_cell": "nowhere",
        },
        "/api/v1/roster-changes": {"id": str(uuid.uuid4()), "kind": "leave", "team": "t02", "day": "2026-01-01"},
        "/api/v1/incidents/{incident}/support": {"id": str(uuid.uuid4()), "team": "nobody"},
        "/api/v1/incidents/{incident}/support/{team}": {"state": "done"},
        "/api/v1/incidents/{incident}/merge": {"into": str(uuid.uuid4()), "version": 1, "command_id": str(uuid.uuid4())},
        "/api/v1/incidents/{incident}/split": {"events": [incident[1]], "version": 1, "command_id": str(uuid.uuid4())},
        "/api/v1/users": {"name": str(uuid.uuid4()), "password": "short", "role": "operator"},
        "/api/v1/users/{user}": {"role": "operator", "areas": []},
        "/api/v1/drill": {"until": "2020-01-01T00:00:00Z", "reason": "x"},
        "/api/v1/incidents/{incident}/drill": {"drill": False, "reason": "x"},
        "/api/v1/me/position": {"lon": 121.0, "lat": 31.0, "accuracy_m": 5, "at": "2026-01-01T00:00:00Z"},
    }
    json = bodies.get(path) if method in ("POST", "PUT") else None
    return client.request(method, concrete, json=json)


def test_the_table_has_exactly_the_routes_there_are(staff: Staff) -> None:
    assert sorted(_routes(staff.room.app)) == sorted(MAY)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not_is_refused_and_who_may_is_not(staff: Staff, incident: tuple[str, str], role: str) -> None:
    person = staff.by_role()[role]
    for (method, path), allowed in MAY.items():
        if method == "WS":
            continue
        client = _throw_away(staff, role) if (method, path) == ("DELETE", "/api/v1/session") else person
        answer = _ask(staff, client, method, path, incident)
        if role in allowed:
            refused = answer.status_code in (401, 403) and (method, path) not in REFUSED_FOR_OTHER_REASONS
            assert not refused, f"{role} {method} {path}: {answer.status_code} {answer.text}"
            assert "may not do this" not in answer.text
            assert answer.status_code < 500 or (path == "/" or path == "/phone"), f"{method} {path}: {answer.text}"
        else:
            expected = 401 if role == "anonymous" else 403
            assert answer.status_code == expected, f"{role} {method} {path}: {answer.status_code} {answer.text}"
            assert set(answer.json()) == {"detail"}


def _throw_away(staff: Staff, role: str) -> httpx.Client:
    """A session of its own, for the one route that ends the session it is asked with."""
    if role == "anonymous":
        return staff.room.client()
    if role == "team":
        return staff.room.sneak_in("team", "t02")
    return staff.room.sneak_in("user", next(user.id for user in staff.room.store.users() if user.role == role))


def test_updates_are_refused_before_the_socket_opens(staff: Staff) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(staff.room.socket_url):
        pass
    assert refused.value.response.status_code == 401
    assert b"Sign in first." in (refused.value.response.body or b"")
    cookie = {"Cookie": f"gridpatrol_session={cookie_of(staff.phone)}"}
    with connect(staff.room.socket_url, additional_headers=cookie) as socket:
        assert "hello" in str(socket.recv(timeout=5))


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "' OR 1=1 --", "__class__", "a" * 5000])
def test_a_made_up_cookie_is_nobody(staff: Staff, value: str) -> None:
    answer = httpx.get(f"{staff.room.url}/api/v1/cameras", headers={"Cookie": f"gridpatrol_session={value}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["__class__", "constructor", "__proto__", "..%2f..%2fetc", "c0001%00", "' OR 1=1", "a" * 500])
def test_a_strange_id_finds_nothing(staff: Staff, name: str) -> None:
    for path in ("cameras/{}/snapshot", "incidents/{}", "events/{}/snapshot", "incidents/{}/proposal"):
        answer = staff.operator.get(f"/api/v1/{path.format(name)}")
        assert answer.status_code in (404, 422), f"{path}: {answer.status_code}"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_claims_in_headers_change_nothing(staff: Staff) -> None:
    claims = {"X-Forwarded-User": "root", "X-Role": "administrator", "X-Remote-User": "root", "X-Forwarded-For": "127.0.0.1"}
    assert staff.room.client().get("/api/v1/users", headers=claims).status_code == 401
    assert staff.operator.get("/api/v1/users", headers=claims).status_code == 403


def test_a_route_without_a_policy_stops_the_start() -> None:
    bare = APIRouter()

    @bare.get("/bare")
    async def read_bare() -> None: ...

    @bare.websocket("/bare-socket")
    async def follow_bare(socket: WebSocket) -> None: ...

    @bare.get("/good")
    async def read_good(principal: Annotated[Principal, policy(Action.READ_SITE)]) -> None: ...

    @bare.get("/twice")
    async def read_twice(
        one: Annotated[Principal, policy(Action.READ_SITE)], two: Annotated[Principal, policy(Action.READ_HEALTH)]
    ) -> None: ...

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(bare)
    with pytest.raises(RuntimeError) as refused:
        check_policies(app.routes)
    assert "/bare, /bare-socket, /twice" in str(refused.value)
    assert "/good" not in str(refused.value)
    with pytest.raises(RuntimeError, match="openapi"):
        check_policies(FastAPI().routes)  # FastAPI's own pages are open doors, too


def test_every_action_has_a_row_and_every_step_an_action(staff: Staff) -> None:
    assert set(POLICY) == set(Action)
    assert set(STEP_ACTION) == set(Step)
    used = {guard.action for route in routes_of(staff.room.app.routes) if (guard := guard_of(route)) is not None}
    assert used | set(STEP_ACTION.values()) == set(Action)


def test_roles_are_described_in_the_reference() -> None:
    text = (Path(__file__).parents[2] / "docs" / "ref" / "roles.md").read_text("utf-8")
    for action, permit in POLICY.items():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{action}` |")), None)
        assert row is not None, f"docs/ref/roles.md has no row for {action}"
        cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
        ladder = [Role.OPERATOR, Role.DISPATCHER, Role.ADMINISTRATOR]
        expected = ["yes" if permit.anonymous else "", {"no": "", "own": "own", "yes": "yes"}[permit.team]]
        expected += ["yes" if permit.least in ladder[: rank + 1] else "" for rank in range(3)]
        assert cells[:5] == expected, f"docs/ref/roles.md: {row}"


@pytest.mark.parametrize("role", [None, Role.TEAM])
def test_a_user_without_a_known_role_may_nothing(role: Role | None) -> None:
    for action, permit in POLICY.items():
        if not permit.anonymous:
            with pytest.raises(DeniedError):
                authorize(Principal(PrincipalKind.USER, "u1", "x", role), action)


def test_a_team_reaches_only_its_own_incident(staff: Staff, incident: tuple[str, str]) -> None:
    room: Room = staff.room
    found = room.store.incident(incident[0])
    assert found is not None
    phone = Principal(PrincipalKind.TEAM, "t01", "x", Role.TEAM, "t01")
    with pytest.raises(DeniedError):
        authorize(phone, Action.STEP_ACCEPT, found)  # nobody was sent
    with pytest.raises(DeniedError):
        authorize(phone, Action.STEP_ACCEPT, None)
    with pytest.raises(NotSignedInError):
        authorize(ANONYMOUS, Action.STEP_ACCEPT, found)
    assert staff.phone.get(f"/api/v1/events/{incident[1]}/snapshot").status_code == 403
    body = {"step": "accept", "version": found.version, "command_id": str(uuid.uuid4())}
    assert staff.phone.post(f"/api/v1/incidents/{found.id}/steps", json=body).status_code == 403
