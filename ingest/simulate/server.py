"""All cameras of a plan behind one RTSP port, in one thread."""

import contextlib
import heapq
import logging
import math
import random
import selectors
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from base import Clock, ConfigError, Tally
from ingest.simulate import rtsp
from ingest.simulate.clip import Clip, resize_clip
from ingest.simulate.dialogue import Dialogue
from ingest.simulate.faults import CameraState, fault_moments
from ingest.simulate.packets import pack_clip
from ingest.simulate.plan import Fault, FaultKind, SimPlan
from ingest.simulate.player import Connection, Counts, Play

__all__ = ["Appearance", "SimStats", "Simulator"]

logger = logging.getLogger(__name__)

_TICK_S = 0.01  # frames due within one tick leave together: a hundred wake-ups a second instead of one per frame
_LONGEST_WAIT_S = 0.25
_MOST_CONNECTIONS = 20_000
_SEND_BUFFER_BYTES = 256 * 1024
_DRIP_S = 1.0  # between the bytes of a slow loris
_NEED_KEY = (FaultKind.RESOLUTION, FaultKind.NO_KEY, FaultKind.CUT_FRAGMENT)  # go on with a whole picture
_ENDS_CLIENTS = (FaultKind.STOP, FaultKind.RESET, FaultKind.REFUSE)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A drawn thing was in the picture of `camera` from `appeared_s` until `left_s`, UTC. Zone times are set iff `trespass`."""

    camera: str
    label: str
    appeared_s: float
    left_s: float
    trespass: bool
    zone_from_s: float | None = None
    zone_to_s: float | None = None


@dataclass(frozen=True, slots=True)
class SimStats:
    """`frames`, `late`, `dropped` count over all clients since the start; `cores` is the serving thread's share of one core."""

    cameras: int
    clients: int
    frames: int
    frames_per_s: float
    cores: float
    rss_mb: float
    late: int
    dropped: int


class Simulator:
    """RTSP cameras at `rtsp://host:port/<id>/sub` (and `/main`, the same pictures) that loop their clips.

    `clips` is keyed by `SimPlan.clip_name`; resolution faults need decoding and encoding in the constructor. `start`, `stop`,
    `stats`, `appearances` and `release_faults` may be called from any thread; sockets and cameras belong to the thread
    `simulate`. With `hold_faults` nothing goes wrong until `release_faults`.
    """

    def __init__(
        self,
        plan: SimPlan,
        clips: Mapping[str, Clip],
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        hold_faults: bool = False,
    ) -> None:
        self.plan, self.clock, self.host, self.port = plan, clock, host, port
        self._cameras = _camera_states(plan, clips)
        self._faults_from_s = math.inf if hold_faults else 0.0  # monotonic; 0: the start
        self._moments = list(fault_moments(plan.cameras))[::-1]
        self._rng = random.Random(plan.seed)
        self._counts = Counts()
        self._tally = Tally(logger, clock)
        self._connections: set[Connection] = set()
        self._due: list[tuple[float, int, Play]] = []
        self._serial = 0
        self._dialogue: Dialogue | None = None
        self._drip_s = 0.0  # monotonic; when slow connections get their next byte
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._start_utc_s = self._start_s = 0.0
        self._cpu_s = 0.0

    # Life

    def start(self) -> None:
        """Listen and begin to play; `port` is the real one afterwards. Raises ConfigError if the port is taken."""
        _raise_file_limit()
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError as error:
            listener.close()
            where = f"{self.host} port {self.port}"
            raise ConfigError(f"cannot listen on {where}: {error.strerror}; choose another port") from None
        listener.listen(1024)
        listener.setblocking(False)
        self.port = int(listener.getsockname()[1])
        self._start_utc_s, self._start_s = self.clock.now_s(), self.clock.monotonic_s()
        self._faults_from_s = self._faults_from_s or self._start_s
        self._dialogue = Dialogue(self.plan, self._cameras, self.clock, self._rng, self._start_utc_s, self._start_s)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="simulate", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and join the thread; at most 2 s. Harmless when not started or already stopped."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def release_faults(self) -> float:
        """Count `at_s` of the faults that were held from now on; the UTC of now."""
        self._faults_from_s = self.clock.monotonic_s()
        return self.clock.now_s()

    @property
    def started_s(self) -> float:
        """UTC of the start: camera X shows second `offset_s` of its loop at this moment."""
        return self._start_utc_s

    def url(self, camera: str, stream: str = "sub") -> str:
        return f"rtsp://{self.host}:{self.port}/{camera}/{stream}"

    def stats(self) -> SimStats:
        elapsed_s = max(self.clock.monotonic_s() - self._start_s, 1e-6)
        return SimStats(
            cameras=len(self._cameras),
            clients=len(self._connections),
            frames=self._counts.frames,
            frames_per_s=round(self._counts.frames / elapsed_s, 1),
            cores=round(self._cpu_s / elapsed_s, 4),
            rss_mb=round(psutil.Process().memory_info().rss / 2**20, 1),
            late=self._counts.late,
            dropped=self._counts.dropped,
        )

    def appearances(self, camera: str, from_s: float, to_s: float) -> tuple[Appearance, ...]:
        """What is to be seen in the pictures of `camera` at some moment between two UTC times, in order of appearance.

        Arithmetic on the script of the loop, exact to one frame; faults are not considered. Empty for cameras that play files.
        """
        state = self._cameras[camera]
        zero_s = self._start_utc_s - state.camera.offset_s  # when the camera's first loop began
        found = []
        for loop in range(math.floor((from_s - zero_s) / state.length_s), math.floor((to_s - zero_s) / state.length_s) + 1):
            base_s = zero_s + loop * state.length_s
            for stay in state.sightings:
                if base_s + stay.left_s > from_s and base_s + stay.appeared_s < to_s:
                    zone = [None if at_s is None else base_s + at_s for at_s in (stay.zone_from_s, stay.zone_to_s)]
                    times = base_s + stay.appeared_s, base_s + stay.left_s
                    found.append(Appearance(camera, stay.label, *times, stay.trespass, *zone))
        return tuple(found)

    # The loop

    def _run(self, listener: socket.socket) -> None:
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ)
        try:
            while not self._stopping.is_set():
                try:
                    self._turn(selector, listener)
                except Exception:
                    logger.exception("simulated cameras: error while serving; going on")
                    self.clock.wait(self._stopping, 0.1)
        finally:
            for connection in tuple(self._connections):
                self._close(selector, connection)
            listener.close()
            selector.close()

    def _turn(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        """Faults, then the frames that are due, then whatever clients say until the next frame."""
        now_s = self.clock.monotonic_s()
        while self._moments and self._faults_from_s + self._moments[-1][0] <= now_s:
            _, camera, fault, begins = self._moments.pop()
            self._change(selector, self._cameras[camera], fault, begins)
        self._send_due(selector, now_s)
        if now_s >= self._drip_s:
            self._drip(selector, now_s)
        self._cpu_s = time.thread_time()
        for key, events in selector.select(self._wait_s()):
            if key.fileobj is listener:
                self._accept(selector, listener)
            elif not key.data.closed:
                self._serve(selector, key.data, events)

    def _wait_s(self) -> float:
        now_s, wait_s = self.clock.monotonic_s(), _LONGEST_WAIT_S
        if self._moments:
            wait_s = min(wait_s, self._faults_from_s + self._moments[-1][0] - now_s)
        if self._due:
            wait_s = min(wait_s, max(self._due[0][0] - now_s, _TICK_S))
        return max(0.0, wait_s)

    def _send_due(self, selector: selectors.BaseSelector, now_s: float) -> None:
        due = self._due
        while due and due[0][0] <= now_s:
            _, serial, play = due[0]
            connection = play.connection
            if connection.play is not play:
                heapq.heappop(due)  # closed, or torn down
                continue
            try:
                play.step(self.clock.monotonic_s(), self._rng)
            except OSError:
                self._close(selector, connection)
                continue
            heapq.heapreplace(due, (play.due_s, serial, play))
            if connection.wants_room and not connection.waiting:
                self._wait_for_room(selector, connection, True)

    def _drip(self, selector: selectors.BaseSelector, now_s: float) -> None:
        """One byte on every slow connection."""
        self._drip_s = now_s + _DRIP_S
        for connection in [connection for connection in self._connections if connection.slow]:
            try:
                connection.drip()
            except OSError:
                self._close(selector, connection)

    def _change(self, selector: selectors.BaseSelector, state: CameraState, fault: Fault, begins: bool) -> None:
        """One fault begins or ends."""
        logger.info("camera %s: fault %s %s", state.camera.id, fault.kind, "begins" if begins else "ends")
        if begins:
            state.active.append(fault)
        elif fault in state.active:
            state.active.remove(fault)
        for connection in tuple(self._connections):
            if connection.camera is not state:
                continue
            if begins and fault.kind in _ENDS_CLIENTS:
                self._close(selector, connection, reset=fault.kind is FaultKind.RESET)
                continue
            if fault.kind in _NEED_KEY and connection.play is not None:
                connection.play.need_key = True
            if fault.kind is FaultKind.SLOW_LORIS and not begins:
                connection.slow = False
                self._wait_for_room(selector, connection, connection.wants_room)

    # Clients

    def _accept(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._tally.warn("accept", f"cannot take another client: {error}")
                return
            if len(self._connections) >= _MOST_CONNECTIONS:
                sock.close()
                continue
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            connection = Connection(sock, f"{self._rng.getrandbits(128):032x}", self._counts)
            self._connections.add(connection)
            selector.register(sock, selectors.EVENT_READ, connection)

    def _serve(self, selector: selectors.BaseSelector, connection: Connection, events: int) -> None:
        """Read and answer what came, write what waited; closes the connection when the client went or talks nonsense."""
        try:
            if events & selectors.EVENT_WRITE:
                connection.flush(self.clock.monotonic_s())
            if events & selectors.EVENT_READ:
                with contextlib.suppress(BlockingIOError):
                    data = connection.sock.recv(65536)
                    if not data:
                        self._close(selector, connection)
                        return
                    connection.inbox += data
                while not connection.closed and (request := rtsp.parse(connection.inbox)) is not None:
                    self._answer(selector, connection, request)
        except (OSError, ValueError):
            self._close(selector, connection)
            return
        if not connection.closed and connection.wants_room != connection.waiting:
            self._wait_for_room(selector, connection, connection.wants_room)

    def _wait_for_room(self, selector: selectors.BaseSelector, connection: Connection, waiting: bool) -> None:
        connection.waiting = waiting
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)
        selector.modify(connection.sock, events, connection)

    def _close(self, selector: selectors.BaseSelector, connection: Connection, reset: bool = False) -> None:
        if connection.closed:
            return
        connection.closed, connection.play = True, None
        self._connections.discard(connection)
        selector.unregister(connection.sock)
        if reset:  # linger of zero seconds makes close() send RST
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sock.close()
        connection.close_datagrams()

    def _answer(self, selector: selectors.BaseSelector, connection: Connection, request: rtsp.Request) -> None:
        assert self._dialogue is not None
        before = connection.play
        reply = self._dialogue.answer(connection, request)
        if reply is None:
            self._close(selector, connection)
            return
        connection.send(reply, self.clock.monotonic_s(), None)
        if connection.play is not None and connection.play is not before:  # media must not overtake the reply
            self._serial += 1
            heapq.heappush(self._due, (connection.play.due_s, self._serial, connection.play))


def _camera_states(plan: SimPlan, clips: Mapping[str, Clip]) -> dict[str, CameraState]:
    packed = {}
    for name in {plan.clip_name(camera) for camera in plan.cameras}:
        if name not in clips:
            raise ConfigError(f"the plan needs clip {name!r}, but it was not given")
        packed[name] = pack_clip(clips[name])
    sizes = {
        (plan.clip_name(camera), (fault.width_px, fault.height_px))
        for camera in plan.cameras
        for fault in camera.faults
        if fault.kind is FaultKind.RESOLUTION
    }
    resized = {(name, size): pack_clip(resize_clip(clips[name], *size)) for name, size in sizes}
    states = {}
    for camera in plan.cameras:
        name = plan.clip_name(camera)
        own = {size: clip for (of, size), clip in resized.items() if of == name}
        states[camera.id] = CameraState(camera, packed[name], own, clips[name].sightings, clips[name].length_s)
    return states


def _raise_file_limit() -> None:
    """As many open sockets as the system allows this process: each client is one."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
