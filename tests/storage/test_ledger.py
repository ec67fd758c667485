"""The books, the figures and the handover sheets in both databases."""

import json
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from base import CameraStatus, DeniedError, Gap, GapCause, Health, Quality, SimulatedClock, TransitionError
from camera_config.round_rules import RoundRules, Route, Starts, Times
from camera_config.site import Checkpoint, Name, Site
from camera_config.time_limits import LimitedStep
from patrol import CommandError, Step, Verdict
from patrol.assessment import GroupBy
from patrol.ledger import Book, LedgerFilter
from patrol.rounds import RoundState
from storage import AssessmentOf, RoundFilter, Store
from storage.database import Database
from storage.ledger import Ledger, Line
from storage.site_rules import SiteRules
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor

ALL = LedgerFilter()


@pytest.fixture
def site() -> Site:
    """With a round in the cells g1 and g2 at 13:00."""
    points = tuple(Checkpoint(f"k{cell}", Name(cell, cell), cell, 120.001, 30.002) for cell in ("g1", "g2"))
    route = Route("r1", Name("夜巡%", "Night_walk"), ("kg1", "kg2"), Starts(at=Times.parse("13:00")), teams=("t1",))
    return replace(small_site(), checkpoints=points, rounds=RoundRules(routes=(route,)))


def summaries(store: Store, book: Book, **filters: object) -> int:
    return len(store.ledger.page(book, LedgerFilter(**filters), 100).lines)  # type: ignore[arg-type]  # fields of the filter


def test_lines_of_the_same_moment_are_neither_lost_nor_doubled(store: Store, clock: SimulatedClock) -> None:
    store.record_events([intrusion(camera, NOON_S) for camera in ("c1", "c2", "c3", "c4")])
    clock.advance(1000)
    store.record_events([intrusion("c1", NOON_S + 1000)])
    seen: list[str] = []
    after = None
    while True:
        page = store.ledger.page(Book.INCIDENTS, ALL, 2, after)
        seen += [line["camera"] for line in page.lines]
        after = page.next
        if after is None:
            break
    assert seen[0] == "c1"
    assert sorted(seen) == ["c1", "c1", "c2", "c3", "c4"]
    assert store.ledger.count(Book.INCIDENTS, ALL, 10) == 5
    assert store.ledger.count(Book.INCIDENTS, ALL, 3) == 4  # no further than one more


def test_a_search_goes_on_behind_pages_that_hold_nothing(store: Store, site: Site) -> None:
    cameras = [("c1", 3), ("c2", 3), ("c1", 1), ("c4", 3), ("c2", 3), ("c3", 3), ("c4", 1)]
    store.record_events([intrusion(camera, NOON_S + 500 * n, severity=s) for n, (camera, s) in enumerate(cameras)])
    books = Ledger(store._read, SiteRules.of(site), looked_at=2)
    for book in (Book.EVENTS, Book.INCIDENTS):
        for which in (LedgerFilter(severity=1), LedgerFilter(severity=1, to_s=NOON_S + 2500), LedgerFilter(kind="crowd"), ALL):
            whole = store.ledger.page(book, which, 100)
            assert whole.next is None
            seen: list[Line] = []
            after, sizes = None, list[int]()
            while True:
                page = books.page(book, which, 2, after)
                seen += page.lines
                sizes.append(len(page.lines))
                after = page.next
                if after is None:
                    break
            assert tuple(seen) == whole.lines
            assert (0 in sizes) == (which != ALL), sizes


def test_books_are_searched(store: Store) -> None:
    opened = store.record_events([intrusion("c1", NOON_S, severity=1), intrusion("c2", NOON_S + 1, severity=3, zone="50%")])
    store.apply(command(opened[0], Step.CLOSE, verdict=Verdict.FALSE_ALARM))
    assert summaries(store, Book.INCIDENTS, verdict="false_alarm") == summaries(store, Book.EVENTS, verdict="false_alarm") == 1
    assert summaries(store, Book.EVENTS, text="50%") == summaries(store, Book.EVENTS, severity=3, grid_cell="g2") == 1
    assert summaries(store, Book.EVENTS, text="5_%") == summaries(store, Book.EVENTS, severity=3, grid_cell="g1") == 0
    assert summaries(store, Book.EVENTS, from_s=NOON_S + 1) == summaries(store, Book.EVENTS, to_s=NOON_S + 1) == 1
    store.record_gaps([Gap("c1", NOON_S, NOON_S + 60, GapCause.STALL), Gap("gone", NOON_S, None, GapCause.CONNECT)])
    [mine] = store.ledger.page(Book.GAPS, LedgerFilter(community="m1"), 10).lines
    assert (mine["camera"], mine["grid_cell"], mine["compound"]) == ("c1", "g1", "p1")
    assert summaries(store, Book.GAPS, kind="connect") == 1


def test_rounds_are_found_by_the_cells_of_their_checkpoints(store: Store) -> None:
    store.rounds.plan(at_once=True)
    found = summaries(store, Book.ROUNDS)
    assert found >= 1
    for place in ({"grid_cell": "g1"}, {"grid_cell": "g2"}, {"compound": "p1"}, {"community": "m1"}):
        assert summaries(store, Book.ROUNDS, **place) == found
    for nothing in ({"grid_cell": "g3"}, {"grid_cell": "g"}, {"compound": "p2"}, {"team": "t2"}, {"text": "夜巡_"}):
        assert summaries(store, Book.ROUNDS, **nothing) == 0
    assert summaries(store, Book.ROUNDS, text="夜巡%") == summaries(store, Book.ROUNDS, team="t1", kind="route") == found


def test_figures_leave_out_drills_and_what_was_recorded_later(store: Store, clock: SimulatedClock) -> None:
    one, two = store.record_events([intrusion("c1", NOON_S), intrusion("c4", NOON_S)])
    clock.advance(30)
    store.apply(command(one, Step.ACKNOWLEDGE, at_s=NOON_S + 30))
    store.drills.mark(two.id, True, "演练", LI)
    clock.advance(3600)
    store.tell_due()
    asked = AssessmentOf(NOON_S - 1, NOON_S + 1, NOON_S + 3630)
    found, _ = store.ledger.assessment(asked, GroupBy.GRID_CELL)
    assert list(found.groups) == ["g1"]
    assert (found.all.timings[LimitedStep.ACKNOWLEDGE].median_s, found.all.timings[LimitedStep.DISPATCH].in_time) == (30, 0)
    early, _ = store.ledger.assessment(replace(asked, as_of_s=NOON_S + 100), GroupBy.RULE)
    assert (list(early.groups), early.all.timings[LimitedStep.DISPATCH].runs) == (["c1/night"], 0)
    nothing, _ = store.ledger.assessment(replace(asked, severity=4), GroupBy.MONTH)
    assert (nothing.all.opened, nothing.groups) == (0, {})


def test_a_sheet_lists_what_is_left_to_do(store: Store, clock: SimulatedClock) -> None:
    one, two = store.record_events([intrusion("c1", NOON_S), intrusion("c4", NOON_S)])
    store.apply(command(one, Step.ACKNOWLEDGE))
    store.apply(command(two, Step.SHELVE, at_s=NOON_S, until_s=NOON_S + 20_000, text="施工"))
    store.record_statuses([CameraStatus("c2", Health.OFFLINE, Quality.UNUSABLE, NOON_S, None, error="nobody answered")])
    store.rounds.plan(at_once=True)
    clock.advance(2 * 3600)
    store.rounds.keep()
    made = store.handovers.offer(str(uuid.uuid4()), LI, " 一切正常 ")
    sheet = json.loads(made.content)
    assert [line["work"] for line in sheet["incidents"]] == ["new", "acknowledged"]
    assert sheet["shelved"] == [{"number": two.number, "until": "2023-11-15T09:33:20.000Z", "by": "李伟", "reason": "施工"}]
    assert [(line["camera"], line["cause"]) for line in sheet["cameras_offline"]] == [("c2", "nobody answered")]
    assert [(line["state"], line["missed"], line["checkpoints"]) for line in sheet["rounds"]] == [(RoundState.MISSED, 2, 2)]
    assert (sheet["notes"], sheet["since"]["opened"]) == ("一切正常", 2)
    assert store.handovers.confirm(made.id, WANG, made.sha256, "收到") is not None
    clock.advance(60)
    assert json.loads(store.handovers.draft(WANG))["since"]["opened"] == 0
    assert json.loads(store.handovers.draft(WANG))["rounds"] == []


def test_nothing_about_a_signed_sheet_can_change(store: Store, url: str) -> None:
    made = store.handovers.offer(str(uuid.uuid4()), LI, "")
    with pytest.raises(DeniedError, match="both sides sign"):
        store.handovers.confirm(made.id, LI, made.sha256, "")
    with pytest.raises(DeniedError, match="one user to another"):
        store.handovers.confirm(made.id, team_actor("t1"), made.sha256, "")
    with pytest.raises(CommandError, match="not the hash"):
        store.handovers.confirm(made.id, WANG, "0" * 64, "")
    with pytest.raises(CommandError, match="already used"):
        store.handovers.offer(made.id, WANG, "")
    with pytest.raises(TransitionError, match="waits to be confirmed"):
        store.handovers.offer(str(uuid.uuid4()), WANG, "")
    _refused(url, store, "UPDATE handovers SET content = '{}'", "UPDATE handovers SET outgoing_id = 'x'", "DELETE FROM handovers")


def test_nothing_about_a_confirmed_sheet_can_change(store: Store, url: str) -> None:
    made = store.handovers.offer(str(uuid.uuid4()), LI, "")
    confirmed = store.handovers.confirm(made.id, WANG, made.sha256, "收到")
    assert confirmed == store.handovers.handover(made.id) == store.handovers.confirm(made.id, WANG, made.sha256, "又")
    with pytest.raises(TransitionError, match="confirmed already"):
        store.handovers.withdraw(made.id, LI, any_sheet=True)
    _refused(url, store, "UPDATE handovers SET remark = 'x'", "UPDATE handovers SET withdrawn_s = 1", "DELETE FROM handovers")


def _refused(url: str, store: Store, *statements: str) -> None:
    """The database itself refuses each of these."""
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        for statement in statements:
            with pytest.raises(DBAPIError, match="append-only"), connection.begin():
                connection.execute(text(statement))
    database.close()


def test_there_is_one_sheet_at_a_time_and_the_list_is_in_order(store: Store, clock: SimulatedClock) -> None:
    names = [str(uuid.uuid4()) for _ in range(3)]
    for name in names:
        store.handovers.offer(name, LI, "")
        store.handovers.withdraw(name, LI, any_sheet=False)
        clock.advance(1)
    assert [each.id for each in store.handovers.handovers(2)] == names[:0:-1]
    assert [each.id for each in store.handovers.handovers(2, names[1])] == names[:1]
    assert store.handovers.withdraw("nothing", LI, any_sheet=True) is None
    assert store.rounds.rounds(RoundFilter(), 1) == []
