"""What a site asks of dispatch: who rests, who must be able to do what, what goes without a person, who must be there."""

from dataclasses import dataclass, field

from camera_config.schedule import ALWAYS, Schedule
from camera_config.time_limits import Category

__all__ = ["Automatic", "DispatchRules", "Matter", "Minimum", "Need", "Rest"]


@dataclass(frozen=True, slots=True)
class Matter:
    """Which incidents a rule is about; an empty tuple stands for all of them."""

    severities: tuple[int, ...] = ()
    categories: tuple[Category, ...] = ()

    def covers(self, severity: int, category: Category) -> bool:
        """Whether an incident like this is meant."""
        return (not self.severities or severity in self.severities) and (not self.categories or category in self.categories)


@dataclass(frozen=True, slots=True)
class Rest:
    """When a team comes later: for `minutes` after each report, and after `assignments` reports within `hours`. 0: never."""

    assignments: int = 0
    hours: float = 4.0
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a team needs to be sent to such an incident: all of these skills and all of this equipment."""

    matter: Matter
    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Automatic:
    """Such an incident gets the proposed team at once, at these times, without a person."""

    name: str
    matter: Matter
    schedule: Schedule = ALWAYS


@dataclass(frozen=True, slots=True)
class Minimum:
    """How many teams must serve each of these cells (empty: every cell) at these times."""

    grid_cells: tuple[str, ...]
    schedule: Schedule = ALWAYS
    teams: int = 1


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """What `dispatch.toml` says. Without the file nobody rests, any team will do, people dispatch, and no cell has a minimum."""

    rest: Rest = field(default_factory=Rest)
    needs: tuple[Need, ...] = ()
    automatic: tuple[Automatic, ...] = ()
    minimums: tuple[Minimum, ...] = ()
