"""Eight dispatchers on a real server that is killed again and again: every answer fits one order, and nothing is done twice."""

import hashlib
import math
import random
import secrets
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from base import SystemClock, uuid7
from camera_config import Schedule, Team, TeamKind, write_site
from camera_config.site import Name, Site
from storage import Store
from storage.database import Database
from storage.integrity import check_integrity
from tests.fleet.running import Running, wait_until
from tests.fleet.small_site import small_site
from tests.storage.linearize import AFTER, Incident, Operation, explain

PEOPLE, INCIDENTS, KILLS = 8, 4, 3
BETWEEN = 100
"""Answers between two kills."""


def op(number: int, by: str, step: str, version: int, began_s: float, ended_s: float, answer: Any, team: str = "") -> Operation:
    return Operation(f"o{number}", by, step, version, began_s, ended_s, answer, team)


ACKNOWLEDGED = (2, "acknowledged", "li", "")


def test_what_one_after_another_did_is_explained_in_that_order() -> None:
    history = [
        op(1, "li", "acknowledge", 1, 0, 1, ACKNOWLEDGED),
        op(2, "wang", "acknowledge", 1, 2, 3, 409),
        op(3, "wang", "dispatch", 2, 4, 5, 403, "t1"),
        op(4, "li", "dispatch", 2, 6, 7, (3, "dispatched", "li", "t1"), "t1"),
        op(5, "wang", "note", 1, 8, 9, (4, "dispatched", "li", "t1")),
        op(6, "wang", "accept", 3, 10, 11, (5, "accepted", "li", "t1")),
        op(7, "li", "read", 0, 12, 13, (5, "accepted", "li", "t1")),
    ]
    assert explain(history, Incident()) == ["o1", "o2", "o3", "o4", "o5", "o6", "o7"]


def test_what_happened_at_once_may_have_happened_in_either_order() -> None:
    first = op(1, "li", "acknowledge", 1, 0, 9, 409)
    second = op(2, "wang", "acknowledge", 1, 1, 8, (2, "acknowledged", "wang", ""))
    assert explain([first, second], Incident()) == ["o2", "o1"]
    assert explain([first, replace(second, began_s=10, ended_s=11)], Incident()) is None


WRONG = {
    "two owners": [
        op(1, "li", "acknowledge", 1, 0, 9, ACKNOWLEDGED),
        op(2, "wang", "acknowledge", 1, 1, 8, (2, "acknowledged", "wang", "")),
    ],
    "done twice": [
        op(1, "li", "acknowledge", 1, 0, 1, ACKNOWLEDGED),
        op(2, "li", "read", 0, 2, 3, (3, "acknowledged", "li", "")),
    ],
    "lost": [op(1, "li", "acknowledge", 1, 0, 1, ACKNOWLEDGED), op(2, "li", "read", 0, 2, 3, (1, "new", "", ""))],
    "refused without a reason": [op(1, "li", "acknowledge", 1, 0, 1, 409)],
    "a look back": [
        op(1, "li", "acknowledge", 1, 0, 9, ACKNOWLEDGED),
        op(2, "wang", "read", 0, 1, 2, ACKNOWLEDGED),
        op(3, "wang", "read", 0, 3, 4, (1, "new", "", "")),
    ],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_no_order_explains_is_found(what: str) -> None:
    assert explain(WRONG[what], Incident()) is None


def test_what_was_never_answered_may_have_happened_or_not() -> None:
    lost = op(1, "li", "acknowledge", 1, 0, math.inf, None)
    assert explain([lost, op(2, "wang", "read", 0, 5, 6, (1, "new", "", ""))], Incident()) == ["o2"]
    assert explain([lost, op(2, "wang", "read", 0, 5, 6, ACKNOWLEDGED)], Incident()) == ["o1", "o2"]


@dataclass
class Person:
    """One dispatcher: takes random steps on all incidents, repeats what got no answer, and now and then gives up."""

    id: str
    token: str
    running: Running
    teams: dict[str, str]
    rng: random.Random
    stop: threading.Event
    done: dict[str, list[Operation]] = field(default_factory=dict)
    repeated: int = 0

    def work(self) -> None:
        seen = dict.fromkeys(self.teams, Incident())
        while not self.stop.is_set():
            incident = self.rng.choice(sorted(self.teams))
            step = self.rng.choice(
                ("read", "read", "acknowledge", "take_over", "dispatch", "refuse", "accept", "note", "close", "reopen")
            )
            legal = [name for work, name in AFTER if work == seen[incident].work]
            if step != "read" and self.rng.random() < 0.8:
                step = self.rng.choice(legal)
            done = self.take(incident, step, seen[incident].version, gives_up=self.rng.random() < 0.1)
            self.done.setdefault(incident, []).append(done)
            if isinstance(done.answer, tuple):
                version, work, owner, team = done.answer
                seen[incident] = Incident(version, work, owner, team)
            elif step != "read":
                look = self.take(incident, "read", 0, gives_up=False)
                self.done[incident].append(look)
                if isinstance(look.answer, tuple):
                    seen[incident] = Incident(*look.answer)

    def take(self, incident: str, step: str, version: int, gives_up: bool) -> Operation:
        """One operation, asked again with the same command id until there is an answer."""
        team = self.teams[incident] if step == "dispatch" else ""
        asked = Operation(uuid7(SystemClock().now_s()), self.id, step, version, time.monotonic(), math.inf, None, team)
        end_s = time.monotonic() + 30
        while time.monotonic() < end_s:
            answer = self.ask(incident, asked)
            if answer is not None:
                return replace(asked, ended_s=time.monotonic(), answer=answer)
            if gives_up or (step == "read" and self.stop.is_set()):
                return asked
            self.repeated += 1
            self.stop.wait(0.2)
        raise AssertionError(f"no answer to {asked} within 30 s")

    def ask(self, incident: str, asked: Operation) -> tuple[int, str, str, str] | int | None:
        """The answer; None if there was none."""
        body: dict[str, Any] = {"step": asked.step, "version": asked.version, "command_id": asked.id}
        body |= {"dispatch": {"team": asked.team}, "close": {"verdict": "false_alarm", "cause": "light"}}.get(asked.step, {})
        if asked.step in ("note", "reopen"):
            body["text"] = "looked"
        try:
            with httpx.Client(
                base_url=self.running.url,
                headers={"Sec-Fetch-Site": "same-origin"},
                cookies={"gridpatrol_session": self.token},
                timeout=5,
                verify=False,
            ) as client:
                if asked.step == "read":
                    answer = client.get(f"/api/v1/incidents/{incident}")
                else:
                    answer = client.post(f"/api/v1/incidents/{incident}/steps", json=body)
        except (httpx.TransportError, AssertionError):  # killed, or not yet up again
            return None
        if answer.status_code in (403, 409):
            return answer.status_code
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            return None
        told = answer.json()
        return told["version"], told["work"], (told["owner"] or {"id": ""})["id"], told["team"] or ""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """No camera that is switched on, and a team for each incident."""
    site = small_site(tmp_path / "site", {"c1": "rtsp://192.0.2.1/sub"})
    site = replace(site, cameras=tuple(replace(camera, enabled=False) for camera in site.cameras))
    always, home = Schedule.parse("always"), (121.5, 30.5)
    teams = [Team(f"t{n}", Name(f"{n}队", f"Team {n}"), TeamKind.POLICE_POST, ("g01",), always, home) for n in range(INCIDENTS)]
    return replace(site, teams=tuple(teams))


@pytest.fixture
def tokens(site: Site, tmp_path: Path) -> dict[str, str]:
    """A session of each person, by id, made in the database before the server starts."""
    write_site(site, tmp_path / "site")
    (tmp_path / "data").mkdir()
    store = Store.open(f"sqlite:///{tmp_path}/data/gridpatrol.db", SystemClock(), site)
    found = {}
    for number in range(PEOPLE):
        user = store.add_user(f"person{number}", "", "dispatcher")
        found[user.id] = secrets.token_urlsafe(32)
        key = hashlib.sha256(found[user.id].encode()).hexdigest()
        store.add_session(key, "user", user.id, SystemClock().now_s() + 3600)
    store.close()
    return found


@pytest.fixture
def running(tokens: dict[str, str], tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path / "site", tmp_path / "data", "--workers", "1") as running:
        yield running


@pytest.mark.kill
@pytest.mark.timeout(180)
def test_every_answer_fits_one_order_though_the_server_is_killed(
    running: Running, tokens: dict[str, str], tmp_path: Path
) -> None:
    rng, stop = random.Random(20261123), threading.Event()
    teams = {report(running, next(iter(tokens.values()))): f"t{number}" for number in range(INCIDENTS)}
    people = [Person(user, token, running, teams, random.Random(rng.random()), stop) for user, token in tokens.items()]
    threads = [threading.Thread(target=person.work, name=person.id) for person in people]
    for thread in threads:
        thread.start()
    try:
        for kill in range(KILLS):
            wait_until(lambda kill=kill: answers(people) >= BETWEEN * (kill + 1), 40, "people work")  # type: ignore[misc]
            stop.wait(rng.uniform(0.0, 0.1))
            running.kill_control()
            running.launch()
            wait_until(lambda: "ready at" in running.new_log(), 40, "ready after a kill")
        wait_until(lambda: answers(people) >= BETWEEN * (KILLS + 1), 40, "people work again")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    running.stop()
    operations = {incident: [each for person in people for each in person.done.get(incident, [])] for incident in teams}
    for incident, history in operations.items():
        assert explain(sorted(history, key=lambda each: each.began_s), Incident()) is not None, incident
    check_rows(tmp_path / "data" / "gridpatrol.db", operations)
    every = [each for history in operations.values() for each in history]
    repeated = sum(person.repeated for person in people)
    lost = sum(each.answer is None for each in every)
    steps = sum(isinstance(each.answer, tuple) and each.step != "read" for each in every)
    assert repeated > 0, "no command was ever repeated: the kills proved nothing"
    assert steps > 15 * INCIDENTS, f"only {steps} steps: too few to prove anything"
    print(f"{len(every)} operations, {steps} steps, {repeated} repetitions, {lost} never answered, {KILLS} kills")


def answers(people: list[Person]) -> int:
    return sum(each.answer is not None for person in people for history in list(person.done.values()) for each in list(history))


def report(running: Running, token: str) -> str:
    """The id of a new incident of severity 4, whose limits are longer than this test."""
    body = {
        "command_id": uuid7(SystemClock().now_s()),
        "origin": "hotline",
        "category": "facility",
        "severity": 4,
        "text": "lamp",
    }
    answer = httpx.post(
        f"{running.url}/api/v1/incidents",
        json=body | {"grid_cell": "g01"},
        headers={"Sec-Fetch-Site": "same-origin"},
        cookies={"gridpatrol_session": token},
        verify=False,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def check_rows(database: Path, operations: dict[str, list[Operation]]) -> None:
    """One row of history for each version and each step that was answered; none for what was refused."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT incident, version, command FROM history ORDER BY incident, version").fetchall()
        versions = dict(connection.execute("SELECT id, version FROM incidents").fetchall())
    connection.close()
    for incident, history in operations.items():
        assert [version for name, version, _ in rows if name == incident] == list(range(1, versions[incident] + 1))
        commands = Counter(command for name, _, command in rows if name == incident)
        assert max(commands.values()) == 1
        for each in history:
            if each.step != "read" and each.answer is not None:
                assert commands[each.id] == isinstance(each.answer, tuple), each
    found = Database(f"sqlite:///{database}")
    with found.reader.connect() as reader:
        assert check_integrity(reader).is_sound
    found.close()
