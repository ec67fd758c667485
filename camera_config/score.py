"""What a site counts how much in the score of its monthly assessment (考核)."""

from dataclasses import dataclass

__all__ = ["ScoreWeights"]


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """How much each share counts; only their proportions matter. A share without data is left out, and the others count more."""

    in_time: float = 40.0  # of the limits
    closing: float = 30.0  # of the incidents
    patrol: float = 20.0  # of the checkpoints, visited
    true_alarms: float = 10.0  # of the closed incidents, not a false alarm
