"""What is covered now, where every request finds it: the follower in `fleet/` puts each state of it here."""

from dataclasses import dataclass

from base import SourceError
from camera_config.coverage import Coverage
from camera_config.covered import Covered

__all__ = ["CoverageBoard", "CoverageNow"]


@dataclass(frozen=True, slots=True)
class CoverageNow:
    """The coverage as it is since `at_s`, UTC; `version` grows with each change, and also when only a proposal changed."""

    version: int
    at_s: float
    coverage: Coverage
    covered: Covered


class CoverageBoard:
    """The newest state. Put up by one task, read from any thread."""

    def __init__(self) -> None:
        self._now: CoverageNow | None = None

    def put(self, now: CoverageNow) -> None:
        """From now on this is how it is."""
        self._now = now

    def now(self) -> CoverageNow:
        """The newest state; raises SourceError before there is one."""
        if self._now is None:
            raise SourceError("The coverage is being worked out; ask again in a few seconds.")
        return self._now
