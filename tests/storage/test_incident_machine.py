"""Random days of events, people, crashes and clock steps against a model that fits on a page."""

import dataclasses
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from base import DeniedError, GridpatrolError, SimulatedClock, TransitionError
from camera_config.site import Site
from patrol import LIMITS_S, Actor, ActorKind, Command, Conflict, Happening, Incident, Step, Verdict, Work
from storage import Store
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, team_actor
from tests.patrol.test_steps import EXPECTED, STEPS, WAY

EXAMPLES = int(os.environ.get("GRIDPATROL_EXAMPLES", "12"))
"""Random days per database; set it to 1000 for a night's run."""

SHARES = (0.8, 1.0, 1.5, 2.0, 3.0)
"""Of a limit, after which there is something to tell."""

DUE = {
    "new": Step.ACKNOWLEDGE,
    "acknowledged": Step.DISPATCH,
    "dispatched": Step.ACCEPT,
    "accepted": Step.ARRIVE,
    "en_route": Step.ARRIVE,
    "on_scene": Step.REPORT,
    "reported": Step.VERIFY,
    "verified": Step.CLOSE,
}
SINGLE = [step for step in Step if step not in (Step.MERGE, Step.SPLIT)]
ASIDE = ("note", "shelve", "unshelve", "pause", "resume")
JOIN_S = 240.0  # twice the dead time of the rules
TEAMS = ("t1", "t2", "t3", "t4", "t5")
BUSY = ("dispatched", "accepted", "en_route", "on_scene")
TEAM_STEPS = ("accept", "refuse", "depart", "arrive", "report")


@dataclass
class Model:
    """What we expect of one incident."""

    camera: str
    last_event_s: float
    began_s: float
    events: int = 1
    work: str = "new"
    owner: str = ""
    team: str = ""
    version: int = 1
    decided: int = 1
    refused: list[str] = field(default_factory=list)
    shelved_until_s: float | None = None
    start_s: float = 0.0  # of the running clock
    since_s: float = 0.0  # of the stage; departing leaves the clock of arriving as it is
    pauses: list[tuple[float, float]] = field(default_factory=list)
    paused_s: float | None = None
    told: int = 0

    def due(self, by_s: float) -> tuple[int, bool]:
        """How many marks of the running clock are told by then, and whether the shelf has ended. Severity is always 2."""
        step = DUE.get(self.work)
        ended = self.shelved_until_s is not None and self.shelved_until_s <= by_s
        if step is None:
            return self.told, ended
        stops = [*self.pauses, *([(self.paused_s, math.inf)] if self.paused_s is not None else [])]
        lost_s = sum(max(0.0, min(to_s, by_s) - max(from_s, self.start_s)) for from_s, to_s in stops)
        used_s = by_s - self.start_s - lost_s
        return max(self.told, sum(used_s >= share * LIMITS_S[2][step] - 1e-6 for share in SHARES)), ended

    def tell(self, by_s: float) -> None:
        told, ended = self.due(by_s)
        self.version += told - self.told + ended
        self.told = told
        if ended:
            self.shelved_until_s = None


class IncidentMachine(RuleBasedStateMachine):
    """The store against one Model per incident. The same database serves every example, each in a time of its own."""

    def __init__(self, reopen: Callable[[], Store], clock: SimulatedClock, store: list[Store]) -> None:
        super().__init__()
        self.reopen, self.clock, self.stores = reopen, clock, store
        self.models: dict[str, Model] = {}
        self.sent: list[tuple[Command, Incident]] = []

    @property
    def store(self) -> Store:
        return self.stores[-1]

    @initialize()
    def begin(self) -> None:
        self.clock.advance(1e6)
        self.first_number = len(self.store.incidents("all", 1_000_000)) + 1

    @rule(camera=st.sampled_from(["c1", "c2", "c3"]), late_s=st.sampled_from([0.0, 0.0, 50.0, 1000.0]), twice=st.booleans())
    def event(self, camera: str, late_s: float, twice: bool) -> None:
        at_s = self.clock.now_s() - late_s
        event = intrusion(camera, at_s)
        fitting = [
            (model.last_event_s, name)
            for name, model in self.models.items()
            if model.camera == camera and model.work != "closed" and model.began_s - JOIN_S <= at_s <= model.last_event_s + JOIN_S
        ]
        [incident] = self.store.record_events([event, event] if twice else [event])
        if fitting:
            newest_s = max(fitting)[0]
            assert (newest_s, incident.id) in fitting
            model = self.models[incident.id]
            model.events, model.version = model.events + 1, model.version + 1
            model.last_event_s, model.began_s = max(model.last_event_s, at_s), min(model.began_s, at_s - 1.0)
        else:
            assert incident.id not in self.models
            assert incident.number == self.first_number + len(self.models)
            self.models[incident.id] = Model(camera, at_s, at_s - 1.0, start_s=self.clock.now_s(), since_s=self.clock.now_s())
        if twice:
            assert self.store.record_events([event]) == [incident]

    @precondition(lambda self: self.models)
    @rule(data=st.data(), likely=st.sampled_from([True, True, True, False]))
    def take_step(self, data: st.DataObject, likely: bool) -> None:
        name = data.draw(st.sampled_from(list(self.models)))
        model = self.models[name]
        team = team_actor(model.team or "t1")
        if likely:  # what sensible people do, so that incidents get somewhere
            step = Step(
                data.draw(st.sampled_from([each for each in EXPECTED[model.work] if each not in ("close", "merge", "split")]))
            )
            owner = WANG if model.owner == WANG.id else LI
            by, behind = team if step.value in TEAM_STEPS else owner, 0
        else:
            step = data.draw(st.sampled_from(SINGLE))
            by = data.draw(st.sampled_from([LI, WANG, team, team_actor("t5")]))
            behind = data.draw(st.sampled_from([0, 0, 1, 2, -1]))
        incident = self.store.incident(name)
        assert incident is not None
        sent = command(incident, step, by, self.clock.now_s(), version=incident.version - behind)
        if step is Step.CLOSE:
            sent = dataclasses.replace(sent, verdict=data.draw(st.sampled_from(Verdict)))
        if step is Step.DISPATCH:
            sent = dataclasses.replace(sent, team=data.draw(st.sampled_from(TEAMS)))
        expected = self.refusal(model, sent)
        try:
            after = self.store.apply(sent)
        except GridpatrolError as error:
            assert expected is not None, error
            assert isinstance(error, expected), (error, expected, sent)
            if isinstance(error, Conflict):
                assert error.current == self.store.incident(name)
            return
        assert expected is None, expected
        self.follow(model, sent)
        self.sent.append((sent, after))

    @precondition(lambda self: any(model.work != "closed" for model in self.models.values()))
    @rule(data=st.data(), stages=st.integers(2, 7), pause_s=st.sampled_from([0.0, 20.0]))
    def go_on_as_planned(self, data: st.DataObject, stages: int, pause_s: float) -> None:
        """Some stages of the usual way at once, so that incidents get far in few rules."""
        name = data.draw(st.sampled_from([each for each, model in self.models.items() if model.work != "closed"]))
        model = self.models[name]
        for step in STEPS[WAY[Work(model.work)] :][:stages]:
            incident = self.store.incident(name)
            assert incident is not None
            by = team_actor(model.team) if step.value in TEAM_STEPS else incident.owner or LI
            sent = command(incident, step, by, self.clock.now_s())
            if step is Step.DISPATCH:
                busy = {each.team for each in self.models.values() if each.work in BUSY}
                free = [team for team in TEAMS if team not in busy]
                if not free:
                    return
                sent = dataclasses.replace(sent, team=data.draw(st.sampled_from(free)))
            after = self.store.apply(sent)
            self.follow(model, sent)
            self.sent.append((sent, after))
            self.clock.advance(pause_s)

    def refusal(self, model: Model, sent: Command) -> type[GridpatrolError] | None:
        """What the store should raise: version first, then legality, then rights, then what the step says."""
        is_note = sent.step is Step.NOTE
        if not (1 if is_note else model.decided) <= sent.version <= model.version:
            return Conflict
        if sent.step.value not in {**EXPECTED[model.work], "note": ""}:
            return TransitionError
        if sent.by.kind is ActorKind.TEAM:
            if not (is_note or sent.step.value in TEAM_STEPS) or model.team != sent.by.id:
                return DeniedError
        elif sent.step in (Step.DISPATCH, Step.CLOSE, Step.PAUSE, Step.RESUME) and model.owner not in ("", sent.by.id):
            return DeniedError
        if sent.step is Step.TAKE_OVER and model.owner == sent.by.id:
            return TransitionError
        is_shelved, at_s = model.shelved_until_s is not None, self.done_s(model, sent)
        if (sent.step is Step.SHELVE and is_shelved) or (sent.step is Step.UNSHELVE and (not is_shelved or model.due(at_s)[1])):
            return TransitionError
        if (sent.step is Step.PAUSE and model.paused_s is not None) or (sent.step is Step.RESUME and model.paused_s is None):
            return TransitionError
        if sent.step is Step.CLOSE and model.work != "verified" and sent.verdict not in ("false_alarm", "duplicate"):
            return TransitionError
        if sent.step is Step.DISPATCH and any(each.team == sent.team and each.work in BUSY for each in self.models.values()):
            return TransitionError
        return None

    def done_s(self, model: Model, sent: Command) -> float:
        """When a step counts as done: now, or where the clock was set back, when the last one was."""
        floor_s = model.since_s
        if sent.step is Step.PAUSE and model.pauses:
            floor_s = max(floor_s, model.pauses[-1][1])
        if sent.step is Step.RESUME and model.paused_s is not None:
            floor_s = max(floor_s, model.paused_s)
        return sent.at_s if sent.step is Step.NOTE else max(sent.at_s, floor_s)

    def follow(self, model: Model, sent: Command) -> None:
        at_s = self.done_s(model, sent)
        model.tell(at_s)
        model.version += 1
        if sent.step.value in ASIDE:
            self.follow_aside(model, sent, at_s)
            return
        model.decided = model.version
        model.work = EXPECTED[model.work][sent.step.value]
        if sent.step is not Step.TAKE_OVER:
            model.since_s = at_s
            paused_s, model.paused_s = model.paused_s, None
            if sent.step is not Step.DEPART:
                model.start_s, model.pauses, model.told = at_s, [], 0
            elif paused_s is not None and at_s > paused_s:
                model.pauses.append((paused_s, at_s))
        if sent.step in (Step.ACKNOWLEDGE, Step.TAKE_OVER, Step.REOPEN) or (sent.step is Step.CLOSE and not model.owner):
            model.owner = sent.by.id
        if sent.step is Step.CLOSE:
            model.shelved_until_s = None
        if sent.step is Step.REOPEN:
            model.team, model.refused = "", []
        if sent.step is Step.DISPATCH:
            model.team = sent.team
        if sent.step is Step.REFUSE:
            model.refused.append(model.team)
            model.team = ""

    def follow_aside(self, model: Model, sent: Command, at_s: float) -> None:
        match sent.step:
            case Step.SHELVE:
                model.shelved_until_s = sent.until_s
            case Step.UNSHELVE:
                model.shelved_until_s = None
            case Step.PAUSE:
                model.paused_s = at_s
            case Step.RESUME:
                assert model.paused_s is not None
                model.pauses.append((model.paused_s, at_s))
                model.paused_s = None

    @rule()
    def tell_due(self) -> None:
        """Everything that fell due, each once; the second time nothing."""
        now_s = self.clock.now_s()
        expected = {
            name: model
            for name, model in self.models.items()
            if model.work != "closed" and model.due(now_s) != (model.told, False)
        }
        assert {incident.id for incident in self.store.tell_due()} == set(expected)
        for model in expected.values():
            model.tell(now_s)
        assert self.store.tell_due() == []

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat_a_command(self, data: st.DataObject) -> None:
        sent, answer = data.draw(st.sampled_from(self.sent))
        assert self.store.apply(sent) == answer

    @rule(seconds=st.sampled_from([1.0, 30.0, 130.0, 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-3600.0, -5.0, 5.0]))
    def clock_steps(self, seconds: float) -> None:
        self.clock.step_wall(seconds)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.stores.append(self.reopen())

    @invariant()
    def store_agrees_with_the_model(self) -> None:
        assigned = []
        for name, model in self.models.items():
            incident = self.store.incident(name)
            assert incident is not None
            owner = incident.owner.id if incident.owner else ""
            assert (incident.work, owner, incident.team) == (model.work, model.owner, model.team)
            assert (incident.version, incident.decided) == (model.version, model.decided)
            assert (incident.event_count, list(incident.refused)) == (model.events, model.refused)
            assert incident.told == model.told
            assert (incident.shelved_until_s, incident.paused_since_s) == (model.shelved_until_s, model.paused_s)
            if model.paused_s is None:
                assert (incident.due is None) == (model.work == "closed")
            stages = [incident.stages[stage] for stage in incident.stages if stage != "new"]
            assert stages == sorted(stages)
            if incident.work in BUSY:
                assigned.append(incident.team)
        assert len(assigned) == len(set(assigned))

    def teardown(self) -> None:
        """Every history leads to its incident; then free the teams for the next example."""
        found = []
        for name in self.models:
            incident = self.store.incident(name)
            assert incident is not None
            found.append((replayed(self.store, name), facts(incident)))
            if incident.is_open:
                self.store.apply(command(incident, Step.CLOSE, incident.owner or LI, self.clock.now_s()))
        for from_history, stored in found:
            assert from_history == stored


def facts(incident: Incident) -> dict[str, Any]:
    """What a history must lead to: everything that is not the place, the picture or the proposal."""
    return {
        "work": incident.work,
        "owner": incident.owner,
        "team": incident.team,
        "version": incident.version,
        "stages": dict(incident.stages),
        "since_s": incident.since_s,
        "refused": incident.refused,
        "verdict": incident.verdict,
        "cause": incident.cause,
        "severity": incident.severity,
        "event_count": incident.event_count,
        "last_event_s": incident.last_event_s,
        "best_event": incident.best_event,
    }


def replayed(store: Store, incident: str) -> dict[str, Any]:
    """The same from the history and the events alone."""
    events = {event.id: event for event in store.events(incident)}
    owner: Actor | None = None
    team = ""
    refused: list[str] = []
    stages: dict[Work, float] = {}
    since_s = 0.0
    verdict, cause = None, ""
    seen = []
    history = store.history(incident)
    assert [entry.version for entry in history] == list(range(1, len(history) + 1))
    for entry in history:
        if entry.step in (Happening.OPENED, Happening.JOINED):
            seen.append(events.pop(entry.event))
            if entry.step is Happening.OPENED:
                stages, since_s = {entry.work: entry.recorded_s}, entry.recorded_s
            continue
        if entry.step in (Step.ACKNOWLEDGE, Step.TAKE_OVER, Step.REOPEN) or (entry.step is Step.CLOSE and owner is None):
            owner = entry.by
        if entry.step is Step.TAKE_OVER or entry.step.value in ASIDE or isinstance(entry.step, Happening):
            continue
        since_s = entry.at_s
        if entry.step is Step.REFUSE:
            refused.append(team)
            team = ""
            stages = {stage: at_s for stage, at_s in stages.items() if stage not in BUSY}
            continue
        order = list(Work)
        stages = {stage: at_s for stage, at_s in stages.items() if order.index(stage) < order.index(entry.work)}
        stages[entry.work] = entry.at_s
        if entry.step is Step.REOPEN:
            team, refused, verdict, cause = "", [], None, ""
        if entry.step is Step.DISPATCH:
            team = entry.team
        if entry.step is Step.CLOSE:
            verdict, cause = entry.verdict, entry.cause
    assert events == {}
    best = max(seen, key=lambda event: event.score)
    return {
        "work": history[-1].work,
        "owner": owner,
        "team": team,
        "version": history[-1].version,
        "stages": stages,
        "since_s": since_s,
        "refused": tuple(refused),
        "verdict": verdict,
        "cause": cause,
        "severity": min(event.severity for event in seen),
        "event_count": len(seen),
        "last_event_s": max(event.raised_s for event in seen),
        "best_event": best.id,
    }


def test_random_days_agree_with_the_model_and_every_history_replays(url: str, site: Site) -> None:
    clock = SimulatedClock(NOON_S)
    reopen = partial(Store.open, url, clock, site)
    stores = [reopen()]
    try:
        run_state_machine_as_test(
            partial(IncidentMachine, reopen, clock, stores),  # type: ignore[arg-type]  # any factory will do
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
    finally:
        stores[-1].close()
