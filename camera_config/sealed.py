"""Logins that are set over the API: sealed with AES-256-GCM in `credentials.toml`, by a key that lies elsewhere.

The file goes where the site folder goes and is worth nothing without the key, which stays in the data folder.
"""

import base64
import binascii
import json
import logging
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from base import ConfigError, StorageError, TomlFile
from camera_config.entry import Entry, Found, Problems
from camera_config.site import Credential, Site

__all__ = ["SEALED_FILE", "SEALED_KEYS", "Vault", "read_sealed"]

logger = logging.getLogger(__name__)

SEALED_FILE = "credentials.toml"
SEALED_KEYS = ("user", "sealed")
_KEY_BYTES, _NONCE_BYTES = 32, 12  # AES-256; the nonce that GCM is made for (NIST SP 800-38D, 8.2.2: random, 96 bits)
_MOST_LETTERS = 1_000


def read_sealed(path: Path, problems: Problems) -> tuple[Found[Credential], ...]:
    """The logins of `credentials.toml`, still sealed; () if there is none."""
    if not path.exists():
        return ()
    try:
        file = TomlFile.read(path)
    except ConfigError as error:
        problems.add_error(path, error)
        return ()
    found = []
    for name, table in file.data.items():
        values = table if isinstance(table, dict) else {}
        entry = Entry(problems, path, values, partial(file.line_of, name, 0), f"{name}.")
        entry.only(SEALED_KEYS)
        Entry(problems, path, {"name": name}, lambda _: 1).id("name")
        login = Credential(name, entry.text("user", "", 200), "", sealed=entry.text("sealed", None, _MOST_LETTERS, secret=True))
        found.append(Found(entry, name, login if entry.ok else None))
    return tuple(found)


class Vault:
    """Seals and opens logins with the key in one file, made at first use, which only its owner may read. Any thread.

    `hide` is told every password before it can get anywhere, so that none is ever logged.
    """

    def __init__(self, key: Path, hide: Callable[[Iterable[str]], None] = lambda _: None) -> None:
        self._path, self._hide = key, hide
        self._key: bytes | None = None

    def seal(self, name: str, user: str, password: str) -> Credential:
        """A login that may be written down. Raises StorageError if the key cannot be read or made."""
        self._hide([password])
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._known_key(make=True)).encrypt(nonce, password.encode(), _about(name, user))
        return Credential(name, user, password, sealed=base64.b64encode(nonce + sealed).decode())

    def opened(self, site: Site) -> Site:
        """The site with the passwords of its sealed logins. One that the key does not open is logged, and has none."""
        if not any(login.sealed for login in site.credentials):
            return site
        return replace(site, credentials=tuple(self._opened(login) if login.sealed else login for login in site.credentials))

    def _opened(self, login: Credential) -> Credential:
        try:
            packed = base64.b64decode(login.sealed, validate=True)
            cipher = AESGCM(self._known_key(make=False))
            password = cipher.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], _about(login.name, login.user)).decode()
        except (InvalidTag, binascii.Error, ValueError, StorageError) as error:
            why = str(error) or "it was sealed with another key, or changed"
            logger.error("the login %s of %s cannot be opened: %s; set its password again", login.name, SEALED_FILE, why)
            return replace(login, password="")
        self._hide([password])
        return replace(login, password=password)

    def _known_key(self, make: bool) -> bytes:
        if self._key is None:
            self._key = self._read() if self._path.exists() or not make else self._make()
        return self._key

    def _read(self) -> bytes:
        try:
            mode, key = stat.S_IMODE(self._path.stat().st_mode), self._path.read_bytes()
        except OSError as error:
            raise StorageError(f"{self._path}: the key of the logins cannot be read: {error.strerror}") from None
        if mode & 0o077 or len(key) != _KEY_BYTES:
            found = f"{len(key)} bytes, mode {mode:04o}"
            raise StorageError(f"{self._path}: expected a key of {_KEY_BYTES} bytes that only its owner may read, got {found}")
        return key

    def _make(self) -> bytes:
        key = secrets.token_bytes(_KEY_BYTES)
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{self._path}: the key of the logins cannot be made: {error.strerror}") from None
        return key


def _about(name: str, user: str) -> bytes:
    """What is sealed with a password, so that it cannot be moved to another login."""
    return json.dumps([name, user]).encode()
