"""The secrets of rounds, made once and kept in table `secrets`: key of the codes, seed of the draws. And the codes refused."""

import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from base import StorageError
from patrol.checkpoint_codes import CodeKey, Refusal
from patrol.incident import Actor, ActorKind
from storage.accounts import add_audit
from storage.areas import Area, attempts_of
from storage.tables import code_attempts, secrets

__all__ = ["CodeAttempt", "add_attempt", "make_secrets", "read_attempts", "read_key", "read_seed", "renew_key"]

KEY, SEED = "checkpoint_key", "rounds_seed"
"""Names in table `secrets`. Unlike passwords these cannot be kept as hashes: codes are made and checked with them."""

KEY_BYTES = 32  # as long as the digest, RFC 2104 §3


@dataclass(frozen=True, slots=True)
class CodeAttempt:
    """A code that was refused. `checkpoint` is what it claimed to be of, empty if it could not be read."""

    number: int
    at_s: float
    by: Actor
    refusal: Refusal
    checkpoint: str
    round: str


def make_secrets(connection: Connection) -> None:
    """Make what is missing. The caller commits."""
    if _read(connection, KEY) is None:
        _write(connection, KEY, f"1:{randomness.token_hex(KEY_BYTES)}")
    if _read(connection, SEED) is None:
        _write(connection, SEED, randomness.token_hex(KEY_BYTES))


def read_key(connection: Connection, site: str) -> CodeKey:
    """The key as it is now; raises StorageError if there is none."""
    version, _, key = _must(connection, KEY).partition(":")
    return CodeKey(site, int(version), bytes.fromhex(key))


def read_seed(connection: Connection) -> str:
    """The seed from which all random rounds of this site are drawn; raises StorageError if there is none."""
    return _must(connection, SEED)


def renew_key(connection: Connection, site: str, by: Actor, now_s: float) -> CodeKey:
    """A new key: every code printed so far is worth nothing. The caller commits."""
    version = read_key(connection, site).version + 1
    connection.execute(delete(secrets).where(secrets.c.name == KEY))
    _write(connection, KEY, f"{version}:{randomness.token_hex(KEY_BYTES)}")
    add_audit(connection, by, "renew_codes", "checkpoint_codes", f"version {version}", now_s)
    return read_key(connection, site)


def add_attempt(connection: Connection, by: Actor, refusal: Refusal, checkpoint: str, round_id: str, now_s: float) -> None:
    """Record that a code was refused. The caller commits."""
    row = {"at_s": now_s, "by_kind": by.kind.value, "by_id": by.id, "by_name": by.name}
    connection.execute(insert(code_attempts), row | {"refusal": refusal.value, "checkpoint": checkpoint, "round": round_id})


def read_attempts(connection: Connection, limit: int, before: int | None, area: Area | None = None) -> Sequence[CodeAttempt]:
    """Newest first, those with a number below `before`."""
    query = select(code_attempts).where(*attempts_of(area)).order_by(code_attempts.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(code_attempts.c.number < before)
    return [
        CodeAttempt(
            row.number,
            row.at_s,
            Actor(ActorKind(row.by_kind), row.by_id, row.by_name),
            Refusal(row.refusal),
            row.checkpoint,
            row.round,
        )
        for row in connection.execute(query)
    ]


def _must(connection: Connection, name: str) -> str:
    found = _read(connection, name)
    if found is None:
        raise StorageError(f"the database holds no {name}; it was taken out by hand, restart Gridpatrol to have a new one made")
    return found


def _read(connection: Connection, name: str) -> str | None:
    found: str | None = connection.execute(select(secrets.c.hash).where(secrets.c.name == name)).scalar()
    return found


def _write(connection: Connection, name: str, value: str) -> None:
    connection.execute(insert(secrets).values(name=name, hash=value))
