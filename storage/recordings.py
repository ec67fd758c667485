"""What of a camera is recorded, read beside a running site: the clips of its events."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from storage.clip_tables import clips
from storage.clips import place_of
from storage.database import Database
from storage.tables import events

__all__ = ["Recording", "recordings"]


@dataclass(frozen=True, slots=True)
class Recording:
    """A video file, and when it begins, UTC."""

    file: Path
    began_s: float


def recordings(url: str, folder: Path, camera: str, most: int) -> list[Recording]:
    """The newest clips of a camera's events, oldest first, by the database at `url`; their files are in `folder`.

    Reads only, also while a site runs. A file may be gone all the same. Raises StorageError if the database cannot be read.
    """
    database = Database(url)
    query = select(clips.c.event, clips.c.began_s).join(events).where(events.c.camera == camera)
    try:
        with database.reader.connect() as connection:
            rows = connection.execute(query.order_by(clips.c.began_s.desc()).limit(most)).all()
    except SQLAlchemyError as error:
        raise database.error(error) from error
    finally:
        database.close()
    return [Recording(place_of(folder, event, began_s), began_s) for event, began_s in reversed(rows)]
