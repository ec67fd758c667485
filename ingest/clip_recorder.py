"""The clip of every event: its packets gathered from the ring while it lasts, and written to the clip box when it is over."""

import logging
import os
import queue
import statistics
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from base.clock import Clock
from base.errors import DecodeError, StorageError
from base.records import ClipGap, ClipGapCause, Event, Packet
from base.tally import Tally
from camera_config import Outline
from ingest.clip_box import ClipBox
from ingest.clip_file import Footage, is_copied

__all__ = ["ClipRecorder", "ClipStats", "Kept"]

logger = logging.getLogger(__name__)

BEFORE_S, AFTER_S = 5.0, 10.0
"""What a clip shows before its event began and after it ended."""

LONGEST_S = 30.0
"""After an event was raised its clip ends, whether or not the thing is still there: somebody waits for it."""

LEAD_S = 8.0
"""How far back the packets of an awake camera are kept, beside the longest dwell of its rules: the five seconds, and the time
until a key frame woke it."""

MOST_BYTES = 64 << 20
"""Of packets that are kept for clips, beyond what the ring holds; with more, clips end early."""

_TURN_S = 1.0
_LATE_S = 1.5  # the last packets of a clip have arrived by then: a sweep, and a turn
_PAUSE_S = 2.0  # without a frame for so long, or four times as long as usual, is a gap
_MOST_WAITING = 16  # clips that are being written or wait for it
_MOST_OPEN = 256  # events whose clips are being gathered
_LOW_PRIORITY = 10


class Kept(Protocol):
    """What this needs of `ingest.Feeds`."""

    def awake(self, camera: str) -> bool: ...
    def packets(self, camera: str) -> tuple[Packet, ...]: ...


@dataclass(frozen=True, slots=True)
class ClipStats:
    """Counters since the start."""

    made: int = 0
    reencoded: int = 0
    refused: int = 0  # no room on the disk, too much to do, or no video


@dataclass(slots=True)
class _Roll:
    """What is kept of one camera, from a key frame on."""

    packets: deque[Packet] = field(default_factory=deque)
    bytes: int = 0

    def extend(self, ring: Sequence[Packet]) -> None:
        """Add what is new in this look at the ring; begin anew if our clock was set back."""
        if not ring:
            return
        if self.packets and ring[-1].time_s < self.packets[-1].time_s:
            if any(_same(ring[-1], packet) for packet in self.packets):
                return  # an earlier look, which came late
            self.packets.clear()
            self.bytes = 0
        known = 0
        if self.packets:
            newest = self.packets[-1]
            known = next((at + 1 for at in reversed(range(len(ring))) if _same(ring[at], newest)), 0)
        added = ring[known:]
        self.packets.extend(added)
        self.bytes += sum(len(packet.data) for packet in added)

    def trim(self, from_s: float) -> None:
        """Forget what is not needed to show everything since `from_s`."""
        keys = [at for at, packet in enumerate(self.packets) if packet.is_key and packet.time_s <= from_s]
        for _ in range(keys[-1] if keys else 0):
            self.bytes -= len(self.packets.popleft().data)


@dataclass(slots=True)
class _Open:
    """A clip that is being gathered; `due_s` is monotonic, the others UTC. `masks` were in force when its packets came."""

    event: str
    camera: str
    raised_s: float
    from_s: float
    until_s: float
    due_s: float
    masks: Sequence[Outline]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An event that wants a clip, with what was there of it when it began."""

    event: Event
    packets: tuple[Packet, ...]
    masks: Sequence[Outline]


@dataclass(frozen=True, slots=True)
class _Another:
    """From here on a camera has another stream or other masks, or is gone."""

    camera: str
    masks: Sequence[Outline]


@dataclass(frozen=True, slots=True)
class _Job:
    """A clip to be written."""

    clip: _Open
    packets: tuple[Packet, ...]
    cut: bool


class ClipRecorder:
    """Makes clips. `begin` and `end` may be called from any thread and do not wait; two threads of its own do the work, the one
    that writes at low priority, one clip at a time.

    While a camera is awake its packets are gathered, so that a clip can begin before what the ring holds. An event is never
    delayed or lost for its clip: what cannot be made is counted and said in the log.
    """

    def __init__(
        self,
        dwell_s: Mapping[str, float],
        kept: Kept,
        box: ClipBox,
        clock: Clock,
        masks: Mapping[str, Sequence[Outline]],
    ) -> None:
        """`dwell_s` is the longest dwell of the rules of each camera; `masks` those that nobody may look behind."""
        self._dwell_s, self._kept, self._box, self._clock, self._masks = dict(dwell_s), kept, box, clock, masks
        self._asked: deque[_Asked | _Another] = deque()
        self._ended: deque[tuple[str, float]] = deque()
        self._open: dict[str, _Open] = {}
        self._rolls: dict[str, _Roll] = {}
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_MOST_WAITING)
        self._stopping = threading.Event()
        self._tally = Tally(logger, clock, every_s=10.0)
        self._made = self._reencoded = self._refused = 0
        self._threads = (
            threading.Thread(target=self._gather, name="clip-gather", daemon=True),
            threading.Thread(target=self._write_all, name="clip-write", daemon=True),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within_s: float) -> None:
        """Write what has been gathered so far, if that needs no encoding; what is not done in time is lost."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(within_s / len(self._threads))

    def exchange(self, camera: str, dwell_s: float | None, masks: Sequence[Outline] = (), another: bool = True) -> None:
        """The rules of a camera are others from now on; without `dwell_s` the camera is gone. By whoever calls `begin`.

        `another`: its stream or its masks are others, too. Then its clips end here: what came before stays masked as it was.
        """
        others = {name: known for name, known in self._dwell_s.items() if name != camera}
        self._masks = {**self._masks, camera: masks}
        self._dwell_s = others if dwell_s is None else {**others, camera: dwell_s}
        if another:
            self._asked.append(_Another(camera, masks))

    def begin(self, event: Event) -> None:
        """Make the clip of an event that was raised just now."""
        packets = self._kept.packets(event.camera)  # now: in a second the oldest have left the ring
        self._asked.append(_Asked(event, packets, self._masks.get(event.camera, ())))

    def end(self, event: str, ended_s: float) -> None:
        """The thing of this event has gone at `ended_s` (UTC)."""
        self._ended.append((event, ended_s))

    def stats(self) -> ClipStats:
        return ClipStats(self._made, self._reencoded, self._refused)

    def turn(self) -> None:
        """Gather once: call it every second. Owned by the gathering thread."""
        now_s = self._clock.monotonic_s()
        self._take_asked(now_s)
        wanted = {clip.camera for clip in self._open.values()}
        wanted.update(camera for camera in self._dwell_s if self._kept.awake(camera))
        for camera in wanted:
            self._rolls.setdefault(camera, _Roll()).extend(self._kept.packets(camera))
        for clip in [clip for clip in self._open.values() if now_s >= clip.due_s]:
            self._hand_over(clip, cut=False)
        for camera in [camera for camera in self._rolls if camera not in wanted]:
            del self._rolls[camera]
        self._trim()

    @property
    def waiting(self) -> int:
        """Clips that wait to be written."""
        return self._jobs.qsize()

    def write_next(self) -> bool:
        """Write the next clip, once there is one; False if there will be none. Owned by the writing thread."""
        job = self._jobs.get()
        if job is None:
            return False
        try:
            self._write(job)
        except (StorageError, DecodeError) as error:
            self._refuse(str(error))
        except Exception:
            logger.exception("event %s gets no clip", job.clip.event)
        return True

    def _gather(self) -> None:
        while not self._clock.wait(self._stopping, _TURN_S):
            try:
                self.turn()
            except Exception:
                logger.exception("clips could not be gathered")
        for clip in list(self._open.values()):
            self._hand_over(clip, cut=True)
        self._jobs.put(None)

    def _take_asked(self, now_s: float) -> None:
        while self._asked:
            asked = self._asked.popleft()
            if isinstance(asked, _Another):
                self._end_all(asked)
            else:
                self._take(asked, now_s)
        while self._ended:
            name, ended_s = self._ended.popleft()
            if name in self._open:
                clip = self._open[name]
                clip.until_s = min(max(ended_s, clip.raised_s) + AFTER_S, clip.until_s)
                self._time(clip)

    def _take(self, asked: _Asked, now_s: float) -> None:
        event = asked.event
        if len(self._open) >= _MOST_OPEN:
            self._refuse(f"event {event.id} gets no clip: {len(self._open)} are being gathered")
            return
        until_s = event.raised_s + (LONGEST_S if event.path and event.ended_s is None else AFTER_S)
        clip = _Open(event.id, event.camera, event.raised_s, event.began_s - BEFORE_S, until_s, now_s, asked.masks)
        self._open[event.id] = clip
        self._time(clip)
        self._rolls.setdefault(event.camera, _Roll()).extend(asked.packets)

    def _end_all(self, another: _Another) -> None:
        """End the clips of a camera that is another one now, and forget what is kept of it. Both masks hold for them."""
        for clip in [clip for clip in self._open.values() if clip.camera == another.camera]:
            clip.masks = _both(clip.masks, another.masks)
            self._hand_over(clip, cut=True)
        self._rolls.pop(another.camera, None)

    def _time(self, clip: _Open) -> None:
        """Say when a clip can be written."""
        clip.due_s = self._clock.monotonic_s() + max(0.0, clip.until_s - self._clock.now_s()) + _LATE_S

    def _trim(self) -> None:
        """Forget what is too old; if it is still too much, clips end here, the longest first."""
        now_s = self._clock.now_s()
        for camera, roll in self._rolls.items():
            needed_s = [clip.from_s for clip in self._open.values() if clip.camera == camera]
            roll.trim(min([now_s - LEAD_S - self._dwell_s.get(camera, 0.0), *needed_s]))
        while sum(roll.bytes for roll in self._rolls.values()) > MOST_BYTES:
            camera = max(self._rolls, key=lambda camera: self._rolls[camera].bytes)
            for clip in [clip for clip in self._open.values() if clip.camera == camera]:
                self._hand_over(clip, cut=True)
            del self._rolls[camera]

    def _hand_over(self, clip: _Open, cut: bool) -> None:
        """Give what was gathered for a clip to the thread that writes."""
        del self._open[clip.event]
        roll = self._rolls.get(clip.camera)
        packets = _between(roll.packets if roll else (), clip.from_s, clip.until_s)
        if not packets:
            self._refuse(f"event {clip.event} gets no clip: nothing is kept of camera {clip.camera}")
            return
        try:
            self._jobs.put_nowait(_Job(clip, packets, cut))
        except queue.Full:
            self._refuse(f"event {clip.event} gets no clip: {_MOST_WAITING} wait to be written")

    def _write_all(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOW_PRIORITY)  # of this thread only: setpriority(2)
        while self.write_next():
            pass

    def _write(self, job: _Job) -> None:
        masks = _both(job.clip.masks, self._masks.get(job.clip.camera, ()))
        if self._stopping.is_set() and not is_copied(job.packets[0].codec, masks):
            raise StorageError(f"event {job.clip.event} gets no clip: its worker is being stopped, and encoding takes too long")
        ended_s = max(job.clip.until_s, job.packets[-1].time_s)
        clip = self._box.put(job.clip.event, job.packets, masks, lambda footage: _gaps(footage, job), ended_s)
        self._made += 1
        self._reencoded += clip.reencoded

    def _refuse(self, why: str) -> None:
        self._refused += 1
        self._tally.warn("clips", why)


def _same(one: Packet, other: Packet) -> bool:
    return one.pts_90k == other.pts_90k and one.time_s == other.time_s


def _both(masks: Sequence[Outline], others: Sequence[Outline]) -> Sequence[Outline]:
    return (*masks, *(mask for mask in others if mask not in masks))


def _between(packets: Sequence[Packet], from_s: float, until_s: float) -> tuple[Packet, ...]:
    """The packets that show everything from `from_s` until `until_s`: from the key frame before on, or the first there is."""
    keys = [at for at, packet in enumerate(packets) if packet.is_key]
    early = [at for at in keys if packets[at].time_s <= from_s]
    first = early[-1] if early else keys[0] if keys else len(packets)
    return tuple(packet for at, packet in enumerate(packets) if at >= first and packet.time_s < until_s)


def _gaps(footage: Footage, job: _Job) -> list[ClipGap]:
    """What a clip should show and does not: before its first frame, where nothing came for long, and at its end."""
    clip, shown = job.clip, footage.time_s
    usual_s = statistics.median([later - earlier for earlier, later in pairwise(shown)]) if len(shown) > 1 else 0.0
    pause_s = max(_PAUSE_S, 4 * usual_s)
    gaps = [ClipGap(clip.from_s, shown[0], ClipGapCause.NOT_KEPT)] if shown[0] > clip.from_s else []
    gaps += [ClipGap(earlier, later, ClipGapCause.NOT_SENT) for earlier, later in pairwise(shown) if later - earlier > pause_s]
    if clip.until_s - shown[-1] > pause_s:
        gaps.append(ClipGap(shown[-1], clip.until_s, ClipGapCause.CUT if job.cut else ClipGapCause.NOT_SENT))
    return gaps
