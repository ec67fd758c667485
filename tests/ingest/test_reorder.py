"""RTP packets over UDP: put in order within bounds, whatever the network does to them."""

import random
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.rtsp.nal import AccessUnit, Depacketizer
from ingest.rtsp.reorder import ReorderWindow
from ingest.rtsp.rtp import RtpReceiver

MOST, WAIT_S = 64, 0.1
SSRC = 0x1234ABCD


class Noting:
    """Stands in for a depacketizer: notes the payloads as numbers, and how many packets were lost before them."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.lost = 0

    def push(self, data: bytes, start: int, end: int, timestamp: int, marker: bool, lost: int, out: list[AccessUnit]) -> None:
        self.seen.append(int.from_bytes(data[start:end]))
        self.lost += lost


class Rig:
    def __init__(self, first: int = 0) -> None:
        self.notes = Noting()
        self.receiver = RtpReceiver(96, cast(Depacketizer, self.notes))
        self.window = ReorderWindow(self.receiver, MOST, WAIT_S)
        self.first = first
        self.out: list[AccessUnit] = []

    def send(self, *numbers: int, at_s: float = 0.0, ssrc: int = SSRC) -> None:
        """Packets that carry their number; sequence numbers begin at `first` and wrap."""
        for number in numbers:
            sequence = self.first + number & 0xFFFF
            packet = b"\x80\x60" + sequence.to_bytes(2) + (number * 90_000).to_bytes(4) + ssrc.to_bytes(4) + number.to_bytes(4)
            self.window.receive(packet, at_s, self.out)

    def advance(self, now_s: float) -> None:
        self.window.advance(now_s, self.out)


@given(order=st.permutations(range(40)), first=st.sampled_from([0, 7, 65_500, 65_535]))
def test_any_order_within_the_window_gives_the_original(order: list[int], first: int) -> None:
    rig = Rig(first)
    rig.send(*order)
    rig.advance(WAIT_S)
    assert rig.notes.seen == list(range(40)) and rig.receiver.lost == 0


@settings(deadline=None)
@given(data=st.data(), distance=st.integers(1, MOST // 2), first=st.integers(0, 65_535))
def test_packets_displaced_by_less_than_the_window_come_out_in_order(data: st.DataObject, distance: int, first: int) -> None:
    """Each packet may be overtaken by those up to `distance` behind it, over a long stream."""
    rng = random.Random(data.draw(st.integers()))
    order = sorted(range(500), key=lambda number: number + rng.uniform(0, distance))
    rig = Rig(first)
    for number in order:
        rig.send(number)
    rig.advance(WAIT_S)
    assert rig.notes.seen == list(range(500)) and rig.receiver.lost == 0


LONGER_THAN_IT_IS = b"\x90\x60" + bytes(10)  # says that a header extension follows


@settings(deadline=None)
@example(arrivals=[], noise=[LONGER_THAN_IT_IS])
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 0.05)), max_size=300),
    noise=st.lists(st.binary(max_size=20), max_size=5),
)
def test_bounds_hold_whatever_comes(arrivals: list[tuple[int, float]], noise: list[bytes]) -> None:
    rig, now_s = Rig(), 0.0
    for number, pause_s in arrivals:
        now_s += pause_s
        rig.send(number, at_s=now_s)
        rig.advance(now_s)
        assert len(rig.window._waiting) <= MOST
        assert all(now_s - since_s < WAIT_S for since_s, _ in rig.window._waiting.values())
    for datagram in noise:
        rig.window.receive(datagram, now_s, rig.out)
    rig.advance(now_s + 2 * WAIT_S)
    assert not rig.window._waiting and len(rig.notes.seen) <= len(arrivals) + len(noise)


def test_a_gap_is_waited_for_and_then_lost() -> None:
    rig = Rig()
    rig.send(0)
    rig.advance(WAIT_S)
    rig.send(1, 3, 4, at_s=1.0)
    rig.advance(1.0 + WAIT_S / 2)
    assert rig.notes.seen == [0, 1]
    rig.advance(1.0 + WAIT_S)
    assert rig.notes.seen == [0, 1, 3, 4] and rig.receiver.lost == 1
    rig.send(2, at_s=1.2)
    assert rig.notes.seen == [0, 1, 3, 4]


def test_a_window_full_of_packets_does_not_wait_for_the_time() -> None:
    rig = Rig()
    rig.send(0)
    rig.advance(WAIT_S)
    rig.send(*range(2, MOST + 3), at_s=WAIT_S)
    assert rig.notes.seen == [0, *range(2, MOST + 3)] and rig.receiver.lost == 1


def test_a_packet_that_comes_twice_counts_once() -> None:
    rig = Rig()
    rig.send(0, 0)
    rig.advance(WAIT_S)
    rig.send(1, 1, 3, 3, 2, 2, at_s=1.0)
    assert rig.notes.seen == [0, 1, 2, 3] and rig.receiver.lost == 0


def test_what_is_no_rtp_is_ignored() -> None:
    rig = Rig()
    for datagram in (b"", b"\x80", bytes(12), b"\x00\x01" + bytes(40), LONGER_THAN_IT_IS):
        rig.window.receive(datagram, 0.0, rig.out)
    rig.send(0, 1)
    rig.advance(WAIT_S)
    assert rig.notes.seen == [0, 1]


@pytest.mark.parametrize(("first", "ssrc"), [(30_000, 0x5555AAAA), (60_000, 0x5555AAAA), (60_000, SSRC), (40_000, SSRC)])
def test_a_camera_that_begins_anew_is_followed(first: int, ssrc: int) -> None:
    rig = Rig(30_000)
    rig.send(*range(20))
    rig.advance(WAIT_S)
    rig.first = first
    rig.send(*range(100, 120), at_s=1.0, ssrc=ssrc)
    rig.send(121, 120, 122, at_s=1.0, ssrc=ssrc)
    rig.advance(1.0 + WAIT_S)
    assert rig.notes.seen[:20] == list(range(20)) and rig.notes.seen[-20:] == list(range(103, 123))


def test_a_single_stranger_changes_nothing() -> None:
    rig = Rig()
    rig.send(0, 1)
    rig.advance(WAIT_S)
    rig.send(900, at_s=1.0, ssrc=7)
    rig.send(2, 3, at_s=1.0)
    assert rig.notes.seen == [0, 1, 2, 3]


def test_a_burst_of_strangers_between_two_packets_of_ours_is_not_believed() -> None:
    """Forged datagrams choose their timestamps; how long ours are silent they do not."""
    rig = Rig()
    rig.send(0, 1)
    rig.advance(WAIT_S)
    rig.send(*range(9000, 9900, 9), at_s=WAIT_S, ssrc=7)
    rig.send(*range(9901, 9950), at_s=WAIT_S, ssrc=7)
    rig.send(2, 3, at_s=WAIT_S)
    assert rig.notes.seen == [0, 1, 2, 3] and rig.receiver.ssrc == SSRC
