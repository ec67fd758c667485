"""The text in a checkpoint's QR code and NFC tag, which nobody can make who has not the key.

`GP1:<site>:<checkpoint>:<version>:<seal>`, in capitals, so that a QR code needs few modules. The seal is the first 80 bits of
HMAC-SHA-256 over all of it but the seal, in base32 (RFC 4648 §6). With a new key comes a new version, and codes of older ones
are worth nothing.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

from base import TransitionError

__all__ = ["CodeError", "CodeKey", "Refusal", "code_of", "read_code"]

SEAL_LETTERS = 16
"""80 bits: guessing a seal takes 2**79 tries on average, and each is a recorded refusal."""

_CODE = re.compile(r"GP1:([A-Z0-9_-]{1,64}):([A-Z0-9_-]{1,64}):([1-9][0-9]{0,8}):([A-Z2-7]{16})")


class Refusal(StrEnum):
    """Why a check-in proves nothing; recorded with who tried."""

    UNREADABLE = "unreadable"
    FOREIGN_SITE = "foreign_site"
    OLD_VERSION = "old_version"
    FORGED = "forged"
    OTHER_CHECKPOINT = "other_checkpoint"  # a good code, of a checkpoint that was not meant
    NOT_ON_ROUND = "not_on_round"  # a good code, of a checkpoint that this round does not pass


class CodeError(TransitionError):
    """A code is refused. `checkpoint` is what it claims to be of, empty if it cannot be read."""

    def __init__(self, refusal: Refusal, sentence: str, checkpoint: str = "") -> None:
        super().__init__(sentence)
        self.refusal = refusal
        self.checkpoint = checkpoint


@dataclass(frozen=True, slots=True)
class CodeKey:
    """The key of one site and how often it was renewed, from 1."""

    site: str
    version: int
    key: bytes = field(repr=False)


def code_of(checkpoint: str, key: CodeKey) -> str:
    """The text of a checkpoint's code."""
    text = f"GP1:{key.site}:{checkpoint}:{key.version}".upper()
    return f"{text}:{_seal(text, key)}"


def read_code(text: str, key: CodeKey) -> str:
    """The checkpoint of a code; raises CodeError saying what is wrong with it."""
    match = _CODE.fullmatch(text.strip().upper()) if len(text) <= 200 and text.isascii() else None
    if match is None:
        raise CodeError(Refusal.UNREADABLE, "this is not the code of a checkpoint")
    site, checkpoint, version, seal = match.groups()
    checkpoint = checkpoint.lower()
    if site != key.site.upper():
        raise CodeError(Refusal.FOREIGN_SITE, "this code belongs to another site", checkpoint)
    if int(version) < key.version:
        sentence = f"this code is of version {version}; codes were renewed (version {key.version}), it must be replaced"
        raise CodeError(Refusal.OLD_VERSION, sentence, checkpoint)
    signed = text.strip().upper().rpartition(":")[0]
    if int(version) > key.version or not hmac.compare_digest(seal, _seal(signed, key)):
        raise CodeError(Refusal.FORGED, "this code was not made here: its seal is wrong", checkpoint)
    return checkpoint


def _seal(text: str, key: CodeKey) -> str:
    digest = hmac.new(key.key, text.encode("ascii"), hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode("ascii")
