"""Signing in and staying signed in: passwords by argon2, opaque tokens of which the database knows only the hash."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from base import Clock, ConfigError, DeniedError
from camera_config.site import Site
from dashboard.attempts import Attempts, peer_key
from dashboard.authorize import NotSignedInError, Principal, PrincipalKind, Role
from dashboard.failures import TooManyError
from dashboard.settings import DashboardSettings
from dashboard.setup import check_setup_secret
from patrol import Actor, ActorKind
from storage import Session, Store

__all__ = ["PASSWORD_MIN", "Sessions", "SignedIn", "actor_of", "name_of"]

logger = logging.getLogger(__name__)

PASSWORD_MIN = 12
"""Characters; NIST SP 800-63B asks for 8, and the administrator of 727 cameras for more."""

HASHES_AT_ONCE = 4
"""Each takes 64 MiB and 4 lanes (RFC 9106, second recommended option)."""

_HASHER = PasswordHash((Argon2Hasher(),))
_DECOY = _HASHER.hash(secrets.token_urlsafe(16))
"""Checked where there is no such user, so that the answer takes as long."""

_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without those people mistake for each other
_CODE_GROUPS = 3  # of four letters: 58 bits, guessed 10 times in 5 minutes for 15 minutes


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A valid session: whose it is, its key (the SHA-256 of its token) and when it ends at the latest (UTC)."""

    principal: Principal
    expires_s: float
    key: str = field(repr=False)


class Sessions:
    """Who is signed in. Owned by the event loop; what blocks runs in threads.

    The database keeps sessions over restarts. When one was last used is kept in memory only: a restart starts its idle time anew.
    """

    def __init__(self, store: Store, site: Site, clock: Clock, settings: DashboardSettings) -> None:
        self._store = store
        self._site = site
        self._clock = clock
        self._settings = settings
        self._attempts = Attempts(clock, settings.failures, settings.failures_s)  # by peer, whatever the name
        self._by_name = Attempts(clock, settings.failures_by_name, settings.failures_s)
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._used_s: dict[str, float] = {}  # key -> monotonic time of last use

    async def sign_in(self, name: str, password: str, peer: str) -> tuple[str, SignedIn]:
        """A new token for a user; raises DeniedError if name or password is wrong, TooManyError after too many of those."""
        key = peer_key(peer)
        self._attempts.begin(key)
        try:
            self._by_name.begin(name)
        except TooManyError:
            self._attempts.forgive(key)  # nothing was tried
            raise
        user = await asyncio.to_thread(self._store.user_by_name, name)
        is_right = await self._verify(password, user.password_hash if user else _DECOY)
        if user is None or not is_right:
            logger.warning("sign-in failed for %r from %s", name, peer)
            raise NotSignedInError("The name or the password is wrong.")
        self._attempts.forgive(key)
        self._by_name.forgive(name)
        return await self._begin(PrincipalKind.USER, user.id, "sign_in")

    async def sign_in_team(self, code: str, peer: str) -> tuple[str, SignedIn]:
        """A new token for a team's phone; the code is used up by it."""
        key = peer_key(peer)
        self._attempts.begin(key)
        team = await asyncio.to_thread(self._store.take_team_code, _sha256(_plain(code)), self._clock.now_s())
        if team is None or team not in self._site.team_by_id:
            logger.warning("a phone code was refused, from %s", peer)
            raise NotSignedInError("This code is wrong, used or too old; ask the control room for a new one.")
        self._attempts.forgive(key)
        return await self._begin(PrincipalKind.TEAM, team, "sign_in")

    async def set_up(self, secret: str, name: str, password: str, peer: str) -> tuple[str, SignedIn]:
        """The first administrator, signed in; raises DeniedError for a wrong secret or when somebody was first."""
        key = peer_key(peer)
        self._attempts.begin(key)
        if not await asyncio.to_thread(check_setup_secret, self._store, self._clock, secret):
            logger.warning("a wrong setup secret was given, from %s", peer)
            raise DeniedError(
                "This setup link is wrong, used or too old; the console has the right one, or a new one after a restart."
            )
        password_hash = await self.hash(name, password)
        user = await asyncio.to_thread(self._store.add_first_user, name, password_hash, Role.ADMINISTRATOR)
        if user is None:
            raise DeniedError("There is an administrator already; sign in.")
        self._attempts.forgive(key)
        return await self._begin(PrincipalKind.USER, user.id, "set_up")

    async def hash(self, name: str, password: str) -> str:
        """The hash of a new password; raises ConfigError if the password is too easy to guess."""
        if len(password) < PASSWORD_MIN:
            raise ConfigError(f"password: expected at least {PASSWORD_MIN} characters, got {len(password)}")
        if name.casefold() in password.casefold() or len(set(password)) < 5:
            raise ConfigError("password: expected one that does not contain the name and has at least 5 different characters")
        async with self._hashing:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def find(self, token: str) -> SignedIn | None:
        """The session of a token, None if there is none any more; counts as use of it."""
        if not 20 <= len(token) <= 200:
            return None
        return (await self._valid((_sha256(token),))).get(_sha256(token))

    async def valid(self, keys: Collection[str]) -> frozenset[str]:
        """Which of the sessions `keys` are still good. Counts as use: a page that is open and connected is being watched."""
        return frozenset(await self._valid(keys))

    async def end(self, signed_in: SignedIn) -> None:
        """Sign out."""
        self._used_s.pop(signed_in.key, None)
        await asyncio.to_thread(self._store.delete_session, signed_in.key)
        await asyncio.to_thread(self._audit, signed_in.principal, "sign_out")

    async def listed(self) -> list[tuple[SignedIn, float, float | None]]:
        """Every good session, newest first: since when, UTC, and for how many seconds nobody used it; None: not in this run."""
        stored = await asyncio.to_thread(self._store.sessions)
        now_s = self._clock.monotonic_s()
        idle_s = {key: now_s - used_s for key, used_s in self._used_s.items()}
        found: list[tuple[SignedIn, float, float | None]] = []
        for session in stored:
            principal = await asyncio.to_thread(self._principal, session)
            key = session.token_sha256
            is_idle = session.principal_kind == PrincipalKind.USER and idle_s.get(key, 0.0) > self._settings.idle_s
            if principal is not None and not is_idle:
                found.append((SignedIn(principal, session.expires_s, key), session.created_s, idle_s.get(key)))
        return found

    async def end_other(self, name: str) -> SignedIn | None:
        """End the session that `name_of` calls this; whose it was, None if there is none."""
        for signed_in, _, _ in await self.listed():
            if name_of(signed_in) == name:
                self._used_s.pop(signed_in.key, None)
                await asyncio.to_thread(self._store.delete_session, signed_in.key)
                return signed_in
        return None

    async def end_team(self, team: str) -> int:
        """Sign out all phones of a team; how many there were."""
        return await asyncio.to_thread(self._store.delete_sessions_of, PrincipalKind.TEAM, team)

    async def new_code(self, team: str) -> tuple[str, float]:
        """A one-time code for a phone of `team`, and when it expires (UTC)."""
        letters = [secrets.choice(_CODE_LETTERS) for _ in range(4 * _CODE_GROUPS)]
        expires_s = self._clock.now_s() + self._settings.code_s
        await asyncio.to_thread(self._store.add_team_code, _sha256("".join(letters)), team, expires_s)
        return "-".join("".join(letters[start : start + 4]) for start in range(0, len(letters), 4)), expires_s

    async def _verify(self, password: str, password_hash: str) -> bool:
        async with self._hashing:
            return await asyncio.to_thread(_HASHER.verify, password, password_hash)

    async def _begin(self, kind: PrincipalKind, principal_id: str, action: str) -> tuple[str, SignedIn]:
        token = secrets.token_urlsafe(32)
        expires_s = self._clock.now_s() + self._settings.session_s
        session = await asyncio.to_thread(self._store.add_session, _sha256(token), kind, principal_id, expires_s)
        principal = await asyncio.to_thread(self._principal, session)
        if principal is None:
            raise NotSignedInError("This account is gone.")
        now_s = self._clock.monotonic_s()
        self._used_s = {key: used_s for key, used_s in self._used_s.items() if now_s - used_s < self._settings.session_s}
        self._used_s[session.token_sha256] = now_s
        await asyncio.to_thread(self._audit, principal, action)
        return token, SignedIn(principal, session.expires_s, session.token_sha256)

    async def _valid(self, keys: Collection[str]) -> dict[str, SignedIn]:
        now_s = self._clock.monotonic_s()
        idle = {key for key in keys if now_s - self._used_s.get(key, now_s) > self._settings.idle_s}
        found = await asyncio.to_thread(self._look_up, keys, idle)
        for key in keys:
            if key in found:
                self._used_s[key] = now_s
            else:
                self._used_s.pop(key, None)
        return found

    def _look_up(self, keys: Collection[str], idle: Collection[str]) -> dict[str, SignedIn]:
        found = {}
        for key in keys:
            session = self._store.session(key)
            principal = None if session is None else self._principal(session)
            if session is None or principal is None:
                continue
            if key in idle and principal.kind is PrincipalKind.USER:
                self._store.delete_session(key)
                continue
            found[key] = SignedIn(principal, session.expires_s, key)
        return found

    def _principal(self, session: Session) -> Principal | None:
        """Whose session it is now: role and areas are read each time: what is taken away is gone with the next request."""
        if session.principal_kind == PrincipalKind.TEAM:
            team = self._site.team_by_id.get(session.principal_id)
            return (
                None if team is None else Principal(PrincipalKind.TEAM, team.id, team.name.zh, Role.TEAM, team.id, team.name.en)
            )
        user = self._store.user(session.principal_id)
        if user is None or user.role not in list(Role):
            return None
        return Principal(PrincipalKind.USER, user.id, user.name, Role(user.role), area=self._store.area(user.areas))

    def _audit(self, principal: Principal, action: str) -> None:
        self._store.audit(actor_of(principal), action, f"{principal.kind}:{principal.id}")


def name_of(signed_in: SignedIn) -> str:
    """What to call a session: nobody can find its token, or what the database knows of it, from this."""
    return _sha256(f"session {signed_in.key}")[:32]


def actor_of(principal: Principal) -> Actor:
    """Who a principal is in the history of an incident."""
    return Actor(ActorKind(principal.kind.value), principal.id, principal.name)


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
