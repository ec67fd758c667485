"""Which packets are worth decoding: key frames while a camera is quiet, its whole GOP once something stirs."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from base.clock import Clock
from base.records import Packet
from ingest.ring import Ring
from ingest.run import Packets, Run, as_run
from ingest.stillness import MOST_UNSEEN_S, Stillness

__all__ = ["Gate", "GateStats", "RoomFor", "Work"]

_MOST_AWAKE_S = 120.0  # a call; who wants more calls again
_BACK_S = 4.5  # a thing that a key frame shows came after the one before it; longer GOPs are too dear to decode in arrears ...
_FAR_BACK_S = 9.5  # ... but for key frames in between that were not let through: nobody has looked since the last that was
_MOST_ARREARS_S = 12.0  # of a camera whose time is over: what a wake may begin with, the newest GOP of two seconds included
_MOST_AWAKE_BYTES = 32 * 2**20  # that wait for a camera's own decoder: 300 packets of 25 Mbit/s at 30 frames/s

RoomFor = Callable[[int, bool], bool]
"""Whether one more frame of the camera in this row, awake or not, may be handed on."""


@dataclass(frozen=True, slots=True)
class Work:
    """A packet to decode. `row` is the camera's row; an awake packet continues the camera's own decoder."""

    row: int
    packet: Packet
    awake: bool


@dataclass(frozen=True, slots=True)
class GateStats:
    """`dropped` counts packets that were let through and then given up because decoding fell behind; `still` the key frames that
    were not let through because nothing had changed."""

    dropped: int
    still: int
    awake: int
    ring_bytes: int


class Gate:
    """Between reader and decoder: keeps the ring, and the packets that wait for a decoder. Any thread may call any method.

    Quiet cameras: one waiting key frame each, the newest wins; with `stillness` only those that may show something new, and
    the first after seven seconds whatever it says. Awake cameras: all packets in order, at most `most_packets` or
    32 MiB each; when the decoder falls that far behind, the oldest go, up to the next key frame. Quiet work and awake work take
    turns, so that every camera still gets its key frames. `work_ready` is set whenever there is something to decode.
    """

    def __init__(self, ring: Ring, clock: Clock, most_packets: int, stillness: Stillness | None = None) -> None:
        self.work_ready = threading.Event()
        self._ring, self._clock, self._most_packets, self._stillness = ring, clock, most_packets, stillness
        self._lock = threading.Lock()
        self._until_s: dict[int, float] = {}  # monotonic, of rows that are awake ...
        self._woken_s: dict[int, float] = {}  # ... and since when they are; stays afterwards
        self._keys: OrderedDict[int, Run] = OrderedDict()  # with a key frame that waits: its last one
        self._queues: OrderedDict[int, deque[Packet]] = OrderedDict()  # of rows that are awake, or were and are not done
        self._decoded_s: dict[int, float] = {}  # UTC of the newest packet that went to a row's own decoder
        self._headless: set[int] = set()  # rows whose decoder can go on at a key frame only
        self._shown_s: dict[int, float] = {}  # when (monotonic) a key frame of a quiet row was last let through ...
        self._passed: dict[int, tuple[int, int]] = {}  # ... how many before it and after it were not
        self._dropped = self._still = 0
        self._quiet_turn = False

    def admit(self, row: int, packets: Packets) -> None:
        """Keep new packets of a camera, and queue what is worth decoding. Reader thread."""
        run = as_run(packets)
        with self._lock:
            if row in self._queues and self._stays_awake(row):
                self._admit_awake(row, list(run))
            else:
                self._ring.extend(row, run)
                if not run.key or self._is_still(row, len(run.key)):
                    return
                self._dropped += len(run.key) - 1 + (row in self._keys)
                self._keys[row] = run
        if not self.work_ready.is_set():
            self.work_ready.set()

    def wake(self, row: int, until_s: float) -> None:
        """Decode this camera from the key frame before its last one on, for as long as until `until_s` (UTC), at most 120 s.

        So what led to what the last one shows is seen: where key frames in between were not let through, from the last that was.
        From the last one if the one before is more than 4.5 s older (9.5 s with such in between), or was decoded already. A later
        call may extend it. Steps of our UTC clock in between change nothing.
        """
        now_s = self._clock.monotonic_s()
        ends_s = now_s + min(_MOST_AWAKE_S, max(0.0, until_s - self._clock.now_s()))
        with self._lock:
            asleep = row not in self._until_s or now_s >= self._until_s[row]
            self._until_s[row] = max(ends_s, self._until_s.get(row, ends_s))
            if asleep:
                self._keys.pop(row, None)
                self._queues.setdefault(row, deque())
                self._woken_s[row] = now_s
                self._headless.add(row)
                newest = self._ring.newest_gop(row)
                self._enqueue(row, (*self._before(row, newest), *newest))
                if self._ring.is_sealed(row):
                    self._headless.add(row)
        self.work_ready.set()

    def sleep(self, row: int) -> None:
        """Close the gate for this camera now, and give up what waits for its decoder."""
        with self._lock:
            if self._until_s.pop(row, None) is not None:
                self._dropped += len(self._queues.pop(row, ()))

    def awake(self, row: int) -> bool:
        """Whether the gate is open for this camera."""
        return row in self._until_s and self._until_s.get(row, 0.0) > self._clock.monotonic_s()

    def rest(self, row: int) -> bool:
        """Whether an awake camera's time is over and its queue empty, so that its decoder may go. Decode thread."""
        with self._lock:
            return not self._queues.get(row) and not self._stays_awake(row)

    def next_work(self, has_room: RoomFor) -> Work | None:
        """The next packet for a decoder, or None. `has_room(row)` tells whether another frame of a camera may be handed on."""
        with self._lock:
            self._quiet_turn = not self._quiet_turn
            order = (self._quiet, self._awake) if self._quiet_turn else (self._awake, self._quiet)
            work = order[0](has_room) or order[1](has_room)
        if isinstance(work, tuple):
            row, run = work
            return Work(row, run.packet(run.key[-1]), awake=False)
        return work

    def gop(self, row: int) -> tuple[Packet, ...]:
        """The newest GOP of a camera from its key frame on; empty if there is none."""
        with self._lock:
            return self._ring.newest_gop(row)

    def packets(self, row: int) -> tuple[Packet, ...]:
        """All that the ring keeps of a camera, from a key frame on."""
        with self._lock:
            return self._ring.packets(row)

    def backlog_s(self) -> float:
        """Media time that waits for the decoders of awake cameras, the mean over these; 0 without one.

        A wake begins with seconds of it, which say nothing of how fast decoding is: it counts no more than it has been awake.
        Else a small budget, by which cameras are awake for a moment each, would look like a slow machine, and be made smaller.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            waits_s = [
                min(queue[-1].time_s - queue[0].time_s, now_s - self._woken_s[row]) if queue else 0.0
                for row, queue in self._queues.items()
            ]
        return sum(waits_s) / len(waits_s) if waits_s else 0.0

    def ring_s(self, row: int) -> float:
        with self._lock:
            return self._ring.seconds(row)

    def restart(self, row: int) -> None:
        """A camera was connected anew: its old packets cannot be continued. Reader thread."""
        with self._lock:
            self._ring.seal(row)
            self._shown_s.pop(row, None)
            self._passed.pop(row, None)
            self._headless.add(row)

    def forget(self, row: int) -> None:
        """This row is another camera from now on: nothing that came is kept, and nothing is decoded. Reader thread."""
        with self._lock:
            self._ring.forget(row)
            self._until_s.pop(row, None)
            self._keys.pop(row, None)
            self._queues.pop(row, None)
            self._decoded_s.pop(row, None)
            self._shown_s.pop(row, None)
            self._passed.pop(row, None)
            self._headless.add(row)

    def stats(self) -> GateStats:
        with self._lock:
            now_s = self._clock.monotonic_s()
            return GateStats(
                self._dropped, self._still, sum(until_s > now_s for until_s in self._until_s.values()), self._ring.bytes
            )

    def _admit_awake(self, row: int, packets: list[Packet]) -> None:
        """Queue, and keep the very same packets."""
        self._ring.extend(row, packets)
        self._enqueue(row, packets if self.awake(row) else [packet for packet in packets if packet.is_key])

    def _is_still(self, row: int, keys: int) -> bool:
        """Whether key frames that have just come can only show what the last one did."""
        if self._stillness is None:
            return False
        now_s, (before, since) = self._clock.monotonic_s(), self._passed.get(row, (0, 0))
        if not self._stillness.changed(row) and now_s - self._shown_s.get(row, float("-inf")) < MOST_UNSEEN_S:
            self._still += keys
            self._passed[row] = before, since + keys
            return True
        self._stillness.seen(row)
        self._shown_s[row] = now_s
        self._passed[row] = since, 0
        return False

    def _before(self, row: int, newest: tuple[Packet, ...]) -> list[Packet]:
        """What came since the last key frame before `newest` that was looked at, if it is worth being decoded in arrears."""
        if not newest:
            return []
        before, since = self._passed.get(row, (0, 0))
        gops = since or before + 1
        back_s = _BACK_S if gops == 1 else _FAR_BACK_S
        decoded_s = self._decoded_s.get(row, float("-inf"))
        return [
            packet
            for gop in self._ring.gops_before(row, gops)
            if newest[0].time_s - back_s <= gop[0].time_s < newest[0].time_s
            and not gop[0].time_s <= decoded_s <= newest[-1].time_s  # beyond these, our clock was set meanwhile
            for packet in gop
        ]

    def _stays_awake(self, row: int) -> bool:
        """Whether packets go to the camera's own decoder: while awake, and until its queue is empty, to keep their order.

        A queue that is further behind than that is given up: its camera's key frames must not wait for it.
        """
        queue = self._queues.get(row, ())
        if self.awake(row) or (queue and queue[-1].time_s - queue[0].time_s <= _MOST_ARREARS_S):
            return True
        self._dropped += len(queue)
        self._until_s.pop(row, None)
        self._queues.pop(row, None)
        return False

    def _enqueue(self, row: int, packets: Sequence[Packet]) -> None:
        queue = self._queues[row]
        for packet in packets:
            if packet.is_key:
                self._headless.discard(row)
            if row in self._headless:
                self._dropped += 1
            else:
                queue.append(packet)
                self._decoded_s[row] = packet.time_s
        size = sum(len(packet.data) for packet in queue)
        if len(queue) > self._most_packets or size > _MOST_AWAKE_BYTES:
            self._dropped += 1
            size -= len(queue.popleft().data)
            while queue and not (queue[0].is_key and len(queue) <= self._most_packets and size <= _MOST_AWAKE_BYTES):
                self._dropped += 1
                size -= len(queue.popleft().data)
            if not queue:
                self._headless.add(row)

    def _quiet(self, has_room: RoomFor) -> tuple[int, Run] | None:
        """Whose key frame is next: the packet is made without the lock."""
        for row, run in self._keys.items():
            if has_room(row, False):
                del self._keys[row]
                return row, run
            break  # rows share one bound while quiet; the first in the queue is the longest unseen
        return None

    def _awake(self, has_room: RoomFor) -> Work | None:
        for row, queue in self._queues.items():
            if queue and has_room(row, True):
                self._queues.move_to_end(row)
                return Work(row, queue.popleft(), awake=True)
        return None
