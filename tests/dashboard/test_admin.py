"""Sessions that an administrator sees and ends, the audit trail with its filters, limits and networks."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from base import SimulatedClock
from camera_config.site import Site
from camera_config.time_limits import Category, Limit, LimitedStep, TimeLimits
from dashboard import Network, NetworkAccuracy
from dashboard.admin_schemas import LimitsOut
from dashboard.ledger_export import XLSX_MOST
from patrol import LIMITS_S, Actor, ActorKind, Step
from tests.dashboard.room import Room, cookie_of, small_site
from tests.patrol.small_site import LI, NOON_S

WEI = Actor(ActorKind.USER, "u-wei", "魏 100%_x")


def test_who_is_signed_in_is_listed_and_can_be_signed_out(new_room: Callable[..., Room]) -> None:
    clock = SimulatedClock(NOON_S)
    room = new_room(clock)
    boss = room.set_up()
    operator = room.person(boss, "li.na", "operator")
    phone = room.phone(boss, "t01")
    clock.advance(60)
    assert boss.get("/api/v1/session").status_code == 200
    listed: list[dict[str, Any]] = boss.get("/api/v1/sessions").json()["items"]
    by_name = {each["name"]: each for each in listed}
    assert set(by_name) == {"root", "li.na", "东门岗"}
    assert [each["own"] for each in listed if each["name"] == "root"] == [True] and not by_name["li.na"]["own"]
    assert (by_name["li.na"]["role"], by_name["li.na"]["idle_s"], by_name["东门岗"]["kind"]) == ("operator", 60.0, "team")
    cookie = cookie_of(operator)
    assert cookie not in str(listed) and all(key not in str(listed) for key in _keys(room))
    assert boss.delete(f"/api/v1/sessions/{by_name['li.na']['id']}").status_code == 204
    assert operator.get("/api/v1/cameras").status_code == 401 and phone.get("/api/v1/me/shift").status_code == 200
    assert boss.delete(f"/api/v1/sessions/{by_name['li.na']['id']}").status_code == 404
    row = room.store.audit_rows(1)[0]
    assert (row.action, row.detail, row.actor.name) == ("end_session", "li.na", "root")
    assert boss.delete("/api/v1/sessions/x").status_code == 422
    clock.advance(31 * 60)  # the operator's second session is not used any more
    assert phone.get("/api/v1/me/shift").status_code == 200


def _keys(room: Room) -> list[str]:
    return [session.token_sha256 for session in room.store.sessions()]


def test_a_session_that_nobody_uses_any_more_is_not_listed(new_room: Callable[..., Room]) -> None:
    clock = SimulatedClock(NOON_S)
    room = new_room(clock)
    boss = room.set_up()
    room.person(boss, "li.na", "operator")
    for _ in range(4):
        clock.advance(10 * 60)
        assert boss.get("/api/v1/session").status_code == 200
    assert [each["name"] for each in boss.get("/api/v1/sessions").json()["items"]] == ["root"]


def test_the_audit_is_read_page_by_page_and_by_filter(new_room: Callable[..., Room]) -> None:
    clock = SimulatedClock(NOON_S)
    room = new_room(clock)
    boss = room.set_up()
    for number in range(5):
        clock.advance(60)
        room.store.audit(WEI if number % 2 else LI, "swap" if number < 4 else "leave", f"team/t0{number}", "50% off_x")

    def read(**asked: str) -> dict[str, Any]:
        answer = boss.get("/api/v1/audit", params=asked)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def resources(**asked: str) -> list[str]:
        return [each["resource"] for each in read(**asked)["items"]]

    first = read(limit="2", text="team/t0")
    second = read(limit="2", text="team/t0", before=str(first["next"]))
    third = read(limit="2", text="team/t0", before=str(second["next"]))
    walked = [each["resource"] for page in (first, second, third) for each in page["items"]]
    assert walked == [f"team/t0{number}" for number in (4, 3, 2, 1, 0)] and third["next"] is None
    assert resources(actor="魏") == ["team/t03", "team/t01"] == resources(actor="100%_X")
    assert resources(action="leave") == ["team/t04"] and set(read()["actions"]) >= {"leave", "swap", "set_up"}
    assert resources(text="%_%") == [] and len(resources(text="0% OFF_x")) == 5
    assert resources(**{"from": "2023-11-15T04:03:00Z", "to": "2023-11-15T04:04:00Z"}) == ["team/t02"]
    for wrong in ({"limit": "0"}, {"before": "x"}, {"from": "now"}):
        assert boss.get("/api/v1/audit", params=wrong).status_code == 422


def test_the_audit_as_a_file_is_whole_or_refused_and_says_what_was_asked(new_room: Callable[..., Room], tmp_path: Path) -> None:
    room = new_room(SimulatedClock(NOON_S))
    boss = room.set_up()
    room.store.audit(WEI, "swap", "team/t01", "odd")
    [path] = tmp_path.rglob("gridpatrol.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO audit (at_s, actor_kind, actor_id, actor_name, action, resource, detail) "
            "SELECT 0, 'user', 'u', 'li', 'scan', '', '' FROM n",
            (XLSX_MOST,),
        )
    taken = boss.get("/api/v1/audit/export", params={"actor": "魏", "action": "swap", "from": "2020-01-01T00:00:00Z"})
    assert len(taken.text.splitlines()) == 2
    row = room.store.audit_rows(1)[0]
    assert row.detail == "csv, 1 rows, actor 魏, action swap, from 2020-01-01T00:00:00.000Z"
    refused = boss.get("/api/v1/audit/export", params={"format": "xlsx"})
    assert refused.status_code == 422 and f"more than {XLSX_MOST} rows" in refused.json()["detail"]
    assert room.store.audit_rows(1)[0] == row


def test_limits_are_those_in_force(tmp_path: Path) -> None:
    limit = Limit((2,), (), {LimitedStep.ARRIVE: 480.0})
    fire = Limit((2,), (Category.FIRE,), {LimitedStep.ARRIVE: 240.0}, frozenset())
    site: Site = replace(small_site(tmp_path), time_limits=TimeLimits(limits=(limit, fire)))
    found = {(each.severity, each.step): each for each in LimitsOut.of(site).limits}
    assert len(found) == len(LIMITS_S) * len(LimitedStep)
    arrive = found[2, LimitedStep.ARRIVE]
    assert (arrive.limit_s, arrive.default_s, arrive.categories) == (480.0, LIMITS_S[2][Step.ARRIVE], {Category.FIRE: 240.0})
    assert found[1, LimitedStep.ARRIVE].limit_s == LIMITS_S[1][Step.ARRIVE] and not found[1, LimitedStep.ARRIVE].categories


def test_networks_are_those_that_are_there_when_asked(new_room: Callable[..., Room]) -> None:
    room = new_room()
    boss = room.set_up()
    assert boss.get("/api/v1/networks").json() == {"items": []}
    row = NetworkAccuracy("Campus", "person", "all", 0.78, 0.026, 118)
    known = Network(
        "crop", "c.onnx", False, 9, "0" * 64, "", "us", "Apache-2.0", "crop", ("a",), "64", 0.1, "one core", "x", (row,)
    )
    room.app.state.dashboard.networks.found_by(lambda: [known])
    [shown] = boss.get("/api/v1/networks").json()["items"]
    assert (shown["name"], shown["present"], shown["accuracy"][0]["recall"]) == ("crop", False, 0.78)
