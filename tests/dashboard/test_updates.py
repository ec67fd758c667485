"""The hub by itself, and slow, silent and noisy pages over a real socket."""

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from base import CameraStatus, Health, Quality
from dashboard import announce_camera, announce_team
from dashboard.routes.updates import PER_SESSION
from dashboard.updates import Audience, Subscriber, Updates
from patrol import TeamState, TeamStatus
from storage import Area
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room, cookie_of, small_site, wait_until

EVERYTHING = Audience()


def _incident(name: str, version: int, team: str | None) -> dict[str, object]:
    return {"id": name, "version": version, "team": team, "proposal": {"team": "t09"}, "refused": ["t08"]}


def _taken(subscriber: Subscriber) -> list[dict[str, Any]]:  # Any: JSON
    found = []
    while not subscriber.queue.empty():
        found.append(json.loads(subscriber.queue.get_nowait()))
    return found


def test_updates_are_numbered_and_reach_everybody() -> None:
    updates = Updates()
    one, hello = updates.subscribe(EVERYTHING, "s1")
    updates.publish("camera", {"id": "c1"})
    two, later = updates.subscribe(EVERYTHING, "s2")
    updates.publish("camera", {"id": "c2"})
    assert (hello.seq, later.seq, hello.reset) == (0, 1, False)
    assert _taken(one) == [
        {"type": "camera", "seq": 1, "camera": {"id": "c1"}},
        {"type": "camera", "seq": 2, "camera": {"id": "c2"}},
    ]
    assert [each["seq"] for each in _taken(two)] == [2]


def test_who_comes_back_gets_what_was_missed_or_is_told_to_load_again() -> None:
    updates = Updates(replay=10)
    for number in range(25):
        updates.publish("camera", {"id": str(number)})
    subscriber, hello = updates.subscribe(EVERYTHING, "s", updates.epoch, 20)
    assert (hello.seq, hello.reset) == (20, False)
    assert [each["seq"] for each in _taken(subscriber)] == [21, 22, 23, 24, 25]
    for epoch, since, reset in (
        (updates.epoch, 15, False),  # 16 is the oldest kept
        (updates.epoch, 14, True),
        (updates.epoch, 25, False),
        (updates.epoch, 26, True),  # we have not said that yet
        ("another", 20, True),
        (None, None, False),
        (None, 20, False),
    ):
        _, hello = updates.subscribe(EVERYTHING, "s", epoch, since)
        assert hello.reset is reset, (epoch, since)
        assert hello.seq == (25 if reset or epoch is None else since)


@given(st.integers(1, 20), st.lists(st.integers(0, 30), max_size=10))
def test_no_update_is_missed_or_doubled_however_often_a_page_comes_back(replay: int, bursts: list[int]) -> None:
    updates = Updates(replay=replay, queue=100)
    subscriber, hello = updates.subscribe(EVERYTHING, "s")
    seen = hello.seq
    for burst in bursts:
        updates.unsubscribe(subscriber)
        for _ in range(burst):
            updates.publish("camera", {})
        subscriber, hello = updates.subscribe(EVERYTHING, "s", updates.epoch, seen)
        assert hello.reset is (burst > replay)
        assert hello.seq == (updates.seq if hello.reset else seen)
        seen = hello.seq
        for message in _taken(subscriber):
            assert message["seq"] == seen + 1
            seen = message["seq"]
        assert seen == updates.seq


def test_a_team_hears_of_its_own_incidents_only() -> None:
    updates = Updates()
    first, _ = updates.subscribe(Audience("t01"), "s1")
    second, _ = updates.subscribe(Audience("t02"), "s2")
    updates.publish("camera", {"id": "c1"})
    updates.publish("team", {"id": "t01"})
    updates.publish("incident", _incident("i1", 1, None))
    updates.publish("incident", _incident("i1", 2, "t01"))
    updates.publish("incident", _incident("i1", 3, "t02"))  # sent to another team
    (told, reset), (also,) = _taken(first), _taken(second)
    assert (told["incident"]["version"], told["incident"]["proposal"], told["incident"]["refused"]) == (2, None, [])
    assert reset == {"type": "reset", "seq": 5}
    assert also["incident"]["version"] == 3
    again, hello = updates.subscribe(Audience("t01"), "s3", updates.epoch, 0)
    assert not hello.reset
    assert [each["type"] for each in _taken(again)] == ["incident", "reset"]  # the past is filtered, too


def test_a_team_that_supports_an_incident_hears_of_it_meanwhile() -> None:
    updates = Updates()
    main, _ = updates.subscribe(Audience("t01"), "s1")
    helping, _ = updates.subscribe(Audience("t02"), "s2")
    updates.publish("incident", _incident("i1", 1, "t01"))
    updates.support("i1", "t02", lasts=True)
    updates.publish("support", {"team": "t02", "state": "en_route"})
    updates.publish("incident", _incident("i1", 2, "t01"))
    updates.publish("incident", _incident("i1", 3, None))  # its team refused
    assert [(each["type"], each.get("incident", {}).get("version")) for each in _taken(helping)] == [
        ("support", None),
        ("incident", 2),
        ("incident", 3),
    ]
    assert [each["type"] for each in _taken(main)] == ["incident", "incident", "reset"]
    updates.support("i1", "t02", lasts=False)
    updates.publish("incident", _incident("i1", 4, "t01"))
    assert _taken(helping) == []
    updates.support("i1", "t02", lasts=True)
    updates.publish("incident", _incident("i1", 5, "t01") | {"work": "closed"})
    updates.publish("incident", _incident("i1", 6, "t01") | {"work": "acknowledged"})  # opened again: another support
    [last] = _taken(helping)
    assert (last["incident"]["version"], last["incident"]["refused"]) == (5, [])


def test_an_incident_that_leaves_an_area_is_a_reset_there_and_news_in_the_other() -> None:
    updates = Updates()
    areas = {name: Area(name, frozenset(), frozenset({name}), frozenset()) for name in ("g1", "g2", "g3")}
    pages = {name: updates.subscribe(Audience(area=area), "s")[0] for name, area in areas.items()}
    whole, _ = updates.subscribe(Audience(), "s")

    def tell(version: int, cell: str) -> None:
        data = _incident("i1", version, None)

        def seen(area: Area) -> dict[str, object] | None:
            return data | {"shown": area.key} if area.holds(cell, "") else None

        updates.publish("incident", data, seen)

    tell(1, "g1")
    tell(2, "g2")
    tell(1, "g1")  # late: told by nobody any more
    updates.publish("camera", {"id": "c1"})  # of no area
    first, last = _taken(pages["g1"])
    assert first["incident"] == _incident("i1", 1, None) | {"shown": "g1"}
    assert last == {"type": "reset", "seq": 2}
    [arrived] = _taken(pages["g2"])
    assert (arrived["type"], arrived["seq"]) == ("incident", 2)
    assert _taken(pages["g3"]) == []
    assert [message["type"] for message in _taken(whole)] == ["incident", "incident", "camera"]
    # Who was away hears the same.
    again, hello = updates.subscribe(Audience(area=areas["g1"]), "s", updates.epoch, 0)
    assert not hello.reset
    assert _taken(again) == [first, last]


def test_an_older_incident_does_not_replace_a_newer_one() -> None:
    updates = Updates()
    subscriber, _ = updates.subscribe(EVERYTHING, "s")
    updates.publish("incident", _incident("i1", 3, None))
    updates.publish("incident", _incident("i1", 2, None))
    updates.publish("incident", _incident("i1", 3, None))
    assert [(each["seq"], each["incident"]["version"]) for each in _taken(subscriber)] == [(1, 3), (2, 3)]


def test_who_falls_behind_is_cut_off_and_the_others_are_not() -> None:
    updates = Updates(queue=5)
    slow, _ = updates.subscribe(EVERYTHING, "slow")
    quick, _ = updates.subscribe(EVERYTHING, "quick")
    for number in range(8):
        updates.publish("camera", {"id": str(number)})
        assert len(_taken(quick)) == 1
    assert slow.lost.is_set()
    assert slow.queue.qsize() == 5
    assert updates.refused == 1
    assert not quick.lost.is_set()


def test_who_comes_back_after_long_is_not_cut_off_for_it() -> None:
    updates = Updates(replay=100, queue=5)
    for number in range(50):
        updates.publish("camera", {"id": str(number)})
    subscriber, _ = updates.subscribe(EVERYTHING, "s", updates.epoch, 0)
    updates.publish("camera", {"id": "next"})
    assert not subscriber.lost.is_set()
    assert subscriber.queue.qsize() == 51


def test_revoking_reaches_every_page_of_the_session() -> None:
    updates = Updates()
    mine, _ = updates.subscribe(EVERYTHING, "s1")
    also_mine, _ = updates.subscribe(EVERYTHING, "s1")
    other, _ = updates.subscribe(EVERYTHING, "s2")
    assert updates.sessions() == {"s1", "s2"}
    updates.revoke("s1")
    assert (mine.revoked.is_set(), also_mine.revoked.is_set(), other.revoked.is_set()) == (True, True, False)
    updates.unsubscribe(other)
    updates.unsubscribe(other)
    assert len(updates) == 2


def test_a_page_that_does_not_read_is_sent_away(new_room: Callable[..., Room]) -> None:
    room = new_room(queue=20)
    client = room.set_up()
    updates: Updates = room.app.state.updates
    headers = {"Cookie": f"gridpatrol_session={cookie_of(client)}"}
    with connect(room.socket_url, additional_headers=headers, max_queue=1, max_size=None) as socket:
        socket.recv(timeout=5)
        big = {"id": "c1", "error": "x" * 200_000}

        def flood() -> bool:
            room.call(updates.publish, "camera", big)
            return updates.refused > 0

        wait_until(flood, "the queue of a page that does not read overflows")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    wait_until(lambda: len(updates) == 0, "the page is forgotten")


def test_a_page_that_talks_is_sent_away(staff: Staff) -> None:
    headers = {"Cookie": f"gridpatrol_session={cookie_of(staff.operator)}"}
    with connect(staff.room.socket_url, additional_headers=headers) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(10_000):
                socket.send("hello?")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    with connect(staff.room.socket_url, additional_headers=headers) as socket:
        socket.recv(timeout=5)
        with pytest.raises(ConnectionClosed) as closed:
            socket.send("x" * 100_000)
            socket.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_session_has_so_many_pages_and_no_more(new_room: Callable[..., Room]) -> None:
    room = new_room()
    client = room.set_up()
    headers = {"Cookie": f"gridpatrol_session={cookie_of(client)}"}
    with ExitStack() as pages:
        sockets = [pages.enter_context(connect(room.socket_url, additional_headers=headers)) for _ in range(PER_SESSION)]
        with pytest.raises(InvalidStatus) as refused:
            connect(room.socket_url, additional_headers=headers)
        assert refused.value.response.status_code == 429
        assert b"You already have 8 pages open" in refused.value.response.body
        assert json.loads(sockets[0].recv(timeout=5))["type"] == "hello"  # the others go on
        other = room.phone(client, "t01")
        with connect(room.socket_url, additional_headers={"Cookie": f"gridpatrol_session={cookie_of(other)}"}) as theirs:
            theirs.recv(timeout=5)
        sockets[1].close()
        updates: Updates = room.app.state.updates
        wait_until(lambda: len(updates) < PER_SESSION, "the closed page is forgotten")
        pages.enter_context(connect(room.socket_url, additional_headers=headers)).recv(timeout=5)


def test_a_team_that_is_not_of_this_site_is_told_to_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    updates, site = Updates(), small_site(tmp_path)
    gone = TeamState("t99", on_shift=True, status=TeamStatus.AVAILABLE)
    announce_team(updates, site, gone)
    assert updates.seq == 0
    assert "'t99' is not one of this site" in caplog.text
    announce_team(updates, site, replace(gone, team="t01"))
    assert updates.seq == 1


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), float("-inf"), 1e300, -1e300])
def test_a_moment_that_is_none_can_be_told(time_s: float) -> None:
    updates = Updates()
    announce_camera(updates, CameraStatus("c0001", Health.ONLINE, Quality.EXCELLENT, time_s, time_s))
    assert updates.seq == 1


def test_a_silent_server_says_that_it_is_there(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.routes.updates.PING_S", 0.05)
    headers = {"Cookie": f"gridpatrol_session={cookie_of(staff.operator)}"}
    with connect(staff.room.socket_url, additional_headers=headers) as socket:
        assert json.loads(socket.recv(timeout=5))["type"] == "hello"
        pings = [json.loads(socket.recv(timeout=5)) for _ in range(3)]
    assert {each["type"] for each in pings} == {"ping"}
    assert all(each["now"].endswith("Z") for each in pings)


def test_another_epoch_is_told_to_load_again(staff: Staff) -> None:
    headers = {"Cookie": f"gridpatrol_session={cookie_of(staff.operator)}"}
    with connect(f"{staff.room.socket_url}?epoch=0123&since=7", additional_headers=headers) as socket:
        hello, reset = (json.loads(socket.recv(timeout=5)) for _ in range(2))
    assert hello["type"] == "hello"
    assert reset == {"type": "reset", "seq": hello["seq"]}


def test_a_hub_needs_no_loop_to_publish() -> None:
    updates = Updates()
    updates.publish("camera", {})
    assert asyncio.run(_one(updates))["seq"] == 2


async def _one(updates: Updates) -> dict[str, Any]:  # Any: JSON
    subscriber, _ = updates.subscribe(EVERYTHING, "s")
    updates.publish("camera", {})
    message: dict[str, Any] = json.loads(await subscriber.queue.get())
    return message
