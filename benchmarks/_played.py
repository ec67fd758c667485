"""A control room over cameras that are played, not decoded: the real server, and the real packet tap of a worker.

The tap gets drawn clips, each camera at a moment of its own, but only what somebody asked for: so the machine's time goes to
what is measured here, to the server and to the browser, and not to hundreds of decoders. `CLOCK` shows which frame it is.
"""

import asyncio
import multiprocessing
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
import psutil

from base import (
    CameraStatus,
    Codec,
    Event,
    EventKind,
    Gap,
    GapCause,
    Health,
    Packet,
    Quality,
    SourceError,
    StreamName,
    SystemClock,
    Tier,
    WorkerStats,
    uuid7,
)
from benchmarks._cameras import CLIPS, busy_plan
from benchmarks.events import signed_in
from camera_config.district import make_district
from camera_config.site import PlaceKind, Site
from dashboard import DashboardSettings, WebServer, WorkerState, announce_incident, create_app
from fleet.tap import ManyTap, PacketTap, subscribe
from ingest.decode import decode_key
from ingest.simulate import ClipCache
from ingest.simulate.clip import ClipFrame, encode
from storage import Store

__all__ = ["BITS", "CLOCK", "FPS", "Played", "PlayedRoom", "clips_of"]

FPS, GOP_S = 15, 2.0
CLOCK = "c0001"
BITS = 6
"""The clock's picture is so many stripes, the lowest bit of the frame's number at the left, white for 1."""

SESSIONS = 50
BUILDINGS = 5_000
_READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Played:
    """What a camera sends over and over, and by how many frames it is ahead."""

    frames: tuple[ClipFrame, ...]
    ahead: int = 0


Shows = Callable[[list[str]], dict[str, Played]]
"""What each of these cameras sends; a function of a module, because it is called in another process."""


class PlayedRoom:
    """The server in one process and the tap in another, while the context is open. One owner.

    `url`, `cookies` (sessions of administrators), `cameras` (ids). They send what `shows` says, drawn clips without.
    """

    def __init__(self, cameras: int, shows: Shows | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._processes = [
            context.Process(target=_play, args=(self._folder.name, cameras, shows or clips_of), name="play", daemon=True),
            context.Process(target=_serve, args=(theirs, self._folder.name, cameras), name="serve"),
        ]
        self.url = ""
        self.cookies: list[str] = []
        self.cameras: list[str] = []

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        if not self._pipe.poll(_READY_S):
            raise TimeoutError(f"expected the server within {_READY_S:g} s")
        self.url, self.cookies, self.cameras = self._pipe.recv()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pipe.send(("stop", ""))
        for process in reversed(self._processes):
            process.join(5)
            process.kill()
        self._folder.cleanup()

    def ask(self, what: str, argument: object = "") -> tuple[str, float]:
        """`event` (camera): an incident's id and when it was handed in, `awake` (how many). Times are UTC."""
        self._pipe.send((what, argument))
        answer: tuple[str, float] = self._pipe.recv()
        return answer

    def cpu_s(self) -> tuple[float, float]:
        """Processor seconds of the server and of the tap's process since their start."""
        used = [psutil.Process(process.pid).cpu_times() for process in self._processes]
        return used[1].user + used[1].system, used[0].user + used[0].system


def clips_of(cameras: list[str]) -> dict[str, Played]:
    """Drawn clips, and the clock."""
    plan = busy_plan(len(cameras), FPS)
    cache = ClipCache(CLIPS)
    cache.prepare(plan.specs().values())
    drawn = {name: cache.get(spec) for name, spec in plan.specs().items()}
    found = {
        camera: Played(drawn[plan.clip_name(one)].frames, round(one.offset_s * FPS))
        for camera, one in zip(cameras, plan.cameras, strict=True)
    }
    return found | {CLOCK: Played(clock_frames())}


def clock_frames() -> tuple[ClipFrame, ...]:
    pictures = []
    for number in range(2**BITS):
        stripes = np.array([255 * (number >> bit & 1) for bit in range(BITS)], np.uint8)
        row = np.repeat(stripes, 640 // BITS)
        picture = np.zeros((360, 640, 3), np.uint8)
        picture[:, : len(row)] = row[None, :, None]
        pictures.append(picture)
    return encode(pictures, FPS, round(FPS * GOP_S), 23)


def _ids(cameras: int) -> list[str]:
    return [camera.id for camera in make_district(cameras=cameras).site.cameras]


def _address(folder: str) -> str:
    return f"ipc://{folder}/w.tap"


def _play(folder: str, count: int, shows: Shows) -> None:
    """The worker's end: every frame's time, what is due of those that somebody looks at."""
    cameras = _ids(count)
    clips = shows(cameras)
    watched, keyed = set[str](), set[str]()

    def at(camera: str, number: int) -> Packet:
        played = clips[camera]
        frame = played.frames[(number + played.ahead) % len(played.frames)]
        return Packet(camera, number / FPS, number * 90_000 // FPS, frame.is_key, frame.data)

    def gop(camera: str) -> tuple[Packet, ...]:
        now = int(time.time() * FPS)
        begin = next(now - back for back in range(10_000) if at(camera, now - back).is_key)
        return tuple(at(camera, number) for number in range(begin, now + 1))

    def see(wanted: set[str]) -> "object":
        return lambda camera, on: wanted.add(camera) if on else wanted.discard(camera)

    tap = PacketTap(_address(folder), frozenset(cameras), see(watched), see(keyed), gop)  # type: ignore[arg-type]  # two setters
    tap.start()
    number, pause = int(time.time() * FPS), threading.Event()
    while True:
        number += 1
        pause.wait(max(0.0, number / FPS - time.time()))
        for camera in (*watched, *(keyed - watched)):
            packet = at(camera, number)
            if packet.is_key or camera in watched:
                tap.offer(packet)


class _Fleet:
    """The cameras as the dashboard sees them: all online."""

    def __init__(self, folder: str, cameras: list[str]) -> None:
        now_s = time.time()
        one = CameraStatus("", Health.ONLINE, Quality.EXCELLENT, now_s, now_s, FPS, gop_s=GOP_S, codec=Codec.H264, width_px=640)
        self._address = _address(folder)
        self.status = {camera: replace(one, camera=camera, height_px=360) for camera in cameras}

    def statuses(self) -> Mapping[str, CameraStatus]:
        return self.status

    def open_gaps(self) -> Mapping[str, Gap]:
        return {}

    def ended_gaps_s(self) -> Mapping[GapCause, float]:
        return {}

    async def snapshot(self, camera: str) -> bytes:
        async with self.packets(camera) as packets:
            async for packet in packets:
                if packet.is_key:  # another viewer's packets may come before the cached GOP
                    return await asyncio.to_thread(_jpeg, packet)
        raise SourceError(f"{camera}: no key frame")

    def packets(self, camera: str, stream: StreamName = StreamName.SUB) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        del stream
        return subscribe(self._address, camera)

    def many(self) -> ManyTap:
        return ManyTap(lambda camera: self._address)

    def stats(self) -> Mapping[str, WorkerStats]:
        return {}

    def workers(self) -> Sequence[WorkerState]:
        return ()


def _jpeg(key: Packet) -> bytes:
    done, jpeg = cv2.imencode(".jpg", decode_key(key).bgr(), (cv2.IMWRITE_JPEG_QUALITY, 85))
    assert done
    return jpeg.tobytes()


def _serve(pipe: "Connection[object, tuple[str, object]]", folder: str, cameras: int) -> None:
    asyncio.run(_run(pipe, Path(folder), cameras))


async def _run(pipe: "Connection[object, tuple[str, object]]", folder: Path, cameras: int) -> None:
    site, clock = _built_up(make_district(cameras=cameras).site), SystemClock()
    fleet = _Fleet(str(folder), [camera.id for camera in site.cameras])
    store = Store.open(f"sqlite:///{folder}/gridpatrol.db", clock, site, folder / "clips")
    app = create_app(site, store, fleet, clock, DashboardSettings(viewers=64))
    server = WebServer(app, "127.0.0.1", 0)
    await server.start()
    pipe.send((f"http://127.0.0.1:{server.port}", [signed_in(store) for _ in range(SESSIONS)], list(fleet.status)))
    while True:
        what, argument = await asyncio.to_thread(pipe.recv)
        began_s, told = time.time(), ""
        if what == "stop":
            break
        if what == "event":
            [incident] = await asyncio.to_thread(store.record_events, [_event(str(argument), began_s)])
            announce_incident(app.state.updates, incident)
            told = incident.id
        elif what == "stored":
            told = str(await asyncio.to_thread(_fill, store, list(fleet.status), int(str(argument)), began_s))
        elif what == "awake":
            for at, (camera, status) in enumerate(fleet.status.items()):
                fleet.status[camera] = replace(status, awake=at < int(str(argument)))
        pipe.send((told, began_s))
    await server.stop()
    store.close()


def _built_up(site: Site) -> Site:
    """The district with as many buildings as a real one has: the drawn ones again, each time a few metres further."""
    drawn = [place for place in site.places if place.kind is PlaceKind.BUILDING]
    more = [
        replace(place, id=f"{place.id}-{again}", outline=tuple((lon + 7e-5 * again, lat) for lon, lat in place.outline))
        for again in range(1, BUILDINGS // len(drawn) + 1)
        for place in drawn
    ]
    return replace(site, places=(*site.places, *more[: max(0, BUILDINGS - len(drawn))]))


def _fill(store: Store, cameras: list[str], events: int, now_s: float) -> int:
    """Store `events` of the last ten days, oldest first; how many incidents are open then."""
    opened = set[str]()
    for begin in range(0, events, 500):
        part = range(begin, min(begin + 500, events))
        times = [now_s - 864_000 * (1 - number / events) for number in part]
        found = store.record_events([_event(cameras[n % len(cameras)], at_s) for n, at_s in zip(part, times, strict=True)])
        opened.update(incident.id for incident in found)
    return len(opened)


def _event(camera: str, now_s: float) -> Event:
    return Event(
        id=uuid7(now_s),
        camera=camera,
        kind=EventKind.INTRUSION,
        label="person",
        rule="r",
        zone="z",
        severity=2,
        began_s=now_s - 1,
        raised_s=now_s,
        ended_s=None,
        score=0.9,
        box=(0.4, 0.3, 0.5, 0.8),
        seen_by=Tier.KEY_FRAME,
        network="crop",
        snapshot_jpeg=b"",
    )
