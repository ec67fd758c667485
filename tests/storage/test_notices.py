"""Notices, messages and drills in both databases: one transaction with what they tell, addressed once, never lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from base import Gap, GapCause, SimulatedClock, TransitionError
from camera_config.notification_rules import Language, NoticeKind, NotificationRules, TellRule
from camera_config.site import Site
from camera_config.time_limits import Category
from patrol import Origin, Report, Step
from patrol.notify import Notice
from storage import MessageState, Outcome, Store
from storage.database import Database
from storage.schema import downgrade, upgrade
from storage.tables import notices
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site
from tests.storage.test_reports import rows


@pytest.fixture
def site() -> Site:
    rules = (TellRule(("a",), group_s=0.0), TellRule(("b", "a"), (NoticeKind.OPENED,), severity=1))
    return replace(small_site(), notifications=NotificationRules(rules=rules, camera_after_s=60.0))


def send_all(store: Store, *targets: str) -> list[str]:
    """Address, make and deliver everything; the messages' kinds in order."""
    while store.outgoing.address():
        pass
    kinds = []
    for target in targets:
        store.outgoing.make_messages(target, Language.EN, 100)
        for stored in store.outgoing.next_messages(target, 100):
            kinds.append(f"{target}:{stored.message.kind}")
            store.outgoing.note(Outcome(stored.message.id))
    return kinds


def test_what_happened_is_addressed_once_and_delivered(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion(severity=1)])
    store.apply(command(incident, Step.ACKNOWLEDGE))
    assert store.outgoing.targets_with_work() == []
    assert store.outgoing.address() == 1
    assert store.outgoing.address() == 0
    assert store.outgoing.targets_with_work() == ["a", "b"]
    assert [(count.target, count.waiting, count.dead) for count in store.outgoing.counts()] == [("a", 1, 0), ("b", 1, 0)]
    assert send_all(store, "a", "b") == ["a:opened", "b:opened"]
    assert store.outgoing.targets_with_work() == []
    assert store.outgoing.counts() == []
    assert send_all(store, "a", "b") == []


def test_a_message_keeps_its_id_and_its_words_over_a_restart(open_store: Callable[[], Store], clock: SimulatedClock) -> None:
    store = open_store()
    store.record_events([intrusion()])
    store.outgoing.address()
    store.outgoing.make_messages("a", Language.EN, 1)
    [before] = store.outgoing.next_messages("a", 10)
    store.outgoing.note(Outcome(before.message.id, "answered 500", clock.now_s() + 30))
    assert store.outgoing.next_messages("a", 10) == []
    store.close()
    store = open_store()
    clock.advance(31)
    [after] = store.outgoing.next_messages("a", 10)
    assert (after.message, after.tries, after.error) == (before.message, 1, "answered 500")
    store.outgoing.note(Outcome(after.message.id))
    store.outgoing.note(Outcome(after.message.id, "said late", dead=True))
    found = store.outgoing.message(after.message.id)
    assert found is not None
    assert (found.state, found.delivered_s) == (MessageState.DELIVERED, clock.now_s())


def test_a_report_is_told_once_and_without_its_caller(store: Store, url: str) -> None:
    report = Report("r-1", Origin.HOTLINE, Category.FACILITY, 3, LI, NOON_S, "lamp is dark", caller="Mrs Zhou", grid_cell="g2")
    opened = store.report(report)
    assert store.report(report) == opened
    found = rows(url, select(notices))
    assert [(row.kind, row.incident, row.payload["summary"]) for row in found] == [("opened", opened.id, "lamp is dark")]
    assert "Zhou" not in str(found[0].payload)
    assert send_all(store, "a") == ["a:opened"]


def test_nothing_is_told_of_what_was_rolled_back(store: Store, url: str) -> None:
    [incident] = store.record_events([intrusion()])
    with pytest.raises(TransitionError):
        store.apply(command(incident, Step.DISPATCH))
    assert [row.kind for row in rows(url, select(notices))] == ["opened"]


def test_a_notice_of_a_kind_that_is_not_known_holds_up_nobody(store: Store, clock: SimulatedClock, url: str) -> None:
    store.outgoing.tell(Notice(0, NoticeKind.BACKUP_FAILED, clock.now_s(), summary="disk full"))
    database = Database(url)
    store.close()
    with database.connect_writer() as connection, connection.begin():
        connection.execute(text("UPDATE notices SET kind = 'of_the_future'"))
    database.close()
    store = Store.open(url, clock, replace(small_site(), notifications=NotificationRules(rules=(TellRule(("a",), group_s=0.0),))))
    assert send_all(store, "a") == ["a:other"]
    store.close()


def test_cameras_are_told_once_each_way(store: Store, clock: SimulatedClock) -> None:
    gap = Gap("c1", clock.now_s(), None, GapCause.CONNECT)
    store.record_gaps([gap])
    assert store.outgoing.tell_cameras() == 0
    clock.advance(61)
    assert [store.outgoing.tell_cameras() for _ in range(3)] == [1, 0, 0]
    store.record_gaps([replace(gap, ended_s=clock.now_s())])
    assert [store.outgoing.tell_cameras() for _ in range(3)] == [1, 0, 0]
    assert send_all(store, "a") == ["a:several"]


def test_drills_end_by_themselves_and_only_one_goes_on(store: Store, clock: SimulatedClock) -> None:
    for until_s in (clock.now_s(), clock.now_s() + 13 * 3600):
        with pytest.raises(TransitionError, match="within 12 hours"):
            store.drills.begin(until_s, "x", LI)
    drill = store.drills.begin(clock.now_s() + 60, "spring", LI)
    assert store.drills.now() == drill
    with pytest.raises(TransitionError, match="goes on already"):
        store.drills.begin(clock.now_s() + 60, "x", LI)
    report = Report("r-2", Origin.HOTLINE, Category.FACILITY, 3, LI, NOON_S, "exercise", grid_cell="g2")
    assert store.report(report).drill
    assert store.drills.end(LI)
    assert not store.drills.end(LI)
    assert store.drills.now() is None
    assert not store.report(replace(report, id="r-3")).drill
    assert store.report(replace(report, id="r-4", drill=True)).drill
    with pytest.raises(TransitionError, match="there is no incident"):
        store.drills.mark("0" * 36, True, "x", LI)
    assert [row.action for row in store.audit_rows()][-1] == "begin_drill"


def test_what_waits_survives_tables_going_back_and_forth(store: Store, clock: SimulatedClock, url: str, site: Site) -> None:
    store.record_events([intrusion()])
    store.outgoing.address()
    store.outgoing.make_messages("a", Language.EN, 1)
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        with connection.begin():
            downgrade(connection, "0006")
        with connection.begin():
            upgrade(connection)
    database.close()
    store = Store.open(url, clock, site)
    assert send_all(store, "a") == ["a:opened"]
    store.close()
