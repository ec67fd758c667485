"""Every route against an account that is limited to one of two communities. A new route that is in no table here fails."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from base import CameraStatus, Health, Quality
from dashboard import announce_camera, announce_incident, announce_referral, announce_team
from dashboard.schemas import iso
from dashboard.scope import NAMED
from tests.dashboard.room import PASSWORD
from tests.dashboard.test_walk import page, read
from tests.dashboard.two_halves import Half, Halves, a_photo, two_halves
from tests.patrol.small_site import NOON_S

MONTH = {"from": iso(NOON_S - 86_400 * 20), "to": iso(NOON_S + 86_400 * 10)}
DAY = {"from": iso(NOON_S - 86_400), "to": iso(NOON_S + 86_400)}


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halves]:
    with two_halves(tmp_path_factory.mktemp("halves")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Halves]:
    with two_halves(tmp_path) as made:
        yield made


def _new() -> str:
    return str(uuid.uuid4())


LISTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    # What is asked for, and which of `Half.ids` must stand in the answer or not.
    "/api/v1/site": ({}, ("camera", "checkpoint")),
    "/api/v1/cameras": ({}, ("camera",)),
    "/api/v1/coverage": ({}, ("camera", "proposal")),
    "/api/v1/coverage/history": ({}, ()),  # by cell: test_coverage.py
    "/api/v1/coverage/report": ({}, ()),  # likewise
    "/api/v1/coverage/views": ({}, ("camera",)),
    "/api/v1/incidents": ({"state": "all"}, ("incident", "report")),
    "/api/v1/teams": ({}, ("team",)),
    "/api/v1/teams/board": ({}, ("team",)),
    "/api/v1/shifts": (DAY, ("team",)),
    "/api/v1/staffing-gaps": (DAY, ()),  # by cell, below
    "/api/v1/roster-changes": (MONTH, ("change",)),
    "/api/v1/rounds": ({}, ("round_id",)),
    "/api/v1/round-figures": (MONTH, ()),  # after the rounds are over, below
    "/api/v1/temporary-stops": ({}, ("stop",)),
    "/api/v1/inspection-draws": ({}, ("draw",)),
    "/api/v1/code-attempts": ({}, ("round_id",)),
    "/api/v1/referrals": ({}, ("referral",)),
    "/api/v1/holds": ({}, ("hold",)),
    "/api/v1/handovers": ({}, ("handover",)),
    "/api/v1/handovers/draft": ({}, ()),  # below
    "/api/v1/ledger/incidents": ({}, ()),  # the books: below
    "/api/v1/assessment": (MONTH, ()),  # below
    "/api/v1/assessment/export": (MONTH, ()),  # below
    "/api/v1/reports/hours": (MONTH, ()),  # test_report_pages.py, likewise the next three
    "/api/v1/reports/hours/export": (MONTH, ()),
    "/api/v1/reports/coverage": (MONTH, ()),
    "/api/v1/reports/coverage/export": (MONTH, ()),
    "/api/v1/desks": ({}, ()),  # their counts: below
}

EVERYBODY = {
    # What says nothing of any place: oneself, the API, whether a drill of the whole sub-district goes on.
    ("GET", "/healthz"),
    ("GET", "/api/v1/setup"),
    ("POST", "/api/v1/setup"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/session/team"),
    ("GET", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/drill"),
    ("DELETE", "/api/v1/live/{view}"),  # of one's own session
    ("POST", "/api/v1/handovers"),  # a sheet of one's own area: test_a_sheet_is_of_the_area
    ("POST", "/api/v1/coverage/plan"),  # of a place of the area: test_coverage.py
}

FORBIDDEN = {
    # For administrators, who have the whole sub-district; the last two are for whoever else has.
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("PUT", "/api/v1/users/{user}"),
    ("GET", "/api/v1/notice-targets"),
    ("POST", "/api/v1/notice-targets/{target}/test"),
    ("POST", "/api/v1/notice-targets/{target}/retry"),
    ("GET", "/api/v1/messages"),
    ("POST", "/api/v1/messages/{message}/retry"),
    ("GET", "/api/v1/checkpoint-codes"),
    ("GET", "/api/v1/checkpoint-codes/{checkpoint}"),
    ("POST", "/api/v1/checkpoint-codes/renew"),
    ("POST", "/api/v1/incidents/{incident}/holds"),
    ("DELETE", "/api/v1/holds/{hold}"),
    ("GET", "/api/v1/registry"),
    ("GET", "/api/v1/registry/cameras"),
    ("POST", "/api/v1/registry/cameras"),
    ("POST", "/api/v1/registry/cameras/changes"),
    ("GET", "/api/v1/registry/cameras/{entry}"),
    ("PUT", "/api/v1/registry/cameras/{entry}"),
    ("DELETE", "/api/v1/registry/cameras/{entry}"),
    ("GET", "/api/v1/registry/cameras/{entry}/encoder"),
    ("POST", "/api/v1/registry/cameras/{entry}/encoder"),
    ("POST", "/api/v1/registry/geometry"),
    ("POST", "/api/v1/registry/import"),
    ("GET", "/api/v1/registry/export"),
    ("GET", "/api/v1/registry/credentials"),
    ("PUT", "/api/v1/registry/credentials/{credential}"),
    ("DELETE", "/api/v1/registry/credentials/{credential}"),
    ("GET", "/api/v1/registry/settings/{settings}"),
    ("PUT", "/api/v1/registry/settings/{settings}"),
    ("GET", "/api/v1/registry/versions"),
    ("GET", "/api/v1/registry/versions/{version}"),
    ("POST", "/api/v1/registry/versions/{version}/restore"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/system"),
    ("GET", "/api/v1/system/history"),
    ("GET", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions/{session}"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/audit/export"),
    ("GET", "/api/v1/limits"),
    ("GET", "/api/v1/networks"),
    ("GET", "/api/v1/me/assignments"),
    ("GET", "/api/v1/me/support"),
    ("GET", "/api/v1/me/shift"),
    ("POST", "/api/v1/me/sos"),
    ("GET", "/api/v1/me/rounds"),
    ("POST", "/api/v1/me/position"),
    ("POST", "/api/v1/drill"),
    ("DELETE", "/api/v1/drill"),
}


def _bodies(half: Half) -> dict[tuple[str, str], dict[str, Any]]:  # Any: JSON
    """What is sent to routes without an id in the path; everything in it lies in `half`."""
    until = iso(NOON_S + 7200)
    return {
        ("POST", "/api/v1/incidents"): {
            "command_id": _new(), "origin": "hotline", "category": "help", "severity": 3, "text": "x", "grid_cell": half.cell,
        },
        ("POST", "/api/v1/roster-changes"): {"id": _new(), "kind": "leave", "team": half.teams[1], "day": "2023-11-25"},
        ("POST", "/api/v1/temporary-stops"): {
            "command_id": _new(), "lon": half.place[0], "lat": half.place[1], "why": "x", "until": until,
        },
        ("POST", "/api/v1/inspection-draws"): {"command_id": _new(), "count": 1, "checkpoints": [half.ids["checkpoint"]]},
    }  # fmt: skip


def _named(half: Half) -> dict[tuple[str, str], dict[str, Any]]:  # likewise
    """What is sent to routes with an id of `half` in the path, so that they get as far as they may."""
    step = {"version": 2, "command_id": _new()}
    return {
        ("POST", "/api/v1/incidents/{incident}/steps"): step | {"step": "note", "text": "x"},
        ("POST", "/api/v1/incidents/{incident}/merge"): step | {"into": half.ids["report"]},
        ("POST", "/api/v1/incidents/{incident}/split"): step | {"events": [half.ids["event"]]},
        ("POST", "/api/v1/incidents/{incident}/support"): {"id": _new(), "team": half.teams[0]},
        ("PUT", "/api/v1/incidents/{incident}/support/{team}"): {"state": "done"},
        ("POST", "/api/v1/incidents/{incident}/referrals"): {"command_id": _new(), "desk": "mediation", "reason": "x"},
        ("PUT", "/api/v1/incidents/{incident}/drill"): {"drill": False, "reason": "x"},
        ("POST", "/api/v1/rounds/{round_id}/steps"): {"step": "start", "command_id": _new()},
        ("POST", "/api/v1/rounds/{round_id}/check-ins"): {"command_id": _new(), "checkpoint": half.ids["checkpoint"]},
        ("POST", "/api/v1/referrals/{referral}/steps"): {"command_id": _new(), "step": "withdraw", "text": "x"},
        ("POST", "/api/v1/handovers/{handover}/confirm"): {"sha256": "0" * 64, "remark": ""},
    }


def _routes(halves: Halves) -> list[tuple[str, str]]:
    paths = halves.root.get("/api/v1/openapi.json").json()["paths"]
    return sorted((method.upper(), path) for path, methods in paths.items() for method in methods)


def _with_ids(routes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Routes whose path names something of `NAMED`, and that a limited dispatcher may ask."""
    named = [route for route in routes if any(f"{{{name}}}" in route[1] for name in NAMED)]
    return [route for route in named if route not in FORBIDDEN]


def test_every_route_is_in_a_table(halves: Halves) -> None:
    routes = _routes(halves)
    known = {*EVERYBODY, *FORBIDDEN, *_with_ids(routes), *_bodies(halves.mine), *(("GET", path) for path in LISTS)}
    books = {("GET", "/api/v1/ledger/{book}"), ("GET", "/api/v1/ledger/{book}/export")}  # test_figures_and_books_are_of_the_area
    assert set(routes) - known - books == set()


def test_what_lies_elsewhere_is_answered_as_if_it_were_not_there(halves: Halves) -> None:
    for method, path in _with_ids(_routes(halves)):
        body = _named(halves.mine).get((method, path))
        nobody = {name: "nothing" if name in ("camera", "team", "checkpoint") else _new() for name in halves.other.ids}
        params = MONTH if path.endswith("photos") else None
        answers = [
            halves.limited.request(method, path.format(**ids), json=body, params=params) for ids in (halves.other.ids, nobody)
        ]
        assert [answer.status_code for answer in answers] == [404, 404], f"{method} {path}: {answers[0].text}"
        assert answers[0].content == answers[1].content, f"{method} {path} tells that there is something"


def test_what_lies_in_the_area_is_there(fresh: Halves) -> None:
    routes = _with_ids(_routes(fresh))
    reads = [path for method, path in routes if method == "GET"]
    for path in reads:
        answer = fresh.limited.get(path.format(**fresh.mine.ids))
        assert answer.status_code == 200 or "no clip" in answer.text, f"{path}: {answer.status_code} {answer.text}"
    for method, path in routes:
        if method == "GET":
            continue
        ids = fresh.mine.ids | ({"team": fresh.mine.teams[1]} if "support" in path else {})
        answer = fresh.limited.request(method, path.format(**ids), json=_named(fresh.mine).get((method, path)))
        # Somebody else's incident, a missing offer, a sheet not signed with its hash: refused for reasons of their own.
        assert answer.status_code != 404, f"{method} {path}: {answer.text}"
        assert "may not do this" not in answer.text


def test_bodies_may_name_only_what_lies_in_the_area(fresh: Halves) -> None:
    for (method, path), body in _bodies(fresh.other).items():
        before = fresh.room.store.audit_rows(1)
        answer = fresh.limited.request(method, path, json=body)
        assert answer.status_code == 422, f"{method} {path}: {answer.status_code} {answer.text}"
        assert fresh.room.store.audit_rows(1) == before
    for (method, path), body in _bodies(fresh.mine).items():
        answer = fresh.limited.request(method, path, json=body)
        assert answer.status_code == 201, f"{method} {path}: {answer.status_code} {answer.text}"
    step = {"version": 2, "command_id": _new()}
    mine, other = fresh.mine.ids, fresh.other.ids
    refused: dict[str, dict[str, Any]] = {  # Any: JSON
        "steps": step | {"step": "dispatch", "team": "t04"},
        "support": {"id": _new(), "team": "t04"},
    }
    for path, body in refused.items():
        answer = fresh.limited.post(f"/api/v1/incidents/{mine['incident']}/{path}", json=body)
        assert (answer.status_code, answer.json()["detail"]) == (422, "team: there is no team t04 on this site")
    merged = fresh.limited.post(f"/api/v1/incidents/{mine['incident']}/merge", json=step | {"into": other["incident"]})
    assert merged.status_code == 404
    swap = {"id": _new(), "kind": "swap", "team": "t01", "day": "2023-11-27", "other": "t04", "other_day": "2023-11-28"}
    assert fresh.limited.post("/api/v1/roster-changes", json=swap).status_code == 422
    assert fresh.limited.post("/api/v1/roster-changes", json=swap | {"other": "t02"}).status_code == 201


def test_who_decides_on_a_team_has_all_of_its_cells(fresh: Halves) -> None:
    """A phone of a team that serves two communities shows incidents of both."""
    assert fresh.limited.post("/api/v1/teams/t01/phone").status_code == 200
    leave: dict[str, Any] = {"id": _new(), "kind": "leave", "team": "t05", "day": "2023-11-25"}
    for method, path in (("POST", "teams/t05/phone"), ("DELETE", "teams/t05/phone"), ("POST", "roster-changes")):
        answer = fresh.limited.request(method, f"/api/v1/{path}", json=leave if path == "roster-changes" else None)
        assert (answer.status_code, "outside of your area" in answer.json()["detail"]) == (403, True), path
    made = fresh.root.post("/api/v1/roster-changes", json=leave).json()
    assert made["id"] in fresh.limited.get("/api/v1/roster-changes", params=MONTH).text
    assert fresh.limited.delete(f"/api/v1/roster-changes/{made['id']}").status_code == 404
    for number, step in enumerate(({"step": "dispatch", "team": "t05"}, {"step": "accept"}), 2):
        body: dict[str, Any] = step | {"version": number, "command_id": _new()}
        sent = fresh.root.post(f"/api/v1/incidents/{fresh.other.ids['incident']}/steps", json=body)
        assert sent.status_code == 200, sent.text
    shown = [
        next(team for team in client.get("/api/v1/teams").json()["items"] if team["id"] == "t05")
        for client in (fresh.limited, fresh.root)
    ]
    assert [team["status"] for team in shown] == ["accepted", "accepted"]
    assert [team["incident"] for team in shown] == [None, fresh.other.ids["incident"]]


def test_lists_hold_what_lies_in_the_area_and_nothing_else(halves: Halves) -> None:
    for path, (asked, kinds) in LISTS.items():
        answer = halves.limited.get(path, params=asked)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        everything = halves.root.get(path, params=asked).text
        for kind in kinds:
            mine, other = (json.dumps(half.ids[kind]) for half in (halves.mine, halves.other))
            assert other in everything, f"{path}: not even the administrator sees the other {kind}"
            assert mine in answer.text, f"{path}: {kind} of the area is missing"
            assert other not in answer.text, f"{path}: {kind} of elsewhere is there"
    for method, path in sorted(FORBIDDEN):
        ids = halves.mine.ids | {"user": _new(), "target": "x", "message": _new()}
        ids |= {"entry": "c0001", "credential": "yard", "version": "1", "session": "0" * 32, "settings": "limits"}
        body = {"until": iso(NOON_S + 60), "reason": "x"}
        assert halves.limited.request(method, path.format(**ids), json=body).status_code == 403, path


def test_a_page_is_full_though_most_lies_elsewhere(fresh: Halves) -> None:
    """The database leaves out what lies elsewhere, before it counts to the limit."""
    last = fresh.room.raise_event("c0002")
    for _ in range(5):
        fresh.room.clock.advance(500)  # type: ignore[attr-defined]  # a simulated one
        fresh.room.raise_event("c0004")
    [newest] = fresh.limited.get("/api/v1/incidents", params={"limit": 1}).json()["items"]
    assert newest["id"] == last.id
    assert fresh.root.get("/api/v1/incidents", params={"limit": 1}).json()["items"][0]["id"] != last.id


def test_figures_and_books_are_of_the_area(fresh: Halves) -> None:
    fresh.clock.advance(6 * 3600)
    fresh.room.store.rounds.keep()
    wang = fresh.room.store.user_by_name("wang")
    assert wang is not None
    limited = fresh.room.sneak_in("user", wang.id)  # the other session has expired
    for book, mine, other in (
        ("incidents", "g1", "g2"),
        ("events", "g1", "g2"),
        ("referrals", "g1", "g2"),
        ("rounds", "t01", "t04"),
        ("gaps", "c0001", "c0004"),
    ):
        lines, export = (limited.get(f"/api/v1/ledger/{book}{more}").text for more in ("", "/export"))
        for text in (lines, export):
            assert mine in text, book
            assert other not in text, book
        assert other in fresh.root.get(f"/api/v1/ledger/{book}").text
    figures = [client.get("/api/v1/assessment", params=MONTH).json() for client in (limited, fresh.root)]
    assert [found["all"]["opened"] * 2 for found in figures[:1]] == [figures[1]["all"]["opened"]]
    assert [each["name"] for each in figures[0]["groups"]] == ["m1"]
    assert figures[0]["all"]["patrol"]["stops"] * 2 == figures[1]["all"]["patrol"]["stops"] > 0
    assert [each["sent"] for each in figures[0]["desks"]] == [1]
    exported = limited.get("/api/v1/assessment/export", params=MONTH).text
    assert "m1" in exported
    assert "m2" not in exported
    done = limited.get("/api/v1/round-figures", params=MONTH).json()["items"]
    assert {each["team"] for each in done} >= {"t01"}
    assert all(each["team"] != "t04" for each in done)
    assert [desk["waiting"] for desk in limited.get("/api/v1/desks").json()["items"]] == [1]
    gaps = limited.get("/api/v1/staffing-gaps", params=DAY).json()["items"]
    assert {gap["grid_cell"] for gap in gaps} <= {"g1"}


def test_a_sheet_is_of_the_area(fresh: Halves) -> None:
    draft = fresh.limited.get("/api/v1/handovers/draft").json()["content"]
    assert draft["areas"] == ["m1"]
    assert {each["grid_cell"] for each in draft["incidents"]} == {"g1"}
    [offered] = fresh.limited.get("/api/v1/handovers").json()["items"]
    signed = {"sha256": offered["sha256"], "remark": ""}
    assert fresh.limited.post("/api/v1/handovers", json={"id": _new(), "notes": ""}).status_code == 409  # one of the area waits
    assert fresh.limited.post(f"/api/v1/handovers/{offered['id']}/confirm", json=signed).status_code == 200
    assert "areas" not in fresh.root.get("/api/v1/handovers/draft").json()["content"]


def test_a_proposal_names_teams_of_the_area_only(halves: Halves) -> None:
    incident = halves.mine.ids["incident"]
    named = {"t01", "t02", "t03", "t05"}
    for proposal in (
        halves.limited.get(f"/api/v1/incidents/{incident}/proposal").json(),
        halves.limited.get(f"/api/v1/incidents/{incident}").json()["proposal"],
    ):
        teams = {proposal["team"], *(each["team"] for each in proposal["alternatives"])}
        assert proposal["team"] in named
        assert teams <= named
    whole = halves.root.get(f"/api/v1/incidents/{incident}").json()["proposal"]
    assert "t04" in {whole["team"], *(each["team"] for each in whole["alternatives"])}


def test_updates_are_of_the_area(fresh: Halves) -> None:
    room, updates = fresh.room, fresh.room.app.state.updates
    store, now_s = room.store, room.clock.now_s()
    with page(room, fresh.limited) as socket, page(room, fresh.root) as whole:
        for each in (socket, whole):
            assert read(each)["type"] == "hello"
        for half in (fresh.other, fresh.mine):
            incident, referral = store.incident(half.ids["incident"]), store.desks.referral(half.ids["referral"])
            assert incident is not None
            assert referral is not None
            room.call(announce_incident, updates, incident)
            room.call(announce_referral, updates, referral, incident)
            status = CameraStatus(half.ids["camera"], Health.ONLINE, Quality.FAIR, now_s, now_s)
            room.call(announce_camera, updates, status)
            room.call(announce_team, updates, room.site, store.team_states()[half.ids["team"]])
            walk = f"/api/v1/rounds/{half.ids['round_id']}/steps"
            assert fresh.root.post(walk, json={"step": "start", "command_id": _new()}).status_code == 200
        heard = [read(socket) for _ in range(5)]
        all_heard = [read(whole) for _ in range(10)]
    assert [message["type"] for message in heard] == ["incident", "referral", "camera", "team", "round"]
    assert [message["type"] for message in all_heard] == [message["type"] for message in heard] * 2
    assert [message["seq"] for message in heard] == [message["seq"] for message in all_heard[5:]]
    for message, kind in zip(heard, ("incident", "referral", "camera", "team", "round_id"), strict=True):
        data = message[str(message["type"])]
        assert isinstance(data, dict)
        assert data["id"] == fresh.mine.ids[kind]


def test_changed_areas_end_the_sessions_and_outlast_a_restart(fresh: Halves) -> None:
    users = {user["name"]: user for user in fresh.root.get("/api/v1/users").json()["items"]}
    wang = f"/api/v1/users/{users['wang']['id']}"
    kept = {"role": "dispatcher", "areas": ["m1"]}
    assert fresh.root.put(wang, json=kept).status_code == 200
    assert fresh.limited.get("/api/v1/cameras").status_code == 200  # nothing was changed
    moved = fresh.root.put(wang, json={"role": "operator", "areas": ["m2", "g1", "g1"]})
    assert (moved.json()["role"], moved.json()["areas"]) == ("operator", ["g1", "m2"])
    assert fresh.limited.get("/api/v1/cameras").status_code == 401
    again = fresh.room.client()
    signed_in = again.post("/api/v1/session", json={"name": "wang", "password": PASSWORD}).json()
    assert signed_in["principal"]["areas"] == ["g1", "m2"]
    assert len(again.get("/api/v1/cameras").json()["items"]) == 4
    for body in (
        {"role": "operator", "areas": ["p1"]},  # a compound
        {"role": "operator", "areas": ["nowhere"]},
        {"role": "administrator", "areas": ["m1"]},
        {"role": "team", "areas": []},
    ):
        assert fresh.root.put(wang, json=body).status_code == 422, body
    assert fresh.root.put(f"/api/v1/users/{users['root']['id']}", json=kept).status_code == 422  # oneself
    assert fresh.root.put(f"/api/v1/users/{_new()}", json=kept).status_code == 404
    found = fresh.room.store.user(users["wang"]["id"])
    assert found is not None
    assert found.areas == ("g1", "m2")


def test_an_area_that_the_site_no_longer_has_holds_nothing(halves: Halves) -> None:
    user = halves.room.store.add_user("old", "hash", "dispatcher", ("gone",))
    client: httpx.Client = halves.room.sneak_in("user", user.id)
    assert client.get("/api/v1/cameras").json() == {"items": []}
    assert client.get("/api/v1/incidents", params={"state": "all"}).json()["items"] == []
    assert client.get(f"/api/v1/incidents/{halves.mine.ids['incident']}").status_code == 404
    draw = {"command_id": _new(), "count": 1}  # without checkpoints it means all key nodes: of the area, and there are none
    assert client.post("/api/v1/inspection-draws", json=draw).status_code == 422


def test_a_photo_elsewhere_cannot_be_added_to(halves: Halves) -> None:
    answer = halves.limited.post(
        f"/api/v1/incidents/{halves.other.ids['report']}/photos",
        params={"id": _new(), "command": _new()},
        content=a_photo(),
        headers={"Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 404
