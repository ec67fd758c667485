"""Answers to 401: Basic (RFC 7617), Digest with MD5 or SHA-256 and their session variants (RFC 7616); one realm a connection."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from base.errors import AuthError
from ingest.source import PlainPassword

__all__ = ["Authenticator", "Challenge", "Offers", "parse_challenges"]

_SCHEME = re.compile(r"(?:^|,)\s*(Digest|Basic)\b", re.IGNORECASE)
# Begins where a word does: from every letter of one long word it would take the square of its length, 2 s for 16 kB.
_PARAMETER = re.compile(r'(?<![\w-])([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_ESCAPED = re.compile(r"\\(.)")
_HASHES = {"MD5": hashlib.md5, "MD5-SESS": hashlib.md5, "SHA-256": hashlib.sha256, "SHA-256-SESS": hashlib.sha256}
_MOST_RENEWALS = 3  # of a nonce in a row; more is a password that is refused by a camera that calls it stale
_STRENGTH = ("SHA-256", "SHA-256-SESS", "MD5", "MD5-SESS", "BASIC")  # strongest first


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to sign in that the camera offers; `scheme` is "basic" or "digest"."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(values: list[str]) -> list[Challenge]:
    """Every Basic and Digest challenge in the WWW-Authenticate headers, several in one line included."""
    challenges = []
    for value in values:
        starts = list(_SCHEME.finditer(value))
        for index, start in enumerate(starts):
            end = starts[index + 1].start() if index + 1 < len(starts) else len(value)
            found = _PARAMETER.findall(value, start.end(), end)
            parameters = {name.lower(): _ESCAPED.sub(r"\1", quoted) or plain for name, quoted, plain in found}
            challenges.append(Challenge(start[1].lower(), parameters))
    return challenges


@dataclass(slots=True)
class Offers:
    """What a camera has offered so far, over as many connections as share this: who has offered Digest once gets no Basic."""

    digest: bool = False


class Authenticator:
    """Signs requests once the camera has asked for it. Never shows the password in an error or repr."""

    def __init__(
        self,
        user: str,
        password: str,
        offers: Offers | None = None,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._user, self._password = user, password
        self._offers = offers or Offers()
        self._make_cnonce = nonce
        self._challenge: Challenge | None = None
        self._count = self._renewals = 0
        self._proven = False

    def accepted(self) -> None:
        """A request was not answered with 401: should the camera ask again later, its nonce has become too old."""
        self._proven, self._renewals = self._challenge is not None, 0

    def challenged(self, values: list[str]) -> None:
        """Take the challenge of a 401. Raises AuthError if the credentials were refused, are missing, or no way is offered."""
        if not self._user:
            raise AuthError("the camera asks for a user name and password, and none is configured")
        challenge = self._best(parse_challenges(values))
        if challenge is None:
            raise AuthError("the camera answers 401 and offers neither Basic nor Digest with MD5 or SHA-256")
        before = self._challenge
        if self._offers.digest and challenge.scheme == "basic":
            raise PlainPassword(
                "the camera asked for Digest first, and now for the password in plain text (Basic), refused;"
                " if that was changed on purpose, restart Gridpatrol"
            )
        if before is not None and not self._proven and not self._renewed(before, challenge):
            raise AuthError(f"the camera refuses the password of user {self._user!r} (401)")
        self._challenge, self._count, self._proven = challenge, 0, False
        self._offers.digest |= challenge.scheme == "digest"

    def header(self, method: str, url: str) -> str:
        """The Authorization header for a request, or an empty text while the camera has not asked."""
        if self._challenge is None:
            return ""
        if self._challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        return self._digest(self._challenge.parameters, method, url)

    def _renewed(self, before: Challenge, now: Challenge) -> bool:
        """Whether a second 401 only replaces a nonce that became too old (RFC 7616 §3.3)."""
        self._renewals += 1
        new = now.scheme == "digest" and now.parameters.get("nonce") != before.parameters.get("nonce")
        return new and now.parameters.get("stale", "").lower() == "true" and self._renewals <= _MOST_RENEWALS

    @staticmethod
    def _best(challenges: list[Challenge]) -> Challenge | None:
        """The strongest offer we can answer: Digest SHA-256, Digest MD5, Basic."""
        ranked = []
        for challenge in challenges:
            is_basic = challenge.scheme == "basic"
            algorithm = "BASIC" if is_basic else challenge.parameters.get("algorithm", "MD5").upper()
            if is_basic or (algorithm in _HASHES and "nonce" in challenge.parameters):
                ranked.append((_STRENGTH.index(algorithm), challenge))
        return min(ranked, key=lambda offer: offer[0])[1] if ranked else None

    def _digest(self, offer: dict[str, str], method: str, url: str) -> str:
        algorithm = offer.get("algorithm", "MD5")
        realm, nonce = offer.get("realm", ""), offer["nonce"]

        def hashed(*parts: str) -> str:
            return _HASHES[algorithm.upper()](":".join(parts).encode()).hexdigest()

        secret, request = hashed(self._user, realm, self._password), hashed(method, url)
        fields = {"username": self._user, "realm": realm, "nonce": nonce, "uri": url}
        plain = f", algorithm={algorithm}" if "algorithm" in offer else ""
        cnonce = self._make_cnonce()
        is_session = algorithm.upper().endswith("-SESS")
        if is_session:
            secret = hashed(secret, nonce, cnonce)
        words = [word.strip() for word in offer.get("qop", "").lower().split(",")]
        qop = next((word for word in ("auth", "auth-int") if word in words), "")
        if qop == "auth-int":  # our requests have no body
            request = hashed(method, url, hashed(""))
        if qop:
            self._count += 1
            count = f"{self._count:08x}"
            fields["response"] = hashed(secret, nonce, count, cnonce, qop, request)
            plain += f", qop={qop}, nc={count}"
        else:
            fields["response"] = hashed(secret, nonce, request)
        if qop or is_session:
            fields["cnonce"] = cnonce
        if "opaque" in offer:
            fields["opaque"] = offer["opaque"]
        return "Digest " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in fields.items()) + plain


def _quotable(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
