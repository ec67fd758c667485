"""The first administrator: made with a one-time secret that only the console has seen. Nothing has a default password."""

import hashlib
import hmac
import secrets

from base import Clock
from storage import Store

__all__ = ["check_setup_secret", "ensure_setup_secret"]

SECRET_S = 24 * 3600.0
"""How long a secret is good for: who starts a system sets it up that day, or starts it again."""


def ensure_setup_secret(store: Store, clock: Clock) -> str | None:
    """A new one-time secret for the first administrator, replacing an earlier one; None if there is a user already.

    Only its hash is stored, so a server that is started again before it was set up gives a new one.
    """
    if store.has_users():
        return None
    secret = secrets.token_urlsafe(24)
    store.set_setup_secret_hash(f"{_sha256(secret)}:{clock.now_s() + SECRET_S:.0f}")
    return secret


def check_setup_secret(store: Store, clock: Clock, secret: str) -> bool:
    """Whether `secret` is the one given out last and not too old. Takes the same time however wrong it is."""
    known, _, expires = (store.setup_secret_hash() or "").partition(":")
    matches = hmac.compare_digest(_sha256(secret), known or "none")
    return matches and clock.now_s() < float(expires or 0)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
