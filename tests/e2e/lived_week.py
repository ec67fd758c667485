"""A week in a site's database: incidents walked by people, false alarms of a few bad rules, rounds, cameras that failed."""

import random
from collections.abc import Sequence
from pathlib import Path

from base import CameraStatus, EventKind, Gap, GapCause, Health, Quality, SimulatedClock, uuid7
from camera_config.site import Site
from patrol import Actor, ActorKind, Incident, Step, Verdict
from patrol.rounds import CheckIn
from storage import RoundFilter, Store
from tests.patrol.small_site import LI, command, intrusion, team_actor

__all__ = ["live_a_week"]

DAY_S = 86_400.0
TURN_S = 1800.0
BUSY = (18, 19, 20, 21, 22, 23)
"""Hours of the day in which most happens."""

WANG = Actor(ActorKind.USER, "u-wang", "王芳")


def live_a_week(folder: Path, site: Site, now_s: float, days: int = 7, seed: int = 727) -> None:
    """Fill `folder/gridpatrol.db` with the `days` before `now_s`; the same again for the same seed and time."""
    clock, chance = SimulatedClock(now_s - days * DAY_S), random.Random(seed)
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, site, folder / "clips")
    try:
        cameras = [camera.id for camera in site.cameras if camera.enabled]
        online = [CameraStatus(each, Health.ONLINE, Quality.EXCELLENT, clock.now_s(), clock.now_s()) for each in cameras]
        store.record_statuses(online)
        known = [(rule.camera, rule.name) for rule in site.rules] or [(camera, "night") for camera in cameras]
        rules = chance.sample(known, min(40, len(known)))
        store.rounds.plan(at_once=True)
        while clock.now_s() < now_s - TURN_S:
            _live(store, clock, rules, chance)
            _walk(store, clock, chance)
            if chance.random() < 0.3:
                _fail(store, clock, chance.choice(cameras), chance)
            clock.advance(TURN_S - (clock.now_s() - now_s) % TURN_S)
            store.rounds.keep()
    finally:
        store.close()


def _live(store: Store, clock: SimulatedClock, rules: Sequence[tuple[str, str]], chance: random.Random) -> None:
    """What half an hour brings: more in the evening, most of it on the first rules, which are the bad ones."""
    hour = int((clock.now_s() / 3600 + 8) % 24)
    for _ in range(chance.choice((0, 1, 2, 4) if hour in BUSY else (0, 0, 0, 1))):
        clock.advance(chance.uniform(20, 120))
        camera, rule = rules[min(int(chance.expovariate(0.25)), len(rules) - 1)]
        kind, severity = chance.choice(((EventKind.INTRUSION, 2), (EventKind.LOITERING, 3), (EventKind.LANE_BLOCKED, 4)))
        seen = intrusion(camera, clock.now_s(), id=uuid7(clock.now_s()), rule=rule, kind=kind, severity=severity)
        for incident in store.record_events([seen]):
            if incident.work == "new":
                _handle(store, clock, incident, chance, chance.random() < (0.6 if (camera, rule) in rules[:3] else 0.15))


def _handle(store: Store, clock: SimulatedClock, incident: Incident, chance: random.Random, is_false: bool) -> None:
    def take(step: Step, after_s: float, by: Actor = LI, **more: object) -> None:
        nonlocal incident
        clock.advance(after_s * chance.lognormvariate(0, 0.5))
        incident = store.apply(command(incident, step, by, clock.now_s(), **(more | {"id": uuid7(clock.now_s())})))

    take(Step.ACKNOWLEDGE, 20)
    proposal = store.proposal(incident.id)
    if is_false:
        take(Step.CLOSE, 25, verdict=Verdict.FALSE_ALARM, cause=chance.choice(("light", "rain", "animal")))
    elif proposal is not None and proposal.team:
        team = team_actor(proposal.team)
        take(Step.DISPATCH, 15, team=proposal.team)
        take(Step.ACCEPT, 12, team)
        take(Step.DEPART, 10, team)
        take(Step.ARRIVE, 150, team)
        take(Step.REPORT, 240, team)
        take(Step.VERIFY, 60, WANG)
        take(Step.CLOSE, 60, verdict=Verdict.TRUE, cause="trespass")


def _walk(store: Store, clock: SimulatedClock, chance: random.Random) -> None:
    """Checkpoints that are open now, told by radio: most of them, some late, some never."""
    now_s = clock.now_s()
    for found in store.rounds.rounds(RoundFilter(from_s=now_s - 4 * 3600, to_s=now_s + 4 * 3600)):
        for stop in found.result.stops:
            if stop.at_s is None and stop.stop.from_s <= now_s <= stop.until_s and chance.random() < 0.7:
                asked = CheckIn(uuid7(now_s), found.planned.id, LI, now_s, checkpoint=stop.stop.checkpoint)
                store.rounds.check_in(asked)


def _fail(store: Store, clock: SimulatedClock, camera: str, chance: random.Random) -> None:
    began_s = clock.now_s()
    store.record_gaps([Gap(camera, began_s, began_s + chance.uniform(60, 4 * 3600), chance.choice(tuple(GapCause)[:3]))])
