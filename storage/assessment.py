"""What an assessment is worked out from: histories of incidents, rounds and referrals, read in order and a little at a time."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, select

from camera_config.time_limits import Category
from patrol import Locality
from patrol.assessment import Assessment, Case, DeskFigures, GroupBy, Walked, assess, assess_desks
from patrol.referral import ReferralEntry
from patrol.rounds import Round, RoundEntry, RoundState
from patrol.visits import evaluate
from storage import round_rows
from storage.areas import Area, incidents_of, rounds_of
from storage.desk_tables import referral_entries, referrals
from storage.referrals import referral_entry_of
from storage.rows import entry_of
from storage.site_rules import SiteRules
from storage.tables import events, history, incidents, round_entries, rounds

__all__ = ["AssessmentOf", "conditions_of", "read_assessment", "read_desk_figures"]

FETCH = 2000
"""Rows held at once while reading."""

ROUNDS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class AssessmentOf:
    """What is asked for: what was opened, due or sent in [from_s, to_s), as it was known at `as_of_s`. Drills never count."""

    from_s: float
    to_s: float
    as_of_s: float
    category: Category | None = None
    severity: int | None = None
    area: Area | None = None  # of who asks


def read_assessment(connection: Connection, asked: AssessmentOf, by: GroupBy, rules: SiteRules) -> Assessment:
    """The figures by group; see `patrol.assessment.assess`. Rounds are left out where only some incidents are asked for."""
    site, grid = rules.grid.site, rules.grid
    located = ((place.id, grid.locate_cell(place.id)) for place in site.places)
    places: dict[str, Locality] = {place: where for place, where in located if where is not None}
    is_whole = asked.category is None and asked.severity is None
    walked = _walked(connection, asked, rules) if is_whole else iter(())
    return assess(_cases(connection, asked), walked, places, site.zone_info, by, site.score)


def read_desk_figures(connection: Connection, asked: AssessmentOf) -> dict[str, DeskFigures]:
    """The figures of each desk, of the referrals sent in that time."""
    query = (
        select(referral_entries, referrals.c.desk)
        .join(referrals, referrals.c.id == referral_entries.c.referral)
        .join(incidents, incidents.c.id == referrals.c.incident)
        .where(referrals.c.sent_s >= asked.from_s, referrals.c.sent_s < asked.to_s)
        .where(referral_entries.c.recorded_s <= asked.as_of_s, *conditions_of(asked))
        .order_by(referral_entries.c.referral, referral_entries.c.version)
    )
    rows = connection.execute(query.execution_options(yield_per=FETCH)).mappings()
    histories: Iterator[tuple[str, Sequence[ReferralEntry]]] = (
        (desk, [referral_entry_of(row) for row in lines])
        for (desk, _), lines in itertools.groupby(rows, key=lambda row: (row["desk"], row["referral"]))
    )
    return assess_desks(histories)


def _cases(connection: Connection, asked: AssessmentOf) -> Iterator[Case]:
    rule = events.c.rule.label("rule")
    facts = [incidents.c[name].label(f"incident_{name}") for name in ("grid_cell", "compound", "community", "category", "camera")]
    query: Select[tuple[object, ...]] = (
        select(history, *facts, rule)
        .join(incidents, incidents.c.id == history.c.incident)
        .outerjoin(events, events.c.id == incidents.c.best_event)
        .where(incidents.c.opened_s >= asked.from_s, incidents.c.opened_s < asked.to_s)
        .where(history.c.recorded_s <= asked.as_of_s, *conditions_of(asked))
        .order_by(history.c.incident, history.c.version)
    )
    rows = connection.execute(query.execution_options(yield_per=FETCH)).mappings()
    for incident, lines in itertools.groupby(rows, key=lambda row: row["incident"]):
        every = list(lines)
        first = every[0]
        yield Case(
            incident=incident,
            grid_cell=first["incident_grid_cell"],
            compound=first["incident_compound"],
            community=first["incident_community"],
            category=first["incident_category"],
            camera=first["incident_camera"],
            rule=first["rule"] or "",
            entries=tuple(entry_of(row) for row in every),
        )


def _walked(connection: Connection, asked: AssessmentOf, rules: SiteRules) -> Iterator[Walked]:
    due = (rounds.c.due_s >= asked.from_s, rounds.c.due_s < asked.to_s)
    query = select(rounds).where(*due, *rounds_of(asked.area)).order_by(rounds.c.due_s, rounds.c.id)
    planned = [round_rows.round_of(row) for row in connection.execute(query).mappings()]
    for start in range(0, len(planned), ROUNDS_AT_ONCE):
        some = planned[start : start + ROUNDS_AT_ONCE]
        lines = _round_lines(connection, some, asked.as_of_s)
        for each in some:
            result = evaluate(each, lines[each.id], asked.as_of_s, rules.grid.site.rounds.geofence_m, rules.grid.travel)
            if not result.is_open and result.state is not RoundState.WITHDRAWN:
                stops = (stop for stop in result.stops if asked.area is None or stop.stop.grid_cell in asked.area.grid_cells)
                yield Walked(each.team, each.due_s, tuple(stops))


def _round_lines(connection: Connection, planned: Sequence[Round], as_of_s: float) -> dict[str, list[RoundEntry]]:
    lines: dict[str, list[RoundEntry]] = {each.id: [] for each in planned}
    query = select(round_entries).where(round_entries.c.round.in_(lines), round_entries.c.recorded_s <= as_of_s)
    for row in connection.execute(query.order_by(round_entries.c.at_s, round_entries.c.id)).mappings():
        lines[row["round"]].append(round_rows.entry_of(row))
    return lines


def conditions_of(asked: AssessmentOf) -> list[ColumnElement[bool]]:
    """Which incidents are meant, whenever they were opened: no drills, those of the area, category and severity asked for."""
    found = [incidents.c.drill.is_(False), *incidents_of(asked.area)]
    if asked.category is not None:
        found.append(incidents.c.category == asked.category.value)
    if asked.severity is not None:
        found.append(incidents.c.severity == asked.severity)
    return found
