"""The clocks of incidents: when the next step is due, who is warned, and which level hears of a breach. Pure.

One clock runs at a time, that of the next step. It has five *marks* in a fixed order: a warning, the breach, of which the grid
cell hears, and one for each further level. `Incident.told` counts those that were told, and is stored with the lines of history
that told them. So no mark is told twice, whatever the wall clock does and however often the program is restarted, and none
is left out: after a stop, all that fell due are told in order, each with the time at which it was due.

When an incident becomes more severe while a clock runs, the shorter limit counts from that moment, for nobody could keep it
before; a limit that would be reached earlier without it stays. So each mark falls due at the earliest of the moments that the
severities give it, and what was told stays told. Only who was warned of a limit that is nearer now hears of it at once: warned
again, once for each such limit, with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from camera_config.schedule import Schedule
from camera_config.site import PlaceKind, Site
from camera_config.time_limits import LimitedStep, TimeLimits
from patrol.advance import unshelved
from patrol.calendar import Calendar
from patrol.incident import SYSTEM, Due, Happening, HistoryEntry, Incident, Level
from patrol.limits import LIMITS_S, step_due
from patrol.steps import Work

__all__ = ["MARKS", "Clocks", "Mark", "shares_of"]

MARKS: tuple[tuple[Happening, Level | None], ...] = (
    (Happening.WARNED, None),
    (Happening.BREACHED, Level.CELL),
    (Happening.ESCALATED, Level.SECTION),
    (Happening.ESCALATED, Level.COMMUNITY),
    (Happening.ESCALATED, Level.SUB_DISTRICT),
)
"""What is told of a clock, in order."""

_WARNED = 1  # `told` after the warning


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to tell, and when it fell due (UTC). `level` is set for a breach and what follows it."""

    happening: Happening
    level: Level | None
    at_s: float


class Clocks:
    """The clocks of one site's incidents, by its limits as they are when asked. Safe from any thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._calendar = Calendar(site.zone_info, site.holidays)
        self._hours = site.place_hours, _hours_by_place(site)
        places = (place.id for place in site.places if place.kind is PlaceKind.SUB_DISTRICT)
        self._sub_district = next(places, "")

    def timed(self, incident: Incident) -> Incident:
        """`incident` with its limit and when there is something to tell next. Every stored incident went through here."""
        step = step_due(incident.work, incident.severity)
        at_s = self._moment_s(incident, 1.0)
        shares = shares_of(self._site.time_limits)
        looks = [self._moment_s(incident, share) for share in shares[incident.told : incident.told + 1]]
        looks.append(incident.shelved_until_s)
        due = Due(step, at_s) if step is not None and at_s is not None else None
        return replace(incident, due=due, look_s=min((look for look in looks if look is not None), default=None))

    def marks(self, incident: Incident, by_s: float) -> tuple[Mark, ...]:
        """What is to be told of the running clock by the moment `by_s`, in order."""
        marks, shares = [], shares_of(self._site.time_limits)
        for number in range(incident.told, len(MARKS)):
            at_s = self._moment_s(incident, shares[number])
            if at_s is None or at_s > by_s:
                break
            marks.append(Mark(*MARKS[number], at_s))
        return tuple(marks)

    def tell(self, incident: Incident, by_s: float, now_s: float) -> tuple[Incident, tuple[HistoryEntry, ...]]:
        """`incident` after everything that fell due by `by_s`, marks and the end of a shelf, each with a line of history."""
        entries: list[HistoryEntry] = []
        for mark in self.marks(incident, by_s):
            step = step_due(incident.work, incident.severity)
            incident = replace(incident, version=incident.version + 1, told=incident.told + 1)
            place = "" if mark.level is None else self.place_of(mark.level, incident)
            entry = _entry(incident, mark.happening, mark.at_s, now_s)
            entries.append(replace(entry, clock=step, level=mark.level, place=place))
        if incident.shelved_until_s is not None and incident.shelved_until_s <= by_s:
            ended_s = incident.shelved_until_s
            incident = replace(unshelved(incident), version=incident.version + 1)
            entries.append(_entry(incident, Happening.UNSHELVED, ended_s, now_s))
        return self.timed(incident), tuple(entries)

    def tell_raised(self, before: Incident, after: Incident, now_s: float) -> tuple[Incident, tuple[HistoryEntry, ...]]:
        """`after`, which may be more severe than `before`, with a line that warns again if the limit warned of is nearer now."""
        was, due = self.timed(before).due, self.timed(after).due
        is_nearer = was is not None and due is not None and due.at_s < was.at_s
        if due is None or not is_nearer or after.severity >= before.severity or after.told != _WARNED:
            return after, ()
        after = replace(after, version=after.version + 1)
        text = f"severity raised from {before.severity} to {after.severity}, so the limit is nearer"
        return after, (replace(_entry(after, Happening.WARNED, now_s, now_s), clock=due.step, text=text),)

    def place_of(self, level: Level, incident: Incident) -> str:
        """The place or section whose responsible person hears of it; of a level that this incident lacks, the next one's."""
        by_level = {
            Level.CELL: incident.grid_cell,
            Level.SECTION: self._section_of(incident.grid_cell) or incident.compound,
            Level.COMMUNITY: incident.community,
            Level.SUB_DISTRICT: self._sub_district,
        }
        levels = list(Level)
        return next((by_level[each] for each in levels[levels.index(level) :] if by_level[each]), "")

    def _moment_s(self, incident: Incident, share: float) -> float | None:
        """When the running clock reaches `share` of its limit; None if none runs, or if it stands still before that."""
        # The clock of arriving runs on from acceptance, through departure.
        from_s = incident.stages[Work.ACCEPTED] if incident.work is Work.EN_ROUTE else incident.since_s
        begins_s = (from_s, *(max(from_s, at_s) for at_s, _ in incident.raises))
        severities = (*(before for _, before in incident.raises), incident.severity)
        moments = [self._moment_of_s(incident, share, *each) for each in zip(begins_s, severities, strict=True)]
        return min((moment_s for moment_s in moments if moment_s is not None), default=None)

    def _moment_of_s(self, incident: Incident, share: float, from_s: float, severity: int) -> float | None:
        """As `_moment_s`, for one of the severities that it had while the clock ran, counted from `from_s`."""
        step = step_due(incident.work, severity)
        if step is None:
            return None
        word = LimitedStep(step.value)
        limits = self._site.time_limits
        limit_s = limits.limit_s(word, severity, incident.category) or LIMITS_S[severity][step]
        in_working_time = limits.in_working_time(word, severity, incident.category)
        hours = self._hours_of(incident) if in_working_time else None
        return self._reached_s(incident, from_s, share * limit_s, hours)

    def _reached_s(self, incident: Incident, from_s: float, amount_s: float, hours: Schedule | None) -> float | None:
        """When `amount_s` are over since `from_s`, pauses left out. `hours` None: all time counts."""
        paused_s = incident.paused_since_s
        stops = (*incident.pauses, *(() if paused_s is None else ((paused_s, None),)))
        for stop_s, go_on_s in stops:
            counted_s = self._counted_s(hours, from_s, stop_s)
            if amount_s <= counted_s:
                break
            if go_on_s is None:
                return None
            amount_s -= counted_s
            from_s = max(from_s, go_on_s)
        return from_s + amount_s if hours is None else self._calendar.after(hours, from_s, amount_s)

    def _counted_s(self, hours: Schedule | None, from_s: float, until_s: float) -> float:
        if until_s <= from_s:
            return 0.0
        return until_s - from_s if hours is None else self._calendar.seconds(hours, from_s, until_s)

    def _hours_of(self, incident: Incident) -> Schedule:
        places = (incident.grid_cell, incident.compound, incident.community, self._sub_district)
        known_of, hours = self._hours
        if known_of is not self._site.place_hours:  # it was exchanged while this ran
            hours = _hours_by_place(self._site)
            self._hours = self._site.place_hours, hours
        return next((hours[place] for place in places if place in hours), self._site.time_limits.working_hours)

    def _section_of(self, cell: str) -> str:
        return next((section.id for section in self._site.sections if cell in section.grid_cells), "")


def shares_of(limits: TimeLimits) -> tuple[float, ...]:
    """At which shares of a limit each of `MARKS` falls due."""
    return (limits.warn_at, 1.0, *(1.0 + share for share in limits.escalate_after))


def _hours_by_place(site: Site) -> Mapping[str, Schedule]:
    """Working hours of places that have their own; those given to a place itself go before those of its kind."""
    of_kind = {each.compound_kind: each.working_hours for each in site.place_hours if each.compound_kind is not None}
    hours = {place.id: of_kind[place.compound_kind] for place in site.places if place.compound_kind in of_kind}
    return hours | {each.place: each.working_hours for each in site.place_hours if each.place}


def _entry(incident: Incident, step: Happening, at_s: float, now_s: float) -> HistoryEntry:
    return HistoryEntry(incident.id, incident.version, step, incident.work, at_s, now_s, SYSTEM, team=incident.team)
