"""The ring's bounds hold whatever comes, and what it holds starts at a key frame."""

from hypothesis import given
from hypothesis import strategies as st

from base import Packet
from ingest.ring import Ring

GOPS, CAMERA_BYTES, TOTAL_BYTES = 3, 100, 250


def packet(pts: int, key: bool, size: int) -> Packet:
    return Packet("c", pts / 90_000, pts, key, bytes(size))


def invariants(ring: Ring, rows: int) -> None:
    held = 0
    for row in range(rows):
        gops = [[packet for run in gop.runs for packet in run] for gop in ring._gops[row]]
        size = sum(len(one.data) for gop in gops for one in gop)
        held += size
        assert size == ring._camera_bytes[row] <= CAMERA_BYTES and len(gops) <= GOPS
        for gop in gops:
            assert gop[0].is_key and sum(one.is_key for one in gop) == 1
        newest = ring.newest_gop(row)
        assert not newest or newest[0].is_key
    assert held == ring.bytes <= TOTAL_BYTES
    assert len(ring._by_age) == sum(map(len, ring._gops))


step = st.tuples(st.integers(0, 3), st.sampled_from(["key", "delta", "delta", "delta", "seal"]), st.integers(0, 120))


@given(st.lists(step, max_size=80))
def test_bounds_hold_and_every_gop_starts_at_a_key_frame(steps: list[tuple[int, str, int]]) -> None:
    ring = Ring(4, GOPS, CAMERA_BYTES, TOTAL_BYTES)
    for pts, (row, kind, size) in enumerate(steps):
        if kind == "seal":
            ring.seal(row)
        else:
            ring.extend(row, [packet(pts, kind == "key", size)])
        invariants(ring, 4)


def test_the_newest_gop_is_whole_and_not_copied() -> None:
    ring = Ring(1, 2, 1000, 1000)
    packets = [packet(index * 6000, index % 4 == 0, 10) for index in range(10)]
    ring.extend(0, packets)
    gop = ring.newest_gop(0)
    assert [one.pts_90k for one in gop] == [8 * 6000, 9 * 6000] and gop[0] is packets[8]
    assert ring.seconds(0) == 5 * 6000 / 90_000


def test_a_gop_larger_than_the_bound_is_given_up_until_the_next_key_frame() -> None:
    ring = Ring(1, 2, 100, 1000)
    ring.extend(0, [packet(0, True, 60), packet(1, False, 60), packet(2, False, 1)])
    assert ring.newest_gop(0) == () and ring.bytes == 0
    ring.extend(0, [packet(3, False, 1), packet(4, True, 5)])
    assert [one.pts_90k for one in ring.newest_gop(0)] == [4]


def test_a_sealed_gop_is_kept_but_not_continued() -> None:
    ring = Ring(1, 2, 100, 1000)
    ring.extend(0, [packet(0, True, 1), packet(1, False, 1)])
    ring.seal(0)
    ring.extend(0, [packet(2, False, 1)])
    assert len(ring.newest_gop(0)) == 2
    ring.extend(0, [packet(3, True, 1), packet(4, False, 1)])
    assert [one.pts_90k for one in ring.newest_gop(0)] == [3, 4]
