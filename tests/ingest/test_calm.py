"""Reading at a glance gives exactly what reading everything gives: packets, times, counters, errors."""

import base64
import random
import struct
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import Codec, Packet, SimulatedClock, SourceError
from ingest import DEFAULT_SETTINGS, Feed, PacketSource, Phase, RtspSource, SweepReader, glances, rtsp_source
from ingest.connection import READ_BYTES
from ingest.gaps import GapLog
from ingest.glances import Glances
from ingest.life import CameraLife
from ingest.rtsp.calm import Stretch
from ingest.rtsp_source import Resolver
from ingest.run import Run
from tests.ingest.test_h264 import PPS, SPS

VPS_265 = bytes.fromhex("40010c01ffff01600000030090000003000003003f959809")
SPS_265 = bytes.fromhex("42010101600000030090000003000003003fa00502016965959a4932b9a020000003002000000301e1")  # 640x360
PPS_265 = bytes.fromhex("4401c172b46240")
ENCODINGS = {Codec.H264: ("H264", (SPS, PPS)), Codec.H265: ("H265", (VPS_265, SPS_265, PPS_265))}


class Wire:
    """A connection to a camera that has one track, and sends what it is told to."""

    def __init__(self, codec: Codec, tells_sets: bool) -> None:
        self.peer, self.ip, self.local_ip, self.buffer_bytes, self.has_more = (
            "192.0.2.1:554",
            "192.0.2.1",
            "192.0.2.9",
            65536,
            False,
        )
        self.incoming: list[bytes] = []
        self._encoding, sets = ENCODINGS[codec]
        self._sets = sets if tells_sets else ()

    def is_ready(self) -> bool:
        return True

    def read(self) -> bytes:
        data = self.incoming.pop(0) if self.incoming else b""
        self.has_more = len(data) >= READ_BYTES
        if self.has_more:
            self.incoming.insert(0, data[READ_BYTES:])
        return data[:READ_BYTES]

    def read_into(self, view: memoryview) -> int:
        data = self.read()
        view[: len(data)] = data
        return len(data)

    def send(self, data: bytes) -> int:
        if data.startswith(b"$"):
            return len(data)
        method, sequence = data.split(b" ")[0].decode(), data.partition(b"CSeq: ")[2].partition(b"\r")[0].decode()
        headers, body = "", ""
        if method == "DESCRIBE":
            names = ["sprop-parameter-sets"] if self._encoding == "H264" else ["sprop-vps", "sprop-sps", "sprop-pps"]
            texts = [base64.b64encode(one).decode() for one in self._sets]
            values = [",".join(texts)] if self._encoding == "H264" else texts
            told = ";".join(f"{name}={value}" for name, value in zip(names, values, strict=False) if value)
            body = f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {self._encoding}/90000\r\na=fmtp:96 {told}\r\n"
            headers = f"Content-Length: {len(body)}\r\n"
        elif method == "SETUP":
            headers = "Session: 5\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        self.incoming.append(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{headers}\r\n{body}".encode())
        return len(data)

    def close(self) -> None: ...


@dataclass
class Reading:
    """One camera, read in one of the two ways."""

    codec: Codec
    tells_sets: bool
    glances: bool
    columns: Glances = field(default_factory=lambda: Glances(1))
    row: int = 0
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(1e6))
    packets: list[Packet] = field(default_factory=list)
    kept: list[Run] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    error: str = ""
    stretches: int = 0

    def __post_init__(self) -> None:
        self.wire = Wire(self.codec, self.tells_sets)
        self.source = RtspSource(Feed("c1", "rtsp://192.0.2.1/x"), self.clock, Resolver())

        def make(feed: Feed) -> PacketSource:
            return self.source

        patient = replace(DEFAULT_SETTINGS, first_key_s=1e6, stall_s=1e6)
        log, rng = GapLog(), random.Random(1)
        self.life = CameraLife(0, Feed("c1", "rtsp://192.0.2.1/x"), patient, make, lambda feed: None, log, rng, 1e9, 0.0)
        with patch.object(rtsp_source, "Connection", lambda ip, port: self.wire):
            self.life.open(self.clock.monotonic_s())
        while self.life.phase in (Phase.CLOSED, Phase.CONNECTING, Phase.DESCRIBING):
            self.turn(b"", 0.2)

    def turn(self, data: bytes, passed_s: float, settles: bool = False, wanted: bool = False) -> None:
        """`data` comes, and is read after `passed_s`; with `settles` everything is counted, as happens once a second; `wanted`
        cameras are swept.
        """
        self.arrive(data, passed_s)
        left, keyed = look_at([self]) if self.glances and not wanted else ({self.row}, set())
        self.go_on(self.row in left, self.row in keyed, settles)

    def arrive(self, data: bytes, passed_s: float) -> None:
        self.clock.advance(passed_s)
        if data:
            self.wire.incoming.append(data)

    def go_on(self, is_left: bool, is_keyed: bool, settles: bool) -> None:
        """As `SweepReader` does after a look."""
        utc_s, now_s = self.clock.now_s(), self.clock.monotonic_s()
        self.stretches += not is_left
        try:
            if is_left or is_keyed or settles:
                self._settle()
            if is_left:
                self.columns.release(self.row)
                if swept := self.life.sweep(utc_s, now_s):
                    self.note(swept.size, swept.key)
                    self._deliver(swept)
                if self.glances and (standing := self.life.calm()) is not None:
                    self.columns.hold(self.row, standing)
            if settles:
                self.life.refresh(utc_s, now_s)
        except SourceError as error:
            self.error = str(error)

    def _settle(self) -> None:
        if brought := self.columns.take(self.row):
            for run in self.life.take(brought):
                self._deliver(run)

    def note(self, size: Sequence[int], key: Sequence[int]) -> None:
        self.keys += [len(self.sizes) + at for at in key]
        self.sizes += size

    def _deliver(self, run: Run) -> None:
        assert len(run) == len(run.size) or (run.told and not run.key)
        assert [run.pts_90k(at) for at in range(len(run))] == [packet.pts_90k for packet in run]
        parts = [run.part(0, 1), *([run.part(1, len(run))] if len(run) > 1 else [])]
        assert [run.packet(at) for at in range(len(run))] == list(run) == [packet for part in parts for packet in part]
        assert run.newest_s == list(run)[-1].time_s and [at for at, packet in enumerate(run) if packet.is_key] == list(run.key)
        self.packets += list(run)
        self.kept.append(run)

    def result(self) -> tuple[object, ...]:
        source, stats = self.source, self.life.stats
        assert source._session is not None and source._session.receiver is not None
        receiver = source._session.receiver
        return (
            self.packets,
            [packet for run in self.kept for packet in run],
            self.sizes,
            self.keys,
            self.error,
            self.life.status(0.0, False),
            (stats.packets, stats.bytes, stats.lost, stats.keys, stats.key_bytes, stats.gop_s, stats.frames_per_s),
            (receiver.packets, receiver.lost, receiver.newest, receiver.depacketizer.timestamp, receiver.ssrc),
            (source.received_bytes, source.position, source._session.frames, source._session.messages),
            vars(source._timeline),
            [(limit.open, limit._came) for limit in source._governor._limits],
        )


def look_at(readings: list[Reading]) -> tuple[set[int], set[int]]:
    """At all together: which rows must be swept, and which brought key frames."""
    left, keyed, columns, clock = set[int](), set[int](), readings[0].columns, readings[0].clock
    by_row = {reading.row: reading for reading in readings}
    for look in columns.look(list(by_row), clock.now_s(), clock.monotonic_s()):
        left.update(look.left)
        keyed.update(look.keyed)
        ends = np.cumsum(look.count).tolist()
        for row, count, end in zip(look.row.tolist(), look.count.tolist(), ends, strict=True):
            key = [at - end + count for at in look.key.tolist() if end - count <= at < end]
            by_row[row].note(look.size[end - count : end].tolist(), key)
        assert len(look.size) == look.count.sum() and set(look.row.tolist()).isdisjoint(look.left)
    return left, keyed


def rtp(payload: bytes, sequence: int, timestamp: int, marker: bool, ssrc: int = 77, kind: int = 96, channel: int = 0) -> bytes:
    header = struct.pack(">BBHII", 0x80, marker << 7 | kind, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, ssrc)
    return b"$" + bytes((channel,)) + (12 + len(payload)).to_bytes(2) + header + payload


PLAIN = {
    Codec.H264: {
        "whole": [b"\x61\x9aabcdefgh"],
        "fragments": [b"\x7c\x81\x9aabc", b"\x7c\x01defg", b"\x7c\x01h", b"\x7c\x41ij"],
        "slices": [b"\x41\x9aabc", b"\x41\x40def"],
        "key": [SPS, PPS, b"\x06\x05\x01\x80", b"\x7c\x85\x88abcd", b"\x7c\x05efgh", b"\x7c\x45ij"],
        "small key": [b"\x65\x88abc"],
        "delimited": [b"\x09\xf0\x80", b"\x06\x01\x02\x80", b"\x61\x9axyz"],
    },
    Codec.H265: {
        "whole": [b"\x02\x01\xd0abcdefgh"],
        "fragments": [b"\x62\x01\x81\xd0abc", b"\x62\x01\x01defg", b"\x62\x01\x01h", b"\x62\x01\x41ij"],
        "slices": [b"\x00\x01\xd0abc", b"\x00\x01\x50def"],
        "key": [VPS_265, SPS_265, PPS_265, b"\x4e\x01\x05\x80", b"\x62\x01\x93\xafabcd", b"\x62\x01\x13efgh", b"\x62\x01\x53ij"],
        "small key": [b"\x26\x01\xafabc"],
        "delimited": [b"\x46\x01\x50", b"\x4e\x01\x02\x80", b"\x02\x01\xd0xyz"],
    },
}
ODD = [
    *(
        "lost",
        "doubled",
        "no marker",
        "early marker",
        "stranger",
        "other type",
        "report",
        "question",
        "other channel",
        "same time",
    ),
    *("back", "jump", "new set", "aggregate", "cut", "odd byte", "not first", "nothing", "extension", "zero", "begins"),
    *("padding", "source", "goodbye", "empty report", "answer", "huge", "keep-alive"),
]
_FLAGS = {"extension": b"\x90", "padding": b"\xa0", "source": b"\x81"}  # first byte of an RTP packet
_BETWEEN = {  # RTP packets
    "question": b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n",
    "answer": b"RTSP/1.0 200 OK\r\nCSeq: 6\r\nContent-Length: 3\r\n\r\nabc",
    "goodbye": b"$\1\0\x08\x81\xcb\0\1" + (77).to_bytes(4),
    "empty report": b"$\1\0\0",
    "keep-alive": b"\r\n",
}
picture = st.tuples(
    st.sampled_from(["whole"] * 6 + ["fragments", "slices", "key", "small key", "delimited"]),
    st.sampled_from([""] * 12 + ODD),
    st.integers(0, 5),
)


def street(codec: Codec, steps: list[tuple[str, str, int]], sequence: int, timestamp: int) -> list[bytes]:
    """The bytes of pictures, one entry for each; most are plain, some are odd at their RTP packet `place`."""
    entries = []
    for kind, odd, place in steps:
        timestamp += {"same time": 0, "back": -9000, "jump": 90_000 * 7}.get(odd, 6000)
        payloads = list(PLAIN[codec][kind])
        at = place % len(payloads)
        if odd == "new set":
            payloads.insert(0, PLAIN[codec]["key"][-5][:-1] + bytes((0x21 + 2 * place,)))
        elif odd == "aggregate":
            payloads[at] = (b"\x18" if codec is Codec.H264 else b"\x60\x01") + len(payloads[at]).to_bytes(2) + payloads[at]
        elif odd == "odd byte":
            payloads[at] = bytes((payloads[at][0] ^ 1 << place,)) + payloads[at][1:]
        elif odd == "not first":
            payloads[at] = payloads[at][:-1].replace(b"\x9a", b"\x1a").replace(b"\xd0", b"\x50") + b"!"
        elif odd == "nothing":
            payloads[at] = payloads[at][: place // 2]
        elif odd == "begins" and len(payloads[at]) > 3:
            here = 1 if codec is Codec.H264 else 2
            payloads[at] = payloads[at][:here] + bytes((payloads[at][here] | 0x80,)) + payloads[at][here + 1 :]
        elif odd == "zero":
            payloads[at] = b"\0" + payloads[at][1:]
        elif odd == "huge":
            payloads[at] += bytes(60_000)
        made = b""
        for index, payload in enumerate(payloads):
            is_odd, marker = index == at, index == len(payloads) - 1
            sequence += 2 if is_odd and odd == "lost" else 1
            if is_odd and odd in ("no marker", "early marker"):
                marker = odd == "early marker"
            frame = rtp(
                payload,
                sequence,
                timestamp,
                marker,
                78 if is_odd and odd == "stranger" else 77,
                97 if is_odd and odd == "other type" else 96,
                2 if is_odd and odd == "other channel" else 0,
            )
            if is_odd and odd in _FLAGS:
                frame = frame[:4] + _FLAGS[odd] + frame[5:]
            made += frame * (2 if is_odd and odd == "doubled" else 1)
            if is_odd and odd == "report":
                made += b"$\1\0\x1c" + struct.pack(">BBHIIIIII", 0x80, 200, 6, 77, 2_208_988_800 + 1_000_000, 0, 0, 1, 1)
            elif is_odd and odd in _BETWEEN:
                made += _BETWEEN[odd]
        entries.append(made[: -1 - place] if odd == "cut" else made)
    return entries


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("kind", ["whole", "fragments", "slices", "key", "small key", "delimited"])
def test_every_oddity_in_every_picture_is_seen(codec: Codec, kind: str) -> None:
    for odd in ODD:
        for place in range(len(PLAIN[codec][kind])):
            steps = [
                ("key", "", 0),
                ("whole", "", 0),
                ("fragments", "", 0),
                (kind, odd, place),
                *[("whole", "", 0), ("key", "", 0)] * 2,
            ]
            both = [Reading(codec, True, glances) for glances in (False, True)]
            for entry in street(codec, steps, 100, 1000):
                for reading in both:
                    if not reading.error:
                        reading.turn(entry, 0.2)
            for reading in both:
                if not reading.error:
                    reading.turn(b"", 0.2, settles=True)
            assert both[1].result() == both[0].result(), (odd, place)
            assert both[1].stretches >= 2, "the plain pictures were not read at a glance"


def test_what_is_kept_is_small_and_copies_no_neighbours() -> None:
    reading = Reading(Codec.H264, True, True)
    for entry in street(Codec.H264, [("key", "", 0), ("whole", "", 0), ("whole", "", 0)], 100, 1000):
        reading.turn(entry, 0.2)
    reading.turn(b"", 0.2, settles=True)
    run = reading.kept[-1]
    assert isinstance(run, Stretch) and not run.size and run.bytes == 2 * len(rtp(PLAIN[Codec.H264]["whole"][0], 0, 0, True))
    assert [packet.pts_90k for packet in run] == [run.pts_90k(0), run.pts_90k(-1)]


def test_reports_and_unfinished_pictures_are_read_past_at_a_glance() -> None:
    steps = [
        ("key", "", 0),
        ("whole", "", 0),
        ("fragments", "report", 3),
        ("whole", "", 0),
        ("fragments", "", 0),
        ("whole", "", 0),
    ]
    stream = b"".join(entries := street(Codec.H264, steps, 100, 1000))
    first, begun = len(entries[0]), len(b"".join(entries[:4])) + 40  # in the payload of its second RTP packet
    both = [Reading(Codec.H264, True, glances) for glances in (False, True)]
    for reading in both:
        for chunk in (stream[:first], stream[first:begun], stream[begun:], b"", b""):
            reading.turn(chunk, 0.2)
        reading.turn(b"", 0.2, settles=True)
    assert both[1].result() == both[0].result() and both[1].source.facts.skew_s is not None
    assert both[1].stretches == 5, "of which three saw nothing"


def test_a_mistake_of_ours_in_a_look_costs_no_picture(caplog: pytest.LogCaptureFixture) -> None:
    entries = street(Codec.H264, [("key", "", 0), *[("whole", "", 0)] * 3, ("key", "", 0), ("whole", "", 0)], 100, 1000)
    both = [Reading(Codec.H264, True, at_a_glance) for at_a_glance in (False, True)]
    for number, entry in enumerate(entries):
        with patch.object(glances, "scan", side_effect=IndexError) if number in (2, 3) else nullcontext():
            for reading in both:
                reading.turn(entry, 0.2, settles=number == len(entries) - 1)
    assert both[1].result() == both[0].result() and 0 < both[1].stretches < len(entries)
    assert "looking at 1 cameras together" in caplog.text


def test_what_one_connection_does_wrong_concerns_it_alone() -> None:
    columns = Glances(2)
    broken, plain = (Reading(Codec.H264, True, True, columns, row) for row in range(2))
    alone = Reading(Codec.H264, True, False)
    for number, entry in enumerate(street(Codec.H264, [("key", "", 0), *[("whole", "", 0)] * 5], 100, 1000)):
        alone.turn(entry, 0.2)
        plain.arrive(entry, 0.2)
        broken.arrive(entry if number < 3 else b"", 0.2)
        with patch.object(broken.wire, "read_into", side_effect=RuntimeError("ours")) if number == 3 else nullcontext():
            left, keyed = look_at([broken, plain] if number <= 3 else [plain])
        plain.go_on(1 in left, 1 in keyed, False)
        if number < 3:
            broken.go_on(0 in left, 0 in keyed, False)
        elif number == 3:
            assert left == {0}
            with pytest.raises(RuntimeError, match="ours"):
                broken.go_on(True, False, False)
    for reading in (alone, plain):
        reading.turn(b"", 0.2, settles=True)
    assert plain.result() == alone.result() and plain.stretches > 3


def test_a_turn_that_broke_off_before_a_sweep_loses_nothing() -> None:
    both = [Reading(Codec.H264, True, glances) for glances in (False, True)]
    steps = [("key", "", 0), ("whole", "", 0), ("whole", "", 0), ("whole", "lost", 0), ("whole", "", 0), ("whole", "", 0)]
    for number, entry in enumerate(street(Codec.H264, steps, 100, 1000)):
        for reading in both:
            reading.arrive(entry, 0.2)
            if number == 3:
                continue  # one of them looks, and that is all
            left, keyed = look_at([reading]) if reading.glances else ({0}, set[int]())
            reading.go_on(0 in left, 0 in keyed, False)
        if number == 3:
            assert look_at([both[1]]) == ({0}, set())
    for reading in both:
        reading.turn(b"", 0.2, settles=True)
        reading.turn(b"", 0.2, settles=True)
    assert [packet.data for packet in both[1].packets] == [packet.data for packet in both[0].packets]
    assert len(both[1].packets) == len(steps) and both[1].life.stats.lost == 1 and not both[1].error


def test_a_mistake_of_who_hears_of_sizes_costs_no_packet() -> None:
    wire, clock, came = Wire(Codec.H264, True), SimulatedClock(1e6), list[Packet]()

    def mistaken(*_: object) -> None:
        raise IndexError

    reader = SweepReader(
        [Feed("c1", "rtsp://192.0.2.1/x")], clock, DEFAULT_SETTINGS, lambda row, run: came.extend(run), note=mistaken
    )
    entries = street(Codec.H264, [("key", "", 0), ("whole", "", 0)] * 15, 100, 1000)
    looked = 0
    with patch.object(rtsp_source, "Connection", lambda ip, port: wire):
        for turn in range(len(entries) * 8 + 100):
            clock.advance(0.025)
            if reader.lives[0].phase in (Phase.STARTING, Phase.STREAMING) and turn % 8 == 0 and entries:
                wire.incoming.append(entries.pop(0))
            try:
                reader.run_once()
            except IndexError:
                looked += 1
    reader.close()
    assert not entries and looked > 10 and reader.lives[0].reconnects == 0
    assert [packet.is_key for packet in came] == [True, False] * 15


def test_a_flood_of_plain_pictures_is_one_at_the_same_moment() -> None:
    both = [Reading(Codec.H264, True, glances) for glances in (False, True)]
    opening, *flood = street(Codec.H264, [("key", "", 0), *[("whole", "", 0)] * 1600], 100, 1000)
    for reading in both:
        reading.turn(opening, 0.2)
        turns = 0
        while not reading.error:
            reading.turn(b"".join(flood[turns * 40 : turns * 40 + 40]), 0.03, settles=turns % 3 == 2)
            turns += 1
    assert "pictures a second" in both[0].error, "and no glance takes part of it"
    assert both[1].error == both[0].error
    assert len(both[1].packets) == len(both[0].packets)


read = st.tuples(st.integers(0, 5), st.sampled_from([0] * 6 + [1, 20, 60]), st.sampled_from([0.2, 0.2, 0.03, 0.7]))
"""How many pictures and bytes of the next one come until it, and the time since the last."""


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([Codec.H264, Codec.H265]),
    st.booleans(),
    st.lists(picture, max_size=40),
    st.sampled_from([100, 65_500]),
    st.sampled_from([1000, 2**32 - 50_000]),
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([0] * 6 + [1, 20, 60]), st.sampled_from([0.2, 0.2, 0.03, 0.7])), max_size=30
    ),
    st.lists(st.sampled_from([0.0] * 8 + [-0.3, -20.0, 30.0]), max_size=30),
    st.integers(3, 9),
)
def test_a_glance_gives_what_reading_everything_gives(
    codec: Codec,
    tells_sets: bool,
    steps: list[tuple[str, str, int]],
    sequence: int,
    timestamp: int,
    reads: list[tuple[int, int, float]],
    clock_steps: list[float],
    wanted_at: int,
) -> None:
    plain = [("key", "", 0), ("whole", "", 0)]
    data = b"".join(street(codec, plain, sequence - 7, timestamp - 12_000))
    entries = street(codec, steps, sequence, timestamp)
    both = [Reading(codec, tells_sets, glances) for glances in (False, True)]
    pending = b"".join(entries)
    ends = [len(b"".join(entries[:count])) for count in range(len(entries) + 1)]
    chunks, done, at = [data], 0, 0
    for count, more, _ in reads:
        at = min(at + count, len(entries))
        end = min(max(ends[at] + more, done), len(pending))
        chunks.append(pending[done:end])
        done = end
    chunks.append(pending[done:])
    waits = [0.2, *(passed_s for _, _, passed_s in reads), 0.2]
    for number, (chunk, passed_s) in enumerate(zip(chunks, waits, strict=True)):
        for reading in both:
            if not reading.error:
                reading.clock.step_wall(clock_steps[number] if number < len(clock_steps) else 0.0)
                is_last = number == len(chunks) - 1
                reading.turn(chunk, passed_s, settles=number % 5 == 4 or is_last, wanted=number % 7 == wanted_at)
    is_over = False
    while not is_over:  # an answer of ours gets an answer, which is a read more
        is_over = not any(reading.wire.incoming and not reading.error for reading in both)
        for reading in both:
            if not reading.error:
                reading.turn(b"", 0.2, settles=True)
    assert both[1].result() == both[0].result()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(ENCODINGS)), st.lists(picture, min_size=12, max_size=12)), min_size=3, max_size=3))
def test_cameras_that_are_looked_at_together_do_not_disturb_each_other(
    streets: list[tuple[Codec, list[tuple[str, str, int]]]],
) -> None:
    columns, plain = Glances(len(streets)), [("key", "", 0), ("whole", "", 0)]
    together = [Reading(codec, True, True, columns, row) for row, (codec, _) in enumerate(streets)]
    alone = [Reading(codec, True, False) for codec, _ in streets]
    sent = [street(codec, plain + steps, 100 + row, 1000 * row) for row, (codec, steps) in enumerate(streets)]
    for number, entries in enumerate([*zip(*sent, strict=True), *[(b"",) * len(streets)] * 3]):
        settles = number % 5 == 4 or number > len(sent[0])
        for reading, entry in zip(alone, entries, strict=True):
            if not reading.error:
                reading.turn(entry, 0.2, settles)
        for reading, entry in zip(together, entries, strict=True):
            reading.arrive(entry, 0.2)
        going = [reading for reading in together if not reading.error]
        left, keyed = look_at(going) if going else (set[int](), set[int]())
        for reading in going:
            reading.go_on(reading.row in left, reading.row in keyed, settles)
    assert [reading.result() for reading in together] == [reading.result() for reading in alone]
