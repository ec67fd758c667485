"""A severity raised while a clock runs, by an event or a merge: stored, told once more, and found again from the history."""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, select

from base import SimulatedClock
from camera_config.time_limits import Category
from patrol import LIMITS_S, Due, Happening, Incident, Origin, Report, Step
from storage import Store
from storage.database import Database
from storage.integrity import check_integrity
from storage.tables import notices
from tests.patrol.small_site import LI, command, intrusion

LATE_S = 0.9 * LIMITS_S[4][Step.ACKNOWLEDGE]


def warned_of(store: Store, clock: SimulatedClock) -> Incident:
    """An incident of severity 4 whose limit to acknowledge is nearly over, and somebody was warned."""
    [incident] = store.record_events([intrusion("c1", clock.now_s(), severity=4)])
    clock.advance(LATE_S)
    store.tell_due()
    found = store.incident(incident.id)
    assert found is not None
    assert found.told == 1
    return found


def warnings(store: Store, incident: str) -> list[str]:
    return [entry.text for entry in store.history(incident) if entry.step is Happening.WARNED]


@pytest.mark.parametrize("by", ["event", "merge"])
def test_a_raised_severity_brings_the_limit_nearer_and_warns_once_more(
    by: str, open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    store = open_store()
    before = warned_of(store, clock)
    if by == "event":
        late = intrusion("c1", before.last_event_s + 200, severity=1)
        [raised] = store.record_events([late, late])
        assert store.record_events([late]) == [raised]
    else:
        call = Report("call", Origin.HOTLINE, Category.HELP, 1, LI, clock.now_s(), "来电", grid_cell="g1")
        other = store.report(call)
        raised = store.merge(command(other, Step.MERGE, at_s=clock.now_s(), other=before.id))
    assert raised.raises == ((clock.now_s(), 4),)
    assert raised.due == Due(Step.ACKNOWLEDGE, clock.now_s() + LIMITS_S[1][Step.ACKNOWLEDGE])
    assert warnings(store, before.id) == ["", "severity raised from 4 to 1, so the limit is nearer"]
    store.close()
    store = open_store()  # which works out all limits anew
    assert store.incident(before.id) == raised
    clock.advance(LIMITS_S[1][Step.ACKNOWLEDGE])
    [breached] = store.tell_due()
    assert (breached.told, len(warnings(store, before.id))) == (2, 2)
    engine = create_engine(url)
    with engine.connect() as connection:
        told = Counter(connection.scalars(select(notices.c.kind)))
    engine.dispose()
    assert (told["warned"], told["breached"]) == (2, 1)
    owned = store.apply(command(breached, Step.ACKNOWLEDGE, at_s=clock.now_s()))
    assert owned.raises == ()
    store.close()
    database = Database(url)
    with database.reader.connect() as connection:
        assert check_integrity(connection).differences == ()
    database.close()
