"""Finished clips on their way to whoever stores them: on stable storage beside the outbox, told again until acknowledged.

A folder with two files for each clip: the video ``<event>.mp4``, and ``<event>.json``, which says what it is. The second is
written when the first is whole and on stable storage, and from then on the clip is acknowledged.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from base.errors import DecodeError, StorageError
from base.records import Clip, ClipGap, ClipGapCause, Codec, Packet
from camera_config import Outline
from ingest.clip_file import Footage, write_clip

__all__ = ["ClipBox", "GapsOf", "pack_clip", "unpack_clip"]

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 30
"""Of clips that may wait for a database that refuses them: an hour of them, and then there are none for a while."""

FREE_BYTES = 1 << 30
"""That stay free on the disk: events go before their clips."""

GapsOf = Callable[[Footage], Sequence[ClipGap]]
"""What of the time that a clip should show is not in the file."""

_NAME = re.compile(r"[0-9A-Za-z-]{1,64}")
_KINDS: dict[str, type] = (
    dict.fromkeys(("event", "camera", "sha256"), str)
    | dict.fromkeys(("began_s", "ended_s"), float)
    | dict.fromkeys(("frames", "width_px", "height_px", "bytes", "reencoded"), int)
)
_VIDEO, _FACTS, _PART = ".mp4", ".json", ".part"


class ClipBox:
    """Clips between the worker that made them and control. `put` belongs to one thread, `pending` and `forget` to another."""

    def __init__(self, folder: Path, free_bytes: int = FREE_BYTES, most_bytes: int = MOST_BYTES) -> None:
        """Open or create the box in `folder`; what a crash left half-made goes. Raises StorageError."""
        self._folder, self._free_bytes, self._most_bytes = folder, free_bytes, most_bytes
        self._lock = threading.Lock()  # guards _clips; never held over a write
        self._clips: dict[str, Clip] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._recover()
        except OSError as error:
            raise StorageError(f"clips in {folder}: cannot be read: {error}") from error

    @property
    def depth(self) -> int:
        """How many clips wait to be acknowledged."""
        with self._lock:
            return len(self._clips)

    def put(self, event: str, packets: Sequence[Packet], masks: Sequence[Outline], gaps: GapsOf, ended_s: float) -> Clip:
        """Make the clip of `event` of these packets, and put it on stable storage. `gaps` says what is missing of it.

        There is no clip if this raises: StorageError where the disk has no room or fails, DecodeError where it is no video.
        """
        self._check_room(event)
        part = self._folder / f"{event}{_PART}"
        try:
            footage = write_clip(part, packets, masks)
            size, digest = _sync(part)
            clip = Clip(
                event=event,
                camera=packets[0].camera,
                began_s=footage.time_s[0],
                ended_s=ended_s,
                frames=len(footage.time_s),
                codec=footage.codec,
                width_px=footage.width_px,
                height_px=footage.height_px,
                bytes=size,
                sha256=digest,
                reencoded=footage.reencoded,
                gaps=tuple(gaps(footage)),
                file=self._folder / f"{event}{_VIDEO}",
            )
            part.rename(clip.file)
            part.write_bytes(pack_clip(clip))
            _sync(part)
            part.rename(self._folder / f"{event}{_FACTS}")
            _sync_folder(self._folder)
        except (OSError, DecodeError) as error:
            for suffix in (_PART, _FACTS, _VIDEO):
                with suppress(OSError):
                    (self._folder / f"{event}{suffix}").unlink(missing_ok=True)
            if isinstance(error, DecodeError):
                raise
            raise StorageError(f"the clip of event {event} could not be written to {self._folder}: {error}") from error
        with self._lock:
            self._clips[event] = clip
        return clip

    def pending(self, limit: int) -> tuple[Clip, ...]:
        """Up to `limit` clips that nobody has acknowledged, oldest first."""
        with self._lock:
            return tuple(list(self._clips.values())[:limit])

    def forget(self, events: Iterable[str]) -> None:
        """The clips of these events are stored elsewhere: delete them here. Names of others change nothing."""
        for event in events:
            with self._lock:
                clip = self._clips.pop(event, None)
            if clip is not None:
                # What it is goes first: a video without it is one that was never finished.
                (self._folder / f"{event}{_FACTS}").unlink(missing_ok=True)
                clip.file.unlink(missing_ok=True)

    def _check_room(self, event: str) -> None:
        """Raise StorageError unless there is room for another clip, with enough left for events."""
        waiting = sum(clip.bytes for clip in self.pending(self.depth))
        if waiting > self._most_bytes:
            raise StorageError(f"event {event} gets no clip: {waiting / 1e9:.1f} GB of clips wait to be stored already")
        free = shutil.disk_usage(self._folder).free
        if free < self._free_bytes:
            raise StorageError(
                f"event {event} gets no clip: {free / 1e9:.1f} GB are free on the disk of {self._folder},"
                f" and the last {self._free_bytes / 1e9:.1f} GB are for events"
            )

    def _recover(self) -> None:
        for path in sorted(self._folder.glob(f"*{_FACTS}")):
            try:
                clip = unpack_clip(path.read_bytes())
                if clip.event != path.stem or not path.with_suffix(_VIDEO).is_file():
                    raise ValueError("its video is missing")
            except ValueError as error:
                logger.error("%s: the clip is lost: %s", path, error)
                path.unlink()
            else:
                self._clips[clip.event] = replace(clip, file=path.with_suffix(_VIDEO))
        for path in self._folder.iterdir():
            if path.suffix in (_PART, _VIDEO) and path.stem not in self._clips:
                path.unlink()  # not finished when the worker ended


def pack_clip(clip: Clip) -> bytes:
    """A clip's facts as JSON, without the name of its file."""
    facts = {name: getattr(clip, name) for name in Clip.__slots__ if name not in ("file", "gaps")}
    facts["gaps"] = [(gap.began_s, gap.ended_s, gap.cause) for gap in clip.gaps]
    return json.dumps(facts, separators=(",", ":")).encode()


def unpack_clip(data: bytes) -> Clip:
    """The clip whose facts these are, with the name of its file empty; raises ValueError if they are none."""
    try:
        facts = json.loads(data)
        gaps = tuple(ClipGap(float(began), float(ended), ClipGapCause(cause)) for began, ended, cause in facts.pop("gaps"))
        clip = Clip(gaps=gaps, codec=Codec(facts.pop("codec")), file=Path(), **facts)
        for name, kind in _KINDS.items():
            if not isinstance(getattr(clip, name), kind):
                raise ValueError(f"{name}: expected {kind.__name__}, got {getattr(clip, name)!r:.80}")
        if not _NAME.fullmatch(clip.event):
            raise ValueError(f"expected the id of an event, got {clip.event!r:.80}")
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"expected the facts of a clip: {error}") from error
    return clip


def _sync(path: Path) -> tuple[int, str]:
    """Put a file on stable storage; its size and SHA-256."""
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fdatasync(file.fileno())
        return file.tell(), digest


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
