"""The sending side of one client of one camera: which frame is due when, and bytes that did not fit the socket."""

import errno
import math
import random
import socket
from collections import deque
from dataclasses import dataclass, field

from ingest.simulate.datagrams import Datagrams
from ingest.simulate.faults import CameraState
from ingest.simulate.packets import RTP_HZ, PackedFrame, sender_report, stamp
from ingest.simulate.plan import FaultKind, SimCamera, SlowPhase
from ingest.simulate.spoil import spoil_bytes, spoil_frame

__all__ = ["Connection", "Counts", "Play", "due_s", "timestamp_base"]

_LATE_S = 0.1
_GIVE_UP_S = 1.0
_MOST_QUEUED_BYTES = 512 * 1024  # of one client; a camera's own buffer is of this order
_REPORT_EVERY_S = 5.0
_GARBAGE_BYTES = 1500


def timestamp_base(camera: str) -> int:
    """The RTP timestamp of frame 0 of a camera, the same in every run."""
    return random.Random(camera).getrandbits(32)


def due_s(camera: SimCamera, started_s: float, timestamp: int) -> float:
    """UTC at which a client's frame of this RTP timestamp was to leave a simulator started at `started_s` (UTC).

    Clock jumps and wrapped timestamps are not considered; exact to a frame in the first 13 hours.
    """
    return started_s - camera.offset_s + (timestamp - timestamp_base(camera.id)) % 2**32 / RTP_HZ


@dataclass(slots=True)
class Counts:
    """Frames since the start, over all clients: handed to the socket, of these too late, and never sent."""

    frames: int = 0
    late: int = 0
    dropped: int = 0


@dataclass(slots=True, eq=False)
class Connection:
    """One client's TCP connection, owned by the server's thread. `queue` holds what the socket would not take, with due times."""

    sock: socket.socket
    nonce: str
    counts: Counts
    inbox: bytearray = field(default_factory=bytearray)
    queue: deque[tuple[memoryview, float | None]] = field(default_factory=deque)
    queued_bytes: int = 0
    camera: CameraState | None = None
    session: str = ""
    channels: tuple[int, int] = (0, 1)
    datagrams: Datagrams | None = None  # set iff the pictures go by UDP
    play: "Play | None" = None
    closed: bool = False
    waiting: bool = False  # for the socket to take more; kept by the server
    slow: bool = False  # everything is queued and leaves byte by byte, see `drip`

    def send(self, data: bytes | bytearray, now_s: float, due_s: float | None) -> bool:
        """Send now, or queue what does not fit; False if the queue is full and `data` was refused. Frames have `due_s`.

        Raises OSError when the client is gone.
        """
        if self.queue or self.slow:
            if self.queued_bytes + len(data) > _MOST_QUEUED_BYTES:
                return False
            self._enqueue(memoryview(data), due_s)
            return True
        taken = _take(self.sock, data)
        if taken < len(data):
            self._enqueue(memoryview(data)[taken:], due_s)
        elif due_s is not None:
            self._sent(now_s, due_s)
        return True

    def flush(self, now_s: float) -> None:
        """Send what is queued, as far as it goes."""
        while self.queue:
            data, due_s = self.queue[0]
            taken = _take(self.sock, data)
            self.queued_bytes -= taken
            if taken < len(data):
                self.queue[0] = (data[taken:], due_s)
                return
            self.queue.popleft()
            if due_s is not None:
                self._sent(now_s, due_s)

    def send_frame(self, data: bytearray, start: tuple[int, ...], now_s: float, due_s: float) -> bool:
        """Send a stamped frame as the client asked for it; False if it was refused. Raises OSError."""
        if self.datagrams is None:
            return self.send(data, now_s, due_s)
        self.datagrams.send(data, start)
        self._sent(now_s, due_s)
        return True

    def send_report(self, data: bytes, now_s: float) -> None:
        if self.datagrams is None:
            self.send(data, now_s, None)
        else:
            self.datagrams.report(data)

    def open_datagrams(self, client_ports: tuple[int, int]) -> int:
        """Send the pictures to these ports of the client from now on; from which port of ours. Raises OSError."""
        self.close_datagrams()
        self.datagrams = Datagrams(self.sock.getsockname()[0], self.sock.getpeername()[0], client_ports)
        return self.datagrams.port

    def close_datagrams(self) -> None:
        if self.datagrams is not None:
            self.datagrams.close()
            self.datagrams = None

    def drip(self) -> None:
        """Send a single byte of what is queued."""
        if self.queue:
            data, due_s = self.queue.popleft()
            taken = _take(self.sock, data[:1])
            self.queued_bytes -= taken
            if taken < len(data):
                self.queue.appendleft((data[taken:], due_s))

    @property
    def wants_room(self) -> bool:
        """Whether to send more as soon as the socket takes it."""
        return bool(self.queue) and not self.slow

    def _enqueue(self, data: memoryview, due_s: float | None) -> None:
        self.queue.append((data, due_s))
        self.queued_bytes += len(data)

    def _sent(self, now_s: float, due_s: float) -> None:
        self.counts.frames += 1
        if now_s - due_s > _LATE_S:
            self.counts.late += 1


def _take(sock: socket.socket, data: bytes | bytearray | memoryview) -> int:
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return 0
        raise


@dataclass(slots=True, eq=False)
class Play:
    """The stream of one client: frame `index` of the endless loop is due at `first_due_s` + index / fps (monotonic seconds).

    Every client of a camera shares the numbering of frames and the RTP timestamps; sequence numbers and SSRC are its own.
    """

    connection: Connection
    camera: CameraState
    ssrc: int
    sequence: int
    timestamp_base: int
    zero_due_s: float  # when frame 0 was due
    utc_minus_monotonic_s: float
    index: int
    need_key: bool = True
    packets: int = 0
    octets: int = 0
    next_report_s: float = 0.0

    @property
    def due_s(self) -> float:
        return self.zero_due_s + self.index / self.camera.clip.fps

    def timestamp(self, index: int) -> int:
        return int(self.timestamp_base + index * RTP_HZ / self.camera.clip.fps + self.camera.jump_s * RTP_HZ) & 0xFFFFFFFF

    def wrap_in(self, seconds: float, packets: int) -> None:
        """Choose timestamps and sequence numbers that pass zero soon."""
        self.timestamp_base = -int((self.index / self.camera.clip.fps + seconds) * RTP_HZ) & 0xFFFFFFFF
        self.sequence = -packets & 0xFFFF

    def next_key(self) -> int:
        """The number of the first key frame from `index` on."""
        frames = self.camera.showing.frames
        index = self.index
        while not frames[index % len(frames)].is_key:
            index += 1
        return index

    def step(self, now_s: float, rng: random.Random) -> None:
        """Send the frame that is due, or what a fault makes of it; then the next one is due. Raises OSError."""
        camera = self.camera
        if now_s - self.due_s > _GIVE_UP_S:  # the machine could not keep up: go on with the present, as a camera does
            behind = math.ceil((now_s - self.due_s) * camera.clip.fps)
            self.connection.counts.dropped += behind
            self.index += behind
            self.need_key = True
            return
        if camera.active and camera.has(FaultKind.STALL, FaultKind.SILENT):
            self.need_key = True
        elif camera.active and camera.has(FaultKind.GARBAGE):
            self.connection.send(rng.randbytes(_GARBAGE_BYTES), now_s, None)
            self.need_key = True
        else:
            frames = camera.showing.frames
            frame = frames[self.index % len(frames)]
            self._frame(self._spoilt(frame) if camera.active else frame, now_s, rng)
        self.index += 1

    def _spoilt(self, frame: PackedFrame) -> PackedFrame | None:
        """The frame as the camera's faults let it be; None if they leave it out."""
        camera = self.camera
        slow = camera.fault(FaultKind.SLOW_LORIS)
        if slow is not None and slow.phase is SlowPhase.MEDIA:
            self.connection.slow = True
        if camera.has(FaultKind.NO_KEY):
            self.need_key = False
            if frame.is_key:
                return None
        return spoil_frame(frame, camera)

    def _frame(self, frame: PackedFrame | None, now_s: float, rng: random.Random) -> None:
        if frame is None or (self.need_key and not frame.is_key):
            return
        timestamp = self.timestamp(self.index)
        due_s = self.due_s
        data = stamp(frame, self.connection.channels[0], self.sequence, timestamp, self.ssrc)
        if self.camera.active:
            spoil_bytes(data, frame, self.camera, rng)
        self.sequence = (self.sequence + len(frame.start)) & 0xFFFF  # a dropped frame leaves a hole, as on the wire
        self.need_key = not self.connection.send_frame(data, frame.start, now_s, due_s)
        if self.need_key:
            self.connection.counts.dropped += 1
            return
        self.packets += len(frame.start)
        self.octets += len(data) - 16 * len(frame.start)
        if now_s >= self.next_report_s:
            self.next_report_s = now_s + _REPORT_EVERY_S
            utc_s = due_s + self.utc_minus_monotonic_s + self.camera.jump_s
            report = sender_report(self.connection.channels[1], self.ssrc, utc_s, timestamp, self.packets, self.octets)
            self.connection.send_report(report, now_s)
