"""The database as the rest of Gridpatrol sees it: synchronous, safe from any thread, one writer inside."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from base import CameraStatus, Clock, Event, Gap, Health, WatchRun
from camera_config.site import Site
from patrol import Actor, Command, HistoryEntry, Incident, Proposal, RelatedCamera, Report, TeamState
from patrol.position import Fix
from patrol.shifts import RosterChange
from patrol.support import HelpCall, Support, SupportState
from storage import accounts, checkpoint_keys, clocks, gaps, health, incidents, roster, schema, support, take_steps, teams
from storage.accounts import ALL_AUDIT, AuditFilter, AuditRow, Session, User
from storage.areas import Area
from storage.clips import Clips
from storage.coverage import CoverageLedger
from storage.database import Database
from storage.desks import Desks
from storage.dispatch import Dispatch
from storage.drills import Drills
from storage.handover import Handovers
from storage.health import HealthChange, HealthRecorder
from storage.help_calls import call_for_help
from storage.incidents import ALL_INCIDENTS, IncidentFilter, IncidentState
from storage.ledger import Ledger
from storage.outgoing import Outgoing
from storage.photos import Photos
from storage.record_events import record_events
from storage.referrals import retime_referrals
from storage.retention import Retention
from storage.rounds import Rounds
from storage.site_rules import SiteRules
from storage.site_versions import SiteVersions
from storage.system_samples import SystemSamples
from storage.watch_runs import begin_watch_runs, read_watch_runs, record_watch_runs
from storage.writer import Writer

__all__ = ["RELATED_S", "Store"]

RELATED_S = 120.0
"""Incidents that were opened this far apart, of cameras that see the same ground, may be one happening."""

T = TypeVar("T")


class Store:
    """Incidents, events, teams, accounts and audit in one database.

    Every method may be called from any thread and blocks until its answer is there; a method that changes something
    returns when the change is on stable storage. All raise StorageError, a sentence, when the database refuses (full disk,
    corrupt file, unreachable server); nothing has been changed then and the next call tries again. Not usable across a
    fork.
    """

    def __init__(
        self, database: Database, writer: Writer, clock: Clock, rules: SiteRules, known: dict[str, Health], clips: Path | None
    ) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._rules = rules
        self._health = HealthRecorder(writer, clock, known)
        self._areas: dict[tuple[str, ...], Area] = {}  # by their places; a race makes one twice
        self._areas_of = rules.grid.site.cameras
        self.clips = Clips(writer, self._read, clock, clips)
        self.rounds = Rounds(writer, self._read, clock, rules)
        self.coverage = CoverageLedger(writer, self._read, clock, rules)
        self.retention = Retention(writer, self._read, clock, rules.grid.site.retention)
        self.outgoing = Outgoing(writer, self._read, clock, rules)
        self.dispatch = Dispatch(writer, self._read, clock, rules)
        self.drills = Drills(writer, self._read, clock)
        self.desks = Desks(writer, self._read, clock, rules)
        self.ledger = Ledger(self._read, rules)
        self.photos = Photos(writer, self._read, clock)
        self.handovers = Handovers(writer, self._read, clock, rules)
        self.site_versions = SiteVersions(writer, self._read, clock)
        self.system = SystemSamples(writer, self._read)

    @classmethod
    def open(cls, url: str, clock: Clock, site: Site, clips: Path | None = None) -> "Store":
        """Open or create the database at `url`, bring its tables up to date and become its writer.

        `url` is `sqlite:///path` or `postgresql+psycopg://user:password@host/database`; the videos of `clips` lie in a folder,
        without which none can be stored. Raises StorageError if another Gridpatrol writes to the database, if it is newer than
        this program, or if it cannot be opened.
        """
        database = Database(url)
        try:
            database.lock()
            rules = SiteRules.of(site)
            known = _prepare(database, rules)
            return cls(database, Writer(database, clock), clock, rules, known, clips)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Finish what is queued, then let go of the database. Safe to repeat."""
        self._writer.close()
        self._database.close()

    # Incidents

    def record_events(self, events: Sequence[Event]) -> list[Incident]:
        """Store events with their snapshots, open or join incidents, in one transaction.

        Idempotent by event id: an event that is already stored changes nothing. Returns the incidents of all these events in
        the order of their numbers: new ones with their proposal, changed ones, and those of events stored already as they are
        now. The last are for a caller that was told of a failure though the change was stored; it may tell them twice.
        """
        return self._writer.run(lambda connection: record_events(connection, events, self._rules, self._clock.now_s()))

    def apply(self, command: Command) -> Incident:
        """Carry out one step: compare-and-set on the version, history and audit in the same transaction.

        The same command id again returns the same incident as the first time. Raises what `patrol.advance` raises
        (Conflict carries `.current`), and TransitionError if the team is busy, the incident unknown, or the command id
        was used for something else.
        """
        return self._writer.run(lambda connection: take_steps.take_step(connection, command, self._rules, self._clock.now_s()))

    def retime(self) -> list[Incident]:
        """Have running clocks count what the site's limits and desks are now; the open incidents that are due at another time."""

        def write(connection: Connection) -> list[Incident]:
            retime_referrals(connection, self._rules)
            return clocks.retime(connection, self._rules.clocks)

        return self._writer.run(write)

    def report(self, report: Report, area: Area | None = None) -> Incident:
        """Open the incident that a patrol, a caller or an inspection reports, with number, proposal and history.

        Idempotent by the report's id, as commands are. Raises CommandError for a report that cannot be carried out, such as one
        of an unknown grid cell, or of a place outside of the area of who reports.
        """
        return self._writer.run(
            lambda connection: take_steps.report_incident(connection, report, self._rules, self._clock.now_s(), area)
        )

    def merge(self, command: Command) -> Incident:
        """Close `command.incident` as a duplicate of `command.other`, which gets its events and is returned. As `apply`."""
        return self._writer.run(
            lambda connection: take_steps.merge_incidents(connection, command, self._rules, self._clock.now_s())
        )

    def split(self, command: Command) -> Incident:
        """Give `command.events` an incident of their own, which is returned. As `apply`."""
        return self._writer.run(
            lambda connection: take_steps.split_incident(connection, command, self._rules, self._clock.now_s())
        )

    def tell_due(self) -> list[Incident]:
        """Write down every warning, breach, escalation and end of a shelf that fell due, each once; the incidents as they are.

        Call it every second until it has nothing more to tell. While nothing is due it only reads. Notices for whoever delivers
        them are in the same transaction.
        """
        now_s = self._clock.now_s()
        if not self._read(lambda connection: clocks.anything_due(connection, now_s)):
            return []
        return self._writer.run(lambda connection: clocks.tell(connection, self._rules.clocks, now_s))

    def incident(self, incident: str) -> Incident | None:
        """One incident by its id."""
        return self._read(lambda connection: incidents.read_incident(connection, incident))

    def incidents(
        self,
        state: IncidentState = "open",
        limit: int = 100,
        before: str | None = None,
        which: IncidentFilter = ALL_INCIDENTS,
    ) -> list[Incident]:
        """At most `limit` incidents, newest number first; those after the incident `before` of the previous page."""
        return self._read(lambda connection: incidents.read_incidents(connection, state, limit, before, which))

    def incident_page(
        self, state: IncidentState, limit: int, before: str | None, which: IncidentFilter
    ) -> tuple[list[Incident], str | None]:
        """One page of `incidents`, and what to give as `before` for the next one, None at the end. It takes the same time for any
        filter, so it may hold fewer than `limit`, or none, though others follow.
        """
        return self._read(lambda connection: incidents.read_incident_page(connection, state, limit, before, which))

    def related_cameras(self, incident: Incident, width_px: Mapping[str, int]) -> tuple[RelatedCamera, ...]:
        """The cameras that see where `incident` happened, best first; by cell where no point is known: none."""
        place = self._rules.place_of(incident)
        return () if place is None else self._rules.views.related(place, width_px)

    def related_incidents(self, incident: Incident) -> list[Incident]:
        """Other incidents, of whatever kind, that cameras which see the same ground opened about the same time, by number."""
        cameras = {camera for one in incident.cameras for camera in (one, *self._rules.views.overlapping(one))}
        if not cameras:
            return []
        return self._read(lambda connection: incidents.read_related(connection, incident, cameras, RELATED_S))

    def history(self, incident: str) -> list[HistoryEntry]:
        """The history of one incident, oldest first."""
        return self._read(lambda connection: incidents.read_history(connection, incident))

    def events(self, incident: str) -> list[Event]:
        """The events of one incident without their snapshots, oldest first."""
        return self._read(lambda connection: incidents.read_events(connection, incident))

    def event(self, event: str) -> Event | None:
        """One event by its id, without its snapshot."""
        return self._read(lambda connection: incidents.read_event(connection, event))

    def incident_of_event(self, event: str) -> Incident | None:
        """The incident an event belongs to."""
        return self._read(lambda connection: incidents.read_incident_of_event(connection, event))

    def snapshot(self, event: str) -> bytes | None:
        """The JPEG of an event; None if there is no such event or it came without one."""
        return self._read(lambda connection: incidents.read_snapshot(connection, event))

    def proposal(self, incident: str, area: Area | None = None) -> Proposal | None:
        """A fresh proposal for an incident, of the teams of an area or of all; None if there is no such incident."""

        def read(connection: Connection) -> Proposal | None:
            found = incidents.read_incident(connection, incident)
            now_s = self._clock.now_s()
            return None if found is None else take_steps.fresh_proposal(connection, found, self._rules.grid, now_s, area)

        return self._read(read)

    # Teams and cameras

    def team_states(self, now_s: float | None = None) -> Mapping[str, TeamState]:
        """Every team of the site, by id, with its shift as of `now_s` (default: now)."""
        moment_s = self._clock.now_s() if now_s is None else now_s
        return self._read(lambda connection: teams.team_states(connection, self._rules.grid, moment_s))

    def set_position(self, team: str, lon: float, lat: float, at_s: float, accuracy_m: float = 0.0) -> bool:
        """Remember where a team was at `at_s`; False if a newer position is known, or it is from before this shift.

        Times ahead of our clock count as now. A position that cannot be true is not kept, only that there was one. Raises
        TransitionError for a team that is off duty: neither on shift nor still sent somewhere.
        """
        now_s = self._clock.now_s()
        fix = Fix((lon, lat), min(at_s, now_s))
        return self._writer.run(lambda connection: teams.set_position(connection, self._rules.grid, team, fix, accuracy_m, now_s))

    def forget_positions(self) -> list[str]:
        """Delete the positions of teams that are off duty, and those of earlier shifts; the teams. Writes only if need be."""
        now_s = self._clock.now_s()
        if not self._read(lambda connection: teams.forget_positions(connection, self._rules.grid, now_s, really=False)):
            return []
        return self._writer.run(lambda connection: teams.forget_positions(connection, self._rules.grid, now_s, really=True))

    # Roster and support

    def roster_changes(self, first: date, last: date) -> list[RosterChange]:
        """The changes of the roster that concern a day from `first` to `last`, undone ones too, oldest first."""
        return self._read(lambda connection: roster.read_changes(connection, first, last))

    def roster_change(self, change: str) -> RosterChange | None:
        """One change of the roster by its id."""
        return self._read(lambda connection: roster.read_change(connection, change))

    def add_roster_change(self, change: RosterChange, by: Actor) -> RosterChange:
        """Make a change of the roster, once by its id. Raises TransitionError if it cannot be made."""
        site = self._rules.grid.site
        return self._writer.run(lambda connection: roster.add_change(connection, site, change, by))

    def undo_roster_change(self, change: str, by: Actor) -> RosterChange | None:
        """Undo a change of the roster; as it is now, None if there is none."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: roster.undo_change(connection, change, by, now_s))

    def support(self, incident: str) -> list[Support]:
        """The teams that support or supported an incident, in the order in which they were sent."""
        return self._read(lambda connection: support.read_support(connection, incident))

    def all_support(self) -> list[Support]:
        """What all teams support now."""
        return self._read(support.read_all_support)

    def support_of_team(self, team: str) -> Support | None:
        """What a team supports now; None if nothing."""
        return self._read(lambda connection: support.read_support_of_team(connection, team))

    def add_support(self, asked: Support, by: Actor) -> Support:
        """Send a team to support an incident, once by its id. Raises TransitionError if it is busy or the incident closed."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: support.add_support(connection, self._rules.grid, asked, by, now_s))

    def call_for_help(self, call: HelpCall) -> tuple[Incident, Support]:
        """The incident that a team in danger opens, and its part in it; once by the id, and one at a time for each team.

        It is never refused for its place or its time: one that has not come yet counts as now. The team counts as being there, so
        others are proposed. Raises TransitionError or CommandError for an id that was used for something else.
        """
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: call_for_help(connection, call, self._rules, now_s))

    def move_support(self, incident: str, team: str, state: SupportState, by: Actor, at_s: float) -> Support | None:
        """Note how far the support of an incident by `team` is; None if there is none. Raises TransitionError if not legal."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: support.move_support(connection, incident, team, state, by, at_s, now_s))

    def record_statuses(self, statuses: Sequence[CameraStatus]) -> list[CameraStatus]:
        """Write down the cameras whose health differs from the one last recorded; returns those.

        Costs nothing where none does. What could not be written is tried again with the next call, whatever that brings.
        """
        return self._health.record(statuses)

    def health_changes(self, camera: str, limit: int = 100) -> list[HealthChange]:
        """The health history of one camera, newest first."""
        return self._read(lambda connection: health.read_health_changes(connection, camera, limit))

    def begin_watch(self, cameras: Sequence[str]) -> list[Gap]:
        """Account for the time since an earlier run was last alive; call once, before anything is recorded.

        Returns a gap for each of `cameras` that was watched before; it is open until somebody records its end.
        """
        now_s = self._clock.now_s()

        def begin(connection: Connection) -> list[Gap]:
            begin_watch_runs(connection, cameras, now_s)
            return gaps.begin_watch(connection, cameras, now_s)

        return self._writer.run(begin)

    def keep_watch(self) -> None:
        """Gridpatrol is alive; the next start takes the time after the last of these calls as not watched."""
        now_s = self._clock.now_s()
        self._writer.run(lambda connection: gaps.keep_watch(connection, now_s))

    def record_gaps(self, changed: Sequence[Gap]) -> None:
        """Store gaps that began, changed or ended. Idempotent by camera and `began_s`; one that has ended stays as it is."""
        self._writer.run(lambda connection: gaps.record_gaps(connection, changed))

    def gaps(self, camera: str, since_s: float, limit: int = 1000) -> list[Gap]:
        """Gaps of one camera that lasted at `since_s` or began later, newest first."""
        return self._read(lambda connection: gaps.read_gaps(connection, camera, since_s, limit))

    def record_watch_runs(self, runs: Sequence[WatchRun]) -> None:
        """Store how cameras were watched, in the order told for each: a run ends the one before it."""
        self._writer.run(lambda connection: record_watch_runs(connection, runs))

    def watch_runs(self, camera: str, since_s: float, until_s: float, limit: int = 10_000) -> list[WatchRun]:
        """How one camera was watched between two moments, oldest first: runs of one state cut to that time, minutes whole."""
        return self._read(lambda connection: read_watch_runs(connection, camera, since_s, until_s, limit))

    # Accounts

    def has_users(self) -> bool:
        """Whether anybody can sign in; False until the first administrator is made."""
        return bool(self.users())

    def users(self) -> list[User]:
        """All users by name."""
        return self._read(accounts.read_users)

    def user(self, user: str) -> User | None:
        """One user by id."""
        return self._read(lambda connection: accounts.read_user(connection, user))

    def user_by_name(self, name: str) -> User | None:
        """One user by the exact name."""
        return self._read(lambda connection: accounts.read_user_by_name(connection, name))

    def add_user(self, name: str, password_hash: str, role: str, areas: Sequence[str] = ()) -> User:
        """A new user, limited to these areas if there are any; raises NameTakenError."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: accounts.add_user(connection, name, password_hash, role, now_s, areas))

    def change_user(self, user: str, role: str, areas: Sequence[str]) -> User | None:
        """Give a user this role and these areas, and end their sessions if that changes anything; None: no such user."""
        return self._writer.run(lambda connection: accounts.change_user(connection, user, role, areas))

    def area(self, places: tuple[str, ...]) -> Area | None:
        """What an account with these areas may see; None without any: the whole sub-district. Worked out once for each."""
        if not places:
            return None
        cameras = self._rules.grid.site.cameras
        if self._areas_of is not cameras:  # the site has changed
            self._areas, self._areas_of = {}, cameras
        area = self._areas.get(places)
        if area is None:
            area = self._areas[places] = Area.of(self._rules.grid, places)
        return area

    def add_first_user(self, name: str, password_hash: str, role: str) -> User | None:
        """The first user, and the setup secret forgotten in the same transaction; None if there is a user already."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: accounts.add_first_user(connection, name, password_hash, role, now_s))

    def set_setup_secret_hash(self, secret_hash: str | None) -> None:
        """Remember the hash of the one-time setup secret; None forgets it."""
        self._writer.run(lambda connection: accounts.set_setup_secret_hash(connection, secret_hash))

    def setup_secret_hash(self) -> str | None:
        """The hash of the setup secret; None if it was used or never made."""
        return self._read(accounts.read_setup_secret_hash)

    def add_session(self, token_sha256: str, principal_kind: str, principal_id: str, expires_s: float) -> Session:
        """A new session for a token of which only the hash is known here; expired ones are cleared away."""
        now_s = self._clock.now_s()
        session = Session(principal_kind, principal_id, now_s, expires_s, token_sha256)
        self._writer.run(lambda connection: accounts.add_session(connection, session, now_s))
        return session

    def session(self, token_sha256: str) -> Session | None:
        """The session of a token, None if unknown or expired."""
        return self._read(lambda connection: accounts.read_session(connection, token_sha256, self._clock.now_s()))

    def sessions(self) -> list[Session]:
        """The sessions that have not expired, newest first; some may have ended for want of use."""
        return self._read(lambda connection: accounts.read_sessions(connection, self._clock.now_s()))

    def delete_session(self, token_sha256: str) -> None:
        """End one session; nothing happens if there is none."""
        self._writer.run(lambda connection: accounts.delete_session(connection, token_sha256))

    def delete_sessions_of(self, principal_kind: str, principal_id: str) -> int:
        """End every session of a user or a team; how many there were."""
        return self._writer.run(lambda connection: accounts.delete_sessions_of(connection, principal_kind, principal_id))

    def add_team_code(self, code_sha256: str, team: str, expires_s: float) -> None:
        """Remember the hash of a one-time sign-in code for a team's phone."""
        now_s = self._clock.now_s()
        self._writer.run(lambda connection: accounts.add_team_code(connection, code_sha256, team, expires_s, now_s))

    def take_team_code(self, code_sha256: str, now_s: float | None = None) -> str | None:
        """The team of a code, which is used up by this; None if unknown, used or expired."""
        moment_s = self._clock.now_s() if now_s is None else now_s
        return self._writer.run(lambda connection: accounts.take_team_code(connection, code_sha256, moment_s))

    def audit(self, actor: Actor, action: str, resource: str, detail: str = "") -> None:
        """Add a row to the audit trail. Steps of incidents write theirs themselves."""
        now_s = self._clock.now_s()
        self._writer.run(lambda connection: accounts.add_audit(connection, actor, action, resource, detail, now_s))

    def audit_rows(self, limit: int = 100, before: int | None = None, which: AuditFilter = ALL_AUDIT) -> list[AuditRow]:
        """The newest rows of the audit trail, newest first; those with a number below `before`."""
        return self._read(lambda connection: accounts.read_audit(connection, limit, before, which))

    def audit_count(self, most: int, before: int, which: AuditFilter) -> int:
        """How many rows of the audit trail with a number below `before` there are, counting no further than `most` + 1."""
        return self._read(lambda connection: accounts.count_audit(connection, most, before, which))

    def audit_actions(self) -> list[str]:
        """Every action that stands in the audit trail."""
        return self._read(accounts.read_audit_actions)

    def _read(self, query: Callable[[Connection], T]) -> T:
        """The answer of `query` on a connection that cannot write, from one snapshot of the database."""
        try:
            with self._database.reader.connect() as connection, connection.begin():
                return query(connection)
        except SQLAlchemyError as error:
            raise self._database.error(error) from error


def _prepare(database: Database, rules: SiteRules) -> dict[str, Health]:
    """Make or update the tables; the health last recorded of each camera. Raises StorageError."""
    with database.connect_writer() as connection:
        try:
            with connection.begin():
                schema.upgrade(connection)
            with connection.begin():
                clocks.retime(connection, rules.clocks)
                retime_referrals(connection, rules)
                checkpoint_keys.make_secrets(connection)
                return health.read_last_health(connection)
        except SQLAlchemyError as error:
            raise database.error(error) from error
