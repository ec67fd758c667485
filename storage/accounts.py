"""Users, sessions, phone codes, the setup secret and the audit trail. Only hashes of secrets are stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from base import GridpatrolError, uuid7
from patrol import Actor, ActorKind
from storage.tables import audit, secrets, sessions, team_codes, users

__all__ = [
    "ALL_AUDIT",
    "AuditFilter",
    "AuditRow",
    "NameTakenError",
    "Session",
    "User",
    "add_audit",
    "add_first_user",
    "add_session",
    "add_team_code",
    "add_user",
    "change_user",
    "delete_session",
    "delete_sessions_of",
    "read_audit",
    "read_audit_actions",
    "read_session",
    "read_sessions",
    "read_setup_secret_hash",
    "read_user",
    "read_user_by_name",
    "read_users",
    "set_setup_secret_hash",
    "take_team_code",
]

SETUP = "setup"
"""Name of the one-time setup secret in table `secrets`."""


class NameTakenError(GridpatrolError):
    """There is a user of this name already."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in at the control room. `password_hash` is what the dashboard's hasher made."""

    id: str  # UUIDv7
    name: str
    role: str
    created_s: float
    password_hash: str = field(repr=False)
    areas: tuple[str, ...] = ()  # ids of places, see areas.py; none: the whole sub-district


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user or team phone; the token itself is only known to the browser."""

    principal_kind: str  # "user" or "team"
    principal_id: str
    created_s: float
    expires_s: float
    token_sha256: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what."""

    number: int
    at_s: float
    actor: Actor
    action: str
    resource: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows of the audit are wanted; what is empty or None leaves nothing out. `actor` and `text` are found within words."""

    actor: str = ""
    action: str = ""
    text: str = ""
    from_s: float | None = None
    to_s: float | None = None


ALL_AUDIT = AuditFilter()


def read_users(connection: Connection) -> list[User]:
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def read_user(connection: Connection, user: str) -> User | None:
    row = connection.execute(select(users).where(users.c.id == user)).first()
    return _user(row) if row else None


def read_user_by_name(connection: Connection, name: str) -> User | None:
    row = connection.execute(select(users).where(users.c.name == name)).first()
    return _user(row) if row else None


def add_user(connection: Connection, name: str, password_hash: str, role: str, now_s: float, areas: Sequence[str] = ()) -> User:
    if read_user_by_name(connection, name) is not None:
        raise NameTakenError(f"there is a user called {name} already; choose another name")
    user = User(uuid7(now_s), name, role, now_s, password_hash, tuple(areas))
    values = {"id": user.id, "name": name, "role": role, "created_s": now_s, "password_hash": password_hash}
    connection.execute(insert(users).values(values | {"areas": list(areas)}))
    return user


def change_user(connection: Connection, user: str, role: str, areas: Sequence[str]) -> User | None:
    """Give a user another role and other areas, and end their sessions, whose pages show what they saw; None: no such user."""
    before = read_user(connection, user)
    if before is None or (before.role, before.areas) == (role, tuple(areas)):
        return before
    connection.execute(update(users).where(users.c.id == user).values(role=role, areas=list(areas)))
    delete_sessions_of(connection, "user", user)
    return read_user(connection, user)


def add_first_user(connection: Connection, name: str, password_hash: str, role: str, now_s: float) -> User | None:
    """Whoever comes second with the same setup secret finds a user and gets None."""
    if connection.execute(select(users.c.id).limit(1)).first() is not None:
        return None
    set_setup_secret_hash(connection, None)
    return add_user(connection, name, password_hash, role, now_s)


def set_setup_secret_hash(connection: Connection, secret_hash: str | None) -> None:
    connection.execute(delete(secrets).where(secrets.c.name == SETUP))
    if secret_hash is not None:
        connection.execute(insert(secrets).values(name=SETUP, hash=secret_hash))


def read_setup_secret_hash(connection: Connection) -> str | None:
    found: str | None = connection.execute(select(secrets.c.hash).where(secrets.c.name == SETUP)).scalar()
    return found


def add_session(connection: Connection, session: Session, now_s: float) -> None:
    """Add a session, and clear away those that have expired."""
    connection.execute(delete(sessions).where(sessions.c.expires_s <= now_s))
    connection.execute(
        insert(sessions).values(
            token_sha256=session.token_sha256,
            principal_kind=session.principal_kind,
            principal_id=session.principal_id,
            created_s=session.created_s,
            expires_s=session.expires_s,
        )
    )


def read_session(connection: Connection, token_sha256: str, now_s: float) -> Session | None:
    query = select(sessions).where(sessions.c.token_sha256 == token_sha256, sessions.c.expires_s > now_s)
    row = connection.execute(query).first()
    return Session(row.principal_kind, row.principal_id, row.created_s, row.expires_s, row.token_sha256) if row else None


def read_sessions(connection: Connection, now_s: float) -> list[Session]:
    """The sessions that have not expired, newest first."""
    query = select(sessions).where(sessions.c.expires_s > now_s).order_by(sessions.c.created_s.desc(), sessions.c.token_sha256)
    return [
        Session(row.principal_kind, row.principal_id, row.created_s, row.expires_s, row.token_sha256)
        for row in connection.execute(query)
    ]


def delete_session(connection: Connection, token_sha256: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.token_sha256 == token_sha256))


def delete_sessions_of(connection: Connection, principal_kind: str, principal_id: str) -> int:
    theirs = delete(sessions).where(sessions.c.principal_kind == principal_kind, sessions.c.principal_id == principal_id)
    return connection.execute(theirs).rowcount


def add_team_code(connection: Connection, code_sha256: str, team: str, expires_s: float, now_s: float) -> None:
    """Add a code, and clear away those that have expired."""
    connection.execute(delete(team_codes).where(team_codes.c.expires_s <= now_s))
    connection.execute(insert(team_codes).values(code_sha256=code_sha256, team=team, expires_s=expires_s, used=False))


def take_team_code(connection: Connection, code_sha256: str, now_s: float) -> str | None:
    """Use a code up; its team, or None if it is unknown, used or expired."""
    here = (team_codes.c.code_sha256 == code_sha256, team_codes.c.expires_s > now_s, team_codes.c.used.is_(False))
    team: str | None = connection.execute(select(team_codes.c.team).where(*here)).scalar()
    if team is not None:
        connection.execute(update(team_codes).where(*here).values(used=True))
    return team


def add_audit(connection: Connection, actor: Actor, action: str, resource: str, detail: str, now_s: float) -> None:
    connection.execute(
        insert(audit).values(
            at_s=now_s,
            actor_kind=actor.kind.value,
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            resource=resource,
            detail=detail,
        )
    )


def read_audit(connection: Connection, limit: int, before: int | None, which: AuditFilter) -> list[AuditRow]:
    query = select(audit).where(*_passing(which)).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    return [
        AuditRow(
            number=row.number,
            at_s=row.at_s,
            actor=Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name),
            action=row.action,
            resource=row.resource,
            detail=row.detail,
        )
        for row in connection.execute(query)
    ]


def count_audit(connection: Connection, most: int, before: int, which: AuditFilter) -> int:
    """How many rows below `before` pass, counting no further than `most` + 1."""
    found = select(audit.c.number).where(*_passing(which), audit.c.number < before).limit(most + 1).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()


def read_audit_actions(connection: Connection) -> list[str]:
    return list(connection.scalars(select(audit.c.action).distinct().order_by(audit.c.action)))


def _passing(which: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if which.actor:
        found.append(func.lower(audit.c.actor_name).contains(which.actor.lower(), autoescape=True))
    if which.action:
        found.append(audit.c.action == which.action)
    if which.text:
        said = audit.c.resource + " " + audit.c.detail
        found.append(func.lower(said).contains(which.text.lower(), autoescape=True))
    if which.from_s is not None:
        found.append(audit.c.at_s >= which.from_s)
    if which.to_s is not None:
        found.append(audit.c.at_s < which.to_s)
    return found


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(row.id, row.name, row.role, row.created_s, row.password_hash, tuple(row.areas))
