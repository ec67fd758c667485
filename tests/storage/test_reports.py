"""Reports, merging, splitting, clocks and lists in the database."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from base import SimulatedClock, TransitionError
from camera_config.site import Site
from camera_config.time_limits import Category, Limit, LimitedStep, TimeLimits
from patrol import (
    LIMITS_S,
    CommandError,
    Condition,
    Conflict,
    Happening,
    Incident,
    Level,
    Origin,
    Step,
    Verdict,
    Work,
)
from storage import IncidentFilter, Store
from storage.database import Database
from storage.schema import downgrade, upgrade
from storage.tables import history, incidents, notices
from tests.patrol.small_site import NOON_S, WANG, command, intrusion
from tests.patrol.test_merge import report

BY_CELL: dict[str, Any] = {"lon": None, "lat": None, "grid_cell": "g2"}


def rows(url: str, query: Any) -> list[Any]:  # Any: a query and its rows
    database = Database(url)
    with database.reader.connect() as connection:
        found = list(connection.execute(query))
    database.close()
    return found


# Reports


def test_a_report_opens_an_incident_with_number_proposal_history_and_audit_once(store: Store) -> None:
    store.record_events([intrusion()])
    said = report(**BY_CELL)
    opened = store.report(said)
    assert (opened.number, opened.origin, opened.grid_cell, opened.lon, opened.caller) == (
        2,
        Origin.HOTLINE,
        "g2",
        None,
        "4号楼居民",
    )
    assert opened.proposal is not None
    assert opened.proposal.team == "t3"
    assert opened.due is not None
    assert store.incident(opened.id) == opened
    assert store.report(dataclasses.replace(said, at_s=NOON_S)) == opened  # the phone sends it again
    assert [entry.step for entry in store.history(opened.id)] == [Happening.OPENED]
    assert [incident.number for incident in store.incidents()] == [2, 1]
    assert store.audit_rows()[0].action == "report"
    with pytest.raises(CommandError, match="already used for another step"):
        store.report(dataclasses.replace(said, text="something else"))
    with pytest.raises(CommandError, match="already used for another step"):
        store.apply(command(opened, Step.ACKNOWLEDGE, id=said.id))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({**BY_CELL, "grid_cell": "nowhere"}, "there is no grid cell nowhere"),
        ({**BY_CELL, "grid_cell": "m1"}, "there is no grid cell m1"),
        ({"lon": 0.0, "lat": 0.0}, "outside of the sub-district"),
        ({"text": ""}, "needs a text"),
        ({"at_s": NOON_S + 100}, "in the future"),
    ],
)
def test_bad_reports_change_nothing(store: Store, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        store.report(report(**changes))
    assert store.incidents("all") == []


def test_a_report_walks_like_any_incident(store: Store) -> None:
    incident = store.report(report())
    for step in (Step.ACKNOWLEDGE, Step.DISPATCH, Step.ACCEPT, Step.DEPART, Step.ARRIVE, Step.REPORT):
        incident = store.apply(command(incident, step))
    incident = store.apply(command(incident, Step.CLOSE, verdict=Verdict.TRUE, cause="damage"))  # severity 3
    assert (incident.work, incident.cause) == (Work.CLOSED, "damage")
    again = store.apply(command(incident, Step.REOPEN, WANG, text="还是不亮"))
    assert (again.work, again.owner, again.verdict) == (Work.ACKNOWLEDGED, WANG, None)
    assert again.proposal is not None
    assert again.proposal.team
    closing = next(entry for entry in store.history(again.id) if entry.step is Step.CLOSE)
    assert (closing.verdict, closing.cause) == (Verdict.TRUE, "damage")


# Merging and splitting


def test_merging_moves_the_events_and_both_histories_name_the_other(store: Store) -> None:
    one, other = store.record_events([intrusion(), intrusion("c2", NOON_S + 5)])
    sent = command(other, Step.MERGE, other=one.id, text="同一人")
    grown = store.merge(sent)
    assert (grown.id, grown.event_count, grown.cameras) == (one.id, 2, ("c1", "c2"))
    ended = store.incident(other.id)
    assert ended is not None
    assert (ended.work, ended.verdict, ended.duplicate_of) == (Work.CLOSED, Verdict.DUPLICATE, one.id)
    assert [event.camera for event in store.events(one.id)] == ["c1", "c2"]
    assert store.events(other.id) == []
    assert [(entry.step, entry.other) for entry in store.history(other.id)][-1] == (Step.MERGE, one.id)
    assert [(entry.step, entry.other) for entry in store.history(one.id)][-1] == (Happening.ABSORBED, other.id)
    assert store.merge(sent) == grown
    assert len(store.history(one.id)) == 2
    # What the second camera sees next belongs there, too.
    [joined] = store.record_events([intrusion("c2", NOON_S + 20)])
    assert joined.id == one.id


def test_a_merge_that_is_refused_changes_nothing(store: Store) -> None:
    one, other = store.record_events([intrusion(), intrusion("c2", NOON_S + 5)])
    with pytest.raises(TransitionError, match="there is no incident nowhere"):
        store.merge(command(other, Step.MERGE, other="nowhere"))
    with pytest.raises(TransitionError, match="into itself"):
        store.merge(command(other, Step.MERGE, other=other.id))
    store.apply(command(one, Step.CLOSE))
    with pytest.raises(TransitionError, match="is closed, so nothing can be merged into it"):
        store.merge(command(other, Step.MERGE, other=one.id))
    with pytest.raises(Conflict):
        store.merge(command(other, Step.MERGE, other=one.id, version=9))
    assert store.incident(other.id) == other
    assert len(store.events(other.id)) == 1


def test_splitting_opens_a_new_incident_with_some_of_the_events(store: Store) -> None:
    first, second = intrusion(), intrusion(at_s=NOON_S + 30, severity=1)
    [both] = store.record_events([first, second])
    with pytest.raises(CommandError, match="1 of these events do not belong to incident 1"):
        store.split(command(both, Step.SPLIT, events=(second.id, "00000000-0000-7000-8000-00000000dead")))
    with pytest.raises(CommandError, match="split needs the events"):
        store.split(command(both, Step.SPLIT))
    with pytest.raises(TransitionError, match="left without an event"):
        store.split(command(both, Step.SPLIT, events=(first.id, second.id)))
    sent = command(both, Step.SPLIT, events=(second.id,))
    begun = store.split(sent)
    left = store.incident(both.id)
    assert left is not None
    assert (begun.number, begun.severity, begun.event_count, begun.work) == (2, 1, 1, Work.NEW)
    assert begun.proposal is not None
    assert (left.event_count, left.best_event) == (1, first.id)
    assert [event.id for event in store.events(begun.id)] == [second.id]
    assert store.incident_of_event(second.id) == begun
    assert store.split(sent) == begun
    assert [entry.other for entry in (*store.history(left.id), *store.history(begun.id))] == ["", "", begun.id, left.id]


def test_cameras_that_see_the_same_make_one_incident(url: str, clock: SimulatedClock, site: Site) -> None:
    twin = dataclasses.replace(site.cameras[0], id="c9", name=site.cameras[0].name)
    store = Store.open(url, clock, dataclasses.replace(site, cameras=(*site.cameras, twin)))
    one, other = intrusion(), intrusion("c9", NOON_S + 10)
    [incident] = store.record_events([one, other])
    assert (incident.event_count, incident.cameras, incident.camera) == (2, ("c1", "c9"), "c1")
    [later] = store.record_events([intrusion("c9", NOON_S + 60)])
    assert later.id == incident.id
    [elsewhere] = store.record_events([intrusion("c2", NOON_S + 60)])
    assert elsewhere.id != incident.id
    assert store.related_cameras(incident, {}) == ()  # 27 m away, too small in 640 pixels
    related = store.related_cameras(incident, {"c1": 1920, "c9": 3840})
    assert [each.camera for each in related] == ["c9", "c1"]
    assert store.related_cameras(store.report(report(**BY_CELL)), {}) == ()
    store.close()


# Clocks

ACKNOWLEDGE_S = LIMITS_S[2][Step.ACKNOWLEDGE]


def told(store: Store, incident: Incident) -> list[tuple[str, Level | None, float]]:
    return [
        (entry.step.value, entry.level, entry.at_s - NOON_S) for entry in store.history(incident.id) if entry.clock is not None
    ]


EVERYTHING = [
    ("warned", None, 72.0),
    ("breached", Level.CELL, 90.0),
    ("escalated", Level.SECTION, 135.0),
    ("escalated", Level.COMMUNITY, 180.0),
    ("escalated", Level.SUB_DISTRICT, 270.0),
]


def test_breaches_are_told_once_with_history_and_notices_whatever_happens(
    open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    store = open_store()
    [incident] = store.record_events([intrusion()])
    assert store.tell_due() == []
    clock.advance(100)
    [after] = store.tell_due()
    assert (after.told, after.version) == (2, 3)
    assert told(store, incident) == EVERYTHING[:2]
    store.close()
    clock.step_wall(-3600)
    store = open_store()
    assert store.tell_due() == []
    clock.step_wall(3600 + 86_400)
    [after] = store.tell_due()
    assert told(store, incident) == EVERYTHING
    clock.step_wall(-86_400)
    clock.advance(172_800)
    assert store.tell_due() == []
    assert store.incident(incident.id) == after
    opened, *found = rows(url, select(notices).order_by(notices.c.id))
    assert (opened.kind, opened.incident) == ("opened", incident.id)
    assert [(row.kind, row.level, row.at_s - NOON_S, row.incident) for row in found] == [
        (kind, level and level.value, at_s, incident.id) for kind, level, at_s in EVERYTHING
    ]
    assert found[2].payload == {
        "number": 1,
        "version": 4,
        "severity": 2,
        "category": "public_order",
        "event_kind": "intrusion",
        "camera": "c1",
        "grid_cell": "g1",
        "compound": "p1",
        "community": "m1",
        "clock": "acknowledge",
        "place": "p1",
    }
    assert {row.done_s for row in found} == {None}


def test_what_fell_due_before_a_step_is_told_before_it(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    clock.advance(95)  # nobody evaluated meanwhile
    owned = store.apply(command(incident, Step.ACKNOWLEDGE, at_s=clock.now_s()))
    assert told(store, incident) == EVERYTHING[:2]
    assert [entry.step for entry in store.history(incident.id)][-1] is Step.ACKNOWLEDGE
    assert (owned.version, owned.told) == (4, 0)
    with pytest.raises(Conflict) as caught:
        store.apply(command(incident, Step.ACKNOWLEDGE, WANG))
    assert caught.value.current == owned


def test_a_phone_that_was_in_time_though_offline_breached_nothing(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    clock.advance(600)
    store.apply(command(incident, Step.ACKNOWLEDGE, at_s=NOON_S + 20))
    assert told(store, incident) == []


def test_a_conflict_names_the_incident_as_it_is_stored(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    clock.advance(95)
    with pytest.raises(Conflict) as caught:
        store.apply(command(incident, Step.ACKNOWLEDGE, at_s=clock.now_s(), version=7))
    assert caught.value.current == incident == store.incident(incident.id)


def test_a_shelf_ends_by_itself(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    shelved = store.apply(command(incident, Step.SHELVE, until_s=NOON_S + 60))
    assert shelved.condition is Condition.SHELVED
    clock.advance(61)
    [after] = store.tell_due()
    assert after.condition is Condition.UNACKNOWLEDGED
    assert [entry.step for entry in store.history(incident.id)][-1] is Happening.UNSHELVED


def test_new_limits_of_the_site_count_from_the_next_start(url: str, clock: SimulatedClock, site: Site) -> None:
    store = Store.open(url, clock, site)
    [incident] = store.record_events([intrusion()])
    store.close()
    short = TimeLimits(limits=(Limit((2,), (), {LimitedStep.ACKNOWLEDGE: 10.0}),))
    store = Store.open(url, clock, dataclasses.replace(site, time_limits=short))
    found = store.incident(incident.id)
    assert found is not None
    assert found.due is not None
    assert (found.due.at_s, found.version) == (NOON_S + 10, incident.version)
    clock.advance(10)
    assert [each.told for each in store.tell_due()] == [2]
    store.close()


def test_more_than_one_transaction_full_of_breaches_is_told(store: Store, clock: SimulatedClock) -> None:
    store.record_events([intrusion("c1", NOON_S + 300 * n) for n in range(210)])
    clock.advance(1e6)
    assert [len(store.tell_due()) for _ in range(4)] == [100, 100, 10, 0]
    assert all(incident.told == 5 for incident in store.incidents("open", 1000))


# Lists


def test_lists_filter_by_everything_an_operator_asks(store: Store, clock: SimulatedClock) -> None:
    alarm, other = store.record_events([intrusion(), intrusion("c2", severity=1)])
    clock.advance(100)
    lamp = store.report(report(text="路灯 50% 不亮"))
    quarrel = store.report(report(id="r-2", category=Category.DISPUTE, severity=4, text="Neighbours quarrel_about noise"))
    owned = store.apply(command(alarm, Step.ACKNOWLEDGE, at_s=clock.now_s()))
    sent = store.apply(command(owned, Step.DISPATCH, at_s=clock.now_s(), team="t2"))
    store.apply(command(quarrel, Step.CLOSE, cause="no such thing"))

    def numbers(state: Any = "all", limit: int = 100, before: str | None = None, **which: Any) -> list[int]:
        return [each.number for each in store.incidents(state, limit, before, IncidentFilter(**which))]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(work=Work.DISPATCHED) == [sent.number]
    assert numbers(severity=1) == [other.number]
    assert numbers(category=Category.FACILITY) == [lamp.number]
    assert numbers(grid_cell="g2") == [4, 3, 2]
    assert numbers(team="t2") == [sent.number]
    assert numbers(from_s=NOON_S + 100) == [4, 3]
    assert numbers(to_s=NOON_S + 100) == [2, 1]
    assert numbers("open", overdue_s=clock.now_s()) == [2]
    assert numbers("open", 1, category=Category.PUBLIC_ORDER) == [2]
    assert numbers("all", 2, other.id) == [1]
    # Words: parts of what was reported, whatever their case; signs of the query language mean themselves.
    assert numbers(text="quarrel") == numbers(text="NEIGHBOURS") == [4]
    assert numbers(text="50%") == [3]
    assert numbers(text="%") == [3]
    assert numbers(text="l_a") == [4]
    assert numbers(text="2") == [2]
    assert numbers(text="c2") == [2]
    assert numbers(text="李伟") == [4, 1]
    assert numbers(text="no such thing") == [4]
    assert numbers(text="' OR 1=1 --") == []


# Older programs


def test_going_back_to_the_older_tables_keeps_every_incident_and_line(url: str, clock: SimulatedClock, site: Site) -> None:
    store = Store.open(url, clock, site)
    [incident] = store.record_events([intrusion()])
    store.report(report())
    store.apply(command(incident, Step.SHELVE, text="施工"))
    clock.advance(100)
    store.tell_due()
    before = len(store.history(incident.id))
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        with connection.begin():
            downgrade(connection, "0002")
        kept = connection.execute(
            text("SELECT step, text FROM history WHERE incident = :id ORDER BY version"), {"id": incident.id}
        )
        assert [tuple(row) for row in kept] == [("opened", ""), ("note", "shelve  施工"), ("note", "warned acknowledge "),
                                                ("note", "breached acknowledge ")]  # fmt: skip
        assert connection.execute(text("SELECT kind, condition FROM incidents ORDER BY number")).all() == [
            ("intrusion", "unacknowledged"),
            ("motion", "unacknowledged"),
        ]
        connection.rollback()
        with connection.begin():
            upgrade(connection)
        assert connection.execute(select(incidents.c.cameras, incidents.c.category).order_by(incidents.c.number)).first() == (
            ["c1"],
            "public_order",
        )
        with pytest.raises(Exception, match="append-only"):
            connection.execute(history.update().values(text="x"))
        connection.rollback()
    database.close()
    store = Store.open(url, clock, site)
    assert len(store.history(incident.id)) == before
    [reread] = [each for each in store.incidents() if each.id == incident.id]
    assert store.apply(command(reread, Step.ACKNOWLEDGE, at_s=clock.now_s())).work is Work.ACKNOWLEDGED
    store.close()
