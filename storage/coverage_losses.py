"""When cameras covered nothing, worked out from what other ledgers tell: nothing is written down twice.

Gaps tell when a camera was not seen, outages which of them were their switch's, events of health rules and the end of their
incidents when its picture was wrong, the health when too much of its stream was lost, watch runs when the decode budget let it
wait.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from base import Advice, GapCause, Health, Watched
from patrol.coverage_causes import OUR_GAPS, TROUBLE_OF, Loss
from patrol.coverage_history import LossInterval, account
from patrol.steps import Work
from storage.coverage_tables import switched_off
from storage.outages import read_outages
from storage.tables import events, gaps, health, incidents, watch_runs

__all__ = ["read_losses"]


def read_losses(connection: Connection, from_s: float, to_s: float) -> list[LossInterval]:
    """Each second in [from_s, to_s) in which a camera covered nothing, once, with its cause; by camera, oldest first."""
    told = [
        *_not_seen(connection, from_s, to_s),
        *_wrong_pictures(connection, from_s, to_s),
        *_much_lost(connection, from_s, to_s),
        *_shed(connection, from_s, to_s),
        *_switched_off(connection, from_s, to_s),
    ]
    return account(told, from_s, to_s)


def _not_seen(connection: Connection, from_s: float, to_s: float) -> Iterator[LossInterval]:
    down = [
        (outage, frozenset(outage.cameras), to_s if outage.ended_s is None else outage.ended_s)
        for outage in read_outages(connection, from_s, to_s)
    ]
    query = select(gaps).where(gaps.c.began_s < to_s, gaps.c.ended_s.is_(None) | (gaps.c.ended_s > from_s))
    for row in connection.execute(query):
        ended_s = to_s if row.ended_s is None else row.ended_s
        is_ours = GapCause(row.cause) in OUR_GAPS
        yield LossInterval(row.camera, Loss.NOT_WATCHED if is_ours else Loss.OFFLINE, row.began_s, ended_s)
        for outage, cameras, until_s in down if not is_ours else ():
            if row.camera in cameras and row.began_s < until_s and ended_s > outage.began_s:
                began_s = max(row.began_s, outage.began_s)
                yield LossInterval(row.camera, f"{Loss.UPLINK}:{outage.uplink}", began_s, min(ended_s, until_s))


def _wrong_pictures(connection: Connection, from_s: float, to_s: float) -> Iterator[LossInterval]:
    is_over = incidents.c.work == Work.CLOSED.value
    query = (
        select(events.c.camera, events.c.kind, events.c.began_s, incidents.c.work, incidents.c.since_s)
        .join(incidents, incidents.c.id == events.c.incident)
        .where(events.c.kind.in_([kind.value for kind in TROUBLE_OF]), events.c.began_s < to_s)
        .where(~is_over | (incidents.c.since_s > from_s))
    )
    for row in connection.execute(query):
        ended_s = row.since_s if row.work == Work.CLOSED.value else to_s
        yield LossInterval(row.camera, TROUBLE_OF[row.kind], row.began_s, ended_s)


def _much_lost(connection: Connection, from_s: float, to_s: float) -> Iterator[LossInterval]:
    next_s = func.lead(health.c.since_s).over(partition_by=health.c.camera, order_by=health.c.number)
    changes = select(health.c.camera, health.c.health, health.c.cause, health.c.since_s, next_s.label("next_s")).subquery()
    query = select(changes).where(
        changes.c.health == Health.DEGRADED.value,
        changes.c.cause.contains(Advice.PACKET_LOSS.value),
        changes.c.since_s < to_s,
        changes.c.next_s.is_(None) | (changes.c.next_s > from_s),
    )
    for row in connection.execute(query):
        yield LossInterval(row.camera, Loss.DEGRADED, row.since_s, to_s if row.next_s is None else row.next_s)


def _shed(connection: Connection, from_s: float, to_s: float) -> Iterator[LossInterval]:
    its = watch_runs.c
    query = select(its.camera, its.began_s, its.ended_s).where(
        its.state == Watched.BUDGET.value, its.began_s < to_s, its.ended_s.is_(None) | (its.ended_s > from_s)
    )
    for row in connection.execute(query):
        yield LossInterval(row.camera, Loss.BUDGET, row.began_s, to_s if row.ended_s is None else row.ended_s)


def _switched_off(connection: Connection, from_s: float, to_s: float) -> Iterator[LossInterval]:
    its = switched_off.c
    for row in connection.execute(select(switched_off).where(its.began_s < to_s, its.ended_s.is_(None) | (its.ended_s > from_s))):
        yield LossInterval(row.camera, Loss.DISABLED, row.began_s, to_s if row.ended_s is None else row.ended_s)
