"""Versions of the site: what the files of its folder held, who changed them, when. The newest is what the folder holds."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from base import Clock, StorageError
from patrol import Actor
from storage.accounts import add_audit
from storage.database import Database
from storage.reader import Reader
from storage.schema import schema_state
from storage.site_tables import site_files, site_versions
from storage.writer import Writer

__all__ = ["CameraChanges", "SiteVersion", "SiteVersions", "VersionKind", "read_versions"]


class VersionKind(StrEnum):
    """What made a version."""

    CAMERA_ADDED = "camera_added"
    CAMERA_CHANGED = "camera_changed"
    CAMERA_REMOVED = "camera_removed"
    CAMERAS_CHANGED = "cameras_changed"  # several at once
    RULES_CHANGED = "rules_changed"
    MASKS_CHANGED = "masks_changed"
    SETTINGS_CHANGED = "settings_changed"  # desks, limits, who is told
    IMPORT = "import"
    RESTORE = "restore"
    FOLDER = "folder"  # somebody edited the files


@dataclass(frozen=True, slots=True)
class CameraChanges:
    """Ids of the cameras that a version adds, changes and removes, each in order."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteVersion:
    """One version. `files` is the SHA-256 of each file by name, `digest` that of all; `restored` the version it goes back to."""

    version: int
    at_s: float
    by: str
    what: VersionKind
    digest: str
    files: Mapping[str, str]
    changes: CameraChanges
    restored: int | None = None


class SiteVersions:
    """Only added to. Any thread; raises StorageError as the store does."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock) -> None:
        self._writer, self._read, self._clock = writer, read, clock

    def record(
        self,
        files: Mapping[str, bytes],
        digest: str,
        what: VersionKind,
        by: Actor,
        changes: CameraChanges,
        restored: int | None = None,
    ) -> SiteVersion:
        """Store what the files are now, with who changed them; if that is what the newest version holds, give that one."""
        now_s = self._clock.now_s()
        made = {name: (sha256(content).hexdigest(), zlib.compress(content)) for name, content in files.items()}

        def write(connection: Connection) -> SiteVersion:
            newest = _newest(connection)
            if newest is not None and newest.digest == digest:
                return newest
            known = set(connection.scalars(select(site_files.c.sha256)))
            new = {name: content for name, content in made.values() if name not in known}
            if new:
                connection.execute(insert(site_files), [{"sha256": name, "content": content} for name, content in new.items()])
            number = 1 if newest is None else newest.version + 1
            names = {name: digest for name, (digest, _) in made.items()}
            version = SiteVersion(number, now_s, by.name, what, digest, names, changes, restored)
            connection.execute(insert(site_versions).values(_row(version)))
            counts = f"{len(changes.added)} added, {len(changes.changed)} changed, {len(changes.removed)} removed"
            known_names = {} if newest is None else newest.files
            other = sorted(name for name in {*names, *known_names} if names.get(name) != known_names.get(name))
            add_audit(connection, by, f"site_{what}", f"site_version/{number}", f"{', '.join(other)}: cameras {counts}", now_s)
            return version

        return self._writer.run(write)

    def newest(self) -> SiteVersion | None:
        """The newest version; None before the first."""
        return self._read(_newest)

    def version(self, version: int) -> SiteVersion | None:
        """One version by its number."""
        query = select(site_versions).where(site_versions.c.version == version)
        row = self._read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else _version_of(row)

    def page(self, limit: int, before: int | None = None) -> list[SiteVersion]:
        """At most `limit` versions, newest first; those before the number `before`."""
        return self._read(lambda connection: _page(connection, limit, before))

    def files(self, version: SiteVersion) -> dict[str, bytes]:
        """What the files held. Raises StorageError if a content is missing or damaged."""
        query = select(site_files).where(site_files.c.sha256.in_(sorted(set(version.files.values()))))
        packed = self._read(lambda connection: {row.sha256: bytes(row.content) for row in connection.execute(query)})
        found = {}
        for name, wanted in version.files.items():
            try:
                found[name] = zlib.decompress(packed[wanted])
            except (KeyError, zlib.error):
                raise StorageError(f"version {version.version} of the site is damaged: {name} cannot be read") from None
            if sha256(found[name]).hexdigest() != wanted:
                raise StorageError(f"version {version.version} of the site is damaged: {name} is not what was stored")
        return found


def read_versions(url: str, limit: int) -> list[SiteVersion]:
    """The newest versions in the database at `url`, read only, whether Gridpatrol runs or not. Raises StorageError."""
    if not schema_state(url).is_current:
        return []
    database = Database(url)
    try:
        with database.reader.connect() as connection:
            return _page(connection, limit, None)
    except SQLAlchemyError as error:
        raise database.error(error) from error
    finally:
        database.close()


def _page(connection: Connection, limit: int, before: int | None) -> list[SiteVersion]:
    query = select(site_versions).order_by(site_versions.c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(site_versions.c.version < before)
    return [_version_of(row) for row in connection.execute(query).mappings()]


def _newest(connection: Connection) -> SiteVersion | None:
    newest = select(func.max(site_versions.c.version)).scalar_subquery()
    row = connection.execute(select(site_versions).where(site_versions.c.version == newest)).mappings().first()
    return None if row is None else _version_of(row)


def _row(version: SiteVersion) -> dict[str, Any]:  # Any: columns of different types
    changes = version.changes
    return {
        "version": version.version,
        "at_s": version.at_s,
        "by_name": version.by,
        "what": version.what.value,
        "digest": version.digest,
        "files": dict(version.files),
        "changes": {"added": changes.added, "changed": changes.changed, "removed": changes.removed},
        "restored": version.restored,
    }


def _version_of(row: Mapping[Any, Any]) -> SiteVersion:  # as above
    return SiteVersion(
        version=row["version"],
        at_s=row["at_s"],
        by=row["by_name"],
        what=VersionKind(row["what"]),
        digest=row["digest"],
        files=dict(row["files"]),
        changes=CameraChanges(*(tuple(row["changes"][key]) for key in ("added", "changed", "removed"))),
        restored=row["restored"],
    )
