"""Photos that go with a report or an arrival: evidence, each named by a line of the incident's history with its SHA-256."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from base import Clock, DeniedError, TransitionError
from patrol import FUTURE_S, Actor, ActorKind, CommandError, Flag, Happening, HistoryEntry, Step
from patrol.advance import LATE_S
from storage.accounts import add_audit
from storage.incidents import read_incident, write_incidents
from storage.photo_tables import photo_jpegs, photos
from storage.reader import Reader
from storage.rows import entry_row
from storage.tables import history
from storage.writer import Writer

__all__ = ["PER_REPORT", "NewPhoto", "Photo", "Photos", "altered_photos"]

PER_REPORT = 4
"""Photos that go with one report or arrival."""

_STEPS = (Step.ARRIVE.value, Step.REPORT.value, Happening.OPENED.value)
"""What a photo may go with: OPENED by the report of a person."""


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A picture to be kept. `id` is made by the client; `command` is that of the arrival or report it goes with."""

    id: str
    incident: str
    command: str
    at_s: float  # when it was taken
    jpeg: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Photo:
    """What is known of a photo, without its picture."""

    id: str
    incident: str
    version: int  # of the line of history that names it
    command: str
    at_s: float
    recorded_s: float
    by: Actor
    sha256: str
    width_px: int
    height_px: int
    picture_bytes: int | None  # None once the picture was deleted


class Photos:
    """The photos of one store. As the `Store` it belongs to: any thread, returns after the commit, raises StorageError."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock

    def add(self, new: NewPhoto, by: Actor) -> Photo:
        """Keep a photo, once by its id. A team adds to what it reported itself, a user to any report.

        Raises CommandError if the id means another photo or it is from the future, TransitionError if there is no such report or
        it has `PER_REPORT` photos, DeniedError if another team reported it.
        """
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: _add(connection, new, by, now_s))

    def photo(self, photo: str) -> Photo | None:
        """One photo by its id."""
        return self._read(lambda connection: _find(connection, photo))

    def of_incident(self, incident: str) -> list[Photo]:
        """The photos of one incident, in the order of its history."""
        query = select(photos).where(photos.c.incident == incident).order_by(photos.c.version)
        return self._read(lambda connection: [_photo_of(row) for row in connection.execute(query).mappings()])

    def jpeg(self, photo: str) -> bytes | None:
        """The picture; None if there is no such photo, or its picture was deleted."""
        query = select(photo_jpegs.c.jpeg).where(photo_jpegs.c.photo == photo)
        found = self._read(lambda connection: connection.scalar(query))
        return None if found is None else bytes(found)


def altered_photos(connection: Connection) -> list[str]:
    """A sentence for each stored picture that is not the one that the history of its incident names."""
    said = (history.c.incident == photos.c.incident) & (history.c.version == photos.c.version)
    query = (
        select(photos.c.id, history.c.text, photo_jpegs.c.jpeg)
        .join(photo_jpegs, photo_jpegs.c.photo == photos.c.id)
        .outerjoin(history, said)
        .order_by(photos.c.id)
    )
    rows = connection.execute(query.execution_options(yield_per=10))  # some MB at a time
    wrong = [row.id for row in rows if hashlib.sha256(row.jpeg).hexdigest() != row.text]
    return [f"photo {name} is not the picture whose SHA-256 the history of its incident holds" for name in wrong]


def _add(connection: Connection, new: NewPhoto, by: Actor, now_s: float) -> Photo:
    sha256 = hashlib.sha256(new.jpeg).hexdigest()
    known = _find(connection, new.id)
    if known is not None:
        if (known.incident, known.command, known.by.id, known.sha256) != (new.incident, new.command, by.id, sha256):
            raise CommandError(f"the id {new.id} was already used for another photo; every photo needs an id of its own")
        return known
    if not math.isfinite(new.at_s) or new.at_s > now_s + FUTURE_S:
        raise CommandError("at: this moment has not come yet; the clock of the device is wrong")
    incident = read_incident(connection, new.incident)
    if incident is None:
        raise TransitionError(f"there is no incident {new.incident}")
    _check_report(connection, new, by)
    changed = replace(incident, version=incident.version + 1)
    at_s = min(new.at_s, now_s)
    entry = HistoryEntry(
        incident=incident.id,
        version=changed.version,
        step=Happening.PHOTO,
        work=incident.work,
        at_s=at_s,
        recorded_s=now_s,
        by=by,
        team=by.id if by.kind is ActorKind.TEAM else "",
        text=sha256,
        command=new.id,
        flags=(Flag.LATE,) if now_s - at_s > LATE_S else (),
    )
    photo = Photo(
        id=new.id,
        incident=incident.id,
        version=changed.version,
        command=new.command,
        at_s=at_s,
        recorded_s=now_s,
        by=by,
        sha256=sha256,
        width_px=new.width_px,
        height_px=new.height_px,
        picture_bytes=len(new.jpeg),
    )
    write_incidents(connection, [changed])
    connection.execute(insert(history), [entry_row(entry)])
    connection.execute(insert(photos), _row(photo))
    connection.execute(insert(photo_jpegs), {"photo": photo.id, "jpeg": new.jpeg})
    add_audit(connection, by, "photo", f"incident/{incident.id}", sha256, now_s)
    return photo


def _check_report(connection: Connection, new: NewPhoto, by: Actor) -> None:
    line = select(history).where(history.c.incident == new.incident, history.c.command == new.command, history.c.step.in_(_STEPS))
    report = connection.execute(line).first() if new.command else None
    if report is None:
        raise TransitionError("there is no arrival or report of this incident with that command; send that first")
    if by.kind is not ActorKind.USER and (report.by_kind, report.by_id) != (by.kind.value, by.id):
        raise DeniedError("A team may add photos only to what it reported itself.")
    count: int = connection.execute(select(func.count()).where(photos.c.command == new.command)).scalar_one()
    if count >= PER_REPORT:
        raise TransitionError(f"this report has {PER_REPORT} photos already, and may have no more")


def _find(connection: Connection, photo: str) -> Photo | None:
    row = connection.execute(select(photos).where(photos.c.id == photo)).mappings().first()
    return _photo_of(row) if row else None


_PLAIN = (
    "id",
    "incident",
    "version",
    "command",
    "at_s",
    "recorded_s",
    "sha256",
    "width_px",
    "height_px",
    "picture_bytes",
)


def _row(photo: Photo) -> dict[str, Any]:  # Any: columns of different types
    by = {"by_kind": photo.by.kind.value, "by_id": photo.by.id, "by_name": photo.by.name}
    return by | {name: getattr(photo, name) for name in _PLAIN}


def _photo_of(row: Mapping[Any, Any]) -> Photo:  # as above
    by = Actor(ActorKind(row["by_kind"]), row["by_id"], row["by_name"])
    return Photo(**{name: row[name] for name in _PLAIN}, by=by)
