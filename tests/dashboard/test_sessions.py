"""Setting up, signing in, staying signed in, being signed out."""

import hashlib
import sqlite3
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from base import SimulatedClock
from dashboard import DashboardSettings, ensure_setup_secret
from dashboard.attempts import KEYS, Attempts, peer_key
from dashboard.authorize import NotSignedInError
from dashboard.failures import TooManyError
from tests.dashboard.conftest import Staff
from tests.dashboard.room import PASSWORD, Room, cookie_of

NewRoom = Callable[..., Room]


def test_the_setup_secret_works_once(new_room: NewRoom) -> None:
    room = new_room()
    client = room.client()
    assert client.get("/api/v1/setup").json() == {"needed": True}
    good = {"secret": room.secret, "name": "root", "password": PASSWORD}
    assert client.post("/api/v1/setup", json=good | {"secret": "guess"}).status_code == 403
    assert client.post("/api/v1/setup", json=good | {"password": "short"}).status_code == 422
    answer = client.post("/api/v1/setup", json=good)
    assert answer.status_code == 200
    assert answer.json()["principal"]["role"] == "administrator"
    assert client.get("/api/v1/setup").json() == {"needed": False}
    assert room.client().post("/api/v1/setup", json=good | {"name": "second"}).status_code == 403
    assert [user.name for user in room.store.users()] == ["root"]
    assert ensure_setup_secret(room.store, room.clock) is None


def test_a_newer_setup_secret_replaces_the_older_and_grows_old(new_room: NewRoom) -> None:
    clock = SimulatedClock()
    room = new_room(clock)
    newer = ensure_setup_secret(room.store, clock)
    assert newer is not None
    assert newer != room.secret
    body = {"name": "root", "password": PASSWORD}
    assert room.client().post("/api/v1/setup", json=body | {"secret": room.secret}).status_code == 403
    clock.advance(25 * 3600)
    assert room.client().post("/api/v1/setup", json=body | {"secret": newer}).status_code == 403
    assert not room.store.has_users()


def test_no_secret_stands_in_the_database(new_room: NewRoom) -> None:
    room = new_room()
    administrator = room.set_up()
    code = administrator.post("/api/v1/teams/t01/phone").json()["code"]
    token = cookie_of(administrator)
    database = sqlite3.connect(room.site.folder / "gridpatrol.db")
    dump = "\n".join(database.iterdump())
    database.close()
    for secret in (token, code, code.replace("-", ""), PASSWORD, room.secret or "?"):
        assert secret not in dump
    assert hashlib.sha256(token.encode()).hexdigest() in dump
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in dump


def test_the_cookie_is_for_the_server_alone(staff: Staff) -> None:
    answer = staff.room.client().post("/api/v1/session", json={"name": "wang", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie  # plain http; over https it is set
    assert len(cookie_of(staff.operator)) >= 43  # 256 bits
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaaaaa", "xx-zhao.min-123456"])
def test_a_guessable_password_is_refused_without_being_repeated(staff: Staff, password: str) -> None:
    answer = staff.administrator.post("/api/v1/users", json={"name": "zhao.min", "password": password, "role": "operator"})
    assert answer.status_code == 422
    assert password not in answer.text


def test_a_wrong_field_is_refused_without_repeating_the_password(staff: Staff) -> None:
    answer = staff.room.client().post("/api/v1/session", json={"name": "wang", "password": "S3cret-in-body", "remember": True})
    assert answer.status_code == 422
    assert "S3cret" not in answer.text


@pytest.mark.parametrize("name", ["a\\u0000b", "\\ud800", "", "x" * 65, "\\u001b[31m"])
def test_a_name_that_no_keyboard_makes_is_refused(staff: Staff, name: str) -> None:
    body = f'{{"name": "{name}", "password": "x"}}'
    answer = staff.room.client().post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


def test_a_name_can_be_taken_once(staff: Staff) -> None:
    answer = staff.administrator.post("/api/v1/users", json={"name": "wang", "password": PASSWORD, "role": "operator"})
    assert answer.status_code == 409
    assert answer.json()["detail"]


def test_ten_wrong_passwords_are_the_limit_for_a_peer(new_room: NewRoom) -> None:
    assert DashboardSettings().failures == 10
    clock = SimulatedClock()
    room = new_room(clock, failures=4)
    administrator = room.set_up()
    client = room.client()
    with ThreadPoolExecutor(9) as pool:  # all at once: being quick does not help
        answers = list(pool.map(lambda _: client.post("/api/v1/session", json={"name": "root", "password": "wrong"}), range(9)))
    assert sorted(answer.status_code for answer in answers) == [401] * 4 + [429] * 5
    refused = client.post("/api/v1/session", json={"name": "somebody else", "password": "wrong"})  # the peer is at its limit
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300
    assert room.client().post("/api/v1/session", json={"name": "root", "password": PASSWORD}).status_code == 429
    assert administrator.get("/api/v1/session").status_code == 200  # who is signed in stays so
    clock.advance(301)
    assert room.client().post("/api/v1/session", json={"name": "root", "password": PASSWORD}).status_code == 200


def test_nobody_locks_others_out_from_one_address(new_room: NewRoom) -> None:
    assert DashboardSettings().failures_by_name == 100
    clock = SimulatedClock()
    room = new_room(clock, failures=2, failures_by_name=5)
    room.set_up()
    sessions = room.app.state.dashboard.sessions

    def sign_in(name: str, password: str, peer: str) -> str:
        try:
            room.on_loop(sessions.sign_in(name, password, peer))
        except (NotSignedInError, TooManyError) as error:
            return type(error).__name__
        return "in"

    wrong, too_many = NotSignedInError.__name__, TooManyError.__name__
    tries = [sign_in("root", "wrong", "192.0.2.1") for _ in range(4)]
    assert tries == [wrong, wrong, too_many, too_many]
    assert sign_in("root", PASSWORD, "192.0.2.2") == "in"
    # Guessing from many addresses ends, too, and as soon for a name that there is not.
    for name, before in (("root", 2), ("nobody", 0)):
        tries = [sign_in(name, "wrong", f"198.51.100.{before}{number}") for number in range(before, 6)]
        assert tries == [wrong] * (5 - before) + [too_many]
    assert sign_in("root", PASSWORD, "192.0.2.2") == too_many
    clock.advance(301)
    assert sign_in("root", PASSWORD, "192.0.2.1") == "in"


def test_a_spoofed_address_does_not_help(new_room: NewRoom) -> None:
    room = new_room(failures=2)
    client = room.client()

    def wrong(number: int) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
        body = {"name": f"nobody{number}", "password": "wrong"}
        return client.post("/api/v1/session", json=body, headers=headers).status_code

    assert [wrong(number) for number in range(3)] == [401, 401, 429]


def test_codes_are_guessed_no_faster_than_passwords(new_room: NewRoom) -> None:
    room = new_room(failures=3)
    client = room.client()
    codes = [client.post("/api/v1/session/team", json={"code": f"AAAA-AAAA-AAA{number}"}).status_code for number in range(4)]
    assert codes == [401, 401, 401, 429]


def test_attempts_are_bounded_in_memory() -> None:
    clock = SimulatedClock()
    attempts = Attempts(clock, 2, 60.0)
    for number in range(KEYS + 100):
        attempts.begin(f"user:{number}")
    assert len(attempts._times_s) == KEYS
    attempts.begin("user:x")
    attempts.begin("user:x")
    with pytest.raises(TooManyError):
        attempts.begin("user:x", "peer:y")
    attempts.begin("peer:y")
    attempts.begin("peer:y")  # the refused attempt was not counted against the peer
    clock.advance(61)
    attempts.begin("user:x")


def test_a_peer_is_an_address_or_a_network_that_one_customer_has() -> None:
    assert peer_key("192.0.2.7") == peer_key("::ffff:192.0.2.7") != peer_key("192.0.2.8")
    assert peer_key("2001:db8::1") == peer_key("2001:db8::ffff:1") != peer_key("2001:db8:0:1::1")
    assert peer_key("fe80::1%eth0") == peer_key("fe80::2")
    assert peer_key("unknown") == "peer:unknown"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(new_room: NewRoom) -> None:
    """Measured as processor time of this process, in which the server runs, so that other programs do not matter."""
    room = new_room(failures=1000)
    room.set_up()
    client = room.client()

    def cpu_s(name: str) -> float:
        begin_s = time.process_time()
        assert client.post("/api/v1/session", json={"name": name, "password": "wrong password"}).status_code == 401
        return time.process_time() - begin_s

    known, unknown = zip(*[(cpu_s("root"), cpu_s("nobody")) for _ in range(3)], strict=True)
    # without a decoy an unknown name costs 5 % of it
    assert statistics.median(unknown) > 0.6 * statistics.median(known)
    assert statistics.median(known) > 0.6 * statistics.median(unknown)


def test_a_user_who_does_nothing_for_half_an_hour_is_signed_out(new_room: NewRoom) -> None:
    clock = SimulatedClock()
    room = new_room(clock)
    client = room.set_up()
    clock.advance(29 * 60)
    assert client.get("/api/v1/session").status_code == 200  # this is use, and begins the half hour anew
    clock.advance(29 * 60)
    assert client.get("/api/v1/session").status_code == 200
    clock.advance(31 * 60)
    assert client.get("/api/v1/session").status_code == 401
    assert client.get("/api/v1/session").status_code == 401  # and stays so


def test_nobody_stays_longer_than_twelve_hours_and_a_phone_stays_so_long(new_room: NewRoom) -> None:
    clock = SimulatedClock()
    room = new_room(clock)
    client = room.set_up()
    phone = room.phone(client, "t01")
    for _ in range(47):
        clock.advance(15 * 60)
        assert client.get("/api/v1/session").status_code == 200
    assert phone.get("/api/v1/session").status_code == 200  # it was idle all the time
    clock.advance(16 * 60)
    assert client.get("/api/v1/session").status_code == 401
    assert phone.get("/api/v1/session").status_code == 401


def test_a_phone_code_works_once_and_grows_old(new_room: NewRoom) -> None:
    clock = SimulatedClock()
    room = new_room(clock)
    administrator = room.set_up()
    first = administrator.post("/api/v1/teams/t01/phone").json()
    assert first["path"] == f"/phone#code={first['code']}"
    typed = first["code"].lower().replace("-", " ")  # as people type it
    assert room.client().post("/api/v1/session/team", json={"code": typed}).status_code == 200
    assert room.client().post("/api/v1/session/team", json={"code": first["code"]}).status_code == 401
    late = administrator.post("/api/v1/teams/t01/phone").json()["code"]
    clock.advance(16 * 60)
    assert room.client().post("/api/v1/session/team", json={"code": late}).status_code == 401
    assert administrator.post("/api/v1/teams/t99/phone").status_code == 404


def test_signing_out_ends_requests_at_once_and_pages_soon(staff: Staff) -> None:
    client = staff.room.client()
    client.post("/api/v1/session", json={"name": "wang", "password": PASSWORD})
    cookie = {"Cookie": f"gridpatrol_session={cookie_of(client)}"}
    with connect(staff.room.socket_url, additional_headers=cookie) as socket:
        socket.recv(timeout=5)
        begin_s = time.monotonic()
        assert client.delete("/api/v1/session").status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
        assert time.monotonic() - begin_s < 5
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert staff.room.client(cookie["Cookie"].partition("=")[2]).get("/api/v1/session").status_code == 401


def test_a_session_that_somebody_else_ended_closes_its_pages(staff: Staff) -> None:
    phone = staff.room.phone(staff.dispatcher, "t02")
    cookie = {"Cookie": f"gridpatrol_session={cookie_of(phone)}"}
    with connect(staff.room.socket_url, additional_headers=cookie) as socket:
        socket.recv(timeout=5)
        begin_s = time.monotonic()
        assert staff.dispatcher.delete("/api/v1/teams/t02/phone").status_code == 204
        assert phone.get("/api/v1/session").status_code == 401
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
        assert time.monotonic() - begin_s < 5


def test_signing_in_and_out_leave_a_trace(staff: Staff) -> None:
    client = staff.room.client()
    client.post("/api/v1/session", json={"name": "li.na", "password": PASSWORD})
    client.delete("/api/v1/session")
    actions = [(row.actor.name, row.action) for row in staff.room.store.audit_rows(limit=2)]
    assert actions == [("li.na", "sign_out"), ("li.na", "sign_in")]
