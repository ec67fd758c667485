"""What a pipeline that decodes everything finds in the same scenes, and how what was found compares with it."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]  # it ships no types

from base import Box, Codec, Event, FrameBatch, Packet, SimulatedClock
from base.records import Path as EventPath
from benchmarks._scenes import load
from camera_config import Rule
from detect import DetectSettings, Pipeline, load_networks
from ingest.decode import LEAST_STEP_S, AwakeDecoder, reduce_luma
from ingest.simulate import Clip, SimCamera

__all__ = ["Comparison", "Found", "Happening", "as_found", "compare", "happenings"]

_EARLY_S, _LATE_S = 1.0, 3.0  # how far from a happening an event may be raised and still be it
_LASTING_S = 2.0
_NO_PAIR_S, _ELSEWHERE_S = 1e9, 1e5
_SAME_MOMENT_S = 0.1  # between a point of an event's path and a picture of the reference
_LARGER = 0.5  # of a box, on each side, that its thing's foot may be away from it: two looks part a crowd differently

U8 = NDArray[np.uint8]
Way = NDArray[np.float64]
"""Where a thing was: time and box (N, 5), oldest first."""

_NOWHERE = np.empty((0, 5))


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """An event of the reference: first seen, rule fulfilled, last seen, UTC of the pictures; `way` is that of its thing."""

    camera: str
    began_s: float
    raised_s: float
    ended_s: float
    severity: int
    box: Box
    way: Way = field(default_factory=_NOWHERE.copy)

    @property
    def lasts(self) -> bool:
        return self.ended_s - self.began_s >= _LASTING_S


@dataclass(frozen=True, slots=True)
class Found:
    """An event of the pipeline that is measured; `at_s` is UTC when it was stored; `path` is its thing's until it was raised."""

    camera: str
    raised_s: float
    at_s: float
    path: EventPath = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`latency_s` are from the moment the reference raised it to the moment it was stored, of those found. `told` are those that
    an event was about, though it may have been about another one as well, and `told_latency_s` are of the first such event."""

    happenings: int
    lasting: int
    found: int
    found_lasting: int
    severe: int
    severe_found: int
    unmatched: int
    latency_s: tuple[float, ...]
    since_began_s: tuple[float, ...]
    missed: tuple[Happening, ...]
    told: int
    told_lasting: int
    told_latency_s: tuple[float, ...]
    untold: tuple[Happening, ...]

    @property
    def told_share(self) -> float | None:
        return _share(self.told, self.happenings)

    @property
    def told_share_lasting(self) -> float | None:
        return _share(self.told_lasting, self.lasting)

    @property
    def recall_all(self) -> float | None:
        return _share(self.found, self.happenings)

    @property
    def recall_lasting(self) -> float | None:
        return _share(self.found_lasting, self.lasting)

    @property
    def recall_severe(self) -> float | None:
        return _share(self.severe_found, self.severe)


def happenings(
    cameras: Sequence[SimCamera], rules: Mapping[str, Rule], started_s: float, from_s: Mapping[str, float], to_s: float
) -> list[Happening]:
    """The reference's events on armed `cameras`, whose simulator was started at `started_s`, each watched from its `from_s` on.

    Times are UTC. In two processes.
    """
    groups: dict[Path, list[SimCamera]] = {}
    for camera in cameras:
        if camera.file is not None and camera.id in rules:
            groups.setdefault(camera.file, []).append(camera)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(
                _watch_all,
                path,
                group,
                [rules[camera.id] for camera in group],
                started_s,
                [from_s[camera.id] for camera in group],
                to_s,
            )
            for path, group in groups.items()
        ]
        return [one for job in jobs for one in job.result()]


def as_found(expected: Sequence[Happening]) -> list[Found]:
    """The events of a reference as if they were a pipeline's that needs no time."""
    return [Found(one.camera, one.raised_s, one.raised_s, _path_of(one)) for one in expected]


def _path_of(one: Happening) -> EventPath:
    return tuple((at_s, (left + right) / 2, bottom) for at_s, left, _, right, bottom in one.way.tolist() if at_s <= one.raised_s)


def compare(expected: Sequence[Happening], found: Sequence[Found], from_s: float, to_s: float) -> Comparison:
    """Which happenings between two UTC times were found, each event standing for one happening at most: as many as can be."""
    event_of = _matched(expected, found)
    taken = set(event_of.values())
    asked = [at for at, one in enumerate(expected) if from_s <= one.raised_s < to_s]
    lasting = [at for at in asked if expected[at].lasts]
    severe = [at for at in asked if expected[at].severity == 1 and expected[at].lasts]
    hit = [at for at in asked if at in event_of]
    first_s = {at: told_s for at in asked if (told_s := _first_told_s(expected[at], found)) is not None}
    return Comparison(
        happenings=len(asked),
        lasting=len(lasting),
        found=len(hit),
        found_lasting=sum(at in event_of for at in lasting),
        severe=len(severe),
        severe_found=sum(at in event_of for at in severe),
        unmatched=sum(from_s <= event.raised_s < to_s for number, event in enumerate(found) if number not in taken),
        latency_s=tuple(found[event_of[at]].at_s - expected[at].raised_s for at in hit),
        since_began_s=tuple(found[event_of[at]].at_s - expected[at].began_s for at in hit),
        missed=tuple(expected[at] for at in asked if at not in event_of),
        told=len(first_s),
        told_lasting=sum(at in first_s for at in lasting),
        told_latency_s=tuple(told_s - expected[at].raised_s for at, told_s in first_s.items()),
        untold=tuple(expected[at] for at in asked if at not in first_s),
    )


def _first_told_s(one: Happening, found: Sequence[Found]) -> float | None:
    """When the first event about a happening was stored, None if there was none."""
    return min((event.at_s for event in found if event.camera == one.camera and _is_about(one, event)), default=None)


def _is_about(one: Happening, event: Found) -> bool:
    """Whether an event was raised at the time of a happening, and its thing was where the happening's was: most of the moments
    that both were seen, it stood in its box, or not much beside it."""
    if not _fits(one, event) or not len(one.way) or not event.path:
        return False
    path = np.array(event.path)
    nearest = np.abs(one.way[None, :, 0] - path[:, None, 0]).argmin(axis=1)
    at, box = one.way[nearest, 0], one.way[nearest, 1:]
    both = np.abs(at - path[:, 0]) <= _SAME_MOMENT_S
    slack = (box[:, 2:] - box[:, :2]) * _LARGER
    inside = np.all((path[:, 1:] >= box[:, :2] - slack) & (path[:, 1:] <= box[:, 2:] + slack), axis=1)
    return bool(both.any() and np.mean(inside, where=both) >= 0.5)


def _fits(one: Happening, event: Found) -> bool:
    """Whether an event was raised while a happening was to be seen, or a little before or after."""
    return one.began_s - _EARLY_S <= event.raised_s <= one.ended_s + _LATE_S


def _matched(expected: Sequence[Happening], found: Sequence[Found]) -> dict[int, int]:
    """The largest set of pairs; of these the one with most pairs in one place, then the closest in time in all."""
    event_of: dict[int, int] = {}
    for camera in {one.camera for one in expected}:
        ones = [at for at, one in enumerate(expected) if one.camera == camera]
        events = [number for number, event in enumerate(found) if event.camera == camera]
        apart_s = np.array([[_apart_s(expected[at], found[number]) for number in events] for at in ones]).reshape(len(ones), -1)
        for row, column in zip(*linear_sum_assignment(apart_s), strict=True):
            if apart_s[row, column] < _NO_PAIR_S:
                event_of[ones[row]] = events[column]
    return event_of


def _apart_s(one: Happening, event: Found) -> float:
    """How far apart they were raised, if they can be the same; much farther where their things stood in different places."""
    if not _fits(one, event):
        return _NO_PAIR_S
    return abs(event.raised_s - one.raised_s) + (0.0 if _is_about(one, event) else _ELSEWHERE_S)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture of a loop, decoded once for all cameras that show it."""

    luma: U8
    small: U8
    is_key: bool

    def bgr(self) -> U8:
        return np.asarray(cv2.cvtColor(self.luma, cv2.COLOR_GRAY2BGR), np.uint8)


def _watch_all(
    path: Path, cameras: Sequence[SimCamera], rules: Sequence[Rule], started_s: float, from_s: Sequence[float], to_s: float
) -> list[Happening]:
    """Cameras that show the same loop, each from its own moment on."""
    cv2.setNumThreads(1)
    clip = load(path)
    pictures = _decode(clip)
    names = [camera.id for camera in cameras]
    settings = replace(DetectSettings(), report_ends=True)
    clock = SimulatedClock(min(from_s))
    networks = load_networks([], "none")
    pipeline = Pipeline(
        names,
        rules,
        ZoneInfo("UTC"),
        networks,
        lambda *_: None,
        clock=clock,
        settings=settings,
        make_id=lambda _, what: what,  # which names the track
    )
    seen: dict[str, Event] = {}
    ways: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)  # of each track, by camera and number
    for batch in _batches(pictures, clip, cameras, started_s, from_s, to_s):
        for event in pipeline.process(batch):
            seen[event.id] = replace(seen[event.id], ended_s=event.ended_s) if event.id in seen else event
        for row, name in enumerate(names):
            for track in pipeline.tracks(row):
                if track.matched:
                    ways[name, str(track.number)].append((track.seen_s, *track.box))
    return [
        Happening(
            camera=one.camera,
            began_s=one.began_s,
            raised_s=one.raised_s,
            ended_s=one.ended_s or to_s,
            severity=one.severity,
            box=one.box,
            way=np.array(ways[one.camera, one.id.rsplit(" ", 3)[1]], np.float64),
        )
        for one in seen.values()
    ]


def _decode(clip: Clip) -> list[_Decoded]:
    decoder = AwakeDecoder()
    shown = []
    for number, frame in enumerate(clip.frames):
        packet = Packet("", 0.0, number * 6000, frame.is_key, frame.data, Codec.H264)
        for _, _, picture in decoder.decode(packet):
            luma = picture.luma.copy()  # the decoder has few buffers, and all are kept
            shown.append(_Decoded(luma, reduce_luma(luma), frame.is_key))
    return shown


def _batches(
    pictures: Sequence[_Decoded],
    clip: Clip,
    cameras: Sequence[SimCamera],
    started_s: float,
    from_s: Sequence[float],
    to_s: float,
) -> Iterator[FrameBatch]:
    """One frame of every camera, again and again; each begins with its first key frame, and is looked at as often as the pipeline
    looks at an awake camera."""
    zero_s = [started_s - camera.offset_s for camera in cameras]
    looked_at = _looked_at(pictures, clip.fps)
    ways = [_way(pictures, looked_at, int((began_s - at_s) * clip.fps)) for at_s, began_s in zip(zero_s, from_s, strict=True)]
    while True:
        numbers = [next(way) for way in ways]
        time_s = np.array([at_s + number / clip.fps for at_s, number in zip(zero_s, numbers, strict=True)])
        if time_s.min() >= to_s:
            return
        now = [pictures[number % len(pictures)] for number in numbers]
        yield FrameBatch(
            camera=np.arange(len(cameras), dtype=np.int32),
            time_s=time_s,
            luma=np.stack([one.small for one in now]),
            is_key=np.array([one.is_key for one in now]),
            awake=np.ones(len(cameras), np.bool_),
            picture=now,
        )


def _looked_at(pictures: Sequence[_Decoded], fps: float) -> NDArray[np.bool_]:
    """Which frames of a loop are looked at: key frames, and what comes clearly after the last one looked at."""
    looked_at, last = np.zeros(len(pictures), np.bool_), 0
    for number, one in enumerate(pictures):
        if one.is_key or (number - last) / fps >= LEAST_STEP_S:
            looked_at[number], last = True, number
    return looked_at


def _way(pictures: Sequence[_Decoded], looked_at: NDArray[np.bool_], start: int) -> Iterator[int]:
    """The numbers of the frames of an endless loop that are looked at, from the first key frame on."""
    first = next(number for number in itertools.count(start) if pictures[number % len(pictures)].is_key)
    return (number for number in itertools.count(first) if looked_at[number % len(pictures)])
