"""A handover sheet that nobody signs: told once for each change of shifts, cleared by both signatures."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, select

from base import SimulatedClock
from camera_config.round_rules import Times
from camera_config.site import Site
from camera_config.time_limits import ShiftChanges, TimeLimits
from patrol.handover import HandoverAlarm, last_change_s
from storage import Store
from storage.tables import notices
from tests.patrol.small_site import LI, NOON_S, WANG, small_site

HOUR = 3600.0
CHANGES = ShiftChanges(Times.parse("08:00, 20:00"))


@pytest.fixture
def site() -> Site:
    return replace(small_site(), time_limits=TimeLimits(handover=CHANGES))


@pytest.fixture
def used(open_store: Callable[[], Store]) -> Store:
    """A store that has had an account since noon."""
    store = open_store()
    store.add_user("李伟", "", "operator")
    return store


def told(url: str) -> list[tuple[str, float]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(select(notices.c.kind, notices.c.at_s).order_by(notices.c.id)).all()
    engine.dispose()
    return [(row.kind, row.at_s) for row in rows]


def sign(store: Store) -> None:
    made = store.handovers.offer(str(uuid.uuid4()), LI, "")
    store.handovers.confirm(made.id, WANG, made.sha256, "")


def test_a_missing_signature_is_told_once_and_cleared_by_both(
    used: Store, open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    change_s = NOON_S + 8 * HOUR
    clock.advance(8.5 * HOUR - 1)
    assert used.handovers.tell_due() == []
    clock.advance(1)
    assert used.handovers.tell_due() == [HandoverAlarm(change_s, change_s + HOUR / 2)]
    assert used.handovers.tell_due() == []
    used.close()
    store = open_store()
    clock.step_wall(-HOUR)
    clock.step_wall(HOUR)
    assert store.handovers.tell_due() == []
    assert [alarm.change_s for alarm in store.handovers.alarms()] == [change_s]
    made = store.handovers.offer(str(uuid.uuid4()), LI, "")
    assert store.handovers.alarms() != []  # one side is not enough
    store.handovers.confirm(made.id, WANG, made.sha256, "")
    assert store.handovers.alarms() == []
    assert told(url) == [("handover_missing", change_s), ("handover_signed", clock.now_s())]
    sign(store)
    clock.advance(6 * HOUR)
    assert store.handovers.tell_due() == []
    assert len(told(url)) == 2


def test_a_sheet_signed_a_little_early_counts_one_of_the_shift_before_does_not(used: Store, clock: SimulatedClock) -> None:
    clock.advance(7.5 * HOUR)
    sign(used)
    clock.advance(2 * HOUR)
    assert used.handovers.tell_due() == []
    clock.advance(11 * HOUR)  # 8:30 of the next day
    [alarm] = used.handovers.tell_due()
    assert alarm.change_s == NOON_S + 20 * HOUR


def test_after_a_long_stop_only_the_last_change_is_told(used: Store, clock: SimulatedClock) -> None:
    clock.advance(50 * HOUR)
    assert [alarm.change_s for alarm in used.handovers.tell_due()] == [NOON_S + 44 * HOUR]


def test_nobody_is_told_before_anybody_could_sign_or_where_no_shifts_change(
    store: Store, clock: SimulatedClock, open_store: Callable[[], Store]
) -> None:
    clock.advance(9 * HOUR)
    assert store.handovers.tell_due() == []
    store.add_user("李伟", "", "operator")
    assert store.handovers.tell_due() == []


@pytest.mark.parametrize(
    ("text", "hours", "expected"),
    [
        pytest.param("08:00", 0, -4, id="this morning"),
        pytest.param("08:00", -3.6, -28, id="the time to sign is not over"),
        pytest.param("mon 08:00", 0, -52, id="two days ago, on Monday"),
        pytest.param("wed 12:00", 0, -168, id="a week ago"),
    ],
)
def test_the_last_change_of_shifts(text: str, hours: float, expected: float) -> None:
    changes = ShiftChanges(Times.parse(text))
    assert last_change_s(changes, ZoneInfo("Asia/Shanghai"), NOON_S + hours * HOUR) == NOON_S + expected * HOUR
