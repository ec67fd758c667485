"""The clips of events: each a row, and a file beside the database that is copied whole, checked and never changed."""

import hashlib
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select

from base import Clip, ClipGap, ClipGapCause, Clock, Codec, StorageError
from storage.clip_tables import clips
from storage.reader import Reader
from storage.tables import events
from storage.writer import Writer

__all__ = ["Clips", "place_of"]

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_PATIENCE_S = 86_400.0
"""How long the clip of an event that nobody has told of is asked to wait for it."""

FREE_BYTES = 2 << 30
"""That stay free on the disk: events, incidents and the audit trail go before clips."""

_UNCLAIMED_S = 3600.0
"""A file without a row is being stored, or was given up, or its row has been deleted: the last two are certain after an hour."""


class Clips:
    """Stores and finds clips. Safe from any thread. Everything raises StorageError as the store does."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, folder: Path | None, free_bytes: int = FREE_BYTES) -> None:
        """`folder` is on a local disk, of which `free_bytes` stay free; without a folder no clip can be stored."""
        self._writer, self._read, self._clock, self._folder, self._free_bytes = writer, read, clock, folder, free_bytes

    def store(self, clip: Clip) -> str | None:
        """Store a clip and copy its file; the id of its incident. Idempotent by event.

        None, with an error in the log, for one that will never be whole: its file is not what it was, or its event is unknown
        for a day. When this returns the clip is on stable storage. Raises StorageError for what another try may cure.
        """
        known = self._read(lambda connection: _incident_of(connection, clip.event))
        if known is None:
            if self._clock.now_s() - clip.ended_s < _PATIENCE_S:
                raise StorageError(f"its event {clip.event} is not stored yet")
            logger.error("the clip of event %s is given up: nobody knows that event", clip.event)
            return None
        incident, is_stored = known
        if not is_stored:
            try:
                self._copy(clip)
            except (FileNotFoundError, ValueError) as error:
                logger.error("the clip of event %s is lost: %s", clip.event, error)
                return None
            except OSError as error:
                raise StorageError(f"{self._folder}: the clip of event {clip.event} is not stored: {error}") from error
            now_s = self._clock.now_s()
            self._writer.run(lambda connection: _insert(connection, clip, now_s))
        return incident

    def clip(self, event: str) -> Clip | None:
        """The clip of an event, with the file that it lies in; None if there is none."""
        return self._find(clips.c.event == event).get(event)

    def of_incident(self, incident: str) -> Mapping[str, Clip]:
        """The clips of an incident's events, by event."""
        return self._find(events.c.incident == incident)

    def clear_away(self) -> int:
        """Delete the files whose rows retention has deleted; how many. Reads the folder, so not often."""
        if self._folder is None:
            return 0
        known = self._read(lambda connection: set(connection.scalars(select(clips.c.event))))
        before_s = self._clock.now_s() - _UNCLAIMED_S
        deleted = 0
        for path in self._folder.glob("*/*"):
            with suppress(OSError):
                if path.stem not in known and path.stat().st_mtime < before_s:
                    path.unlink()
                    deleted += 1
        for day in self._folder.glob("*"):
            with suppress(OSError):
                day.rmdir()  # refused unless it is empty
        return deleted

    def _find(self, which: ColumnElement[bool]) -> dict[str, Clip]:
        query = select(clips, events.c.camera).join(events).where(which)
        rows = self._read(lambda connection: connection.execute(query).mappings().all())
        return {row["event"]: self._clip_of(row) for row in rows}

    def _clip_of(self, row: Mapping[Any, Any]) -> Clip:  # Any: columns of different types
        return Clip(
            event=row["event"],
            camera=row["camera"],
            began_s=row["began_s"],
            ended_s=row["ended_s"],
            frames=row["frames"],
            codec=Codec(row["codec"]),
            width_px=row["width_px"],
            height_px=row["height_px"],
            bytes=row["bytes"],
            sha256=row["sha256"],
            reencoded=row["reencoded"],
            gaps=tuple(ClipGap(began_s, ended_s, ClipGapCause(cause)) for began_s, ended_s, cause in row["gaps"]),
            file=self._place(row["event"], row["began_s"]),
        )

    def _place(self, event: str, began_s: float) -> Path:
        """Where the file of a clip lies."""
        if self._folder is None:
            raise StorageError("there is no folder for clips")
        return place_of(self._folder, event, began_s)

    def _copy(self, clip: Clip) -> None:
        """Copy the file of `clip` to its place; raises ValueError if it is not what its worker wrote, OSError."""
        place = self._place(clip.event, clip.began_s)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(place.parent).free
        if free < self._free_bytes:
            raise StorageError(
                f"{free / 1e9:.1f} GB are free on the disk of {self._folder}, and the last {self._free_bytes / 1e9:.1f} GB"
                " are for events; make room, or clips_max_gb smaller"
            )
        part = place.with_suffix(".part")
        try:
            digest = hashlib.sha256()
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with clip.file.open("rb") as source, os.fdopen(handle, "wb") as target:
                while data := source.read(_CHUNK):
                    digest.update(data)
                    target.write(data)
                target.flush()
                os.fdatasync(target.fileno())
            if digest.hexdigest() != clip.sha256:
                raise ValueError(f"{clip.file}: expected SHA-256 {clip.sha256}, found {digest.hexdigest()}")
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        for folder in (place.parent, place.parent.parent):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def place_of(folder: Path, event: str, began_s: float) -> Path:
    """Where in `folder` the clip of an event lies that begins at `began_s`: in a folder for each day, UTC."""
    return folder / datetime.fromtimestamp(began_s, UTC).date().isoformat() / f"{event}.mp4"


def _incident_of(connection: Connection, event: str) -> tuple[str, bool] | None:
    """The incident of an event, and whether its clip is stored; None if there is no such event."""
    query = select(events.c.incident, clips.c.event).join(clips, isouter=True).where(events.c.id == event)
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1] is not None)


def _insert(connection: Connection, clip: Clip, now_s: float) -> None:
    known = _incident_of(connection, clip.event)
    if known is None or known[1]:  # deleted since, or stored by somebody else
        return
    row = {name: getattr(clip, name) for name in Clip.__slots__ if name not in ("camera", "file", "gaps", "codec")}
    row |= {"codec": clip.codec.value, "gaps": _rows_of(clip.gaps), "recorded_s": now_s}
    connection.execute(insert(clips).values(row))


def _rows_of(gaps: Sequence[ClipGap]) -> list[tuple[float, float, str]]:
    return [(gap.began_s, gap.ended_s, gap.cause.value) for gap in gaps]
