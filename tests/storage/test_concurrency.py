"""Many threads at once: one owner, numbers without gaps, nobody sent twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from base import TransitionError
from patrol import Actor, Conflict, Incident, Step, TeamStatus
from storage import Store
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion


def race(*attempts: Callable[[], Incident]) -> list[Incident | TransitionError]:
    """All attempts at the same moment; what each got or heard."""
    start = threading.Barrier(len(attempts))

    def run(attempt: Callable[[], Incident]) -> Incident | TransitionError:
        start.wait(10)
        try:
            return attempt()
        except TransitionError as error:
            return error

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(run, attempts))


ROUNDS = 1000


def test_two_operators_acknowledge_within_a_moment_a_thousand_times_and_exactly_one_owns_each(store: Store) -> None:
    incidents = store.record_events([intrusion("c1", NOON_S + 300 * n) for n in range(ROUNDS)])
    together = threading.Barrier(2)

    def acknowledge_all(actor: Actor) -> list[Incident | Conflict]:
        answers: list[Incident | Conflict] = []
        for incident in incidents:
            mine = command(incident, Step.ACKNOWLEDGE, actor)
            together.wait(30)
            try:
                answers.append(store.apply(mine))
            except Conflict as conflict:
                answers.append(conflict)
        return answers

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(acknowledge_all, actor) for actor in (LI, WANG)]
        pairs = list(zip(*(answers.result(110) for answers in both), strict=True))
    for incident, pair in zip(incidents, pairs, strict=True):
        [won] = [answer for answer in pair if isinstance(answer, Incident)]
        [lost] = [answer for answer in pair if isinstance(answer, Conflict)]
        assert lost.current == won == store.incident(incident.id)
        assert won.owner is not None
        assert [entry.by for entry in store.history(incident.id)][1:] == [won.owner]
    assert len(pairs) == ROUNDS


def test_one_team_dispatched_to_many_incidents_at_once_goes_to_one(store: Store) -> None:
    opened = store.record_events([intrusion("c1", NOON_S + 300 * n) for n in range(8)])
    owned = [store.apply(command(incident, Step.ACKNOWLEDGE)) for incident in opened]
    sent = [command(incident, Step.DISPATCH, team="t1") for incident in owned]
    answers = race(*[partial(store.apply, each) for each in sent])
    assert sum(isinstance(answer, Incident) for answer in answers) == 1
    assert store.team_states()["t1"].status is TeamStatus.DISPATCHED


def test_the_same_command_from_many_threads_happens_once(store: Store) -> None:
    [incident] = store.record_events([intrusion()])
    sent = command(incident, Step.ACKNOWLEDGE)
    answers = race(*[partial(store.apply, sent)] * 8)
    assert len({answer.version for answer in answers if isinstance(answer, Incident)}) == 1
    assert len(answers) == 8
    assert len(store.history(incident.id)) == 2


def test_numbers_have_no_gaps_when_many_threads_record_and_some_fail(store: Store) -> None:
    batches = [[intrusion(f"c{1 + n % 4}", NOON_S + 1000 * n + 300 * k) for k in range(3)] for n in range(16)]
    [first] = store.record_events([intrusion("c1", NOON_S - 10_000)])
    stale = command(first, Step.ACKNOWLEDGE, version=0)

    def fail() -> None:
        with pytest.raises(Conflict):
            store.apply(stale)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(store.record_events, batch) for batch in batches]
        failures = [pool.submit(fail) for _ in batches]
        recorded = [incident for future in futures for incident in future.result(30)]
        for failure in failures:
            failure.result(30)
    assert sorted(incident.number for incident in recorded) == list(range(2, 50))
    assert [incident.number for incident in store.incidents("all", 1000)] == list(range(49, 0, -1))


def test_readers_never_see_half_a_change(store: Store) -> None:
    [incident] = store.record_events([intrusion()])
    stop = threading.Event()
    torn: list[str] = []

    def watch() -> None:
        while not stop.is_set():
            seen = store.incident(incident.id)
            length = len(store.history(incident.id))
            if seen is None or length < seen.version:
                torn.append(f"{seen} {length}")

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(30):
        store.apply(command(incident, Step.NOTE, text=f"note {n}"))
    stop.set()
    for thread in threads:
        thread.join(20)
    assert torn == []
    assert len(store.history(incident.id)) == 31
