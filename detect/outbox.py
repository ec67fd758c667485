"""The durable outbox: an event is on stable storage here before anybody is told of it, and stays until acknowledged.

A folder of append-only *segments*, named by the number of their first record, and one small file with the acknowledged
number. A record is ``magic "GPE1" | length u32 | CRC32 u32 | number u64 | payload``, little-endian; `length` counts the
payload, the CRC covers number and payload. The payload is ``u32 header length | compact JSON of the event | JPEG``.
"""

import fcntl
import json
import logging
import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from itertools import islice
from pathlib import Path

from base import Clock, Event, EventKind, Opinion, StorageError, Tally, Tier

__all__ = ["Outbox", "pack_event", "unpack_event"]

logger = logging.getLogger(__name__)

_MAGIC = b"GPE1"
_HEAD = struct.Struct("<4sIIQ")  # magic, payload length, CRC32, number
_NUMBER = struct.Struct("<Q")
_LENGTH = struct.Struct("<I")
_MAX_PAYLOAD_BYTES = 32 << 20  # larger is not ours: a 4K snapshot stays below 8 MB
_SEGMENT_BYTES = 16 << 20  # a new segment after this much
_IDLE_BYTES = 1 << 20  # a fully acknowledged segment is let go after this much, so that an idle folder stays small
_ACKNOWLEDGED = "acknowledged"
_SUFFIX = ".events"


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where one record's payload lies."""

    number: int
    segment: Path
    offset: int
    length: int
    crc: int


class Outbox:
    """Events between the worker that saw them and the control process that stores them.

    `append` belongs to the pipeline thread, `pending` and `acknowledge` to the drain thread; none blocks the other for longer
    than a read of memory. One process at a time: a second one gets StorageError. `lost` counts records that were found
    corrupt; each was reported in the log with its file and offset.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Open or create the outbox in `folder`, cutting what a crash left half-written; raises StorageError."""
        self._folder = folder
        self._tally = Tally(logger, clock)
        self._write_lock = threading.Lock()  # one append at a time; held over disk I/O
        self._lock = threading.Lock()  # guards _entries and _acknowledged; never held over a write
        self._entries: deque[_Entry] = deque()  # after the acknowledged one, ascending
        self._acknowledged = 0
        self._active: FileIO | None = None
        self._active_path = folder
        self._active_bytes = 0
        self._unreadable = 0  # number of the event that could not be read at the last try, 0 if all could
        self.lost = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._owner = _own(folder)
        except OSError as error:
            raise StorageError(f"outbox {folder}: expected a folder to write in: {error}") from error
        try:
            self._acknowledged = self._read_acknowledged()
            self._next = self._recover() + 1
        except OSError as error:
            self._owner.close()
            raise StorageError(f"outbox {folder}: cannot be read: {error}") from error

    @property
    def depth(self) -> int:
        """How many events wait to be acknowledged."""
        with self._lock:
            return len(self._entries)

    def append(self, events: Sequence[Event]) -> int:
        """Put `events` on stable storage under consecutive numbers and return the last; all of them or none.

        One write and one `fdatasync` for the whole group. Raises StorageError when the disk is full or fails: nothing was
        acknowledged, the half-written rest is cut away, and a later append may work again.
        """
        with self._write_lock:
            if not events:
                return self._next - 1
            payloads = [pack_event(event) for event in events]
            try:
                entries = self._write(payloads)
            except OSError as error:
                self._undo(len(events))
                raise StorageError(f"outbox {self._active_path}: {len(events)} events not stored: {error}") from error
            self._next += len(events)
            with self._lock:
                self._entries.extend(entries)
            return self._next - 1

    def pending(self, limit: int) -> tuple[int, tuple[Event, ...]]:
        """Up to `limit` events after the acknowledged one, oldest first, and the number of the last of them.

        The acknowledged number and no events if nothing waits. A record the disk no longer gives back intact is
        reported, counted in `lost` and passed over. One that cannot be read for another reason (no file handle or memory
        left, I/O error) ends what is returned: it and what follows are tried again at the next call.
        """
        with self._lock:
            entries = list(islice(self._entries, limit))
            last = self._acknowledged
        events = []
        for entry in entries:
            try:
                events.append(_read_event(entry))
            except (FileNotFoundError, ValueError) as error:
                self.lost += 1
                self._tally.warn("outbox", f"{entry.segment} at byte {entry.offset}: event {entry.number} is lost: {error}")
                with self._lock, suppress(ValueError):
                    self._entries.remove(entry)
            except OSError as error:
                self._report_unreadable(entry, error)
                break
            last = entry.number
        else:
            self._unreadable = 0
        return last, tuple(events)

    def acknowledge(self, number: int) -> None:
        """Forget events up to and including `number`; survives restarts. Raises StorageError if that cannot be written.

        Numbers already acknowledged, or beyond the last event, change nothing.
        """
        with self._lock:
            if number <= self._acknowledged:
                return
            if number >= self._next:
                self._tally.warn(
                    "outbox", f"{self._folder}: acknowledgement {number} ignored, the last event is {self._next - 1}"
                )
                return
        try:
            _write_atomically(self._folder / _ACKNOWLEDGED, f"{number} {zlib.crc32(_NUMBER.pack(number)):08x}\n".encode())
        except OSError as error:
            raise StorageError(f"outbox {self._folder}: acknowledgement {number} not stored: {error}") from error
        with self._lock:
            self._acknowledged = number
            while self._entries and self._entries[0].number <= number:
                self._entries.popleft()
            needed = {entry.segment for entry in self._entries} | {self._active_path}
        for segment in self._folder.glob(f"*{_SUFFIX}"):
            if segment not in needed and int(segment.stem) <= number:
                segment.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files; what was appended stays for the next process."""
        with self._write_lock:
            if self._active is not None:
                self._active.close()
                self._active = None
            self._owner.close()

    def _report_unreadable(self, entry: _Entry, error: OSError) -> None:
        """Say once that delivery waits for `entry`, not at every try."""
        if self._unreadable != entry.number:
            self._unreadable = entry.number
            logger.warning("%s at byte %d: event %d cannot be read now: %s", entry.segment, entry.offset, entry.number, error)

    # Writing

    def _write(self, payloads: Sequence[bytes]) -> list[_Entry]:
        """Write and sync one group; raises OSError with the segment in an unknown state."""
        file = self._segment()
        offset, entries, parts = self._active_bytes, [], []
        for number, payload in enumerate(payloads, self._next):
            crc = _crc(number, payload)
            parts += [_HEAD.pack(_MAGIC, len(payload), crc, number), payload]
            entries.append(_Entry(number, self._active_path, offset + _HEAD.size, len(payload), crc))
            offset += _HEAD.size + len(payload)
        rest = memoryview(b"".join(parts))
        while rest:
            rest = rest[os.write(file.fileno(), rest) :]
        os.fdatasync(file.fileno())
        self._active_bytes = offset
        return entries

    def _segment(self) -> FileIO:
        """The segment to append to; a new one after a failure, when full, or when large and fully acknowledged."""
        idle = self._active_bytes >= _IDLE_BYTES and self.depth == 0
        if self._active is not None and self._active_bytes < _SEGMENT_BYTES and not idle:
            return self._active
        if self._active is not None:
            self._active.close()
            self._active = None
        if idle:
            self._active_path.unlink(missing_ok=True)
        # Truncating: nothing acknowledged to the caller can be in a file named by a number not given yet.
        path = self._folder / f"{self._next:020d}{_SUFFIX}"
        file = path.open("wb", buffering=0)
        self._active, self._active_path, self._active_bytes = file, path, 0
        _sync_folder(self._folder)
        return file

    def _undo(self, count: int) -> None:
        """Cut a group of `count` that was not written whole, and leave its segment for good.

        After a failed sync the kernel may have dropped pages of the file, so it is never appended to again.
        """
        if self._active is None:
            return
        try:
            os.ftruncate(self._active.fileno(), self._active_bytes)
            os.fdatasync(self._active.fileno())
        except OSError:
            self._next += count  # the group may come back at recovery under its numbers: never give them twice
        self._active.close()
        self._active, self._active_bytes = None, 0

    # Recovery

    def _recover(self) -> int:
        """Index what is on disk, delete what is acknowledged, cut torn tails; the highest number ever given."""
        last = self._acknowledged
        for segment in sorted(self._folder.glob(f"*{_SUFFIX}")):
            last = self._recover_segment(segment, last)
        needed = {entry.segment for entry in self._entries}
        for segment in self._folder.glob(f"*{_SUFFIX}"):
            if segment not in needed:
                segment.unlink()
        return last

    def _recover_segment(self, segment: Path, last: int) -> int:
        """Index the unacknowledged records of one segment; the highest number given so far."""
        data = segment.read_bytes()
        at, highest = 0, 0
        while at < len(data):
            entry = _record_at(segment, data, at, highest)
            if entry is not None:
                highest = entry.number
                if highest > self._acknowledged:
                    self._entries.append(entry)
                at = entry.offset + entry.length
                continue
            good = _next_record(segment, data, at, highest)
            if good is None:
                logger.warning("%s: cut %d bytes after byte %d: a record was not written whole", segment, len(data) - at, at)
                os.truncate(segment, at)
                # A damaged record may have been delivered under its number; that number is not given again.
                return max(last, highest) + max(1, data.count(_MAGIC, at))
            self.lost += 1
            logger.error("%s: bytes %d to %d are corrupt: the event there is lost, the rest is kept", segment, at, good)
            at = good
        return max(last, highest)

    def _read_acknowledged(self) -> int:
        """The acknowledged number; 0, so that everything is delivered again, where the file is missing or corrupt."""
        path = self._folder / _ACKNOWLEDGED
        try:
            number_text, crc_text = path.read_text("ascii").split()
            number = int(number_text)
            if int(crc_text, 16) != zlib.crc32(_NUMBER.pack(number)):
                raise ValueError("CRC mismatch")
        except FileNotFoundError:
            return 0
        except (ValueError, struct.error) as error:
            logger.error("%s: not readable (%s): every stored event is delivered again", path, error)
            return 0
        return number


def pack_event(event: Event) -> bytes:
    """`event` as ``u32 header length | compact JSON | JPEG``; the same event gives the same bytes."""
    header = {name: getattr(event, name) for name in Event.__slots__ if name != "snapshot_jpeg"}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return _LENGTH.pack(len(text)) + text + event.snapshot_jpeg


def unpack_event(payload: bytes) -> Event:
    """The event in `payload`; raises ValueError if it is not one."""
    try:
        (length,) = _LENGTH.unpack_from(payload)
        header = json.loads(payload[4 : 4 + length])
        left, top, right, bottom = header.pop("box")
        path = tuple((float(at_s), float(x), float(y)) for at_s, x, y in header.pop("path", ()))  # absent in old records
        kind, tier = EventKind(header.pop("kind")), Tier(header.pop("seen_by"))
        opinion = Opinion(header.pop("opinion", Opinion.NONE))  # likewise
        jpeg, box = payload[4 + length :], (left, top, right, bottom)
        return Event(kind=kind, seen_by=tier, box=box, snapshot_jpeg=jpeg, path=path, opinion=opinion, **header)
    except (struct.error, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"expected a stored event: {error}") from error


def _record_at(segment: Path, data: bytes, at: int, after: int) -> _Entry | None:
    """The intact record that begins at byte `at` with a number above `after`, or None."""
    if at + _HEAD.size > len(data):
        return None
    magic, length, crc, number = _HEAD.unpack_from(data, at)
    start = at + _HEAD.size
    if magic != _MAGIC or length > _MAX_PAYLOAD_BYTES or start + length > len(data) or number <= after:
        return None
    entry = _Entry(number, segment, start, length, crc)
    return entry if _crc(number, data[start : start + length]) == crc else None


def _next_record(segment: Path, data: bytes, at: int, after: int) -> int | None:
    """Where the next intact record after byte `at` begins, or None."""
    at = data.find(_MAGIC, at + 1)
    while at >= 0:
        if _record_at(segment, data, at, after):
            return at
        at = data.find(_MAGIC, at + 1)
    return None


def _read_event(entry: _Entry) -> Event:
    """The event behind `entry`; raises ValueError if the disk gives back something else, OSError if it gives nothing."""
    with entry.segment.open("rb") as file:
        payload = os.pread(file.fileno(), entry.length, entry.offset)
    if len(payload) != entry.length or _crc(entry.number, payload) != entry.crc:
        raise ValueError("CRC mismatch")
    return unpack_event(payload)


def _crc(number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_NUMBER.pack(number)))


def _own(folder: Path) -> FileIO:
    """Hold the folder against other processes until closed; raises StorageError if one has it."""
    file = (folder / "lock").open("wb", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StorageError(f"outbox {folder}: another process is using it") from None
    return file


def _write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` so that a crash leaves the old or the new content."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fdatasync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make names created in or moved into `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
