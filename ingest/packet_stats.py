"""How large each camera's packets usually are, by picture type and hour of the day: what tier T0 measures the newest ones by.

An encoder spends bytes where the picture changes, so a still scene gives small predicted pictures and movement gives large ones,
at no cost of decoding. How large is large differs between cameras and between day and night; hence a histogram of sizes for each.
"""

import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from base.clock import Clock
from ingest.run import Packets, as_run
from ingest.stillness import Stillness

__all__ = ["PacketLevels", "PacketScore", "PacketStats", "SizeSpread"]

_PREDICTED, _KEY = 0, 1
_HOURS, _BINS = 24, 20
_PER_OCTAVE = 2
_LEAST_LOG2 = np.array([5.0, 10.0])  # bins reach from 32 B to 32 kB for predicted pictures, from 1 kB to 1 MB for key frames
_MOST = 60_000  # packets a histogram holds before it is halved: at 15 frames/s about an hour, so it remembers two or three days
_MOST_WAITING, _MOST_OF_ONE = 4_000, 1_000  # packets counted at once, so that 16 bits are enough; a flood counts by its beginning
_ENOUGH = 2_000  # packets of an hour (two minutes) before they are judged by that hour alone, and not by all hours together
_TIGHT_OCTAVES = 1.0  # middle half of the predicted sizes; wider, the encoder or the scene pulses and sizes tell nothing
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LEAST_SIGMA = 0.5 / _PER_OCTAVE  # finer than a bin cannot be told

Histogram = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SizeSpread:
    """Usual sizes of one picture type at this hour. `mad_octaves` is the median distance from the median, in factors of two."""

    packets: int
    median_bytes: float
    mad_octaves: float


@dataclass(frozen=True, slots=True)
class PacketScore:
    """The newest predicted pictures of a camera against its usual ones.

    `quantile` is the share of usual packets that are smaller, 0-1; `z` how many standard deviations (by the MAD, in log2 size)
    above the median. Both are 0.5 and 0.0 before the first packets. `informative` is false while too little was seen, and where
    sizes spread so widely that they tell nothing: then neither number should wake anything.
    """

    quantile: float
    z: float
    informative: bool


@dataclass(frozen=True, slots=True)
class PacketLevels:
    """Of every camera, by row, f64 or bool (rows,): the log2 size above which its predicted pictures are unusual at this hour,
    whether enough were seen to say so, and whether that tells anything, as in `PacketScore`."""

    log2: Histogram
    known: NDArray[np.bool_]
    informative: NDArray[np.bool_]


@dataclass(slots=True)
class _Waiting:
    """Packets that are not counted yet: how many of each row in turn, their sizes, and which of them are key frames."""

    row: "array[int]" = field(default_factory=lambda: array("q"))
    count: "array[int]" = field(default_factory=lambda: array("q"))
    size: "array[int]" = field(default_factory=lambda: array("q"))
    key: list[int] = field(default_factory=list)


class PacketStats:
    """Histograms of log2 packet size per row, hour (UTC) and picture type: key or predicted. 1.9 kB a camera.

    `add` belongs to the reader thread and only notes sizes; every so often all that came is counted in one vectorised call.
    The other methods may be called from any thread: they read single numbers that are at most one count old. A histogram is
    halved when full, so older packets count less and less. Bins are half octaves, in which packets are taken as evenly spread.
    """

    def __init__(self, rows: int, clock: Clock) -> None:
        self.stillness = Stillness(rows)
        self._clock = clock
        self._count = np.zeros((rows, _HOURS, 2, _BINS), np.uint16)
        self._newest = np.full(rows, np.nan)  # mean log2 size of the predicted pictures that came last
        self._peak_lock = threading.Lock()
        self._peak = np.full(rows, -np.inf)  # the largest of these since it was last taken
        self._waiting = _Waiting()
        self._most_waiting = rows  # one sweep of all

    def add(self, row: int, packets: Packets) -> None:
        """New packets of a camera, in order; only their sizes are kept."""
        run = as_run(packets)
        self.note(row, run.size, run.key)

    def note(self, row: int, size: Sequence[int], key: Sequence[int]) -> None:
        """The sizes of new packets of a camera, and the places of key frames among them."""
        waiting = self._waiting
        if len(size) > _MOST_OF_ONE:
            size, key = size[:_MOST_OF_ONE], [at for at in key if at < _MOST_OF_ONE]
        if key:
            waiting.key += [len(waiting.size) + at for at in key]
        waiting.row.append(row)
        waiting.count.append(len(size))
        waiting.size.extend(size)
        if len(waiting.row) >= self._most_waiting or len(waiting.size) >= _MOST_WAITING:
            self.count()

    def note_many(
        self, row: NDArray[np.int64], count: NDArray[np.int64], size: NDArray[np.int64], key: NDArray[np.int64]
    ) -> None:
        """As `note`, of many cameras: of each in `row` `count` sizes, and the places of all key frames."""
        waiting = self._waiting
        waiting.key += (key + len(waiting.size)).tolist()
        waiting.row.frombytes(row.tobytes())
        waiting.count.frombytes(count.tobytes())
        waiting.size.frombytes(size.tobytes())
        if len(waiting.row) >= self._most_waiting or len(waiting.size) >= _MOST_WAITING:
            self.count()

    def count(self) -> None:
        """Count what was added. Reader thread."""
        waiting, self._waiting = self._waiting, _Waiting()
        if not waiting.size:
            return
        row, kind = np.repeat(waiting.row, waiting.count), np.zeros(len(waiting.size), np.intp)
        kind[waiting.key] = _KEY
        size = np.array(waiting.size, np.float64)
        log2 = np.log2(np.maximum(size, 1))
        place = np.clip((log2 - _LEAST_LOG2[kind]) * _PER_OCTAVE, 0, _BINS - 1).astype(np.intp)
        hour = self._hour()
        np.add.at(self._count.reshape(-1), ((row * _HOURS + hour) * 2 + kind) * _BINS + place, 1)
        self._halve(np.unique(row), hour)
        predicted = kind == _PREDICTED
        shown = np.bincount(row[predicted], minlength=len(self._newest))
        total = np.bincount(row[predicted], log2[predicted], minlength=len(self._newest))
        bytes_shown = np.asarray(np.bincount(row[predicted], size[predicted], minlength=len(shown)), np.float64)
        self.stillness.add(bytes_shown, shown, self._clock.monotonic_s())
        came = shown > 0
        self._newest[came] = total[came] / shown[came]
        with self._peak_lock:
            self._peak[came] = np.maximum(self._peak[came], self._newest[came])

    def forget(self, row: int) -> None:
        """This row is another camera from now on. Reader thread."""
        self.count()  # what waits is the old one's
        self.stillness.forget(row)
        self._count[row] = 0
        self._newest[row] = np.nan
        with self._peak_lock:
            self._peak[row] = -np.inf

    def spread(self, row: int, key: bool) -> SizeSpread:
        """Usual sizes of a camera's key frames or predicted pictures at this hour."""
        kind = _KEY if key else _PREDICTED
        histogram = self._usual(row, kind)
        packets = int(histogram.sum())
        if not packets:
            return SizeSpread(0, 0.0, 0.0)
        median = _quantile(histogram, 0.5)
        return SizeSpread(packets, float(2 ** (median / _PER_OCTAVE + _LEAST_LOG2[kind])), _mad(histogram, median) / _PER_OCTAVE)

    def score(self, row: int) -> PacketScore:
        """The newest predicted pictures of a camera, a fifth of a second's, against those usual at this hour."""
        histogram, newest = self._usual(row, _PREDICTED), float(self._newest[row])
        packets = histogram.sum()
        if not packets or np.isnan(newest):
            return PacketScore(0.5, 0.0, informative=False)
        place = min(max((newest - _LEAST_LOG2[_PREDICTED]) * _PER_OCTAVE, 0.0), float(_BINS))
        median = _quantile(histogram, 0.5)
        sigma = max(_MAD_TO_SIGMA * _mad(histogram, median) / _PER_OCTAVE, _LEAST_SIGMA)
        tight = (_quantile(histogram, 0.75) - _quantile(histogram, 0.25)) / _PER_OCTAVE <= _TIGHT_OCTAVES
        z = (place - median) / _PER_OCTAVE / sigma
        return PacketScore(_share_below(histogram, place), float(z), bool(packets >= _ENOUGH and tight))

    def levels(self, quantile: float, octaves: float) -> PacketLevels:
        """Where each camera's unusual sizes begin: beyond `quantile` of its packets and `octaves` above its median."""
        histogram = self._count[:, self._hour(), _PREDICTED].astype(np.float64)
        new = histogram.sum(axis=1) < _ENOUGH
        histogram[new] = self._count[new, :, _PREDICTED].sum(axis=1, dtype=np.int64)
        below = np.cumsum(histogram, axis=1)
        known = below[:, -1] >= _ENOUGH
        low, median, high, rare = (_places(histogram, below, share) for share in (0.25, 0.5, 0.75, quantile))
        level = np.maximum(rare, median + octaves * _PER_OCTAVE) / _PER_OCTAVE + _LEAST_LOG2[_PREDICTED]
        return PacketLevels(level, known, known & ((high - low) / _PER_OCTAVE <= _TIGHT_OCTAVES))

    def take_peaks(self) -> Histogram:
        """Log2 size of each camera's largest predicted pictures since the last call, means of a fifth of a second; -inf: none."""
        with self._peak_lock:
            peak, self._peak = self._peak, np.full(len(self._peak), -np.inf)
        return peak

    def _hour(self) -> int:
        return int(self._clock.now_s() // 3600) % _HOURS

    def _usual(self, row: int, kind: int) -> Histogram:
        """Of this hour; while it is new, of all hours together."""
        histogram: Histogram = self._count[row, self._hour(), kind].astype(np.float64)
        if histogram.sum() < _ENOUGH:
            histogram = self._count[row, :, kind].sum(axis=0, dtype=np.float64)
        return histogram

    def _halve(self, row: NDArray[np.intp], hour: int) -> None:
        """Forget half of what is full."""
        full = self._count[row, hour].sum(axis=2, dtype=np.int64) > _MOST
        if full.any():
            at, kind = np.nonzero(full)
            self._count[row[at], hour, kind] //= 2


def _quantile(histogram: Histogram, share: float) -> float:
    """The place, in bins, below which `share` of the packets are."""
    below = np.cumsum(histogram)
    wanted = share * below[-1]
    at = int(np.searchsorted(below, wanted))
    return at + float((wanted - (below[at] - histogram[at])) / histogram[at]) if histogram[at] else float(at)


def _places(histogram: Histogram, below: Histogram, share: float) -> Histogram:
    """`_quantile` of each row (rows, bins); `below` are its cumulative sums."""
    row, wanted = np.arange(len(histogram)), share * below[:, -1]
    at = np.minimum((below < wanted[:, None]).sum(axis=1), _BINS - 1)
    held = histogram[row, at]
    place: Histogram = at + np.where(held > 0, (wanted - (below[row, at] - held)) / np.maximum(held, 1), 0.0)
    return place


def _share_below(histogram: Histogram, place: float) -> float:
    """The share of the packets below `place`, in bins: the inverse of `_quantile`."""
    whole = int(min(place, _BINS - 1))
    return float((histogram[:whole].sum() + (place - whole) * histogram[whole]) / histogram.sum())


def _mad(histogram: Histogram, median: float) -> float:
    """Median distance from `median`, in bins: the half width around it that holds half of the packets, by bisection."""
    low, high = 0.0, float(_BINS)
    for _ in range(12):
        width = (low + high) / 2
        held = _share_below(histogram, min(median + width, float(_BINS))) - _share_below(histogram, max(median - width, 0.0))
        low, high = (width, high) if held < 0.5 else (low, width)
    return (low + high) / 2
