"""Automatic dispatch of what waits: a rule that found nobody when an incident opened sends the first team that can go."""

from sqlalchemy import ColumnElement, Connection, and_, or_, select, true

from base import Clock
from patrol import Incident, busy_with, propose_or_dispatch
from patrol.automatic import WAITING, rules_now
from storage.history import add_history
from storage.incidents import write_incidents
from storage.reader import Reader
from storage.rows import incident_of
from storage.site_rules import SiteRules
from storage.tables import incidents, is_open
from storage.teams import team_states
from storage.writer import Writer

__all__ = ["Dispatch"]

AT_ONCE = 50
"""Incidents looked at in one transaction, of which each takes some 2 ms with 200 teams; the next call goes on."""

AGAIN_S = 15.0
"""How soon the same teams are tried again for the same incidents: meanwhile one may have rested, or come nearer."""

Facts = tuple[frozenset[str], frozenset[tuple[str, int]]]
"""The teams that are free, and what waits for one, each with its version."""


class Dispatch:
    """Sends teams by the rules of one site. As the `Store` it belongs to, but only one thread may call `keep`."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: SiteRules) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._rules = rules
        self._in_vain: Facts | None = None  # for which nobody could be sent
        self._again_s = 0.0  # monotonic
        self._from = 0  # how many of what waits were looked at in vain

    def keep(self) -> list[Incident]:
        """Send teams that became free or came on shift to what waits for one and a rule covers; the incidents, most severe first.

        Call it every second. Without a rule, or with nothing that waits, or nobody free, it only reads.
        """
        now_s = self._clock.now_s()
        if not rules_now(self._rules.grid.site, now_s):
            return []
        free, waiting = facts = self._read(lambda connection: _look(connection, self._rules, now_s))
        if not free or not waiting or (facts == self._in_vain and self._clock.monotonic_s() < self._again_s):
            return []
        skip = self._from
        sent = self._writer.run(lambda connection: _dispatch(connection, self._rules, now_s, skip))
        self._from = 0 if sent or skip + AT_ONCE >= len(waiting) else skip + AT_ONCE
        if not sent and not self._from:
            self._in_vain, self._again_s = facts, self._clock.monotonic_s() + AGAIN_S
        return sent


def _look(connection: Connection, rules: SiteRules, now_s: float) -> Facts:
    columns = incidents.c
    rows = connection.execute(select(columns.id, columns.version).where(*_waits(rules, now_s))).all()
    if not rows:
        return frozenset(), frozenset()
    states = team_states(connection, rules.grid, now_s).values()
    free = frozenset(state.team for state in states if state.on_shift and not state.is_busy)
    return free, frozenset((row.id, row.version) for row in rows)


def _dispatch(connection: Connection, rules: SiteRules, now_s: float, skip: int) -> list[Incident]:
    """Look at `AT_ONCE` of what waits and send whom a rule finds; the caller commits."""
    query = select(incidents).where(*_waits(rules, now_s)).order_by(incidents.c.severity, incidents.c.number)
    states = dict(team_states(connection, rules.grid, now_s))
    sent = []
    for row in connection.execute(query.offset(skip).limit(AT_ONCE)).mappings().all():
        told, marks = rules.clocks.tell(incident_of(row), now_s, now_s)
        incident, by_rule = propose_or_dispatch(told, rules.grid, states, now_s)
        if by_rule is None:
            continue
        states[incident.team] = busy_with(states[incident.team], incident)
        incident = rules.clocks.timed(incident)
        write_incidents(connection, [incident])
        add_history(connection, incident, (*marks, by_rule))
        sent.append(incident)
    return sent


def _waits(rules: SiteRules, now_s: float) -> list[ColumnElement[bool]]:
    """What waits for a team that a rule may send; what somebody has put off waits for that person."""
    columns = incidents.c
    covered = [
        and_(
            columns.severity.in_(rule.matter.severities) if rule.matter.severities else true(),
            columns.category.in_([each.value for each in rule.matter.categories]) if rule.matter.categories else true(),
        )
        for rule in rules_now(rules.grid.site, now_s)
    ]
    is_put_off = columns.paused_since_s.is_not(None) | columns.shelved_until_s.is_not(None)
    return [is_open, columns.work.in_(sorted(work.value for work in WAITING)), ~is_put_off, or_(*covered)]
