"""Calm cameras, read many at a time: one arena for the bytes, columns for all that is known, few objects.

A camera's own objects (source, session, timeline, counters, life, ring) are told only when something happens: a key frame, a
sweep of its own, its turn to be judged. What they are told leaves them as if every read had been swept when it came. Whatever
would make a difference (a time that falls below what was shown, a limit that is brought nearer, a pause) is left to a sweep.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.connection import READ_BYTES
from ingest.governor import FRAMES_PER_S, PICTURES_PER_S
from ingest.rtsp.calm import Calm, Read
from ingest.rtsp.glances import SLACK_BYTES, Flags, Ints, Levels, Sights, scan
from ingest.standing import Brought, Keys, Standing
from ingest.timeline import Placing, place_many

__all__ = ["Glances", "Look"]

logger = logging.getLogger(__name__)

_NOTHING = np.zeros(0, np.int64)
_ARENA_BYTES = 4 * 2**20
_MOST_IDLE = 4  # looks in a row that saw nothing; from then on every one is left to a sweep, which knows how long that may go on
_MOST_APART_S = 1.0  # between what is settled as one; a pause, as `CameraLife` sees it, is longer


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought."""

    row: Ints  # who brought pictures
    count: Ints  # how many, each
    size: Ints  # bytes of all their pictures, one camera after the other
    key: Ints  # places of the key frames among these
    keyed: Sequence[int]  # whose these are: somebody waits for them
    left: Sequence[int]  # who must be swept


class Glances:
    """Reads the calm ones among all rows. Owned by the reader thread.

    `hold` a camera after it was swept, if it has a `Standing`; `look` at those held; `take` what one brought, and `release` it,
    before it is swept again.
    """

    def __init__(self, rows: int) -> None:
        self._arena = np.zeros(_ARENA_BYTES + 2 * READ_BYTES + SLACK_BYTES, np.uint8)
        self._view = self._arena.data
        self._level = Levels.zeros(rows)
        self._standing: list[Standing | None] = [None] * rows
        self._calms: list[Calm | None] = [None] * rows
        self._reads: list[list[Read]] = [[] for _ in range(rows)]
        self._reports: dict[int, list[tuple[float, bytes]]] = {}
        self._unread: dict[int, bytes] = {}
        self._keys: dict[int, Keys] = {}
        self._is_calm = np.zeros(rows, np.bool_)
        self._broken: dict[int, Exception] = {}
        # A camera's numbers lie together in memory, so that to settle one fetches few lines of it.
        self._counts, self._times = np.zeros((rows, 8), np.int64), np.zeros((rows, 8))
        self._pictures, self._rtp_packets, self._taken_bytes, self._came_bytes, self._first, self._spacing, *_ = self._counts.T
        self._since_s, self._offset_s, self._shown_s, self._newest_utc_s, self._began_utc_s, self._began_s, *_ = self._times.T
        self._newest_s = self._times[:, 6]
        self._until_s = np.zeros(rows)
        self._shift, self._idle, self._most_bytes = np.zeros((3, rows), np.int64)

    def hold(self, row: int, standing: Standing) -> None:
        """Read a camera on at a glance, from where it stands."""
        self._standing[row], self._is_calm[row] = standing, True
        level, self._calms[row] = self._level, standing.calm
        level.word[row] = standing.word
        level.base[row] = standing.base
        level.sequence[row] = standing.sequence
        level.stamp[row] = standing.stamp
        level.ssrc[row] = standing.ssrc
        level.report_word[row] = standing.calm.report_word
        level.prefix_bytes[row] = standing.calm.prefix_bytes
        level.header_bytes[row] = standing.calm.reader.layout.header_bytes
        self._shift[row], self._offset_s[row], self._shown_s[row] = standing.placing
        self._since_s[row] = standing.since_s
        self._until_s[row] = standing.until_s
        self._most_bytes[row] = standing.most_bytes
        self._idle[row] = _MOST_IDLE  # it may have been silent for long

    def release(self, row: int) -> None:
        """Not any more: the source gets back what it has not read. What it brought was taken before."""
        standing, self._standing[row], self._is_calm[row] = self._standing[row], None, False
        if standing is not None and (tail := self._unread.pop(row, b"")):
            standing.refuse(tail, 0, None)

    def holds(self, row: int) -> bool:
        return self._standing[row] is not None

    def look(self, rows: Sequence[int], utc_s: float, now_s: float) -> Iterator[Look]:
        """Read what came from each of these cameras, as many at a time as the arena holds."""
        asked = np.array(rows, np.int64)
        calm = self._is_calm[asked] & (now_s < self._until_s[asked])
        if not calm.all():
            yield Look(_NOTHING, _NOTHING, _NOTHING, _NOTHING, (), asked[~calm].tolist())
        waiting = asked[calm]
        while len(waiting):
            done, look = self._look(waiting, utc_s, now_s)
            yield look
            waiting = waiting[done:]

    def _look(self, rows: Ints, utc_s: float, now_s: float) -> tuple[int, Look]:
        """At as many of `rows` as the arena holds, told first."""
        begin, end, came, is_left = self._read(rows)
        rows = rows[: len(begin)]
        self._wait(rows, end - begin > came, came, is_left, now_s)
        some = np.flatnonzero((came > 0) & ~is_left)
        row = rows[some]
        plain, sights = self._see(row, begin[some], end[some], utc_s, now_s)
        is_left[some[~plain]] = True
        row, some = row[plain], some[plain]
        keyed = self._note_keys(row, sights, begin[some])
        self._keep(row, sights, begin[some], end[some], utc_s, now_s)
        self._came_bytes[row] += came[some]
        for at in np.flatnonzero(is_left).tolist():
            one = int(rows[at])
            if (standing := self._standing[one]) is not None:
                standing.refuse(bytes(self._view[begin[at] : end[at]]), int(came[at]), self._broken.pop(one, None))
        self._is_calm[rows[is_left]] = False  # even if something keeps that sweep from coming
        key = np.flatnonzero(sights.is_key)
        return len(begin), Look(row, sights.pictures, sights.size, key, keyed, rows[is_left].tolist())

    def _read(self, rows: Ints) -> tuple[Ints, Ints, Ints, Flags]:
        """Where in the arena the bytes of each camera begin and end, how many came now, and who is a matter for `sweep`."""
        begin, end, came, odd, at = list[int](), list[int](), list[int](), list[int](), 0
        view, standings, unread = self._view, self._standing, self._unread
        for row in rows.tolist():
            standing = standings[row]
            assert standing is not None
            begin.append(at)
            if row in unread:
                tail = unread.pop(row)
                view[at : at + len(tail)] = tail
                at += len(tail)
            size = 0
            try:
                size = standing.connection.read_into(view[at : at + READ_BYTES])
            except Exception as error:  # whatever it is, it concerns this camera alone
                self._broken[row] = error
                odd.append(len(came))
            if standing.connection.has_more:
                odd.append(len(came))
            at += size
            came.append(size)
            end.append(at)
            if at > _ARENA_BYTES:
                break
        begins, ends, sizes = (np.array(column, np.int64) for column in (begin, end, came))
        is_left = ends - begins >= self._most_bytes[rows[: len(begins)]]
        is_left[odd] = True
        return begins, ends, sizes, is_left

    def _wait(self, rows: Ints, unread: Flags, came: Ints, is_left: Flags, now_s: float) -> None:
        """Who brought nothing is asked again, unless that goes on, or an unfinished picture waits."""
        is_silent = came == 0
        self._idle[rows] = np.where(is_silent, self._idle[rows] + 1, 0)
        is_left |= is_silent & (unread | (self._idle[rows] > _MOST_IDLE))
        self._since_s[rows[is_silent & ~is_left]] = now_s

    def _see(self, row: Ints, begin: Ints, end: Ints, utc_s: float, now_s: float) -> tuple[Flags, Sights]:
        """Which cameras are read at a glance, and what is seen of these."""
        try:
            sights = scan(self._arena, begin, end, self._level.of(row), [self._calms[at] for at in row.tolist()])
            plain = self._place(row, sights, utc_s, now_s)
            return plain, sights.of(plain)
        except Exception:  # our own mistake costs time, not the pictures of all cameras of this look
            logger.exception("looking at %d cameras together; each is swept by itself", len(row))
            return np.zeros(len(row), np.bool_), Sights.none()

    def _place(self, row: Ints, sights: Sights, utc_s: float, now_s: float) -> Flags:
        """Whose pictures go on in time as usual, without bringing a limit nearer."""
        shift = self._shift[row]
        before, first, last = self._level.stamp[row] + shift, sights.first + shift, sights.last + shift
        offset_s, shown_s, plain = place_many(before, first, last, self._offset_s[row], self._shown_s[row], utc_s)
        frames = sights.rtp_packets + np.bincount([camera for camera, _ in sights.reports], minlength=len(row))
        passed_s = np.maximum(now_s - self._since_s[row], 0.0)
        plain &= (sights.pictures <= PICTURES_PER_S * passed_s) & (frames <= FRAMES_PER_S * passed_s)
        plain &= (self._pictures[row] == 0) | (now_s - self._newest_s[row] <= _MOST_APART_S)
        plain &= sights.plain
        self._offset_s[row[plain]], self._shown_s[row[plain]] = offset_s[plain], shown_s[plain]
        return plain

    def _note_keys(self, row: Ints, sights: Sights, begin: Ints) -> list[int]:
        """What of each camera's bytes begins with a key frame; whose do."""
        keys = np.flatnonzero(sights.is_key)
        cameras, nth = np.unique(sights.camera[keys], return_index=True)
        first, stop = (np.searchsorted(sights.camera, cameras, side) for side in ("left", "right"))
        for camera, at, start, end in zip(cameras.tolist(), keys[nth].tolist(), first.tolist(), stop.tolist(), strict=True):
            one = int(row[camera])
            self._keys[one] = Keys(
                int(sights.begin[at] - begin[camera]),
                at - start,
                int(sights.stamp[at]),
                int(sights.stamp[at - 1] if at > start else self._level.stamp[one]),
                sights.size[at:end].tolist(),
                np.flatnonzero(sights.is_key[at:end]).tolist(),
            )
        keyed: list[int] = row[cameras].tolist()
        return keyed

    def _keep(self, row: Ints, sights: Sights, begin: Ints, end: Ints, utc_s: float, now_s: float) -> None:
        """Count what came, and go on behind it."""
        new, level = self._pictures[row] == 0, self._level
        self._began_utc_s[row[new]], self._began_s[row[new]], self._first[row[new]] = utc_s, now_s, sights.first[new]
        self._newest_utc_s[row], self._newest_s[row], self._since_s[row] = utc_s, now_s, now_s
        level.sequence[row] = level.sequence[row] + sights.rtp_packets & 0xFFFF
        level.stamp[row], self._spacing[row] = sights.last, sights.spacing
        self._pictures[row] += sights.pictures
        self._rtp_packets[row] += sights.rtp_packets
        self._taken_bytes[row] += sights.end - begin
        view, reads = self._view, self._reads
        columns = row.tolist(), begin.tolist(), sights.end.tolist(), self._offset_s[row].tolist()
        for one, start, stop, offset_s in zip(*columns, strict=True):
            reads[one].append((bytes(view[start:stop]), offset_s))
        for at in np.flatnonzero(sights.end < end).tolist():
            self._unread[int(row[at])] = bytes(view[sights.end[at] : end[at]])
        for camera, report in sights.reports:
            self._reports.setdefault(int(row[camera]), []).append((utc_s, report))

    def take(self, row: int) -> Brought | None:
        """All that a camera brought since it was last taken."""
        standing = self._standing[row]
        if standing is None:
            return None
        pictures, rtp_packets, taken_bytes, came_bytes, first, spacing, *_ = self._counts[row].tolist()
        since_s, offset_s, shown_s, utc_s, began_utc_s, began_s, newest_s, _ = self._times[row].tolist()
        placing = Placing(standing.placing.shift, offset_s, shown_s)
        reads, self._reads[row] = self._reads[row], []
        self._counts[row, :4] = 0
        return Brought(
            standing.calm,
            reads,
            self._keys.pop(row, None),
            pictures,
            rtp_packets,
            taken_bytes,
            came_bytes,
            self._reports.pop(row, ()),
            first,
            int(self._level.stamp[row]),
            spacing,
            placing,
            since_s,
            (began_utc_s, began_s, newest_s),
            utc_s,
        )
