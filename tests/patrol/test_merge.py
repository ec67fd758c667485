"""Reports of people, incidents merged and split, and events that join over overlapping views."""

import dataclasses
from typing import Any

import pytest

from base import DeniedError, Event, EventKind, TransitionError
from camera_config.time_limits import Category
from patrol import (
    CATEGORY_OF,
    CommandError,
    Condition,
    Conflict,
    Grid,
    Happening,
    Incident,
    Locality,
    Origin,
    Report,
    Step,
    Verdict,
    Work,
    advance,
    check_report,
    join,
    joins,
    merge,
    open_incident,
    open_report,
    split,
)
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor
from tests.patrol.test_steps import at

GRID = Grid(small_site())


def report(**changes: Any) -> Report:  # fields of Report
    values: dict[str, Any] = {"id": "r-1", "origin": Origin.HOTLINE, "category": Category.FACILITY, "severity": 3, "by": LI}
    values |= {"at_s": NOON_S - 60, "text": " 路灯不亮 ", "caller": "4号楼居民", "lon": 120.007, "lat": 30.002}
    return Report(**(values | changes))


def an_incident(*events: Event, number: int = 1) -> Incident:
    first, *others = events
    incident, _ = open_incident(first, f"i-{number}", number, GRID.locate(first.camera), NOON_S)
    for event in others:
        incident, _ = join(event, incident, NOON_S)
    return incident


# Reports


def test_a_report_opens_an_incident_without_a_picture_that_counts_from_now() -> None:
    where = GRID.locate_point((120.007, 30.002))
    assert where is not None
    incident, entry = open_report(report(), "i", 9, where, NOON_S)
    assert (incident.origin, incident.category, incident.severity, incident.kind) == (
        Origin.HOTLINE,
        Category.FACILITY,
        3,
        None,
    )
    assert (incident.summary, incident.caller, incident.camera, incident.best_event) == ("路灯不亮", "4号楼居民", "", "")
    assert (incident.grid_cell, incident.compound, incident.community) == ("g2", "p1", "m1")
    assert (incident.work, incident.condition, incident.event_count) == (Work.NEW, Condition.UNACKNOWLEDGED, 0)
    assert (incident.began_s, incident.since_s) == (NOON_S - 60, NOON_S)
    assert (entry.step, entry.by, entry.text, entry.at_s, entry.command) == (
        Happening.OPENED,
        LI,
        "路灯不亮",
        NOON_S - 60,
        "r-1",
    )
    own = report(origin=Origin.PATROL, by=team_actor("t1"), caller="")
    assert open_report(own, "i", 9, where, NOON_S)[1].team == "t1"


# (what is wrong, what the sentence says)
BAD_REPORTS: list[tuple[dict[str, Any], str]] = [
    ({"id": ""}, "id of 1 to 64 characters"),
    ({"origin": Origin.EVENT}, "events open incidents by themselves"),
    ({"severity": 0}, "severity: expected 1"),
    ({"severity": 5}, "severity: expected 1"),
    ({"at_s": NOON_S + 3}, "in the future; check the clock"),
    ({"at_s": float("nan")}, "in the future"),
    ({"text": " \n"}, "needs a text"),
    ({"text": "x" * 10_000_000}, "at most 4000 characters, got 10000000"),
    ({"text": "a\x00b"}, "expected readable text"),
    ({"caller": "x" * 101}, "caller: expected at most 100"),
    ({"origin": Origin.PATROL}, "only the hotline has callers"),
    ({"lat": None}, "either a point"),
    ({"lon": None, "lat": None}, "either a point"),
    ({"grid_cell": "g1"}, "either a point"),
]


@pytest.mark.parametrize(("changes", "sentence"), BAD_REPORTS)
def test_bad_reports_are_refused_with_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        check_report(report(**changes), NOON_S)


def test_good_reports_pass_by_point_and_by_cell() -> None:
    check_report(report(), NOON_S)
    check_report(report(lon=None, lat=None, grid_cell="g1"), NOON_S)


def test_places_are_found_by_point_and_by_cell() -> None:
    assert GRID.locate_point((120.0075, 30.004)) == Locality("p1", "g2", "m1", 120.0075, 30.004)
    assert GRID.locate_point((120.05, 30.002)) == Locality("p1", "", "m1", 120.05, 30.002)  # between the cells
    assert GRID.locate_point((121.0, 31.0)) is None
    assert GRID.locate_cell("g3") == Locality("p1", "g3", "m1")
    assert GRID.locate_cell("p1") is None
    assert GRID.locate_cell("nowhere") is None


def test_every_kind_of_event_has_a_category() -> None:
    assert set(CATEGORY_OF) == set(EventKind)


# Joining over views


def test_an_event_of_an_overlapping_view_joins_and_the_picture_stays_that_of_the_first_camera() -> None:
    incident = an_incident(intrusion("c1", score=0.5))
    seen = intrusion("c2", NOON_S + 10, score=0.9, severity=1)
    assert not joins(seen, incident, 120.0)
    assert joins(seen, incident, 120.0, {"c1"})
    joined, _ = join(seen, incident, NOON_S)
    assert (joined.cameras, joined.camera, joined.best_event) == (("c1", "c2"), "c1", incident.best_event)
    assert (joined.severity, joined.event_count) == (1, 2)
    assert joins(intrusion("c2", NOON_S + 20), joined, 120.0)
    # A third camera that sees what the second one sees, not the first, is another matter: no chains.
    assert not joins(intrusion("c3", NOON_S + 20), joined, 120.0, {"c2"})


# Merging

A, B = intrusion("c1", NOON_S, severity=3, score=0.6), intrusion("c2", NOON_S + 30, severity=2, score=0.9)


def test_merging_closes_one_as_a_duplicate_and_the_other_has_everything() -> None:
    source, target = an_incident(B, number=2), an_incident(A, number=1)
    sent = dataclasses.replace(command(source, Step.MERGE, at_s=NOON_S + 60, text="同一人"), other=target.id)
    (ended, ending), (grown, growing) = merge(source, target, [A, B], sent, NOON_S + 60)
    assert (ended.work, ended.verdict, ended.cause, ended.duplicate_of) == (
        Work.CLOSED,
        Verdict.DUPLICATE,
        "duplicate of 1",
        target.id,
    )
    assert (ended.owner, ended.condition, ended.event_count, ended.best_event) == (LI, Condition.NORMAL, 0, B.id)
    assert (ending.step, ending.other, ending.version, ending.text) == (Step.MERGE, target.id, 2, "同一人")
    assert (ending.verdict, ending.cause) == (Verdict.DUPLICATE, "duplicate of 1")
    assert (grown.event_count, grown.cameras, grown.severity, grown.best_event) == (2, ("c1", "c2"), 2, A.id)
    assert (grown.last_event_s, grown.work, grown.version, grown.decided) == (B.raised_s, Work.NEW, 2, 1)
    assert (growing.step, growing.other, growing.by) == (Happening.ABSORBED, source.id, LI)
    with pytest.raises(TransitionError, match="merged into another one; reopen that one"):
        advance(ended, command(ended, Step.REOPEN), NOON_S + 61)


def test_a_report_that_absorbs_an_alarm_gets_its_picture_and_further_events_join_it() -> None:
    where = GRID.locate_cell("g1")
    assert where is not None
    told, _ = open_report(report(lon=None, lat=None, grid_cell="g1"), "r", 1, where, NOON_S)
    alarm = an_incident(B, number=2)
    sent = dataclasses.replace(command(alarm, Step.MERGE), other="r")
    _, (grown, _) = merge(alarm, told, [B], sent, NOON_S)
    assert (grown.kind, grown.camera, grown.best_event, grown.category) == (B.kind, "c2", B.id, Category.FACILITY)
    assert (grown.began_s, grown.summary) == (told.began_s, "路灯不亮")
    assert joins(intrusion("c2", NOON_S + 60), grown, 120.0)


def test_an_alarm_that_absorbs_a_report_keeps_its_words() -> None:
    where = GRID.locate_cell("g1")
    assert where is not None
    told, _ = open_report(report(lon=None, lat=None, grid_cell="g1"), "r", 1, where, NOON_S)
    alarm = an_incident(B, number=2)
    _, (grown, entry) = merge(told, alarm, [B], dataclasses.replace(command(told, Step.MERGE), other=alarm.id), NOON_S)
    assert (grown.summary, grown.caller, entry.text) == ("路灯不亮", "4号楼居民", "路灯不亮")
    assert (grown.event_count, grown.best_event) == (1, B.id)


def test_what_cannot_be_merged_says_why() -> None:
    source, target = an_incident(B, number=2), an_incident(A, number=1)
    sent = dataclasses.replace(command(source, Step.MERGE), other=target.id)
    with pytest.raises(TransitionError, match="cannot be merged into itself"):
        merge(source, source, [B], sent, NOON_S)
    with pytest.raises(TransitionError, match="incident 7 is closed, so nothing can be merged into it"):
        merge(source, at(Work.CLOSED), [B], sent, NOON_S)
    with pytest.raises(CommandError, match="merge needs the incident to merge into"):
        merge(source, target, [A, B], command(source, Step.MERGE), NOON_S)
    with pytest.raises(Conflict):
        merge(source, target, [A, B], dataclasses.replace(sent, version=0), NOON_S)
    sent_to = at(Work.EN_ROUTE)
    with pytest.raises(TransitionError, match="step merge is not legal while the work is en_route"):
        merge(sent_to, target, [A], dataclasses.replace(command(sent_to, Step.MERGE), other=target.id), NOON_S)
    owned = at(Work.ACKNOWLEDGED)
    with pytest.raises(DeniedError, match="belongs to 李伟"):
        merge(owned, target, [A], dataclasses.replace(command(owned, Step.MERGE, WANG), other=target.id), NOON_S)


# Splitting


def test_splitting_gives_events_an_incident_of_their_own() -> None:
    source = an_incident(A, B, number=1)
    sent = dataclasses.replace(command(source, Step.SPLIT, at_s=NOON_S + 90, text="两件事"), events=(B.id,))
    (left, leaving), (begun, beginning) = split(source, [B], [A], sent, ("j", 5, GRID.locate("c2")), NOON_S + 90)
    assert (left.event_count, left.cameras, left.best_event, left.last_event_s) == (1, ("c1",), A.id, A.raised_s)
    assert (left.severity, left.version, left.decided) == (2, 3, 3)
    assert (leaving.step, leaving.other, leaving.text) == (Step.SPLIT, "j", "两件事")
    assert (begun.id, begun.number, begun.version, begun.work, begun.owner) == ("j", 5, 1, Work.NEW, None)
    assert (begun.camera, begun.grid_cell, begun.severity, begun.best_event) == ("c2", "g2", 2, B.id)
    assert (begun.condition, begun.since_s, begun.stages) == (
        Condition.UNACKNOWLEDGED,
        NOON_S + 90,
        {Work.NEW: NOON_S + 90},
    )
    assert (beginning.step, beginning.other, beginning.version) == (Happening.SPLIT_OFF, source.id, 1)


def test_an_incident_of_events_keeps_at_least_one_and_a_report_may_give_all_away() -> None:
    source = an_incident(A, B)
    sent = dataclasses.replace(command(source, Step.SPLIT), events=(A.id, B.id))
    with pytest.raises(TransitionError, match="left without an event"):
        split(source, [A, B], [], sent, ("j", 5, Locality()), NOON_S)
    where = GRID.locate_cell("g1")
    assert where is not None
    told, _ = open_report(report(lon=None, lat=None, grid_cell="g1"), "r", 1, where, NOON_S)
    _, (grown, _) = merge(source, told, [A, B], dataclasses.replace(command(source, Step.MERGE), other="r"), NOON_S)
    sent = dataclasses.replace(command(grown, Step.SPLIT), events=(A.id, B.id))
    (left, _), (begun, _) = split(grown, [A, B], [], sent, ("j", 5, Locality()), NOON_S)
    assert (left.event_count, left.camera, left.kind, left.summary) == (0, "", None, "路灯不亮")
    assert (begun.event_count, begun.origin, begun.category, begun.summary) == (2, Origin.EVENT, Category.PUBLIC_ORDER, "")
