"""The headers of what many calm cameras sent, looked at together.

To look at one camera's bytes in Python costs more than to receive them: every camera and every frame is objects that other work
has driven out of the processor's caches. Here a turn's bytes lie side by side in one arena, what must follow is columns of
numbers, and numpy looks at the same thing of all cameras at once. The frames are found in step, the k-th of every camera
together, for only its length tells where the next one begins; all that follows is done once for all frames.

What `scan` takes are whole pictures, one after the other, of which nothing is unusual, and sender reports between them (the
interleaved frames of RFC 2326 §10.12, RTP, and the first bytes of each payload; see `Shape`). A camera of which anything else
was seen (a lost or foreign RTP packet, an RTSP message, a goodbye, another channel, a parameter set that is new, a picture that
lacks something, a timestamp that does not rise) is not taken at all: its bytes go one by one to `RtspSession.receive`, so that
nothing is decided here twice. A picture whose end has not come yet is left for the next look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.rtsp.calm import Calm
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.nal import Shape
from ingest.timeline import MEDIA_HZ

__all__ = ["SLACK_BYTES", "Flags", "Ints", "Levels", "Sights", "scan"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

SLACK_BYTES = 64  # of an arena behind what came
_HEADER_BYTES = 16  # of a frame
_MOST_FRAMES = 64  # of a camera at a time; more is a matter for the session
_MOST_STEP = 5 * MEDIA_HZ  # of RTP time between two pictures that simply follow each other
_MARKER = 0x80_0000  # in the first 32 bits of an RTP packet
_LEAST_LENGTH = 15  # RTP header and three bytes: shorter payloads are a matter for the depacketizer
_GOODBYE = 203  # type of an RTCP packet that ends the stream; a report with such a byte anywhere is looked at more closely
_LAYOUTS = {layout.header_bytes: layout for layout in (H264Depacketizer.layout, H265Depacketizer.layout)}
_NONE = bytes(256)
_SHAPE = np.array([list(_LAYOUTS[size].shape if size in _LAYOUTS else _NONE) for size in range(3)], np.uint8)
_INNER = np.array([list(_LAYOUTS[size].inner if size in _LAYOUTS else _NONE) for size in range(3)], np.uint8)


@dataclass(slots=True)
class Levels:
    """Columns i64 (cameras,): what the next frame of each camera must look like."""

    word: Ints  # its first 16 bits, "$" and channel
    base: Ints  # first 32 bits of its RTP packet, without marker and sequence number
    sequence: Ints  # of the newest RTP packet
    stamp: Ints  # RTP timestamp of the newest picture
    ssrc: Ints
    report_word: Ints  # first 16 bits of a frame with a report; -1: there are none
    prefix_bytes: Ints  # of all parameter sets in front of a key frame; -1 while key frames cannot be decoded
    header_bytes: Ints  # of a NAL unit: 1 in H.264, 2 in H.265

    @classmethod
    def zeros(cls, count: int) -> Self:
        return cls(*np.zeros((count, len(fields(cls))), np.int64).T)

    def of(self, rows: Ints) -> "Levels":
        return Levels(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(slots=True)
class Sights:
    """What `scan` saw of each camera (n,), and of all their whole pictures (p,), camera by camera."""

    plain: Flags  # (n,): nothing was unusual, and there is a picture; of the others nothing here means anything
    end: Ints  # (n,): where in the arena the last whole picture or report ends
    pictures: Ints  # (n,)
    rtp_packets: Ints  # (n,)
    first: Ints  # (n,): RTP timestamp of the first picture
    last: Ints  # (n,): of the last
    spacing: Ints  # (n,): how much later the last one is than the one before it
    camera: Ints  # (p,): whose it is, a place in the columns above
    begin: Ints  # (p,): where in the arena it begins
    stamp: Ints  # (p,): its RTP timestamp
    size: Ints  # (p,): bytes of its access unit
    is_key: Flags  # (p,)
    reports: list[tuple[int, bytes]]  # camera, and what lies in the frame

    @classmethod
    def none(cls) -> Self:
        """Of no camera."""
        nothing, nobody = np.zeros(0, np.int64), np.zeros(0, np.bool_)
        return cls(nobody, *(nothing,) * 10, nobody, [])

    def of(self, which: Flags) -> "Sights":
        """Of some of the cameras (n,)."""
        mine, place = which[self.camera], np.cumsum(which) - 1
        cameras = (self.end, self.pictures, self.rtp_packets, self.first, self.last, self.spacing)
        end, pictures, rtp_packets, first, last, spacing = (column[which] for column in cameras)
        camera, begin, stamp, size = place[self.camera[mine]], self.begin[mine], self.stamp[mine], self.size[mine]
        reports = [(int(place[at]), report) for at, report in self.reports if which[at]]
        columns = (end, pictures, rtp_packets, first, last, spacing, camera, begin, stamp, size)
        return Sights(self.plain[which], *columns, self.is_key[mine], reports)


@dataclass(slots=True)
class _Frames:
    """Columns (f,), camera by camera."""

    camera: Ints
    begin: Ints
    end: Ints
    lead: Ints  # first 32 bits
    is_whole: Flags

    def of(self, which: Flags) -> "_Frames":
        return _Frames(*(getattr(self, field.name)[which] for field in fields(self)))


def scan(arena: NDArray[np.uint8], begin: Ints, end: Ints, level: Levels, calms: Sequence[Calm]) -> Sights:
    """Look at `arena[begin:end]` of each camera (n,); `arena` goes on for `SLACK_BYTES` behind the last."""
    words = np.ndarray((len(arena) - 3,), ">u4", arena.data, 0, (1,))  # at every byte
    odd: Flags = end - begin < _HEADER_BYTES
    frames = _walk(words, begin, end, odd)
    is_report = frames.lead >> 16 == level.report_word[frames.camera]
    video = frames.of(~is_report) if is_report.any() else frames
    opens, closes = _follow(words, video, level, odd)
    size, has_slice, is_key = _weigh(arena, words, video, opens, closes, level, calms, odd)
    is_whole = np.logical_or.reduceat(closes, np.flatnonzero(opens))
    at, last = np.flatnonzero(opens)[is_whole], np.flatnonzero(closes)
    size, has_slice, is_key, camera = size[is_whole], has_slice[is_whole], is_key[is_whole], video.camera[at]
    odd[camera[~has_slice | (is_key & (level.prefix_bytes[camera] < 0))]] = True
    stamp, is_first = words[video.begin[at] + 8].astype(np.int64), _is_first(camera)
    columns = np.zeros((5, len(begin)), np.int64)
    stop, rtp_packets, first, newest, spacing = columns
    stop[camera], rtp_packets[camera] = video.end[last], last + 1  # of the last of each
    rtp_packets -= np.searchsorted(video.camera, np.arange(len(begin)))
    first[camera[is_first]] = stamp[is_first]
    newest[camera], spacing[camera] = stamp, stamp - _before(stamp, is_first, level.stamp[camera])
    reports = _reports(arena, frames, is_report, words, stop, odd)
    pictures = np.bincount(camera, minlength=len(begin))
    size += level.prefix_bytes[camera] * is_key
    plain = ~odd & (pictures > 0)
    return Sights(
        plain, stop, pictures, rtp_packets, first, newest, spacing, camera, video.begin[at], stamp, size, is_key, reports
    )


def _is_first(camera: Ints) -> Flags:
    """Whether each is the first of its camera."""
    first = np.ones(len(camera), np.bool_)
    first[1:] = camera[1:] != camera[:-1]
    return first


def _before(value: Ints, is_first: Flags, initial: Ints) -> Ints:
    """The value before each of a camera's, or its `initial` one."""
    return np.where(is_first, initial, np.concatenate((value[:1], value[:-1])))


def _walk(words: NDArray[np.uint32], begin: Ints, end: Ints, odd: Flags) -> _Frames:
    """Where frames begin and end, if they are frames: that is seen later."""
    camera = np.flatnonzero(~odd)
    at, limit = begin[camera], end[camera]
    found = []
    for _ in range(_MOST_FRAMES):
        lead = words[at].astype(np.int64)
        following = at + 4 + (lead & 0xFFFF)
        left = limit - following
        found.append((camera, at, following, lead, left >= 0))
        odd[camera[(left > 0) & (left < _HEADER_BYTES)]] = True  # within a header
        goes_on = left >= _HEADER_BYTES
        if not goes_on.any():
            break
        camera, at, limit = camera[goes_on], following[goes_on], limit[goes_on]
    else:
        odd[camera] = True
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(columns[0].astype(np.uint16), kind="stable")
    return _Frames(*(column[order] for column in columns))


def _follow(words: NDArray[np.uint32], video: _Frames, level: Levels, odd: Flags) -> tuple[Flags, Flags]:
    """Whether each RTP packet simply is the next of its camera; which of them open and which close a picture."""
    camera, at = video.camera, video.begin
    head, stamp = words[at + 4].astype(np.int64), words[at + 8].astype(np.int64)
    is_first = _is_first(camera)
    start = np.flatnonzero(is_first)
    place = np.arange(len(camera)) - np.repeat(start, np.diff(start, append=len(camera)))
    has_marker = (head & _MARKER) != 0
    opens = is_first.copy()
    opens[1:] |= has_marker[:-1]
    step = stamp - _before(stamp, is_first, level.stamp[camera])
    ok = head & ~_MARKER == (level.base[camera] | (level.sequence[camera] + 1 + place & 0xFFFF))
    ok &= (words[at + 12] == level.ssrc[camera]) & (video.lead >> 16 == level.word[camera])
    ok &= (video.lead & 0xFFFF >= _LEAST_LENGTH) & np.where(opens, (step > 0) & (step <= _MOST_STEP), step == 0)
    odd[camera[~ok]] = True
    return opens, has_marker & video.is_whole


def _weigh(
    arena: NDArray[np.uint8],
    words: NDArray[np.uint32],
    video: _Frames,
    opens: Flags,
    closes: Flags,
    level: Levels,
    calms: Sequence[Calm],
    odd: Flags,
) -> tuple[Ints, Flags, Flags]:
    """Of each picture: bytes, whether it has a slice, and whether that is of a key frame; whether its parts belong together."""
    camera, length = video.camera, video.lead & 0xFFFF
    payload = words[video.begin + 16].astype(np.int64)
    first, header_bytes = payload >> 24, level.header_bytes[camera]
    inner = payload >> (24 - 8 * header_bytes) & 0xFF  # of a fragment, the byte that tells of what
    behind = payload >> (16 - 8 * header_bytes) & 0xFF
    kind = _SHAPE[header_bytes, first]
    is_fragment = kind == Shape.FRAGMENT
    begins = is_fragment & (inner & 0x80 != 0)
    leaves_open = is_fragment & (inner & 0x40 == 0)
    is_open = np.zeros(len(camera), np.bool_)
    is_open[1:] = leaves_open[:-1]
    is_open[opens] = False
    kind = np.where(begins, _INNER[header_bytes, inner], kind)
    is_slice = (kind > 0) & (kind <= Shape.KEY)
    at = np.flatnonzero(opens)
    slices = np.cumsum(is_slice)
    before = slices - is_slice
    is_early = is_slice & (before == np.repeat(before[at], np.diff(at, append=len(camera))))
    ok = np.where(is_fragment, (begins != is_open) & (length >= 14 + header_bytes), ~is_open & ~(closes & (kind > Shape.KEPT)))
    ok &= (kind > 0) & ~(closes & leaves_open)
    ok &= ~is_early | (np.where(is_fragment, behind, inner) & 0x80 != 0)
    ok &= ~is_slice | is_fragment | (payload >> 16 != 0)
    sets = np.flatnonzero((kind == Shape.SET) & video.is_whole)
    for frame, owner, begin, end in zip(
        sets, camera[sets].tolist(), video.begin[sets].tolist(), video.end[sets].tolist(), strict=True
    ):
        ok[frame] &= arena[begin + 16 : end].tobytes() in calms[owner].known
    odd[camera[~ok & video.is_whole]] = True
    part = np.where(begins, length - 9, np.where(is_fragment, length - 13 - header_bytes, (kind <= Shape.KEPT) * (length - 8)))
    return np.add.reduceat(part, at), np.logical_or.reduceat(is_slice, at), np.logical_or.reduceat(kind == Shape.KEY, at)


def _reports(
    arena: NDArray[np.uint8], frames: _Frames, is_report: Flags, words: NDArray[np.uint32], stop: Ints, odd: Flags
) -> list[tuple[int, bytes]]:
    """Whole reports; one within a picture, or that may say goodbye, is odd."""
    found = []
    for at in np.flatnonzero(is_report & frames.is_whole).tolist():
        camera, begin, end = int(frames.camera[at]), int(frames.begin[at]), int(frames.end[at])
        report = arena[begin + 4 : end].tobytes()
        before = at - 1
        while before >= 0 and frames.camera[before] == camera and is_report[before]:
            before -= 1
        is_within = before >= 0 and frames.camera[before] == camera and not words[frames.begin[before] + 4] & _MARKER
        if is_within or _GOODBYE in report:
            odd[camera] = True
        stop[camera] = max(stop[camera], end)
        found.append((camera, report))
    return found
