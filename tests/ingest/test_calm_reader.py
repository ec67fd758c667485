"""A reader that looks at calm cameras together does what one that sweeps every camera does, whatever happens meanwhile."""

import random
from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import patch

import pytest

from base import Codec, Packet, SimulatedClock, StreamEnded
from ingest import DEFAULT_SETTINGS, Feed, SweepReader, rtsp_source
from ingest.life import CameraLife
from ingest.packet_stats import PacketStats
from ingest.rtsp.calm import Stretch
from ingest.run import Run
from tests.ingest.test_calm import ENCODINGS, ODD, PLAIN, Wire, street

ROWS, TURNS, TURN_S = 4, 800, 0.025
HASTY = replace(DEFAULT_SETTINGS, backoff_floor_s=0.5, stall_s=3.0, first_key_s=3.0)
EVENTS = ["watch", "unwatch", "wake", "sleep", "exchange", "step"]


class Line(Wire):
    """A connection on which bytes come by themselves, some every turn, once the camera was asked to play; None: it ends."""

    def __init__(self, codec: Codec, coming: list[bytes | None]) -> None:
        super().__init__(codec, True)
        self._coming, self._waiting, self._plays, self._is_over = list(coming), b"", False, False

    def turn(self) -> None:
        if self._plays and self._coming:
            data = self._coming.pop(0)
            self._is_over |= data is None
            self._waiting += data or b""

    def send(self, data: bytes) -> int:
        self._plays |= data.startswith(b"PLAY")
        sent = super().send(data)
        self._waiting += b"".join(self.incoming)
        self.incoming = []
        return sent

    def read(self) -> bytes:
        if not self._waiting and self._is_over:
            raise StreamEnded("gone")
        data, self._waiting = self._waiting[:65_536], self._waiting[65_536:]
        self.has_more = len(data) == 65_536
        return data


def coming(codec: Codec, rng: random.Random) -> list[bytes | None]:
    """What a camera sends, by turns: 15 pictures a second, some odd, some late or cut in two, and perhaps an end."""
    kinds, odd, late_s = ["whole"] * 6 + list(PLAIN[codec]), rng.choice([0, 0, 0.02, 0.1]), rng.choice([0, 0.03, 0.3])
    steps = [(rng.choice(kinds), rng.choice(ODD) if rng.random() < odd else "", rng.randrange(6)) for _ in range(300)]
    turns: list[bytes | None] = []
    left = b""
    for number, entry in enumerate(
        street(codec, [("key", "", 0), *steps], rng.choice([100, 65_480]), rng.choice([9, 2**32 - 9**6]))
    ):
        data, at = left + entry, int((number / 15 + rng.random() * late_s) / TURN_S)
        cut = rng.randrange(len(data) + 1) if rng.random() < 0.2 else len(data)
        turns += [b""] * (at + 1 - len(turns))
        turns[-1], left = (turns[-1] or b"") + data[:cut], data[cut:]
    if rng.random() < 0.4:
        turns[rng.randrange(len(turns))] = None
    return turns


def played(seed: int, looks: bool) -> tuple[object, int]:
    """What came of it all, and how often something was read at a glance."""
    rng, clock = random.Random(seed), SimulatedClock(1e6)
    codecs = [rng.choice(list(ENCODINGS)) for _ in range(ROWS + 2)]
    plans = [[coming(codec, rng) for _ in range(3)] for codec in codecs]
    events = {rng.randrange(20, TURNS - 100): (rng.choice(EVENTS), rng.randrange(ROWS), rng.uniform(-10, 10)) for _ in range(12)}
    packets: list[list[Packet]] = [[] for _ in range(ROWS)]
    lines, awake, sizes, glances = dict[str, list[Line]](), set[int](), PacketStats(ROWS, clock), 0

    def connection(ip: str, port: int) -> Line:
        camera, before = int(ip.rpartition(".")[2]), lines.setdefault(ip, [])
        before.append(Line(codecs[camera], plans[camera][len(before) % 3]))
        return before[-1]

    def deliver(row: int, run: Run) -> None:
        nonlocal glances
        packets[row] += run
        glances += isinstance(run, Stretch)
        if not run.told:
            sizes.note(row, run.size, run.key)

    with (
        patch.object(rtsp_source, "Connection", connection),
        nullcontext() if looks else patch.object(CameraLife, "calm", lambda life: None),
    ):
        feeds = [Feed(f"c{row}", f"rtsp://192.0.2.{row}/x") for row in range(ROWS)]
        reader = SweepReader(
            feeds, clock, HASTY, deliver, awake.__contains__, rng=random.Random(1), look=lambda feed: None, note=sizes.note_many
        )
        for turn in range(TURNS):
            clock.advance(TURN_S)
            for sockets in lines.values():
                sockets[-1].turn()
            what, row, step_s = events.get(turn, ("", 0, 0.0))
            if what in ("watch", "unwatch"):
                reader.watch(row, what == "watch")
            elif what in ("wake", "sleep"):
                (awake.add if what == "wake" else awake.discard)(row)
            elif what == "exchange":
                reader.exchange(row, Feed(f"n{turn}", f"rtsp://192.0.2.{ROWS + row % 2}/x"), lambda: None)
            elif what == "step":
                clock.step_wall(step_s)
            reader.run_once()
        for row in range(ROWS):
            reader.exchange(row, Feed("", ""), lambda: None)
        lives = list(reader.lives)
        reader.run_once()
        sizes.count()
        counted = [
            (one.stats.packets, one.stats.bytes, one.stats.lost, one.stats.keys, one.reconnects, one.phase) for one in lives
        ]
        spreads = [sizes.spread(row, is_key) for row in range(ROWS) for is_key in (False, True)]
        gaps = [(gap.camera, gap.cause, round(gap.began_s, 6), round(gap.ended_s or 0.0, 6)) for gap in reader.gaps.take()]
        result = packets, counted, spreads, [life.status(0.0, False).error for life in lives], gaps
        reader.close()
    return result, glances


@pytest.mark.parametrize("seed", range(6))
def test_to_look_at_calm_cameras_together_changes_nothing(seed: int) -> None:
    (swept, none), (looked, some) = played(seed, looks=False), played(seed, looks=True)
    assert looked == swept and none == 0 and some > 20
