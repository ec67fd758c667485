"""Rounds over the API: walked from a phone, watched in the room, with codes that are printed here and refused when forged."""

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from base import SimulatedClock
from camera_config.round_rules import Inspection, RoundRules, Route, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Checkpoint, Name
from dashboard import DashboardSettings
from dashboard.schemas import iso
from patrol.check_in import AFTER_S
from storage import RoundFilter, Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import Room, small_site
from tests.dashboard.test_walk import page, read
from tests.patrol.small_site import NOON_S

GATE = (121.01, 31.015)
FAR = {"lon": 121.01, "lat": 31.005, "accuracy_m": 5.0}
HERE = {"lon": GATE[0], "lat": GATE[1], "accuracy_m": 5.0}


@dataclass
class Rounds:
    room: Room
    clock: SimulatedClock
    administrator: httpx.Client
    operator: httpx.Client
    phone: httpx.Client  # of t01, whose round it is
    other: httpx.Client  # of t02

    def walk(self) -> dict[str, Any]:  # Any: JSON, read by key
        [found] = self.phone.get("/api/v1/me/rounds").json()["items"]
        return dict(found)

    def code(self, checkpoint: str) -> str:
        items = self.administrator.get("/api/v1/checkpoint-codes").json()["items"]
        return next(str(item["text"]) for item in items if item["checkpoint"] == checkpoint)

    def check_in(self, client: httpx.Client, **body: object) -> httpx.Response:
        return client.post(f"/api/v1/rounds/{self.walk()['id']}/check-ins", json={"command_id": str(uuid.uuid4())} | body)

    def step(self, client: httpx.Client, step: str, **body: object) -> httpx.Response:
        values = {"command_id": str(uuid.uuid4()), "step": step}
        return client.post(f"/api/v1/rounds/{self.walk()['id']}/steps", json=values | body)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    yield from _rounds(tmp_path_factory.mktemp("rounds"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Rounds]:
    yield from _rounds(tmp_path)


def _rounds(folder: Path) -> Iterator[Rounds]:
    """At noon team t01 walks from the school gate k1 to k2; k1 is inspected daily."""
    route = Route(
        "noon", Name("午巡", "Noon round"), ("k1", "k2"), Starts(at=Times.parse("12:00")), teams=("t01",), walk_min=(5.0,)
    )
    surprise = Inspection("surprise", Name("突击", "Surprise"), Schedule.parse("20:00-23:00"), draw=1, teams=("t01",))
    base = small_site(folder)
    points = (*base.checkpoints, Checkpoint("k2", Name("后门<&>", "Back gate"), "g1", 121.01, 31.0102))
    site = replace(base, checkpoints=points, rounds=RoundRules(routes=(route,), inspections=(surprise,)))
    clock = SimulatedClock(NOON_S)
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, site)
    settings = DashboardSettings(page=folder / "no-page")
    room = Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, settings)
    room.start()
    try:
        store.rounds.plan(at_once=True)
        administrator = room.set_up()
        user = room.person(administrator, "li.na", "operator")
        yield Rounds(room, clock, administrator, user, room.phone(administrator, "t01"), room.sneak_in("team", "t02"))
    finally:
        room.stop()


def test_a_round_is_walked_from_the_phone_and_followed_in_the_room(fresh: Rounds) -> None:
    walk = fresh.walk()
    assert (walk["state"], walk["kind"], walk["team"]) == ("due", "route", "t01")
    with (
        page(fresh.room, fresh.operator) as screen,
        page(fresh.room, fresh.phone) as pocket,
        page(fresh.room, fresh.other) as third,
    ):
        for socket in (screen, pocket, third):
            assert read(socket)["type"] == "hello"
        assert fresh.step(fresh.phone, "start").json()["state"] == "under_way"
        for socket in (screen, pocket):
            message = read(socket)
            assert (message["type"], message["round"]["state"]) == ("round", "under_way")  # type: ignore[index]  # JSON
        fresh.clock.advance(10)
        first = fresh.check_in(fresh.phone, code=fresh.code("k1"), place=HERE).json()
        assert (first["stops"][0]["state"], first["stops"][0]["proof"]) == ("visited", "code")
    fresh.clock.advance(300)
    skipped = fresh.step(fresh.phone, "skip", checkpoint="k2", reason="施工封闭")
    assert skipped.json()["state"] == "completed"
    assert fresh.phone.get("/api/v1/me/rounds").json() == {"items": [], "next": None}
    detail = fresh.operator.get(f"/api/v1/rounds/{walk['id']}").json()
    assert [entry["act"] for entry in detail["history"]] == ["start", "check_in", "skip"]
    assert detail["history"][1]["distance_m"] == 0.0
    assert detail["figures"] | {"completion": None} == {
        "stops": 2,
        "visited": 1,
        "on_time": 1,
        "late": 0,
        "skipped": 1,
        "missed": 0,
        "odd": 0,
        "completion": None,
    }
    query = {"from": iso(NOON_S - 3600), "to": iso(NOON_S + 3600)}
    [figures] = fresh.operator.get("/api/v1/round-figures", params=query).json()["items"]
    assert (figures["team"], figures["source"], figures["rounds"], figures["completed"]) == ("t01", "noon", 1, 1)


def test_a_forged_code_is_refused_recorded_and_changes_nothing(shared: Rounds) -> None:
    before, good = shared.walk(), shared.code("k1")
    bad = {
        good[:-1] + ("A" if good[-1] != "A" else "B"): "forged",
        good.replace(":TEST:", ":REST:"): "foreign_site",
        "x": "unreadable",
    }
    for text in bad:
        answer = shared.check_in(shared.phone, code=text, place=HERE)
        assert (answer.status_code, set(answer.json())) == (409, {"detail"})
        assert text not in answer.text
    assert shared.walk() == before
    attempts = shared.administrator.get("/api/v1/code-attempts?limit=2").json()
    assert [each["refusal"] for each in attempts["items"]] == ["unreadable", "foreign_site"]
    rest = shared.administrator.get(f"/api/v1/code-attempts?before={attempts['next']}").json()
    assert [each["refusal"] for each in rest["items"]] == ["forged"]
    assert rest["items"][0]["by"]["id"] == "t01"


def test_what_is_not_proof_leaves_the_stop_open_and_says_why(shared: Rounds) -> None:
    far = shared.check_in(shared.phone, code=shared.code("k1"), place=FAR)
    assert (far.status_code, far.json()["stops"][0]["state"]) == (200, "open")
    history = shared.operator.get(f"/api/v1/rounds/{shared.walk()['id']}").json()["history"]
    assert (history[-1]["flags"], history[-1]["proof"]) == (["far"], "none")
    assert history[-1]["distance_m"] == pytest.approx(1112, abs=2)
    assert shared.check_in(shared.phone, checkpoint="k1", place=HERE).json()["stops"][0]["state"] == "open"


def test_a_round_belongs_to_its_team_and_an_operator_may_stand_in_by_radio(shared: Rounds) -> None:
    body = {"command_id": str(uuid.uuid4()), "code": shared.code("k2")}
    path = f"/api/v1/rounds/{shared.walk()['id']}/check-ins"
    assert shared.other.post(path, json=body).status_code == 403
    assert shared.other.get("/api/v1/me/rounds").json()["items"] == []
    radio = shared.check_in(shared.operator, checkpoint="k2")
    assert radio.json()["stops"][1]["proof"] == "radio"


def test_bad_commands_are_refused_in_a_sentence(shared: Rounds) -> None:
    good = shared.code("k1")
    ahead = iso(shared.clock.now_s() + 60)
    answers = [
        shared.check_in(shared.phone, code=good, at=ahead),
        shared.check_in(shared.phone),
        shared.check_in(shared.phone, checkpoint="k9"),
        shared.check_in(shared.phone, code="x" * 201),
        shared.check_in(shared.phone, code=good, place={"lon": 1e9, "lat": 0, "accuracy_m": 0}),
        shared.check_in(shared.phone, code=good, proof="code"),
        shared.step(shared.phone, "skip", checkpoint="k1"),
        shared.step(shared.phone, "skip", checkpoint="k1", reason="x" * 501),
        shared.step(shared.phone, "missed"),
    ]
    assert [answer.status_code for answer in answers] == [422] * len(answers)
    assert all(answer.json()["detail"] for answer in answers)
    unknown = f"/api/v1/rounds/{uuid.uuid4()}"
    assert shared.operator.get(unknown).status_code == 404
    assert shared.phone.post(f"{unknown}/steps", json={"command_id": str(uuid.uuid4()), "step": "start"}).status_code == 404


def test_the_same_command_again_is_answered_alike(shared: Rounds) -> None:
    body = {"command_id": str(uuid.uuid4()), "step": "start"}
    path = f"/api/v1/rounds/{shared.walk()['id']}/steps"
    first, again = shared.phone.post(path, json=body), shared.phone.post(path, json=body)
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (200, first.json())
    assert shared.phone.post(path, json=body | {"step": "finish"}).status_code == 422
    assert shared.phone.post(path, json=body | {"command_id": str(uuid.uuid4())}).status_code == 409


def test_random_rounds_are_shown_to_nobody_before_they_begin(fresh: Rounds) -> None:
    sources = {each["source"] for each in fresh.operator.get("/api/v1/rounds").json()["items"]}
    assert sources == {"noon"}
    hidden = fresh.room.store.rounds.rounds(RoundFilter(), 10)
    [secret] = [each.planned for each in hidden if each.planned.source == "surprise"]
    assert fresh.administrator.get(f"/api/v1/rounds/{secret.id}").status_code == 404
    assert fresh.administrator.get("/api/v1/inspection-draws").json()["items"] == []
    fresh.clock.advance(secret.opens_s - fresh.clock.now_s())
    administrator = fresh.room.sneak_in("user", fresh.room.store.users()[-1].id)
    assert administrator.get(f"/api/v1/rounds/{secret.id}").status_code == 200
    [draw] = administrator.get("/api/v1/inspection-draws").json()["items"]
    assert (draw["source"], draw["drawn"], len(draw["seed"])) == ("surprise", ["k1"], 64)


def test_stops_and_draws_are_asked_for_once_and_called_off(fresh: Rounds) -> None:
    until = iso(fresh.clock.now_s() + 7200)
    body = {"command_id": str(uuid.uuid4()), "lon": 121.011, "lat": 31.011, "why": "Camera c0002 is down", "until": until}
    first = fresh.administrator.post("/api/v1/temporary-stops", json=body)
    assert first.status_code == 201, first.text
    assert fresh.administrator.post("/api/v1/temporary-stops", json=body).json() == first.json()
    assert first.json()["grid_cell"] == "g1"
    mine = fresh.phone.get("/api/v1/me/rounds").json()["items"]
    assert sorted(each["kind"] for each in mine) == ["route", "temporary"]
    assert fresh.administrator.post("/api/v1/temporary-stops", json=body | {"lon": 0}).status_code == 422
    off = fresh.administrator.delete(f"/api/v1/temporary-stops/{body['command_id']}")
    assert off.json()["withdrawn_by"] == "root"
    assert fresh.administrator.delete(f"/api/v1/temporary-stops/{uuid.uuid4()}").status_code == 404
    assert fresh.operator.get("/api/v1/temporary-stops").json()["items"] == []
    assert len(fresh.operator.get("/api/v1/temporary-stops?over=true").json()["items"]) == 1

    wanted = {"command_id": str(uuid.uuid4()), "count": 1, "checkpoints": ["k1", "k2"], "teams": ["t02"]}
    draw = fresh.administrator.post("/api/v1/inspection-draws", json=wanted)
    assert draw.status_code == 201, draw.text
    assert fresh.administrator.post("/api/v1/inspection-draws", json=wanted).json() == draw.json()
    [given] = fresh.other.get("/api/v1/me/rounds").json()["items"]
    assert [stop["checkpoint"] for stop in given["stops"]] == draw.json()["drawn"]
    assert fresh.administrator.post("/api/v1/inspection-draws", json=wanted | {"teams": ["t99"]}).status_code == 201  # as before
    fresh_id = {"command_id": str(uuid.uuid4())}
    assert fresh.administrator.post("/api/v1/inspection-draws", json=wanted | {"teams": ["t99"]} | fresh_id).status_code == 422


def test_codes_are_printed_as_pictures_and_renewed(fresh: Rounds) -> None:
    svg = fresh.administrator.get("/api/v1/checkpoint-codes/k2")
    assert svg.headers["content-type"] == "image/svg+xml"
    root = ET.fromstring(svg.content)
    *names, typed = (each.text for each in root.iter("{http://www.w3.org/2000/svg}text"))
    assert names == ["后门<&>", "Back gate · k2"]
    assert fresh.code("k2").split(":")[-2:] == (typed or "").replace("-", ":", 1).replace("-", "").split(":")
    png = fresh.administrator.get("/api/v1/checkpoint-codes/k2?format=png")
    assert png.content[:8] == b"\x89PNG\r\n\x1a\n"
    picture = cv2.imdecode(np.frombuffer(png.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == fresh.code("k2")
    assert fresh.administrator.get("/api/v1/checkpoint-codes/k9").status_code == 404
    assert fresh.administrator.get("/api/v1/checkpoint-codes/k2?format=gif").status_code == 422
    old = fresh.code("k1")
    assert fresh.administrator.post("/api/v1/checkpoint-codes/renew").json() == {"version": 2}
    assert fresh.check_in(fresh.phone, code=old, place=HERE).status_code == 409
    assert fresh.check_in(fresh.phone, code=fresh.code("k1"), place=HERE).json()["stops"][0]["state"] == "visited"


def test_a_phone_that_passes_a_working_camera_is_credited(fresh: Rounds) -> None:
    where = {"lon": 121.01, "lat": 31.01, "accuracy_m": 5}  # of the cameras; k2 is 22 m away
    stale = where | {"at": iso(fresh.clock.now_s() - 61)}
    assert fresh.phone.post("/api/v1/me/position", json=stale).status_code == 204
    assert [stop["state"] for stop in fresh.walk()["stops"]] == ["open", "open"]  # who knows what worked then
    assert fresh.phone.post("/api/v1/me/position", json=where | {"at": iso(fresh.clock.now_s())}).status_code == 204
    stops = fresh.walk()["stops"]
    assert [(stop["state"], stop["proof"]) for stop in stops] == [("open", None), ("visited", "passed")]


def test_rounds_come_in_pages_and_pass_filters(fresh: Rounds) -> None:
    fresh.clock.advance(600)
    items = fresh.operator.get("/api/v1/rounds", params={"limit": 1}).json()
    assert items["next"] is None
    assert len(items["items"]) == 1
    for query in ("state=due", "kind=route", "team=t01", "source=noon", f"from={iso(NOON_S)}&to={iso(NOON_S + 1)}"):
        assert len(fresh.operator.get(f"/api/v1/rounds?{query}").json()["items"]) == 1, query
    for query in ("state=missed", "kind=inspection", "team=t02", "source=night", f"from={iso(NOON_S + 1)}"):
        assert fresh.operator.get(f"/api/v1/rounds?{query}").json()["items"] == [], query
    for query in ("state=gone", "limit=0", "limit=201", "before=x", "from=noon", "team=%20"):
        assert fresh.operator.get(f"/api/v1/rounds?{query}").status_code == 422, query


def test_every_request_of_rounds_is_described_with_an_example(shared: Rounds) -> None:
    described = shared.operator.get("/api/v1/openapi.json").json()
    for name in ("CheckInIn", "RoundStepIn", "TemporaryStopIn", "DrawIn"):
        assert described["components"]["schemas"][name]["examples"], name
    assert "/api/v1/rounds/{round_id}/check-ins" in described["paths"]


def test_a_missed_round_stays_on_the_phone_while_it_can_be_made_up(fresh: Rounds) -> None:
    walk, code = fresh.walk(), fresh.code("k1")

    def shown() -> list[str]:
        return [each["state"] for each in fresh.phone.get("/api/v1/me/rounds").json()["items"] if each["id"] == walk["id"]]

    fresh.clock.advance(datetime.fromisoformat(walk["closes_at"]).timestamp() - fresh.clock.now_s() + AFTER_S - 1)
    fresh.room.store.rounds.keep()
    assert shown() == ["missed"]
    body = {"command_id": str(uuid.uuid4()), "code": code, "place": HERE}
    answer = fresh.phone.post(f"/api/v1/rounds/{walk['id']}/check-ins", json=body)
    assert [stop["findings"] for stop in answer.json()["stops"]] == [["late"], []]
    assert shown() == ["incomplete"]
    fresh.clock.advance(2)
    assert shown() == []
