"""What other thresholds would have given: the same frames through the pipeline once for each of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from base import Event, FrameBatch
from camera_config import HEALTH_KINDS, RULE_KINDS, Outline, Rule
from detect.objects import Judges
from detect.replay import Replay
from detect.settings import DetectSettings

__all__ = ["Threshold", "Trial", "run_trials", "trials_of"]

_SENSITIVITIES = (4.0, 2.0, 0.5, 0.25)  # times as sensitive: the smallest thing is so much smaller
_SCORES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_DWELLS = (0.0, 0.5, 2.0, 4.0)  # times the rule's own
_SAME_S = 2.0


class Threshold(StrEnum):
    """What is tried."""

    NOW = "now"  # everything as it is set
    SENSITIVITY = "sensitivity"  # of motion: times as small things count
    SCORE = "score"  # `min_score` of the rules that have one
    DWELL = "dwell"  # times the rules' `dwell_s`


@dataclass(slots=True)
class Trial:
    """One threshold and the events it would have given."""

    threshold: Threshold
    value: float
    rules: tuple[Rule, ...]
    settings: DetectSettings
    events: list[Event] = field(default_factory=list)

    def count(self, rule: str) -> int:
        """Events of one rule."""
        return sum(event.rule == rule for event in self.events)

    def without(self, other: "Trial") -> int:
        """How many of these events `other` does not have: none of the same rule within two seconds."""
        return sum(not any(_is_same(event, one) for one in other.events) for event in self.events)


def trials_of(rules: Sequence[Rule], settings: DetectSettings | None = None) -> list[Trial]:
    """What to try for a camera with these rules, first as it is now; rules about the camera itself are left aside."""
    now, kept = settings or DetectSettings(), tuple(rule for rule in rules if rule.kind not in HEALTH_KINDS)
    trials = [Trial(Threshold.NOW, 1.0, kept, now)]
    trials += [Trial(Threshold.SENSITIVITY, value, kept, replace(now, min_area=now.min_area / value)) for value in _SENSITIVITIES]
    if any(_has_score(rule) for rule in kept):
        trials += [
            Trial(Threshold.SCORE, value, tuple(replace(r, min_score=value) if _has_score(r) else r for r in kept), now)
            for value in _SCORES
        ]
    trials += [
        Trial(Threshold.DWELL, value, tuple(replace(rule, dwell_s=value * rule.dwell_s) for rule in kept), now)
        for value in _DWELLS
    ]
    return trials


def run_trials(
    trials: Sequence[Trial],
    batches: Iterable[FrameBatch],
    camera: str,
    zone_info: ZoneInfo,
    networks: Judges,
    *,
    start_s: float,
    ignored: Sequence[Outline] = (),
) -> Iterator[float]:
    """Show the frames of a clip to all trials and add what each gives to its events; the time of each frame as it is done."""
    replays = [
        Replay(camera, trial.rules, zone_info, networks, start_s=start_s, settings=trial.settings, ignored=ignored)
        for trial in trials
    ]
    for batch in batches:
        for trial, one in zip(trials, replays, strict=True):
            trial.events += one.show(batch)
        yield float(batch.time_s[-1])
    for trial, one in zip(trials, replays, strict=True):
        trial.events += one.finish()


def _has_score(rule: Rule) -> bool:
    return "min_score" in RULE_KINDS[rule.kind].takes


def _is_same(one: Event, other: Event) -> bool:
    return one.rule == other.rule and one.began_s - _SAME_S <= other.raised_s and other.began_s - _SAME_S <= one.raised_s
