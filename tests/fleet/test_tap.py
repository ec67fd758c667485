"""Packet taps: subscribing is the request to watch, the cached GOP comes first, leaving ends it."""

import asyncio
import threading
import time
from pathlib import Path

from base import Codec, Packet
from fleet.tap import ManyTap, PacketTap, subscribe


def packet(number: int, *, key: bool = False, camera: str = "c1") -> Packet:
    return Packet(camera, 1.0 + number, number * 6000, key, f"packet {number}".encode(), Codec.H264, lost=number % 3)


class Watched:
    """What the tap asked for, and a condition to wait on."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []
        self.changed = threading.Condition()

    def __call__(self, camera: str, watched: bool) -> None:
        with self.changed:
            self.calls.append((camera, watched))
            self.changed.notify_all()

    def wait_for(self, call: tuple[str, bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: call in self.calls, 5), f"{call} never came, but {self.calls}"


async def take(address: str, camera: str, count: int) -> list[Packet]:
    async with subscribe(address, camera) as packets, asyncio.timeout(5):
        return [await anext(packets) for _ in range(count)]


def open_tap(tmp_path: Path, watched: Watched) -> tuple[PacketTap, str]:
    address = f"ipc://{tmp_path}/w.tap"
    tap = PacketTap(
        address,
        frozenset({"c1", "c11"}),
        watched,
        lambda camera, wanted: watched(f"keys of {camera}", wanted),
        lambda camera: (packet(0, key=True, camera=camera), packet(1, camera=camera)),
    )
    tap.start()
    return tap, address


def test_the_cached_gop_comes_first_then_live_packets_and_leaving_ends_the_watch(tmp_path: Path) -> None:
    watched = Watched()
    tap, address = open_tap(tmp_path, watched)
    try:

        async def watch() -> list[Packet]:
            async with subscribe(address, "c1") as packets, asyncio.timeout(5):
                got = [await anext(packets), await anext(packets)]
                await asyncio.to_thread(watched.wait_for, ("c1", True))
                tap.offer(packet(2))
                return [*got, await anext(packets)]

        assert asyncio.run(watch()) == [packet(0, key=True), packet(1), packet(2)]
        watched.wait_for(("c1", False))
    finally:
        tap.stop()


def test_pictures_that_share_a_time_all_come(tmp_path: Path) -> None:
    """So do those that were held up and are read together: none of their times may lie in the future."""
    watched = Watched()
    tap, address = open_tap(tmp_path, watched)
    held_up = [packet(number)._replace(time_s=2.5) for number in (2, 3, 4)]
    try:

        async def watch() -> list[Packet]:
            async with subscribe(address, "c1") as packets, asyncio.timeout(5):
                got = [await anext(packets), await anext(packets)]
                for one in (*held_up, held_up[0], packet(5)):
                    tap.offer(one)
                return [*got, *[await anext(packets) for _ in range(4)]]

        assert asyncio.run(watch())[2:] == [*held_up, packet(5)]
    finally:
        tap.stop()


def test_a_camera_whose_name_begins_with_anothers_is_not_mixed_up(tmp_path: Path) -> None:
    watched = Watched()
    tap, address = open_tap(tmp_path, watched)
    try:
        assert {item.camera for item in asyncio.run(take(address, "c11", 2))} == {"c11"}
        assert ("c1", True) not in watched.calls
    finally:
        tap.stop()


def test_a_second_viewers_burst_does_not_repeat_packets_for_the_first(tmp_path: Path) -> None:
    watched = Watched()
    tap, address = open_tap(tmp_path, watched)

    async def two() -> list[int]:
        async with subscribe(address, "c1") as first, asyncio.timeout(5):
            seen = [(await anext(first)).pts_90k for _ in range(2)]
            await take(address, "c1", 2)
            tap.offer(packet(5))
            return [*seen, (await anext(first)).pts_90k]

    try:
        assert asyncio.run(two()) == [0, 6000, 30000]
    finally:
        tap.stop()


def test_offering_to_nobody_never_blocks_and_counts_what_it_refuses(tmp_path: Path) -> None:
    tap = PacketTap(f"ipc://{tmp_path}/w.tap", frozenset({"c1"}), Watched(), Watched(), lambda _: ())
    for number in range(2000):
        tap.offer(packet(number))
    assert tap.refused == 2000 - 512
    tap.start()
    tap.stop()


def until_taken(tap: ManyTap, count: int) -> list[Packet]:
    """What a tap of many gives, until it has given `count`."""
    got: list[Packet] = []
    deadline_s = time.monotonic() + 5
    while len(got) < count:
        assert time.monotonic() < deadline_s, f"expected {count} packets, got {got}"
        got += tap.take()
        threading.Event().wait(0.005)
    return got


def test_a_tap_of_many_gets_key_frames_only_of_some_and_everything_of_others(tmp_path: Path) -> None:
    watched = Watched()
    tap, address = open_tap(tmp_path, watched)
    many = ManyTap({"c1": address, "c11": address}.get)
    try:
        many.want({"c1", "c11", "c7"}, ())
        assert {item.camera for item in until_taken(many, 2)} == {"c1", "c11"}  # the cached ones, nothing of who is nowhere
        watched.wait_for(("keys of c1", True))
        tap.offer(packet(2))
        tap.offer(packet(3, key=True))
        assert until_taken(many, 1) == [packet(3, key=True)]
        assert ("c1", True) not in watched.calls  # looking at key frames is not watching

        many.want({"c11"}, {"c1"})
        watched.wait_for(("keys of c1", False))
        assert until_taken(many, 2) == [packet(0, key=True), packet(1)]
        tap.offer(packet(4))
        assert until_taken(many, 1) == [packet(4)]
    finally:
        many.close()
        watched.wait_for(("keys of c11", False))
        watched.wait_for(("c1", False))
        tap.stop()


def test_a_tap_of_many_follows_a_worker_to_its_new_address(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    first, at_first = open_tap(tmp_path / "a", Watched())
    second, at_second = open_tap(tmp_path / "b", Watched())
    homes = {"c1": at_first}
    many = ManyTap(homes.get)
    try:
        many.want({"c1"}, ())
        until_taken(many, 1)
        homes["c1"] = at_second
        many.want({"c1"}, ())
        assert until_taken(many, 1) == [packet(0, key=True)]
    finally:
        many.close()
        first.stop()
        second.stop()
