"""A day of a small sub-district, from midnight to midnight, played on a simulated clock against a real store.

Four cells with four cameras each, a team for every cell and shift, ten rounds a day in each cell, three operators who take turns.
Most things go well; alarms are also found late, refused, shelved, paused, referred, merged, reopened, done offline, never done.
"""

import heapq
import itertools
import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from base import CameraStatus, Event, Health, Quality, SimulatedClock
from camera_config.desks import Desk, DeskKind
from camera_config.round_rules import RoundRules, Route, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Checkpoint, Name, Site, Team
from camera_config.time_limits import Category, Limit, LimitedStep, TimeLimits
from patrol import ASSIGNED, Actor, ActorKind, Command, Incident, Origin, Report, Step, Verdict, Work
from patrol.handover import Handover, sha256_of
from patrol.referral import Referral, ReferralCommand, ReferralStep
from patrol.rounds import Act, CheckIn, RoundCommand
from patrol.visits import RoundNow
from storage import RoundFilter, Store
from tests.patrol.small_site import intrusion, small_site

BEGIN_S = datetime(2023, 11, 15, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
END_S = BEGIN_S + 86_400
CELLS = ("g1", "g2", "g3", "g4")
EVENTS, BURSTS, ROUNDS = 2000, 160, 40
SHIFTS = ("00:00-08:00", "08:00-16:00", "16:00-24:00")
OPERATORS = tuple(Actor(ActorKind.USER, f"u{number}", name) for number, name in enumerate(("李伟", "王芳", "张敏")))
WORKING = Limit((3, 4), in_working_time=frozenset({LimitedStep.DISPATCH, LimitedStep.CLOSE}))

Do = Callable[[], None]


def day_site() -> Site:
    """Limits as they are by default; those to dispatch and to close count from 08:00 to 18:00 for severities 3 and 4.

    No camera sees what another one sees, so an incident keeps the severity that its camera has.
    """
    site = small_site()
    camera = {each.grid_cell: each for each in site.cameras}
    cameras = tuple(
        replace(camera[cell], id=f"{cell}-c{number}", azimuth_deg=90.0 * number, hfov_deg=60.0)
        for cell in CELLS
        for number in range(4)
    )
    team = {each.grid_cells[0]: each for each in site.teams}
    stops = {cell: tuple(f"{cell}-k{number}" for number in range(3)) for cell in CELLS}
    at = Times.parse(", ".join(f"{hour:02d}:15" for hour in (0, 2, 5, 7, 9, 11, 14, 17, 20, 22)))
    return replace(
        site,
        cameras=cameras,
        rules=(),
        teams=tuple(_team(team[cell], cell, number) for cell in CELLS for number in range(3)),
        checkpoints=tuple(
            Checkpoint(stop, Name(stop, stop), cell, camera[cell].lon + 0.0004 * number, 30.002)
            for cell in CELLS
            for number, stop in enumerate(stops[cell])
        ),
        rounds=RoundRules(
            routes=tuple(Route(f"r-{cell}", Name(cell, cell), stops[cell], Starts(at=at), grid_cell=cell) for cell in CELLS)
        ),
        desks=(Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, receipt_min=20, feedback_min=60),),
        time_limits=TimeLimits(working_hours=Schedule.parse("08:00-18:00"), limits=(WORKING,)),
    )


def _team(like: Team, cell: str, number: int) -> Team:
    return replace(like, id=f"{cell}-t{number}", name=Name(cell, cell), shift=Schedule.parse(SHIFTS[number]), stationed=True)


class Day:
    """Plays the day when `run`. `handovers` are the sheets of its three shift changes."""

    def __init__(self, store: Store, clock: SimulatedClock, seed: int = 6) -> None:
        self.store = store
        self.clock = clock
        self.random = random.Random(seed)
        self.handovers: list[Handover] = []
        self.busy: dict[str, str] = {}  # what each team was sent to last
        self._plan: list[tuple[float, int, Do]] = []
        self._told_s = BEGIN_S
        self._order = itertools.count()
        self._ids = itertools.count()

    def run(self) -> None:
        """Play what is planned and what follows from it, until midnight; what fell due is told every minute."""
        self._plan_events()
        self._plan_calls()
        self._plan_handovers()
        for number in range(96):
            self._at(BEGIN_S + 900 * number, self.store.rounds.keep)
        self._at(BEGIN_S + 3000, self._plan_rounds)
        self._at(END_S, lambda: None)
        while self._plan and self._plan[0][0] <= END_S:
            at_s, _, do = heapq.heappop(self._plan)
            self.clock.advance(max(0.0, at_s - self.clock.now_s()))
            if self.clock.now_s() >= self._told_s + 60:
                self._tell()
            do()
        self._tell()
        self.store.rounds.keep()

    def _tell(self) -> None:
        self.store.tell_due()
        self.store.desks.tell_due()
        self._told_s = self.clock.now_s()

    # What happens

    def _plan_events(self) -> None:
        """Bursts at one camera, seldom more than a minute between two events; each camera has a severity of its own.

        They arrive together with what else was raised in the same three minutes, as after a short fault of the network.
        """
        left, arrivals = EVENTS, defaultdict[float, list[Event]](list)
        for burst in range(BURSTS):
            count = left // (BURSTS - burst)
            left -= count
            camera, at_s = f"{self.random.choice(CELLS)}-c{self.random.randrange(4)}", BEGIN_S + self.random.uniform(0, 85_500)
            for _ in range(count):
                event = intrusion(camera, round(at_s, 3), severity=1 + int(camera[-1]), snapshot_jpeg=b"")
                arrivals[180.0 * (at_s // 180 + 1)].append(event)
                at_s += self.random.uniform(20, 80)
        for arrival_s, events in arrivals.items():
            self._at(arrival_s, lambda events=events: self._arrived(events))

    def _arrived(self, events: list[Event]) -> None:
        for incident in self.store.record_events(events):
            if incident.opened_s == self.clock.now_s():
                self._begin(incident)

    def _plan_calls(self) -> None:
        for number in range(30):
            self._at(BEGIN_S + self.random.uniform(0, 84_000), lambda number=number: self._call(number))

    def _call(self, number: int) -> None:
        cell, now_s = self.random.choice(CELLS), self.clock.now_s()
        report = Report(
            self._id(), Origin.HOTLINE, Category.FACILITY, 3 + number % 2, self._operator(), now_s, "路灯不亮", grid_cell=cell
        )
        self._begin(self.store.report(report))

    # What people do about an incident

    def _begin(self, incident: Incident) -> None:
        fate = self.random.random()
        if fate < 0.03:
            return  # nobody ever looks
        if incident.number % 40 == 0:
            self.store.drills.mark(incident.id, True, "演练", self._operator())
        slow = self.random.random() < 0.15
        self._later(
            self.random.uniform(200, 2500) if slow else self.random.uniform(10, 50), lambda: self._acknowledge(incident.id, fate)
        )

    def _acknowledge(self, incident: str, fate: float) -> None:
        if fate < 0.10:
            self._step(incident, Step.CLOSE, verdict=Verdict.FALSE_ALARM, cause="light")
        elif self._step(incident, Step.ACKNOWLEDGE):
            if fate < 0.15:
                self._step(incident, Step.SHELVE, text="施工", until_s=self.clock.now_s() + 1800)
            if fate < 0.20:
                self._step(incident, Step.PAUSE, text="等物业")
                self._later(self.random.uniform(60, 4000), lambda: self._step(incident, Step.RESUME))
            if 0.20 < fate < 0.30:
                self._refer(incident)
            if 0.30 < fate < 0.34:
                self._merge(incident)
            self._later(self.random.expovariate(1 / 60), lambda: self._dispatch(incident))

    def _dispatch(self, incident: str) -> None:
        """The team of the cell whose shift it is, once it is free."""
        now = self._now(incident)
        team = f"{now.grid_cell}-t{OPERATORS.index(self._operator())}"
        busy = self.busy.get(team)
        held = self._now(busy) if busy and now.work is Work.ACKNOWLEDGED else None
        if held is not None and held.work in ASSIGNED and held.team == team:
            self._later(900, lambda: self._dispatch(incident))
        elif self._step(incident, Step.DISPATCH, team=team):
            self.busy[team] = incident
            self._later(self.random.expovariate(1 / 50), lambda: self._answer(incident))

    def _answer(self, incident: str) -> None:
        if self.random.random() < 0.1 and self._step(incident, Step.REFUSE, by_team=True):
            self._later(60, lambda: self._dispatch(incident))
        elif self._step(incident, Step.ACCEPT, by_team=True):
            self._later(20, lambda: self._step(incident, Step.DEPART, by_team=True))
            self._later(self.random.expovariate(1 / 300) + 21, lambda: self._arrive(incident))

    def _arrive(self, incident: str) -> None:
        """Every tenth arrival is told a while later, by a phone that was offline."""
        ago_s = self.random.uniform(31, 400) if self.random.random() < 0.1 else 0.0
        self._tell()  # what is known by now does not depend on when the last minute was over
        self._step(incident, Step.ARRIVE, by_team=True, ago_s=ago_s)
        self._later(self.random.expovariate(1 / 900), lambda: self._report(incident))

    def _report(self, incident: str) -> None:
        self._step(incident, Step.REPORT, by_team=True, text="已处理")
        self._later(self.random.expovariate(1 / 1500), lambda: self._finish(incident))

    def _finish(self, incident: str) -> None:
        if self._now(incident).severity < 3 and not self._step(incident, Step.VERIFY):
            return
        self._later(self.random.expovariate(1 / 5000), lambda: self._close(incident))

    def _close(self, incident: str) -> None:
        verdict = self.random.choice((Verdict.TRUE, Verdict.TRUE, Verdict.SUSPICIOUS, Verdict.FALSE_ALARM))
        if self._step(incident, Step.CLOSE, verdict=verdict, cause="见反馈") and self.random.random() < 0.05:
            self._later(600, lambda: self._step(incident, Step.REOPEN, text="再次投诉"))
            self._later(700, lambda: self._dispatch(incident))

    def _merge(self, incident: str) -> None:
        """Into another incident of the same severity, so that no limit changes while its clock runs."""
        mine = self._now(incident)
        others = [each for each in self.store.incidents() if each.severity == mine.severity and each.id != incident]
        if others and mine.severity < 4:
            self.store.merge(self._command(mine, Step.MERGE, other=others[0].id))

    def _refer(self, incident: str) -> None:
        mine = self._now(incident)
        assert mine.owner is not None
        made = self.store.desks.take(
            ReferralCommand(self._id(), ReferralStep.REFER, mine.owner, "邻里纠纷", incident=incident, desk="mediation")
        )
        self._later(self.random.uniform(60, 2400), lambda: self._desk(made, ReferralStep.RECEIVE))
        for number in range(self.random.randrange(3)):
            self._later(2500 + 1500 * number, lambda: self._desk(made, ReferralStep.FEEDBACK))
        last = ReferralStep.RETURN if self.random.random() < 0.3 else ReferralStep.DONE
        self._later(self.random.uniform(6000, 9000), lambda: self._desk(made, last))

    def _desk(self, referral: Referral, step: ReferralStep) -> None:
        self.store.desks.take(ReferralCommand(self._id(), step, self._operator(), "已联系", referral=referral.id))

    def _step(self, incident: str, step: Step, by_team: bool = False, ago_s: float = 0.0, **more: object) -> bool:
        """Take a step if it is legal now and nothing of a desk's forbids it; whether it was taken."""
        now = self._now(incident)
        if step is Step.RESUME and now.paused_since_s is None:
            return False
        if step is Step.CLOSE and any(each.is_open for each in self.store.desks.referrals_of(incident)):
            self._later(1800, lambda: self._close(incident))
            return False
        legal = {
            Step.ACKNOWLEDGE: {Work.NEW},
            Step.DISPATCH: {Work.ACKNOWLEDGED},
            Step.ACCEPT: {Work.DISPATCHED},
            Step.REFUSE: {Work.DISPATCHED},
            Step.DEPART: {Work.ACCEPTED},
            Step.ARRIVE: {Work.EN_ROUTE},
            Step.REPORT: {Work.ON_SCENE},
            Step.VERIFY: {Work.REPORTED},
            Step.REOPEN: {Work.CLOSED},
            Step.SHELVE: set(Work) - {Work.NEW, Work.CLOSED} if now.severity > 1 else set(),
        }.get(step, set(Work) - {Work.CLOSED})
        if now.work not in legal:
            return False
        by = Actor(ActorKind.TEAM, now.team, now.team) if by_team else None
        self.store.apply(self._command(now, step, by, ago_s, **more))
        return True

    def _command(self, now: Incident, step: Step, by: Actor | None = None, ago_s: float = 0.0, **more: object) -> Command:
        by = by or (now.owner if step not in (Step.REOPEN, Step.VERIFY) else None) or self._operator()
        at_s = self.clock.now_s() - ago_s
        return Command(self._id(), now.id, step, now.version, by, at_s, **more)  # type: ignore[arg-type]  # as its fields

    # Rounds and shifts

    def _plan_rounds(self) -> None:
        """Most stops are visited about when they are due, some much later, some not at all; some are skipped with a reason."""
        for each in self.store.rounds.rounds(RoundFilter(from_s=BEGIN_S, to_s=END_S), 100):
            for stop in each.planned.stops:
                luck = self.random.random()
                at_s = stop.due_s + (self.random.uniform(1000, 3000) if luck < 0.1 else self.random.uniform(-300, 600))
                if luck > 0.12 and at_s > self.clock.now_s():
                    self._at(at_s, lambda each=each, name=stop.checkpoint, luck=luck: self._visit(each, name, luck))

    def _visit(self, each: RoundNow, checkpoint: str, luck: float) -> None:
        team = each.planned.team
        by, now_s = Actor(ActorKind.TEAM, team, team), self.clock.now_s()
        found = self.store.rounds.round(each.planned.id)
        assert found is not None
        if luck > 0.96 and found.result.is_open:
            self.store.rounds.take(RoundCommand(self._id(), each.planned.id, Act.SKIP, by, now_s, checkpoint, "门锁着"))
            return
        self.store.rounds.check_in(CheckIn(self._id(), each.planned.id, OPERATORS[0], now_s, checkpoint))

    def _plan_handovers(self) -> None:
        for number in range(1, 4):
            at_s = BEGIN_S + 28_800 * number - 600
            outgoing, incoming = OPERATORS[number - 1], OPERATORS[number % 3]
            self._at(at_s, lambda o=outgoing, i=incoming: self._hand_over(o, i))
        down = CameraStatus("g1-c0", Health.OFFLINE, Quality.UNUSABLE, BEGIN_S + 20_000, None, error="nobody answered")
        self._at(BEGIN_S + 20_000, lambda: self._forget(self.store.record_statuses([down])))

    def _hand_over(self, outgoing: Actor, incoming: Actor) -> None:
        offered = self.store.handovers.offer(self._id(), outgoing, "一切正常")
        self._later(120, lambda: self._confirm(offered, incoming))

    def _confirm(self, offered: Handover, incoming: Actor) -> None:
        confirmed = self.store.handovers.confirm(offered.id, incoming, sha256_of(offered.content), "收到")
        assert confirmed is not None
        self.handovers.append(confirmed)

    # The plan

    def _at(self, at_s: float, do: Do | Callable[[], object]) -> None:
        heapq.heappush(self._plan, (at_s, next(self._order), lambda: self._forget(do())))

    def _later(self, delay_s: float, do: Callable[[], object]) -> None:
        self._at(round(self.clock.now_s() + delay_s, 3), do)

    def _forget(self, _: object) -> None:
        return

    def _now(self, incident: str) -> Incident:
        found = self.store.incident(incident)
        assert found is not None
        return found

    def _operator(self) -> Actor:
        """Whose shift it is."""
        return OPERATORS[min(2, int((self.clock.now_s() - BEGIN_S) // 28_800))]

    def _id(self) -> str:
        return str(uuid.UUID(int=next(self._ids)))
