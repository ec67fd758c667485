"""What somebody does on a round, checked and made a line of its history. Pure: nothing is looked up here but what is given."""

import math
from collections.abc import Sequence
from dataclasses import replace

from base import DeniedError, TransitionError
from camera_config.round_rules import RoundRules
from patrol.advance import FUTURE_S, LATE_S, check_text
from patrol.checkpoint_codes import CodeError, CodeKey, Refusal, read_code
from patrol.incident import Actor, ActorKind, CommandError
from patrol.position import ACCURACY_M
from patrol.rounds import Act, CheckIn, Proof, Round, RoundCommand, RoundEntry, RoundFlag, Stop, entries_about
from patrol.travel import distance_m

__all__ = ["AFTER_S", "REASON_MAX", "check_in", "stop_of", "take"]

AFTER_S = 2 * 3600.0
"""How long after its end a round can still be made up: a late visit tells that a place was looked at, next day's does not."""

REASON_MAX = 500


def stop_of(planned: Round, asked: CheckIn, key: CodeKey) -> Stop:
    """At which stop `asked` says to be. Raises CodeError for a code that is no good here, CommandError without a stop."""
    if not asked.code:
        stop = planned.stop(asked.checkpoint)
        if stop is None:
            raise CommandError("a check-in needs the code of a checkpoint, or the name of one that this round passes")
        return stop
    checkpoint = read_code(asked.code, key)
    stop = planned.stop(checkpoint)
    if asked.checkpoint and checkpoint != asked.checkpoint:
        raise CodeError(Refusal.OTHER_CHECKPOINT, f"this is the code of checkpoint {checkpoint}, another one", checkpoint)
    if stop is None:
        raise CodeError(Refusal.NOT_ON_ROUND, f"this round does not pass checkpoint {checkpoint}", checkpoint)
    return stop


def check_in(
    planned: Round, entries: Sequence[RoundEntry], asked: CheckIn, stop: Stop, camera: str, rules: RoundRules, now_s: float
) -> RoundEntry:
    """The line of history of a check-in at `stop`; its proof is NONE if it does not show that somebody was there.

    `camera` is one that saw a person there at that time, empty if none did. Raises CommandError if the command is wrong or from
    the future, DeniedError if the round is another team's, TransitionError if the round has not begun or is over.
    """
    at_s = _admit(planned, entries, asked.id, asked.by, asked.at_s, now_s)
    away_m = None if asked.place is None else distance_m(stop.place, asked.place)
    is_far = away_m is not None and away_m - min(asked.accuracy_m, ACCURACY_M) > rules.geofence_m
    place_is_enough = not stop.has_code or not rules.code_required
    on_behalf = asked.by.kind is not ActorKind.TEAM
    proofs = {
        Proof.CODE: bool(asked.code) and not is_far,
        Proof.CAMERA: bool(camera),
        Proof.POSITION: away_m is not None and not is_far and place_is_enough,
        Proof.RADIO: on_behalf and not asked.code,
        Proof.NONE: True,
    }
    proof = next(proof for proof, holds in proofs.items() if holds)
    entry = _entry(planned, asked.id, Act.CHECK_IN, asked.by, at_s, now_s)
    of_place = {RoundFlag.FAR: is_far, RoundFlag.NO_POSITION: away_m is None and not on_behalf}
    flags = (*(flag for flag, is_so in of_place.items() if is_so), *entry.flags)
    return replace(entry, checkpoint=stop.checkpoint, proof=proof, distance_m=away_m, camera=camera, flags=flags)


def take(planned: Round, entries: Sequence[RoundEntry], command: RoundCommand, now_s: float) -> RoundEntry:
    """The line of history of a start, a skip or a finish. Raises as `check_in` does."""
    if command.act not in (Act.START, Act.SKIP, Act.FINISH):
        raise CommandError(f"{command.act} is nothing that a person does by a command of this kind")
    at_s = _admit(planned, entries, command.id, command.by, command.at_s, now_s)
    reason = command.reason.strip()
    check_text("reason", reason, REASON_MAX)
    if command.act is Act.SKIP:
        stop = planned.stop(command.checkpoint)
        if stop is None:
            raise CommandError(f"this round does not pass checkpoint {command.checkpoint}")
        if not reason:
            raise CommandError("to skip a checkpoint needs a reason")
        if at_s > stop.until_s:
            raise TransitionError(f"checkpoint {stop.checkpoint} is missed already; it can be visited late, but not skipped")
    elif any(entry.act is command.act for entry in entries):
        raise TransitionError(f"the step {command.act} was already done on this round")
    entry = _entry(planned, command.id, command.act, command.by, at_s, now_s)
    return replace(entry, checkpoint=command.checkpoint if command.act is Act.SKIP else "", reason=reason)


def _entry(planned: Round, command: str, act: Act, by: Actor, at_s: float, now_s: float) -> RoundEntry:
    """What every command leaves in the history, whatever it is about."""
    flags = {RoundFlag.ARRIVED_LATE: now_s - at_s > LATE_S, RoundFlag.ON_BEHALF: by.kind is not ActorKind.TEAM}
    return RoundEntry(command, planned.id, act, at_s, now_s, by, flags=tuple(flag for flag, is_so in flags.items() if is_so))


def _admit(planned: Round, entries: Sequence[RoundEntry], command: str, by: Actor, at_s: float, now_s: float) -> float:
    """When it counts as done; raises if nobody, not this team or not now may do anything on this round."""
    if not 1 <= len(command) <= 64:
        raise CommandError(f"a command needs an id of 1 to 64 characters made by the client, got {len(command)} characters")
    if not math.isfinite(at_s) or at_s > now_s + FUTURE_S:
        raise CommandError(f"this claims to be done {at_s - now_s:.0f} s in the future; check the clock of the device")
    if by.kind is ActorKind.TEAM and by.id != planned.team:
        raise DeniedError(f"this round is not one of team {by.name}")
    at_s = min(at_s, now_s)
    if at_s < planned.opens_s:
        raise TransitionError(f"this round may begin in {_minutes(planned.opens_s - at_s)} min, not before")
    ended = [*entries_about(entries, Act.FINISH), *entries_about(entries, Act.WITHDRAWN)]
    if any(at_s > entry.at_s for entry in ended):
        raise TransitionError("this round is over: it was finished or called off")
    if at_s > planned.closes_s + AFTER_S:
        raise TransitionError(f"this round was over {_minutes(at_s - planned.closes_s)} min before")
    return at_s


def _minutes(seconds: float) -> int:
    return math.ceil(seconds / 60)
