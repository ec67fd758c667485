"""`kill -9` of the delivering process at random moments: everything that was told arrives, repetitions under the same id."""

import json
import multiprocessing
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.notices.sending import send_forever
from tests.servers.receiver import Got, receiving

KILLS = 3


@pytest.mark.kill
def test_nothing_told_is_lost_and_a_message_keeps_its_id(tmp_path: Path) -> None:
    rng, file = random.Random(20260307), tmp_path / "gridpatrol.db"
    url = f"sqlite:///{file}"
    context = multiprocessing.get_context("spawn")
    with receiving() as receiver:

        def answer(_: Got) -> tuple[int, bytes] | str:
            receiver.released.wait(0.01)  # so that a kill finds a message that was sent and not yet written down
            fate = rng.random()
            return "reset" if fate < 0.1 else (500, b"") if fate < 0.2 else (200, b"")

        receiver.answer = answer
        for turn in range(KILLS):
            process = context.Process(target=send_forever, args=(url, receiver.url, turn, 10_000))
            process.start()
            heard = len(receiver.got)
            until(lambda heard=heard: len(receiver.got) > heard + rng.randrange(3, 15), process)  # type: ignore[misc]  # bound
            process.kill()
            process.join()
        receiver.answer = lambda _: (200, b"")
        told = [json.loads(str(payload))["summary"] for (payload,) in sql(file, "SELECT payload FROM notices ORDER BY id")]
        process = context.Process(target=send_forever, args=(url, receiver.url, KILLS, 0))
        process.start()
        until(lambda: not sql(file, "SELECT 1 FROM notices WHERE done_s IS NULL LIMIT 1"), process)
        until(lambda: not sql(file, "SELECT 1 FROM messages WHERE state = 'waiting' LIMIT 1"), process)
        process.kill()
        process.join()
        arrived: dict[str, bytes] = {}
        for got in receiver.got:
            assert arrived.setdefault(got.id, got.body) == got.body
    numbers = [notice["summary"] for body in arrived.values() for notice in json.loads(body)["notices"]]
    assert sorted(numbers) == sorted(told)
    assert len(told) >= KILLS
    assert sql(file, "SELECT DISTINCT state FROM messages") == [("delivered",)]


def until(condition: Callable[[], object], process: multiprocessing.process.BaseProcess) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert process.is_alive(), "the sending process ended by itself"
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def sql(file: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
