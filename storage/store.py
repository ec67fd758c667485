"""The database as the rest of Gridpatrol sees it: synchronous, safe from any thread, one writer inside."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from base import CameraStatus, Clock, Event, Health
from camera_config.site import Site
from patrol import Actor, Command, Grid, HistoryEntry, Incident, Proposal, TeamState
from storage import accounts, health, incidents, schema, teams
from storage.accounts import AuditRow, Session, User
from storage.database import Database
from storage.health import HealthChange, HealthRecorder
from storage.incidents import IncidentState
from storage.record_events import record_events
from storage.writer import Writer

__all__ = ["Store"]

T = TypeVar("T")


class Store:
    """Incidents, events, teams, accounts and audit in one database.

    Every method may be called from any thread and blocks until its answer is there; a method that changes something
    returns when the change is on stable storage. All raise StorageError, a sentence, when the database refuses (full disk,
    corrupt file, unreachable server); nothing has been changed then and the next call tries again. Not usable across a
    fork.
    """

    def __init__(self, database: Database, writer: Writer, clock: Clock, grid: Grid, known: dict[str, Health]) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._grid = grid
        self._health = HealthRecorder(writer, clock, known)

    @classmethod
    def open(cls, url: str, clock: Clock, site: Site) -> "Store":
        """Open or create the database at `url`, bring its tables up to date and become its writer.

        `url` is `sqlite:///path` or `postgresql+psycopg://user:password@host/database`. Raises StorageError if another
        Gridpatrol writes to it, if it is newer than this program, or if it cannot be opened.
        """
        database = Database(url)
        try:
            database.lock()
            known = _prepare(database)
            return cls(database, Writer(database, clock), clock, Grid(site), known)
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
        return self._writer.run(lambda connection: record_events(connection, events, self._grid, self._clock.now_s()))

    def apply(self, command: Command) -> Incident:
        """Carry out one step: compare-and-set on the version, history and audit in the same transaction.

        The same command id again returns the same incident as the first time. Raises what `patrol.advance` raises
        (Conflict carries `.current`), and TransitionError if the team is busy, the incident unknown, or the command id
        was used for something else.
        """
        return self._writer.run(lambda connection: incidents.apply(connection, command, self._grid, self._clock.now_s()))

    def incident(self, incident: str) -> Incident | None:
        """One incident by its id."""
        return self._read(lambda connection: incidents.read_incident(connection, incident))

    def incidents(self, state: IncidentState = "open", limit: int = 100, before: str | None = None) -> list[Incident]:
        """At most `limit` incidents, newest number first; those after the incident `before` of the previous page."""
        return self._read(lambda connection: incidents.read_incidents(connection, state, limit, before))

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

    def proposal(self, incident: str) -> Proposal | None:
        """A fresh proposal for an incident; None if there is no such incident."""

        def read(connection: Connection) -> Proposal | None:
            found = incidents.read_incident(connection, incident)
            return None if found is None else incidents.fresh_proposal(connection, found, self._grid, self._clock.now_s())

        return self._read(read)

    # Teams and cameras

    def team_states(self, now_s: float | None = None) -> Mapping[str, TeamState]:
        """Every team of the site, by id, with its shift as of `now_s` (default: now)."""
        moment_s = self._clock.now_s() if now_s is None else now_s
        return self._read(lambda connection: teams.team_states(connection, self._grid.site, moment_s))

    def set_position(self, team: str, lon: float, lat: float, at_s: float) -> bool:
        """Remember where a team was at `at_s`; False if a newer position is known. Times ahead of our clock count as now."""
        at_s = min(at_s, self._clock.now_s())
        return self._writer.run(lambda connection: teams.set_position(connection, team, lon, lat, at_s))

    def record_statuses(self, statuses: Sequence[CameraStatus]) -> list[CameraStatus]:
        """Write down the cameras whose health differs from the one last recorded; returns those.

        Costs nothing where none does. What could not be written is tried again with the next call, whatever that brings.
        """
        return self._health.record(statuses)

    def health_changes(self, camera: str, limit: int = 100) -> list[HealthChange]:
        """The health history of one camera, newest first."""
        return self._read(lambda connection: health.read_health_changes(connection, camera, limit))

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

    def add_user(self, name: str, password_hash: str, role: str) -> User:
        """A new user; raises NameTakenError."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: accounts.add_user(connection, name, password_hash, role, now_s))

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

    def audit_rows(self, limit: int = 100, before: int | None = None) -> list[AuditRow]:
        """The newest rows of the audit trail, newest first; those with a number below `before`."""
        return self._read(lambda connection: accounts.read_audit(connection, limit, before))

    def _read(self, query: Callable[[Connection], T]) -> T:
        """The answer of `query` on a connection that cannot write, from one snapshot of the database."""
        try:
            with self._database.reader.connect() as connection, connection.begin():
                return query(connection)
        except SQLAlchemyError as error:
            raise self._database.error(error) from error


def _prepare(database: Database) -> dict[str, Health]:
    """Make or update the tables; the health last recorded of each camera. Raises StorageError."""
    with database.connect_writer() as connection:
        try:
            with connection.begin():
                schema.upgrade(connection)
            with connection.begin():
                return health.read_last_health(connection)
        except SQLAlchemyError as error:
            raise database.error(error) from error
