"""The file of a backup: written beside its place and moved there when it is whole; read with every byte checked."""

import fcntl
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from base import StorageError
from camera_config.load import FILES

__all__ = ["FORMAT", "POSTGRESQL", "SITE", "SQLITE", "Archive", "Manifest", "NewArchive", "Part", "part_of", "write_archive"]

FORMAT = 1
SQLITE, POSTGRESQL = "database.sqlite", "database.pgdump"
SITE = "site/"

_MANIFEST, _SUM = "manifest.json", "manifest.sha256"
_MANIFEST_BYTES = 1_000_000
_CHUNK = 1 << 20
_ALLOWED = frozenset({SQLITE, POSTGRESQL, *(f"{SITE}{name}" for name in FILES)})


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `schema` is the revision of its tables, `rows` how many each has."""

    format: int
    version: str  # of Gridpatrol
    made_at: str  # ISO 8601, UTC
    site: str  # id
    schema: str
    rows: Mapping[str, int]
    parts: Mapping[str, Part]

    @property
    def database(self) -> str:
        """Which of its parts is the database."""
        return SQLITE if SQLITE in self.parts else POSTGRESQL


def part_of(path: Path) -> Part:
    """Size and hash of a file; raises StorageError."""
    try:
        with path.open("rb") as file:
            return Part(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from None


class NewArchive:
    """A backup being written. What goes into it may be made in `folder`, which is on the same disk and goes away."""

    def __init__(self, to: Path, part: Path, file: IO[bytes], folder: Path) -> None:
        self.folder = folder
        self._to = to
        self._part = part
        self._file = file

    def finish(self, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """Write everything and give the file its name; raises OSError."""
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        with tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, content in ((_MANIFEST, text), (_SUM, hashlib.sha256(text).hexdigest().encode())):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o600
                tar.addfile(member, io.BytesIO(content))
            for name, path in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = manifest.parts[name].bytes, 0o600
                with path.open("rb") as source:
                    tar.addfile(member, source)
        self._file.flush()
        os.fsync(self._file.fileno())
        os.link(self._part, self._to)  # which, unlike renaming, never replaces a file that came there meanwhile
        folder = os.open(self._to.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@contextmanager
def write_archive(to: Path) -> Iterator[NewArchive]:
    """A backup to be written to `to`, readable by its owner only; without `finish`, nothing is left.

    Raises StorageError if there is a file already, if another process writes one there, or if the disk refuses.
    """
    part = to.with_name(f".{to.name}.part")
    try:
        if to.exists():
            raise StorageError(f"{to} exists already; give each backup a name of its own, such as one with the date")
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StorageError(f"another backup is being written to {to}") from None
            try:
                file.truncate(0)  # left by one that was killed
                with tempfile.TemporaryDirectory(prefix=".gridpatrol-backup-", dir=to.parent) as folder:
                    yield NewArchive(to, part, file, Path(folder))
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{to} cannot be written: {error.strerror or error}") from None


class Archive:
    """A backup to be read. Nothing in it is believed: names, sizes and hashes are those of the manifest, and that has its own."""

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self._path = path
        self._tar = tar
        text = self._small(_MANIFEST)
        if hashlib.sha256(text).hexdigest().encode() != self._small(_SUM):
            raise StorageError(f"{path} is damaged: its manifest is not the one that was written; use another backup")
        self.manifest = _manifest_of(text, path)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> "Iterator[Archive]":
        """Raises StorageError if there is no backup or if it is damaged, also while it is being read."""
        try:
            with tarfile.open(path, "r:") as tar:
                yield cls(path, tar)
        except tarfile.TarError as error:
            raise StorageError(f"{path} is no backup, or damaged: {error}") from None
        except OSError as error:
            raise StorageError(f"{error.filename or path}: {error.strerror or error}") from None

    def extract(self, folder: Path) -> None:
        """Write every part below `folder`; raises StorageError if one is not what the manifest says."""
        (folder / SITE).mkdir()
        for name, part in self.manifest.parts.items():
            source, target = self._member(name, part.bytes), folder / name
            digest = hashlib.sha256()
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != part.sha256:
                raise StorageError(f"{self._path} is damaged: {name} is not what was written; use another backup")
            if name.startswith(SITE):
                target.chmod(0o644)

    def _small(self, name: str) -> bytes:
        source = self._member(name, None)
        return source.read(_MANIFEST_BYTES)

    def _member(self, name: str, size: int | None) -> IO[bytes]:
        try:
            member = self._tar.getmember(name)
        except KeyError:
            raise StorageError(f"{self._path} is no backup, or damaged: {name} is missing") from None
        source = self._tar.extractfile(member) if member.isreg() and not member.issparse() else None
        if source is None or (size is not None and member.size != size):
            raise StorageError(f"{self._path} is damaged: {name} is not what was written; use another backup")
        return source


def _manifest_of(text: bytes, path: Path) -> Manifest:
    """The manifest, whose hash is right: wrong is only what another program wrote."""
    try:
        found: dict[str, Any] = json.loads(text)  # Any: what JSON may hold
        if found["format"] > FORMAT:
            raise StorageError(f"{path} was made by a newer Gridpatrol ({found['version']}); restore it with that version")
        parts = {name: Part(part["bytes"], part["sha256"]) for name, part in found.pop("parts").items()}
        manifest = Manifest(**found, parts=parts)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StorageError(f"{path} is no backup: its manifest cannot be understood") from None
    databases = {SQLITE, POSTGRESQL} & parts.keys()
    if len(databases) != 1 or not parts.keys() <= _ALLOWED:
        raise StorageError(f"{path} is no backup: it holds {', '.join(sorted(parts))[:200]}")
    return manifest
