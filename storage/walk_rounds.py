"""What happens on rounds, each in one transaction: the line of history, the round as it is after it, notices, incidents."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from base import TransitionError
from camera_config.notification_rules import NoticeKind
from camera_config.round_rules import OpensIncident
from camera_config.site import Name, Point
from camera_config.time_limits import Category
from patrol import SYSTEM, CommandError, Incident, Locality, Origin, Report
from patrol.check_in import check_in, stop_of, take
from patrol.checkpoint_codes import CodeKey
from patrol.made_up import has_lapsed
from patrol.made_up import made_up as tell_made_up
from patrol.notify import Notice
from patrol.position import ACCURACY_M
from patrol.rounds import Act, CheckIn, Proof, Round, RoundCommand, RoundEntry, RoundState, Stop
from patrol.travel import distance_m
from patrol.visits import RoundNow, StopResult, StopState, evaluate
from storage.history import add_history
from storage.incidents import read_history, read_incident, write_incidents
from storage.notices import queue_notices
from storage.round_rows import entry_of, entry_row, fingerprint, result_row, round_of
from storage.site_rules import SiteRules
from storage.tables import events, round_entries, rounds
from storage.take_steps import report_incident

__all__ = [
    "Told",
    "anything_due",
    "check_in_at",
    "confirm",
    "credit",
    "read_round",
    "read_rounds_now",
    "take_on_round",
    "tell",
    "withdraw",
    "write",
]

AT_ONCE = 200
"""Rounds told of in one transaction; after a long stop the next call goes on."""

CONFIRM_S = 300.0
"""How long after a check-in an event of a camera can still confirm it: cut off, cameras and workers deliver later."""

_NAMESPACE = uuid.UUID("0c4e9f1e-98d1-4f5c-a6f3-6f3d3c8f9a55")
_OPEN = (RoundState.DUE.value, RoundState.UNDER_WAY.value)


@dataclass(frozen=True, slots=True)
class Told:
    """What fell due: the rounds it concerns as they are now, and the incidents that were opened."""

    rounds: tuple[RoundNow, ...] = ()
    incidents: tuple[Incident, ...] = ()


def read_round(connection: Connection, round_id: str, rules: SiteRules, now_s: float) -> RoundNow | None:
    """One round as it is at `now_s`; None if there is none."""
    row = connection.execute(select(rounds).where(rounds.c.id == round_id)).mappings().first()
    return read_rounds_now(connection, [round_of(row)], rules, now_s)[0] if row else None


def read_rounds_now(connection: Connection, planned: Sequence[Round], rules: SiteRules, now_s: float) -> list[RoundNow]:
    """These rounds with their history, as they are at `now_s`."""
    lines: dict[str, list[RoundEntry]] = {each.id: [] for each in planned}
    query = select(round_entries).where(round_entries.c.round.in_(lines)).order_by(round_entries.c.at_s, round_entries.c.id)
    for row in connection.execute(query).mappings():
        lines[row["round"]].append(entry_of(row))
    return [_now(each, lines[each.id], rules, now_s) for each in planned]


def check_in_at(connection: Connection, asked: CheckIn, key: CodeKey, rules: SiteRules, now_s: float) -> RoundNow:
    """Check in once; the round after it. Raises as `patrol.check_in`. The caller commits."""
    said = fingerprint("check_in", asked.by.kind.value, asked.by.id, asked.round, asked.checkpoint, asked.code)
    before = _must(connection, asked.round, rules, now_s)
    if _is_repeated(connection, asked.id, said):
        return before
    stop = stop_of(before.planned, asked, key)
    camera = _camera_that_saw(connection, stop, asked.at_s, rules)
    entry = check_in(before.planned, before.entries, asked, stop, camera, rules.grid.site.rounds, now_s)
    return write(connection, before, [entry], rules, now_s, said)


def take_on_round(connection: Connection, command: RoundCommand, rules: SiteRules, now_s: float) -> RoundNow:
    """Start, skip or finish once; the round after it. Raises as `patrol.check_in.take`. The caller commits."""
    said = fingerprint(command.act.value, command.by.kind.value, command.by.id, command.round, command.checkpoint, command.reason)
    before = _must(connection, command.round, rules, now_s)
    if _is_repeated(connection, command.id, said):
        return before
    return write(connection, before, [take(before.planned, before.entries, command, now_s)], rules, now_s, said)


def withdraw(connection: Connection, before: RoundNow, reason: str, rules: SiteRules, now_s: float) -> RoundNow:
    """Call a round off; nothing changes if it is over. The caller commits."""
    if not before.result.is_open:
        return before
    entry = RoundEntry(_told_id("withdrawn", before), before.planned.id, Act.WITHDRAWN, now_s, now_s, SYSTEM, reason=reason)
    return write(connection, before, [entry], rules, now_s)


def credit(
    connection: Connection, team: str, fix: tuple[Point, float, float], working: Collection[str], rules: SiteRules, now_s: float
) -> list[RoundNow]:
    """Credit the open stops of a team that it passes now near a working camera; those rounds. The caller commits.

    `fix` is where the team is, how exactly in metres, and when; `working` are the cameras that give a picture now.
    """
    place, accuracy_m, at_s = fix
    asked = rules.grid.site.rounds
    mine = select(rounds).where(
        rounds.c.team == team, rounds.c.state.in_(_OPEN), rounds.c.opens_s <= at_s, rounds.c.closes_s >= at_s
    )
    planned = [round_of(row) for row in connection.execute(mine).mappings()]
    camera = _nearest(place, working, rules) if planned else ""
    if not camera:
        return []
    changed = []
    for before in read_rounds_now(connection, planned, rules, now_s):
        passed = [
            result.stop
            for result in before.result.stops
            if result.state is StopState.OPEN
            and distance_m(place, result.stop.place) - min(accuracy_m, ACCURACY_M) <= asked.geofence_m
        ]
        entries = [
            RoundEntry(
                id=_told_id("credited", before, stop),
                round=before.planned.id,
                act=Act.CREDITED,
                at_s=at_s,
                recorded_s=now_s,
                by=SYSTEM,
                checkpoint=stop.checkpoint,
                proof=Proof.PASSED,
                distance_m=distance_m(place, stop.place),
                camera=camera,
            )
            for stop in passed
        ]
        if entries:
            changed.append(write(connection, before, entries, rules, now_s))
    return changed


def confirm(connection: Connection, rules: SiteRules, now_s: float) -> list[RoundNow]:
    """Let cameras confirm check-ins of the last minutes that were no proof by themselves; those rounds. The caller commits."""
    query = select(round_entries).where(
        round_entries.c.recorded_s > now_s - CONFIRM_S,
        round_entries.c.act == Act.CHECK_IN.value,
        round_entries.c.proof == Proof.NONE.value,
    )
    changed = []
    for tried in [entry_of(row) for row in connection.execute(query).mappings().all()]:
        before = _must(connection, tried.round, rules, now_s)
        stop = before.planned.stop(tried.checkpoint)
        if stop is None or any(entry.is_visit and entry.checkpoint == tried.checkpoint for entry in before.entries):
            continue
        camera = _camera_that_saw(connection, stop, tried.at_s, rules)
        if camera:
            seen = RoundEntry(
                id=_told_id(f"seen {tried.id}", before, stop),
                round=tried.round,
                act=Act.SEEN,
                at_s=tried.at_s,
                recorded_s=now_s,
                by=SYSTEM,
                checkpoint=tried.checkpoint,
                proof=Proof.CAMERA,
                camera=camera,
            )
            changed.append(write(connection, before, [seen], rules, now_s))
    return changed


def anything_due(connection: Connection, now_s: float) -> bool:
    """Whether `tell` or `confirm` may find something; costs two looks into indexes."""
    due = select(rounds.c.id).where(rounds.c.look_s <= now_s).limit(1)
    doubtful = select(round_entries.c.id).where(
        round_entries.c.recorded_s > now_s - CONFIRM_S, round_entries.c.proof == Proof.NONE.value
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in (due, doubtful))


def tell(connection: Connection, rules: SiteRules, now_s: float) -> Told:
    """Write down every stop that was missed by `now_s`, each once, with a notice and its incident. The caller commits."""
    query = select(rounds).where(rounds.c.look_s <= now_s).order_by(rounds.c.look_s, rounds.c.id).limit(AT_ONCE)
    planned = [round_of(row) for row in connection.execute(query).mappings().all()]
    changed: list[RoundNow] = []
    opened: dict[str, Incident] = {}
    for before in read_rounds_now(connection, planned, rules, now_s):
        entries: list[RoundEntry] = []
        for result in before.result.stops:
            if result.state is not StopState.MISSED or result.told:
                continue
            incident = _known_incident(connection, before, entries, result.stop)
            if not incident and _deserves_incident(result.stop, rules):
                found = _open_incident(connection, before, result, rules, now_s)
                incident, opened[found.id] = found.id, found
            missed = RoundEntry(
                id=_told_id("missed", before, result.stop),
                round=before.planned.id,
                act=Act.MISSED,
                at_s=result.until_s,
                recorded_s=now_s,
                by=SYSTEM,
                checkpoint=result.stop.checkpoint,
                incident=incident,
            )
            entries.append(missed)
            _add_notice(connection, NoticeKind.STOP_MISSED, before.planned, result.stop, missed, rules)
        changed.append(write(connection, before, entries, rules, now_s))
    return Told(tuple(changed), tuple(opened.values()))


def write(
    connection: Connection, before: RoundNow, entries: Sequence[RoundEntry], rules: SiteRules, now_s: float, said: str = ""
) -> RoundNow:
    """Add `entries`, and what follows from them; the round afterwards. The caller commits."""
    after = _now(before.planned, [*before.entries, *entries], rules, now_s)
    misses = {entry.checkpoint: entry for entry in before.entries if entry.act is Act.MISSED}
    known = {entry.checkpoint for entry in before.entries if entry.act is Act.MADE_UP}
    made_up = []
    for result in after.result.stops:
        name = result.stop.checkpoint
        if result.state is StopState.VISITED and name in misses and name not in known:
            entry = RoundEntry(
                id=_told_id("made_up", before, result.stop),
                round=before.planned.id,
                act=Act.MADE_UP,
                at_s=result.at_s or now_s,
                recorded_s=now_s,
                by=SYSTEM,
                checkpoint=name,
                incident=misses[name].incident,
            )
            made_up.append(entry)
            _add_notice(connection, NoticeKind.STOP_MADE_UP, before.planned, result.stop, entry, rules)
    rows = [entry_row(entry, said) for entry in entries] + [entry_row(entry) for entry in made_up]
    if rows:
        connection.execute(insert(round_entries), rows)
    by_id = update(rounds).where(rounds.c.id == before.planned.id)
    connection.execute(by_id.values(result_row(after.result)))
    ordered = tuple(sorted((*after.entries, *made_up), key=lambda entry: (entry.at_s, entry.id)))
    after = replace(after, entries=ordered)
    return replace(after, incidents=_make_up(connection, after, made_up, rules, now_s)) if made_up else after


def _make_up(
    connection: Connection, after: RoundNow, made_up: Sequence[RoundEntry], rules: SiteRules, now_s: float
) -> tuple[Incident, ...]:
    """Close the incidents of the stops just made up, or tell those who work on them; the incidents as they are then."""
    changed = []
    still = {entry.checkpoint for entry in after.entries if entry.act is Act.MISSED}
    still -= {entry.checkpoint for entry in after.entries if entry.act is Act.MADE_UP}
    for name in dict.fromkeys(entry.incident for entry in made_up if entry.incident):
        incident = _merged_into(connection, name)
        missed = {entry.checkpoint for entry in after.entries if entry.act is Act.MISSED and entry.incident == name}
        text = "；".join(_made_up_words(after.planned, entry, rules) for entry in made_up if entry.incident == name)
        told, marks = rules.clocks.tell(incident, now_s, now_s)
        past = read_history(connection, incident.id)
        incident, line = tell_made_up(told, past, text, missed.isdisjoint(still) and incident.id == name, now_s)
        incident = rules.clocks.timed(incident)
        write_incidents(connection, [incident])
        add_history(connection, incident, (*marks, line))
        changed.append(incident)
    return tuple(changed)


def _merged_into(connection: Connection, name: str) -> Incident:
    """The incident of this id, or the one that it was merged into."""
    found = read_incident(connection, name)
    while found is not None and found.duplicate_of:
        found = read_incident(connection, found.duplicate_of)
    assert found is not None  # retention keeps an incident as long as its rounds
    return found


def _made_up_words(planned: Round, entry: RoundEntry, rules: SiteRules) -> str:
    stop = planned.stop(entry.checkpoint)
    assert stop is not None
    at = datetime.fromtimestamp(entry.at_s, rules.grid.site.zone_info)
    return f"已补巡：{stop.name.zh} {at:%H:%M} Made up: {stop.name.en}, {at:%H:%M}"


def _now(planned: Round, entries: Sequence[RoundEntry], rules: SiteRules, now_s: float) -> RoundNow:
    ordered = tuple(sorted(entries, key=lambda entry: (entry.at_s, entry.id)))
    return RoundNow(planned, ordered, evaluate(planned, ordered, now_s, rules.grid.site.rounds.geofence_m, rules.grid.travel))


def _must(connection: Connection, round_id: str, rules: SiteRules, now_s: float) -> RoundNow:
    found = read_round(connection, round_id, rules, now_s)
    if found is None:
        raise TransitionError(f"there is no round {round_id}")
    return found


def _is_repeated(connection: Connection, command: str, said: str) -> bool:
    """Whether this command was carried out already. Raises CommandError if its id meant something else."""
    done = connection.execute(select(round_entries.c.fingerprint).where(round_entries.c.id == command)).scalar()
    if done is not None and done != said:
        raise CommandError(f"the command id {command} was already used for something else; every command needs an id of its own")
    return done is not None


def _camera_that_saw(connection: Connection, stop: Stop, at_s: float, rules: SiteRules) -> str:
    """A camera whose view holds the stop and that saw a person about then; empty if none did."""
    cameras = [related.camera for related in rules.views.related(stop.place, {})]
    reach_s = rules.grid.site.rounds.camera_s
    query = select(events.c.camera).where(
        events.c.camera.in_(cameras),
        events.c.raised_s.between(at_s - reach_s, at_s + reach_s),
        events.c.label == "person",
    )
    found: str | None = connection.execute(query.order_by(events.c.raised_s).limit(1)).scalar()
    return found or ""


def _nearest(place: Point, working: Collection[str], rules: SiteRules) -> str:
    """The working camera nearest to `place`; empty if none is within reach."""
    site = rules.grid.site
    away_m = {
        camera.id: distance_m(place, (camera.lon, camera.lat))
        for camera in site.cameras
        if camera.id in working and camera.enabled
    }
    best = min(away_m, key=lambda camera: (away_m[camera], camera), default="")
    return best if best and away_m[best] <= site.rounds.camera_m else ""


def _deserves_incident(stop: Stop, rules: SiteRules) -> bool:
    asked = rules.grid.site.rounds.incidents
    return asked is OpensIncident.ALWAYS or (asked is OpensIncident.KEY_NODES and stop.key_node)


def _known_incident(connection: Connection, before: RoundNow, entries: Sequence[RoundEntry], stop: Stop) -> str:
    """The incident of a round's other missed stops, empty if there is none; each key node has one of its own."""
    key_nodes = {each.checkpoint for each in before.planned.stops if each.key_node}
    told = (entry for entry in (*before.entries, *entries) if entry.act is Act.MISSED and entry.checkpoint not in key_nodes)
    known = "" if stop.key_node else next((entry.incident for entry in reversed([*told]) if entry.incident), "")
    # One that closed by itself is over: this stop is another matter.
    return known if known and not has_lapsed(_merged_into(connection, known)) else ""


def _open_incident(connection: Connection, before: RoundNow, missed: StopResult, rules: SiteRules, now_s: float) -> Incident:
    planned, stop = before.planned, missed.stop
    place = rules.grid.locate_point(stop.place)
    team = rules.grid.site.team_by_id.get(planned.team)
    who = team.name if team else Name("当班无人", "nobody on shift")
    report = Report(
        id=_told_id("incident", before, stop),
        origin=Origin.INSPECTION,
        category=Category.PUBLIC_ORDER,
        severity=rules.grid.site.rounds.severity,
        by=SYSTEM,
        at_s=min(missed.until_s, now_s),
        text=f"漏巡：{stop.name.zh}（{planned.name.zh}，{who.zh}） Missed: {stop.name.en} ({planned.name.en}, {who.en})",
        lon=stop.place[0] if place else None,
        lat=stop.place[1] if place else None,
        grid_cell="" if place else stop.grid_cell,
    )
    return report_incident(connection, report, rules, now_s)


def _add_notice(
    connection: Connection, kind: NoticeKind, planned: Round, stop: Stop, entry: RoundEntry, rules: SiteRules
) -> None:
    """Queue what people elsewhere may have to hear of."""
    where = rules.grid.locate_cell(stop.grid_cell) or Locality(grid_cell=stop.grid_cell)
    notice = Notice(
        id=0,
        kind=kind,
        at_s=entry.at_s,
        severity=rules.grid.site.rounds.severity,
        incident=entry.incident,
        grid_cell=where.grid_cell,
        compound=where.compound,
        community=where.community,
        team=planned.team,
        round_name=planned.name,
        checkpoint=stop.name,
    )
    queue_notices(connection, [notice])


def _told_id(what: str, before: RoundNow, stop: Stop | None = None) -> str:
    """The id of what the program itself says of a round, the same each time, so that nothing is said twice."""
    return str(uuid.uuid5(_NAMESPACE, f"{what}\n{before.planned.id}\n{stop.checkpoint if stop else ''}"))
