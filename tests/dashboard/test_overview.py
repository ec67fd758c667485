"""The overview: what its pages are sent, over a real socket and by itself."""

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from base import Clock, Codec, Health, Packet, SimulatedClock
from dashboard.overview import PAGE_BYTES_S, PROMOTED, WHOLE_PACKETS, Overview, OverviewPage
from dashboard.routes.updates import PER_SESSION
from tests.dashboard.clip import ClipFleet, clip
from tests.dashboard.conftest import Staff
from tests.dashboard.room import Room, cookie_of, wait_until
from tests.dashboard.two_halves import two_halves

ALL = ("c0001", "c0002", "c0003")


@dataclass(frozen=True)
class Shown:
    """One record of a message, as docs/ref/api.md describes it."""

    camera: str
    is_key: bool
    is_whole: bool
    is_awake: bool
    codec: Codec
    health: Health
    gop_s: float
    age_s: float
    data: bytes


def read(message: bytes) -> list[Shown]:
    found, at = [], 0
    while at < len(message):
        flags, codec, health, name, gop, age, size = struct.unpack_from("<BBBBHII", message, at)
        at += 14
        camera, data = message[at : at + name].decode(), message[at + name : at + name + size]
        assert len(data) == size
        at += name + size
        facts = (
            bool(flags & 1),
            bool(flags & 2),
            bool(flags & 4),
            tuple(Codec)[codec],
            tuple(Health)[health],
            gop / 10,
            age / 1000,
        )
        found.append(Shown(camera, *facts, data))
    return found


@contextmanager
def page(room: Room, cookie: str, *visible: str, codecs: tuple[str, ...] = ("h264",)) -> Iterator[ClientConnection]:
    url = room.socket_url.replace("updates", "overview")
    with connect(url, additional_headers={"Cookie": f"gridpatrol_session={cookie}"}, max_size=None) as socket:
        socket.send(json.dumps({"visible": visible, "codecs": codecs}))
        yield socket


def until(socket: ClientConnection, is_enough: Callable[[list[Shown]], bool]) -> list[Shown]:
    """All records until they are enough."""
    found: list[Shown] = []
    while not is_enough(found):
        message = socket.recv(timeout=10)
        assert isinstance(message, bytes)
        found += read(message)
    return found


def overview_of(room: Room) -> Overview:
    overview = room.app.state.dashboard.overview
    assert isinstance(overview, Overview)
    return overview


def test_a_page_is_sent_the_newest_key_frame_of_each_tile_it_shows_and_then_newer_ones(staff: Staff) -> None:
    room = staff.room
    room.fleet.status["c0002"] = replace(room.fleet.status["c0002"], gop_s=0.5, health=Health.DEGRADED)
    with page(room, cookie_of(staff.operator), "c0001", "c0002") as socket:
        found = until(socket, lambda found: len(found) >= 6)
    keys = {data for data, is_key in clip() if is_key}
    assert {one.camera for one in found} == {"c0001", "c0002"}
    assert all(one.is_key and not one.is_whole and one.codec is Codec.H264 for one in found)
    assert all(one.data in keys for one in found)
    second = next(one for one in found if one.camera == "c0002")
    assert (second.gop_s, second.health) == (0.5, Health.DEGRADED)
    assert found[0].age_s < 5
    wait_until(lambda: not room.fleet.taps[-1].keys, "the tap closes with the last page")


def test_a_tile_that_stirs_moves_and_the_others_do_not(new_room: Callable[..., Room]) -> None:
    room = new_room()
    client = room.set_up()
    room.fleet.status["c0003"] = replace(room.fleet.status["c0003"], awake=True)
    with page(room, cookie_of(client), *ALL) as socket:
        found = until(socket, lambda found: sum(one.is_whole for one in found) >= 40)
    whole = [one for one in found if one.is_whole]
    assert {one.camera for one in whole} == {"c0003"} and whole[0].is_key and whole[0].is_awake
    units = [data for data, _ in clip()]
    begin = units.index(whole[0].data)
    in_order = [units[(begin + number) % len(units)] for number in range(len(whole))]
    # Every packet from a key frame on; on a slow machine a GOP may be left out, never a part of one.
    assert [one.data for one in whole] == in_order or sum(one.is_key for one in whole) > 1
    assert all(one.is_key for one in found if not one.is_whole)


def test_what_a_browser_cannot_decode_is_told_without_its_bytes(new_room: Callable[..., Room]) -> None:
    room = new_room()
    client = room.set_up()
    room.fleet.set_codec("c0002", Codec.H265)
    room.fleet.set_health("c0003", Health.OFFLINE)
    with page(room, cookie_of(client), *ALL) as socket:
        found = until(socket, lambda found: {one.camera for one in found} >= {"c0001", "c0002"})
    assert all(one.data and one.codec is Codec.H264 for one in found if one.camera == "c0001")
    assert all(not one.data and one.codec is Codec.H265 for one in found if one.camera == "c0002")
    assert not [one for one in found if one.camera == "c0003"]  # it has sent nothing


def test_a_limited_user_is_sent_nothing_of_other_places(tmp_path_factory: pytest.TempPathFactory) -> None:
    with two_halves(tmp_path_factory.mktemp("halves")) as halves:
        mine, other = halves.mine.ids["camera"], halves.other.ids["camera"]
        with page(halves.room, cookie_of(halves.limited), other, mine) as socket:
            wait_until(lambda: bool(halves.room.fleet.taps and halves.room.fleet.taps[0].keys), "the page is heard")
            assert halves.room.fleet.taps[0].keys == {mine}
            assert {one.camera for one in until(socket, bool)} == {mine}


def test_the_overview_opens_only_for_whom_it_may(staff: Staff) -> None:
    url = staff.room.socket_url.replace("updates", "overview")
    cookie = f"gridpatrol_session={cookie_of(staff.operator)}"
    for headers, status in (
        ({}, 401),
        ({"Cookie": f"gridpatrol_session={cookie_of(staff.phone)}"}, 403),
        ({"Cookie": cookie, "Origin": "https://evil.example"}, 403),
    ):
        with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=headers):
            pass
        assert refused.value.response.status_code == status


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{}",
        b"\x00\x01",
        '{"visible": ["../etc"]}',
        '{"visible": "c0001"}',
        '{"visible": [], "codecs": ["vp9"]}',
        '{"visible": [], "more": 1}',
        json.dumps({"visible": ["c1"] * 1001}),
        "[" * 5000,
    ],
)
def test_what_cannot_be_understood_ends_the_connection(staff: Staff, said: str | bytes) -> None:
    with page(staff.room, cookie_of(staff.operator)) as socket:
        socket.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
        assert "expected visible" in closed.value.rcvd.reason


def test_signing_out_closes_the_overview(staff: Staff) -> None:
    client = staff.room.sneak_in("user", next(user.id for user in staff.room.store.users()))
    with page(staff.room, client.cookies["gridpatrol_session"]) as socket:
        assert client.delete("/api/v1/session").status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


def test_a_session_has_only_so_many_overviews(staff: Staff) -> None:
    client = staff.room.sneak_in("user", next(user.id for user in staff.room.store.users()))
    overview = overview_of(staff.room)
    sessions = [
        staff.room.call(overview.join, _key(staff.room, client.cookies["gridpatrol_session"]), None) for _ in range(PER_SESSION)
    ]
    with pytest.raises(InvalidStatus) as refused, page(staff.room, client.cookies["gridpatrol_session"]):
        pass
    assert refused.value.response.status_code == 429
    for one in sessions:
        staff.room.call(overview.leave, one)


def _key(room: Room, token: str) -> str:
    found = room.on_loop(room.app.state.dashboard.sessions.find(token))
    assert found is not None
    return str(found.key)


class ManyCameras:
    """An overview of cameras that send what a test puts in, in simulated time; turned by hand."""

    def __init__(self, count: int) -> None:
        self.clock = SimulatedClock()
        self.cameras = tuple(f"c{number:04d}" for number in range(count))
        self.fleet = ClipFleet(self.cameras, self.clock)
        self.overview = Overview(self.fleet, self.clock)
        self.tap = _Given()
        self.page = OverviewPage("s", None)
        self.overview._pages.add(self.page)

    def show(self, *cameras: str) -> None:
        self.overview.show(self.page, cameras or self.cameras, {Codec.H264})
        self.overview._review(self.tap)

    def wake(self, *cameras: str) -> None:
        self.fleet.status = {camera: replace(one, awake=camera in cameras) for camera, one in self.fleet.status.items()}
        self.overview._review(self.tap)

    def turn(self, *packets: Packet) -> list[Shown]:
        """What the page gets of one turn in which these came."""
        self.clock.advance(0.1)
        self.tap.came = list(packets)
        self.overview._turn(self.tap)
        return [] if self.page.messages.empty() else read(self.page.messages.get_nowait())

    def key(self, camera: str, size: int = 1000) -> Packet:
        return Packet(camera, self.clock.now_s(), 0, True, bytes(size))

    def delta(self, camera: str, size: int = 1000) -> Packet:
        return self.key(camera, size)._replace(is_key=False)


class _Given:
    """A tap that gives what it was given."""

    def __init__(self) -> None:
        self.came: list[Packet] = []

    def want(self, keys: object, whole: object) -> None:
        del keys, whole

    def take(self) -> list[Packet]:
        return self.came

    def close(self) -> None: ...


def test_a_page_gets_its_share_of_the_network_and_always_the_newest() -> None:
    """40 key frames of 100 kB every 0.1 s are ten times what a page may have: each tile comes in turn, none stays behind."""
    many = ManyCameras(40)
    many.show()
    got: dict[str, list[float]] = {camera: [] for camera in many.cameras}
    total = 0
    for _ in range(100):
        for one in many.turn(*(many.key(camera, 100_000) for camera in many.cameras)):
            got[one.camera].append(one.age_s)
            total += len(one.data)
    assert total <= PAGE_BYTES_S * 10.6 + 100_000  # 10 s, and half a second of burst
    assert total >= PAGE_BYTES_S * 9
    assert max(map(len, got.values())) - min(map(len, got.values())) <= 1
    assert all(age_s <= 0.1 for ages in got.values() for age_s in ages)


def test_who_reads_slowly_gets_fewer_pictures_never_older_ones() -> None:
    many = ManyCameras(1)
    many.show()
    first = many.key("c0000", 10)
    many.clock.advance(0.1)
    many.tap.came = [first]
    many.overview._turn(many.tap)  # waits for the page to read it
    for size in (20, 30):
        many.tap.came = [many.key("c0000", size)]
        many.overview._turn(many.tap)
        many.clock.advance(0.1)
    assert [len(one.data) for one in read(many.page.messages.get_nowait())] == [10]
    assert [len(one.data) for one in many.turn()] == [30]


def test_tiles_that_stir_come_first_and_a_few_of_them_move() -> None:
    many = ManyCameras(PROMOTED + 3)
    many.show()
    awake = many.cameras[2:]
    many.wake(*awake)
    assert list(many.page.moving) == list(awake[:PROMOTED])
    found = many.turn(*(many.key(camera) for camera in many.cameras))
    assert [one.camera for one in found] == [*awake, *many.cameras[:2]]
    found = many.turn(*(many.delta(camera) for camera in many.cameras))
    assert [one.camera for one in found] == list(awake[:PROMOTED])
    many.wake(*awake[1:])  # the first calms down: another one moves in its place, the others go on
    assert list(many.page.moving) == list(awake[1 : PROMOTED + 1])


def test_tiles_that_move_leave_the_others_their_part_and_owe_nothing_afterwards() -> None:
    """8 tiles that move with 100 kB every 0.1 s are twice what a page may have."""
    many = ManyCameras(PROMOTED + 1)
    many.show()
    moving, calm = many.cameras[:-1], many.cameras[-1]
    many.wake(*moving)
    total, calm_ones = 0, 0
    for number in range(100):
        kind = many.key if number % 20 == 0 else many.delta
        for one in many.turn(*(kind(camera, 100_000) for camera in moving), many.key(calm)):
            total += len(one.data)
            calm_ones += one.camera == calm
    assert total <= PAGE_BYTES_S * 10.6 + PROMOTED * 100_000
    assert calm_ones >= 90
    many.wake()
    assert sorted(one.camera for one in many.turn(*(many.key(camera) for camera in many.cameras))) == sorted(many.cameras)


def test_a_moving_tile_begins_at_a_key_frame_and_goes_on_at_one_when_too_much_waits() -> None:
    many = ManyCameras(1)
    many.show()
    many.wake("c0000")
    assert many.turn(many.delta("c0000")) == []  # nothing to decode it from
    assert [one.is_key for one in many.turn(many.key("c0000"), many.key("c0000")._replace(time_s=many.clock.now_s() + 1))] == [
        True
    ]
    many.clock.advance(5)
    begin_s = many.clock.now_s()
    waiting = [many.delta("c0000")._replace(time_s=begin_s + number / 100) for number in range(WHOLE_PACKETS + 5)]
    assert many.turn(*waiting) == []
    later = many.key("c0000")._replace(time_s=begin_s + 10)
    assert [one.is_key for one in many.turn(later, later._replace(time_s=begin_s + 11, is_key=False))] == [True, False]


def test_of_a_tile_that_comes_into_sight_the_known_picture_is_due_at_once() -> None:
    many = ManyCameras(3)
    many.show("c0000", "c0001")
    assert len(many.turn(many.key("c0000"), many.key("c0001"))) == 2
    many.show("c0001", "c0002")
    assert many.turn() == []  # nobody asked for the third before, and the second is shown already
    many.show("c0000", "c0001", "c0002")
    assert many.turn() == []  # the first was forgotten meanwhile
    assert [one.camera for one in many.turn(many.key("c0002"))] == ["c0002"]
    second = OverviewPage("t", None)
    many.overview._pages.add(second)
    many.overview.show(second, ["c0002"], {Codec.H264})
    many.turn()
    assert [one.camera for one in read(second.messages.get_nowait())] == ["c0002"]


def test_the_tap_is_open_only_while_somebody_looks() -> None:
    async def run(clock: Clock) -> None:
        fleet = ClipFleet(ALL, clock)
        overview = Overview(fleet, clock)
        one = overview.join("s", None)
        overview.show(one, ALL, {Codec.H264})
        async with asyncio.timeout(5):
            while not fleet.taps or not fleet.taps[0].keys:
                await asyncio.sleep(0.01)
            assert fleet.taps[0].keys == set(ALL)
            overview.leave(one)
            while fleet.taps[0].keys:
                await asyncio.sleep(0.01)
        await overview.stop()

    asyncio.run(run(SimulatedClock()))
