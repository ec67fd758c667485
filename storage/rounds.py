"""Patrol rounds as the rest of Gridpatrol sees them: planned, walked, told of when missed, listed."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, func, or_, select

from base import Clock
from camera_config.site import Point
from patrol import Actor
from patrol.checkpoint_codes import CodeError, CodeKey
from patrol.inspections import Draw
from patrol.round_plan import RoundPlanner
from patrol.rounds import CheckIn, Round, RoundCommand, RoundKind, RoundState, TemporaryStop
from patrol.visits import Figures, RoundNow
from storage import checkpoint_keys, plan_rounds, walk_rounds
from storage.areas import Area, rounds_of
from storage.checkpoint_keys import CodeAttempt
from storage.plan_rounds import WantedDraw
from storage.reader import Reader
from storage.round_rows import round_of
from storage.site_rules import SiteRules
from storage.tables import rounds
from storage.walk_rounds import Told
from storage.writer import Writer

__all__ = ["RoundFigures", "RoundFilter", "Rounds"]

logger = logging.getLogger(__name__)
T = TypeVar("T")

PLAN_EVERY_S = 60.0
"""How soon a change of the roster shows in the rounds."""


@dataclass(frozen=True, slots=True)
class RoundFilter:
    """Which rounds a list holds; what is None or empty leaves nothing out."""

    state: RoundState | None = None
    kind: RoundKind | None = None
    team: str = ""
    source: str = ""
    open_only: bool = False
    missed_s: float | None = None  # with `open_only`: those, too, that closed after this with a stop missed
    from_s: float | None = None  # due then or later
    to_s: float | None = None  # due before
    announced_s: float | None = None  # told by this moment
    area: Area | None = None  # of who asks


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """What became of the rounds of one team from one source that are over; withdrawn ones are left out."""

    team: str
    source: str
    rounds: int
    completed: int
    stops: Figures


class Rounds:
    """The rounds of one site. As the `Store` it belongs to: any thread, returns after the commit, raises StorageError."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: SiteRules) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._rules = rules
        self._planner = RoundPlanner(rules.grid, read(checkpoint_keys.read_seed))
        self._plan_again_s = 0.0  # monotonic

    def keep(self) -> Told:
        """Plan ahead, and write down what fell due, each once. Call it every second; while nothing is due it only reads."""
        self.plan()
        now_s = self._clock.now_s()
        if not self._read(lambda connection: walk_rounds.anything_due(connection, now_s)):
            return Told()

        def work(connection: Connection) -> Told:
            confirmed = walk_rounds.confirm(connection, self._rules, now_s)
            told = walk_rounds.tell(connection, self._rules, now_s)
            return Told((*confirmed, *told.rounds), told.incidents)

        return self._writer.run(work)

    def plan(self, at_once: bool = False) -> None:
        """Write down the rounds of the next day, if a minute has passed since the last time, or `at_once`."""
        if not at_once and self._clock.monotonic_s() < self._plan_again_s:
            return
        now_s = self._clock.now_s()
        planner, rules = self._planner, self._rules
        if not self._read(lambda connection: plan_rounds.is_planned(connection, planner, rules, now_s)):
            self._writer.run(lambda connection: plan_rounds.replan(connection, planner, rules, now_s))
        self._plan_again_s = self._clock.monotonic_s() + PLAN_EVERY_S

    def round(self, round_id: str) -> RoundNow | None:
        """One round as it is now."""
        now_s = self._clock.now_s()
        return self._read(lambda connection: walk_rounds.read_round(connection, round_id, self._rules, now_s))

    def rounds(self, which: RoundFilter, limit: int = 100, before: str | None = None) -> list[RoundNow]:
        """At most `limit` rounds, latest due first; those after the round `before` of the previous page."""
        now_s = self._clock.now_s()

        def read(connection: Connection) -> list[RoundNow]:
            return walk_rounds.read_rounds_now(connection, _listed(connection, which, limit, before), self._rules, now_s)

        return self._read(read)

    def figures(self, from_s: float, to_s: float, area: Area | None = None) -> list[RoundFigures]:
        """What became of the rounds that were due in [from_s, to_s) and are over, by team and source."""
        return self._read(lambda connection: _figures(connection, from_s, to_s, area))

    def check_in(self, asked: CheckIn) -> RoundNow:
        """Check in once, by the id; the round after it. A refused code is recorded, then CodeError raised.

        Raises CommandError if the command is wrong, DeniedError for another team's round, TransitionError if it is not the time.
        """
        now_s, rules = self._clock.now_s(), self._rules
        key = self.code_key()
        try:
            return self._writer.run(lambda connection: walk_rounds.check_in_at(connection, asked, key, rules, now_s))
        except CodeError as error:
            refusal, claimed = error.refusal, error.checkpoint
            logger.warning("a checkpoint code was refused (%s), from %s", refusal, asked.by.name)
            self._writer.run(
                lambda connection: checkpoint_keys.add_attempt(connection, asked.by, refusal, claimed, asked.round, now_s)
            )
            raise

    def take(self, command: RoundCommand) -> RoundNow:
        """Start, skip or finish, once by the id; the round after it. Raises as `check_in`."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: walk_rounds.take_on_round(connection, command, self._rules, now_s))

    def credit(self, team: str, place: Point, accuracy_m: float, at_s: float, working: Collection[str]) -> list[RoundNow]:
        """Credit the stops that a team passes at `at_s`, near one of the cameras that are `working`; the rounds that changed."""
        now_s = self._clock.now_s()
        open_now = RoundFilter(team=team, open_only=True, announced_s=now_s)
        if not self._read(lambda connection: _listed(connection, open_now, 1, None)):
            return []
        fix = (place, accuracy_m, min(at_s, now_s))
        return self._writer.run(lambda connection: walk_rounds.credit(connection, team, fix, working, self._rules, now_s))

    # Temporary stops and draws

    def temporary_stops(self, all_of_them: bool = False, area: Area | None = None) -> list[TemporaryStop]:
        """The stops that are asked for now, oldest first."""
        now_s = None if all_of_them else self._clock.now_s()
        return self._read(lambda connection: plan_rounds.read_temporary(connection, now_s, area))

    def temporary_stop(self, stop: str) -> TemporaryStop | None:
        """One stop by its id."""
        return self._read(lambda connection: plan_rounds.read_stop(connection, stop))

    def add_temporary_stop(self, stop: TemporaryStop, by: Actor, area: Area | None = None) -> TemporaryStop:
        """Ask teams to pass a place for a while, once by the stop's id. Raises CommandError, also outside of the area."""
        now_s = self._clock.now_s()
        return self._writer.run(
            lambda connection: plan_rounds.add_temporary(connection, stop, self._planner, self._rules, by, now_s, area)
        )

    def withdraw_temporary_stop(self, stop: str, by: Actor) -> TemporaryStop | None:
        """Call a stop off, and the round that waits for it; None if there is none."""
        now_s = self._clock.now_s()
        return self._writer.run(
            lambda connection: plan_rounds.withdraw_temporary(connection, stop, self._planner, self._rules, by, now_s)
        )

    def draw(self, asked: WantedDraw, by: Actor) -> tuple[Draw, list[Round]]:
        """Draw checkpoints to be inspected now, once by the id; the draw and its rounds. Raises CommandError."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: plan_rounds.add_draw(connection, asked, self._planner, self._rules, by, now_s))

    def draws(self, limit: int = 100, before: str | None = None, area: Area | None = None) -> list[Draw]:
        """The announced draws with their seeds, newest first."""
        now_s = self._clock.now_s()
        return self._read(lambda connection: plan_rounds.read_draws(connection, now_s, limit, before, area))

    # Codes

    def code_key(self) -> CodeKey:
        """The key of the checkpoint codes as it is now. Never let it out of this process."""
        site = self._rules.grid.site.id
        return self._read(lambda connection: checkpoint_keys.read_key(connection, site))

    def renew_codes(self, by: Actor) -> CodeKey:
        """A new key: every code that hangs on a wall must be replaced."""
        site, now_s = self._rules.grid.site.id, self._clock.now_s()
        return self._writer.run(lambda connection: checkpoint_keys.renew_key(connection, site, by, now_s))

    def code_attempts(self, limit: int = 100, before: int | None = None, area: Area | None = None) -> list[CodeAttempt]:
        """The codes that were refused, newest first; those with a number below `before`."""
        return self._read(lambda connection: list(checkpoint_keys.read_attempts(connection, limit, before, area)))


def _listed(connection: Connection, which: RoundFilter, limit: int, before: str | None) -> list[Round]:
    query = select(rounds).where(*rounds_of(which.area)).order_by(rounds.c.due_s.desc(), rounds.c.id).limit(limit)
    if which.state is not None:
        query = query.where(rounds.c.state == which.state.value)
    if which.kind is not None:
        query = query.where(rounds.c.kind == which.kind.value)
    if which.team:
        query = query.where(rounds.c.team == which.team)
    if which.source:
        query = query.where(rounds.c.source == which.source)
    if which.open_only:
        wanted: ColumnElement[bool] = rounds.c.state.in_([RoundState.DUE.value, RoundState.UNDER_WAY.value])
        if which.missed_s is not None:
            over = rounds.c.state.in_([RoundState.INCOMPLETE.value, RoundState.MISSED.value])
            wanted = or_(wanted, over & (rounds.c.missed > 0) & (rounds.c.closes_s > which.missed_s))
        query = query.where(wanted)
    if which.from_s is not None:
        query = query.where(rounds.c.due_s >= which.from_s)
    if which.to_s is not None:
        query = query.where(rounds.c.due_s < which.to_s)
    if which.announced_s is not None:
        query = query.where(rounds.c.announced_s <= which.announced_s)
    last = connection.execute(select(rounds.c.due_s, rounds.c.id).where(rounds.c.id == before)).first() if before else None
    if before and last is None:
        return []
    if last is not None:
        query = query.where(or_(rounds.c.due_s < last.due_s, (rounds.c.due_s == last.due_s) & (rounds.c.id > last.id)))
    return [round_of(row) for row in connection.execute(query).mappings()]


def _figures(connection: Connection, from_s: float, to_s: float, area: Area | None) -> list[RoundFigures]:
    columns = rounds.c
    over = (RoundState.COMPLETED.value, RoundState.INCOMPLETE.value, RoundState.MISSED.value)
    completed = func.sum((columns.state == RoundState.COMPLETED.value).cast(columns.visited.type))
    counted = (columns.stop_count, columns.visited, columns.on_time, columns.late, columns.skipped, columns.missed, columns.odd)
    query = (
        select(columns.team, columns.source, func.count(), completed, *map(func.sum, counted))
        .where(columns.due_s >= from_s, columns.due_s < to_s, columns.state.in_(over), *rounds_of(area))
        .group_by(columns.team, columns.source)
        .order_by(columns.team, columns.source)
    )
    return [
        RoundFigures(row[0], row[1], int(row[2]), int(row[3]), Figures(*(int(number) for number in row[4:])))
        for row in connection.execute(query)
    ]
