"""Users, sessions, codes, secrets, audit, and camera health, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from base import CameraStatus, Health, Quality, SimulatedClock
from storage import NameTakenError, Store
from tests.patrol.small_site import LI, NOON_S, WANG


def test_users_are_found_by_name_and_id(store: Store) -> None:
    assert not store.has_users()
    user = store.add_user("li", "$argon2id$…", "operator")
    assert store.has_users()
    assert store.user_by_name("li") == store.user(user.id) == user
    assert (user.role, user.created_s) == ("operator", NOON_S)
    assert store.user_by_name("LI") is None
    assert store.user("nobody") is None
    with pytest.raises(NameTakenError, match="a user called li already"):
        store.add_user("li", "other", "administrator")
    other = store.add_user("an", "x", "dispatcher")
    assert store.users() == [other, user]
    assert "argon2" not in repr(user)


def test_only_one_first_user_is_made_and_the_secret_is_gone(store: Store) -> None:
    store.set_setup_secret_hash("hash one")
    store.set_setup_secret_hash("hash two")
    assert store.setup_secret_hash() == "hash two"
    start = threading.Barrier(4)

    def make(name: str) -> object:
        start.wait(10)
        return store.add_first_user(name, "hash", "administrator")

    with ThreadPoolExecutor(4) as pool:
        made = [user for user in pool.map(make, "abcd") if user is not None]
    assert store.users() == made
    assert len(made) == 1
    assert store.setup_secret_hash() is None
    store.set_setup_secret_hash("again")
    store.set_setup_secret_hash(None)
    assert store.setup_secret_hash() is None


def test_sessions_expire_and_end(store: Store, clock: SimulatedClock) -> None:
    first = store.add_session("a" * 64, "user", "u1", NOON_S + 100)
    store.add_session("b" * 64, "user", "u1", NOON_S + 1000)
    store.add_session("c" * 64, "team", "u1", NOON_S + 1000)
    assert store.session("a" * 64) == first
    assert store.session("d" * 64) is None
    clock.advance(100)
    assert store.session("a" * 64) is None
    store.add_session("e" * 64, "user", "u2", NOON_S + 1000)  # clears the expired one away
    assert store.delete_sessions_of("user", "u1") == 1
    assert store.session("b" * 64) is None
    assert store.session("c" * 64) is not None
    store.delete_session("c" * 64)
    store.delete_session("c" * 64)
    assert store.session("c" * 64) is None
    assert "aaaa" not in repr(first)


def test_a_phone_code_works_once_and_not_for_long(store: Store, clock: SimulatedClock) -> None:
    store.add_team_code("a" * 64, "t1", NOON_S + 100)
    store.add_team_code("b" * 64, "t2", NOON_S + 100)
    assert store.take_team_code("a" * 64, NOON_S + 1) == "t1"
    assert store.take_team_code("a" * 64, NOON_S + 1) is None
    assert store.take_team_code("c" * 64) is None
    clock.advance(100)
    assert store.take_team_code("b" * 64) is None


def test_the_same_code_at_once_is_taken_once(store: Store) -> None:
    store.add_team_code("a" * 64, "t1", NOON_S + 100)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: store.take_team_code("a" * 64), range(4)))
    assert sorted(taken, key=str) == [None, None, None, "t1"]


def test_audit_rows_are_numbered_and_page(store: Store) -> None:
    for n in range(5):
        store.audit(LI if n % 2 else WANG, "export", f"ledger/{n}", "cells=3")
    newest = store.audit_rows(2)
    assert [row.resource for row in newest] == ["ledger/4", "ledger/3"]
    rest = store.audit_rows(10, newest[-1].number)
    assert [row.resource for row in rest] == ["ledger/2", "ledger/1", "ledger/0"]
    assert (rest[1].actor, rest[1].action, rest[1].detail, rest[1].at_s) == (LI, "export", "cells=3", NOON_S)


def status(camera: str, health: Health, error: str = "", quality: Quality = Quality.EXCELLENT) -> CameraStatus:
    return CameraStatus(camera, health, quality, NOON_S - 5, None, error=error)


def test_only_changes_of_health_are_kept_with_their_cause(store: Store, clock: SimulatedClock) -> None:
    up, down = status("c1", Health.ONLINE), status("c1", Health.OFFLINE, "no answer from 192.0.2.1:554")
    assert store.record_statuses([up, status("c2", Health.ONLINE)]) == [up, status("c2", Health.ONLINE)]
    assert store.record_statuses([up]) == []
    assert store.record_statuses([status("c1", Health.ONLINE, quality=Quality.POOR)]) == []
    clock.advance(60)
    assert store.record_statuses([down, up, up, down]) == [down, up, down]
    assert store.record_statuses([]) == []
    changes = store.health_changes("c1")
    assert [change.health for change in changes] == ["offline", "online", "offline", "online"]
    assert (changes[0].cause, changes[0].since_s, changes[0].recorded_s) == (down.error, NOON_S - 5, NOON_S + 60)
    assert [change.health for change in store.health_changes("c1", 1)] == ["offline"]
    assert store.health_changes("nowhere") == []
