"""The labelled clips, the rules that are to find what happens in them, and how their truth is read.

Intervals come from ``events.json`` (made by eye), from masks, or stand here. A clip in which something is there from its first
picture on begins with a few seconds of its empty scene: a camera has seen its scene before, a clip has not.
"""

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from base import EventKind
from benchmarks._films import U8, Film, Picture, Truth, data_folder, lead_in, read_pictures, sent
from benchmarks._live import CAMERA
from camera_config import Name, Outline, Rule

__all__ = ["CLIPS", "EVERYWHERE", "Labelled", "film_of", "watch_for"]

EVERYWHERE: Outline = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_LEAST_BODY = 0.002  # of the picture, in moving pixels: a car of a tenth of the picture's height
_LEAST_STAY_S = 0.8  # of a vehicle in a zone to be missed: the dwell time and what the edge of a zone is good for
_ALL = 1_000_000  # frames
_SAME_S = 0.5  # a shorter gap in a mask is none

Spans = Sequence[tuple[int, int]]
Truths = Callable[[Path, Sequence[float]], list[Truth]]
"""What happens in a clip: its file and the times of its frames → truths."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A clip, the rules of its camera, and what they are to find. Nothing is known before frame `known`.

    The median of its first `lead` frames is its empty scene, which then comes in front of it; 0: it begins with that anyway.
    """

    name: str
    rules: tuple[Rule, ...]
    truths: tuple[Truths, ...] = ()
    lead: int = 0
    known: int = 0


def film_of(clip: Labelled) -> Film:
    """A clip as a camera would have sent it, with its empty scene in front where it has none."""
    path = data_folder() / clip.name
    with av.open(str(path)) as container:
        rate_hz = float(container.streams.video[0].average_rate or 25)
    lead_frames = sum(1 for _ in lead_in([np.zeros((2, 2, 3), np.uint8)], rate_hz)) if clip.lead else 0
    made = sent((clip.name, path.stat().st_size, clip.lead), max(1, round(rate_hz)), lambda: _pictures(clip, path, rate_hz))
    shown_s = made.time_s[lead_frames:]
    truths = tuple(truth for read in clip.truths for truth in read(path, shown_s))
    return Film(clip.name, clip.rules, made, truths, shown_s[clip.known] if clip.known else 0.0, lead_frames)


def _pictures(clip: Labelled, path: Path, rate_hz: float) -> Iterator[Picture]:
    lead_s = 0.0
    if clip.lead:
        shown = [bgr for number, (_, bgr) in enumerate(read_pictures(path)) if number < clip.lead and number % 4 == 0]
        for lead_s, bgr in lead_in(shown, rate_hz):
            yield lead_s, bgr
        lead_s += 1 / rate_hz
    for time_s, bgr in read_pictures(path):
        yield lead_s + time_s, bgr


def watch_for(
    kind: EventKind, labels: tuple[str, ...] = (), zone: Outline = EVERYWHERE, dwell_s: float = 1.0, leave_s: float = 0.5
) -> Rule:
    """An always armed rule without dead time, so that every false alarm counts; its name is its kind."""
    return Rule(CAMERA, kind.value, kind, zone, Name("", ""), labels, dwell_s=dwell_s, leave_s=leave_s, dead_time_s=0.0)


def _spans(kind: EventKind, *spans: tuple[int, int], once: bool = True) -> Truths:
    """Something from the first to the last frame of each span; `once`: one thing in each."""
    return lambda _path, time_s: [Truth(kind.value, time_s[a], time_s[min(b, len(time_s) - 1)], once) for a, b in spans]


def _listed(key: str, kind: EventKind, once: bool = True) -> Truths:
    """Something in each span that ``events.json`` lists under `key` for the clip, or for the one it is a copy of."""

    def truths(path: Path, time_s: Sequence[float]) -> list[Truth]:
        listed = json.loads((data_folder() / "events.json").read_text("utf-8"))
        name = path.relative_to(data_folder()).as_posix().replace("_vfr", "")
        return _spans(kind, *listed[name][key], once=once)(path, time_s)

    return truths


def _throughout(_path: Path, time_s: Sequence[float]) -> list[Truth]:
    """Somebody is there all the time."""
    return [Truth(EventKind.INTRUSION.value, time_s[0], time_s[-1])]


def _masked(zone: Outline) -> Truths:
    """From the clip's masks: while the foot of something moving is in a zone, which is a rectangle."""

    def truths(path: Path, time_s: Sequence[float]) -> list[Truth]:
        spans: list[tuple[float, float]] = []
        for moment_s, mask in zip(time_s, _masks(path), strict=True):
            if not _stands_in(mask, zone):
                continue
            if spans and moment_s - spans[-1][1] <= _SAME_S:
                spans[-1] = spans[-1][0], moment_s
            else:
                spans.append((moment_s, moment_s))
        kind = EventKind.INTRUSION.value
        return [Truth(kind, first, last) for first, last in spans if last - first >= _LEAST_STAY_S]

    return truths


def _stands_in(mask: U8, zone: Outline) -> bool:
    height, width = mask.shape
    (left, top), (right, bottom) = zone[0], zone[2]
    _, _, stats, _ = cv2.connectedComponentsWithStats((mask > 200).astype(np.uint8))
    return any(
        area >= _LEAST_BODY * mask.size and left <= (x + w / 2) / width <= right and top <= (y + h) / height <= bottom
        for x, y, w, h, area in stats[1:].tolist()
    )


def _masks(path: Path) -> Iterator[U8]:
    """Ground truth of each frame, 255 where something moves."""
    with zipfile.ZipFile(path.with_name("groundtruth.zip")) as archive:
        for name in sorted(name for name in archive.namelist() if name.lower().endswith((".png", ".jpg", ".bmp"))):
            mask = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
            assert mask is not None
            yield np.asarray(mask, np.uint8)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Outline:
    return (left, top), (right, top), (right, bottom), (left, bottom)


_PERSON, _VEHICLE = ("person",), ("vehicle",)
_ROAD = _rectangle(0.05, 0.4, 0.85, 0.8)
_LANES = _rectangle(0.25, 0.3, 0.95, 0.85)
_DVRSCAN = _rectangle(631 / 1280, 532 / 720, 841 / 1280, 659 / 720)  # the region its published answer holds for

_SOMEBODY = watch_for(EventKind.INTRUSION, _PERSON)
_LEFT = watch_for(EventKind.OBJECT_LEFT, dwell_s=1.0, leave_s=5.0)


def _traffic(zone: Outline) -> Rule:
    return watch_for(EventKind.INTRUSION, _VEHICLE, zone, dwell_s=0.5)


CLIPS = (
    Labelled("video/intel_one-by-one-person-detection.mp4", (_SOMEBODY,), (_listed("person", EventKind.INTRUSION),)),
    Labelled(
        "video/intel_car-detection.mp4",
        (_traffic(EVERYWHERE),),
        (_spans(EventKind.INTRUSION, (54, 107), (181, 228), (188, 234), (318, 350)),),  # by eye, ± 4 frames
    ),
    Labelled("video/intel_bottle-detection.mp4", (watch_for(EventKind.INTRUSION, ("person", "vehicle")),)),  # hands are neither
    *(
        Labelled(
            f"video/dvrscan_traffic_camera{copy}.mp4",
            (watch_for(EventKind.MOTION, (), _DVRSCAN, dwell_s=0.1),),
            (
                _listed("motion_events_in_roi", EventKind.MOTION, once=False),
            ),  # several cars each, of which some pass within 0.4 s
            lead=_ALL,
        )
        for copy in ("", "_vfr")
    ),
    Labelled(
        "motion/sbi_HallAndMonitor/input.mp4",
        (_SOMEBODY, _LEFT),
        (
            lambda _path, time_s: [Truth(EventKind.INTRUSION.value, time_s[12], time_s[-1])],
            _spans(EventKind.OBJECT_LEFT, (125, 295)),  # placed at 125; its owner has gone by 245
        ),
        lead=12,
    ),
    Labelled("motion/sbi_IBMtest2/input.mp4", (_SOMEBODY,), (_throughout,), lead=_ALL),
    Labelled("mot/TUD-Campus/input.mp4", (_SOMEBODY,), (_throughout,), lead=_ALL),
    Labelled("mot/TUD-Stadtmitte/input.mp4", (_SOMEBODY,), (_throughout,), lead=_ALL),
    Labelled("motion/cdnet_highway/input.mp4", (_traffic(_ROAD),), (_masked(_ROAD),), known=470),
    Labelled("motion/sbi_HighwayI/input.mp4", (_traffic(_LANES),), (_masked(_LANES),), lead=_ALL),
)
"""Every labelled clip there is."""
