"""H.265 and Motion JPEG made into H.264: the pictures, the masks, the bounds, and who shares what."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from base import Codec, Packet, StreamName, SystemClock
from camera_config import Outline
from camera_config.site import Mask, MaskKind
from dashboard.failures import TooManyError
from dashboard.live import LiveViews
from dashboard.live_relay import Backlog
from dashboard.live_transcode import BATCH, BOUNDS, FRAMES_PER_S, Bound, Reencoder
from tests.dashboard.clip import FPS, GOP, HEIGHT, WIDTH, ClipFleet, clip
from tests.dashboard.room import Room, small_site, wait_until
from tests.dashboard.test_live import Viewer, live_of, pytestmark  # noqa: F401  # the same machines can run these

NewRoom = Callable[..., Room]

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def packets(codec: Codec = Codec.H265) -> list[Packet]:
    return [
        Packet("c1", 1_000.0 + number / FPS, 90_000 + number * 90_000 // FPS, is_key, data, codec)
        for number, (data, is_key) in enumerate(clip(codec))
    ]


def reencoder(masks: Sequence[Outline] = (), bound: Bound = BOUNDS[StreamName.SUB]) -> Reencoder:
    return Reencoder("c1", bound, lambda: masks)


def one_by_one(coder: Reencoder, some: Sequence[Packet]) -> list[Packet]:
    return [made for packet in some for made in coder.turn([packet], packet.pts_90k)]


def decoded(some: Sequence[Packet]) -> list[NDArray[np.uint8]]:
    """Luma of each picture, by a decoder that knows H.264 only."""
    decoder = av.VideoCodecContext.create("h264", "r")
    frames = [frame for packet in some for frame in decoder.decode(av.Packet(packet.data))] + decoder.decode(None)
    return [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in frames]


@pytest.mark.parametrize("codec", [Codec.H265, Codec.MJPEG])
def test_every_other_picture_of_thirty_a_second_comes_out_as_h264_of_its_time(codec: Codec) -> None:
    made = one_by_one(reencoder(), packets(codec))
    assert [packet.codec for packet in made] == [Codec.H264] * len(made)
    assert [packet.is_key for packet in made] == [True] + [False] * (len(made) - 1)
    step = FPS // FRAMES_PER_S
    assert [packet.pts_90k for packet in made] == [packet.pts_90k for packet in packets(codec)[::step]]
    assert [packet.time_s for packet in made] == pytest.approx([packet.time_s for packet in packets(codec)[::step]])
    columns = [int(luma.mean(axis=0).argmax()) for luma in decoded(made)]
    assert columns == pytest.approx([8 * number + 12 for number in range(0, 2 * GOP, step)], abs=14)


def test_a_mask_is_black_and_only_the_mask() -> None:
    for luma in decoded(one_by_one(reencoder([LEFT_HALF]), packets())):
        assert luma.shape == (HEIGHT, WIDTH)
        assert luma[:, : WIDTH // 2].max() < 40
        assert luma[:, WIDTH // 2 + 8 :].min() > 45


@pytest.mark.parametrize(
    ("bound", "size"),
    [
        (Bound(640, 360, 500), (HEIGHT, WIDTH)),  # never enlarged
        (Bound(160, 160, 500), (90, 160)),
        (Bound(161, 50, 500), (50, 88)),  # even sides, whatever the shape
    ],
)
def test_a_picture_is_as_large_as_it_may_be(bound: Bound, size: tuple[int, int]) -> None:
    assert {luma.shape for luma in decoded(one_by_one(reencoder(bound=bound), packets()))} == {size}


def test_of_what_came_late_only_the_newest_is_shown() -> None:
    """A cached GOP, or a thread that does not keep up: all is decoded, what is 0.3 s behind is not encoded."""
    some = packets()[: GOP - 1]
    made = reencoder().turn(some, some[-1].pts_90k)
    assert made[0].is_key
    assert [some[-1].time_s - packet.time_s <= 0.31 for packet in made] == [True] * len(made)
    assert 1 <= len(made) <= 6


def test_what_cannot_be_decoded_is_left_out_until_the_next_key_frame() -> None:
    some = packets()
    broken = [*some[:3], some[3]._replace(data=b"\0\0\1\x02\x01\xff"), some[4]._replace(lost=2), *some[5:]]
    made = one_by_one(reencoder(), broken)
    assert not [packet for packet in made if some[3].pts_90k <= packet.pts_90k < some[GOP].pts_90k]
    assert len(decoded(made)) == len(made)
    assert one_by_one(reencoder(), [packet._replace(data=b"\0\0\1\x26\x01" + bytes(50)) for packet in some]) == []


def test_two_viewers_share_one_transcode_and_a_third_camera_is_refused_with_a_sentence(new_room: NewRoom) -> None:
    room = new_room(transcodes=1)
    client = room.set_up()
    for camera in ("c0001", "c0002"):
        room.fleet.set_codec(camera, Codec.H265)
    opened = room.fleet.opened

    async def run() -> None:
        async with Viewer(client, "c0001") as one, Viewer(client, "c0001") as two, Viewer(client, "c0002") as other:
            assert (await one.open()).status_code == 201
            frames = await one.frames(GOP)
            assert {(frame.width, frame.height) for frame in frames} == {(WIDTH, HEIGHT)}
            assert len({int(frame.to_ndarray(format="gray").mean(axis=0).argmax()) // 16 for frame in frames}) > 3  # it moves
            assert (await two.open()).status_code == 201
            await two.frames(5)
            assert (live_of(room).transcodes, live_of(room).taps, room.fleet.opened) == (1, 1, opened + 1)

            refused = await other.open()
            assert refused.status_code == 503 and "retry-after" in refused.headers
            assert "sends H.265" in refused.json()["detail"] and "At most 1" in refused.json()["detail"]
            assert refused.json()["transcodes"] == {"codec": "h265", "most": 1, "running": 1}
            async with Viewer(client, "c0003") as plain:  # H.264 needs none
                assert (await plain.open()).status_code == 201
                await plain.frames(1)

            assert (await one.delete()).status_code == 204
            await two.frames(3)
            assert (await two.delete()).status_code == 204
            wait_until(lambda: live_of(room).transcodes == 0, "nobody looks, so it closes")
            async with Viewer(client, "c0002") as again:
                assert (await again.open()).status_code == 201
                await again.frames(1)

    asyncio.run(run())
    wait_until(lambda: room.fleet.open_now == 0 and len(live_of(room)) == 0, "nobody looks, so the taps close")
    assert (live_of(room).transcodes, live_of(room).taps) == (0, 0)


def test_a_camera_that_changes_its_coding_ends_the_view_and_the_next_one_is_right(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()

    async def run() -> None:
        async with Viewer(client, "c0001") as viewer:
            assert (await viewer.open()).status_code == 201
            await viewer.frames(2)
            assert live_of(room).transcodes == 0
            room.fleet.set_codec("c0001", Codec.H265)
            await viewer.until_the_end()
        async with Viewer(client, "c0001") as again:
            assert (await again.open()).status_code == 201
            await again.frames(2)
            assert live_of(room).transcodes == 1

    asyncio.run(run())


def test_a_transcode_has_the_privacy_masks_of_its_camera(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()
    room.fleet.set_codec("c0001", Codec.H265)
    live = live_of(room)
    live._site = replace(room.site, masks=(Mask("c0001", MaskKind.PRIVACY, LEFT_HALF),))

    async def run() -> None:
        async with Viewer(client, "c0001") as viewer:
            assert (await viewer.open()).status_code == 201
            for frame in await viewer.frames(5):
                assert frame.to_ndarray(format="gray")[:, : WIDTH // 2].max() < 40

    asyncio.run(run())


def test_what_waits_for_a_slow_thread_is_let_go_when_a_key_frame_comes() -> None:
    async def run() -> None:
        backlog, some = Backlog(), packets()
        backlog.begin(some[: GOP - 1])
        backlog.shed(GOP)  # not so many
        assert len(backlog.take_now(1)) == 1
        backlog.shed(BATCH)
        assert backlog.newest is None and backlog.dropped == GOP - 2
        backlog.offer(some[GOP])
        assert await backlog.take() == some[GOP]
        backlog.lose()
        assert await backlog.take() is None

    asyncio.run(run())


def test_who_follows_packets_has_a_live_view_until_the_session_is_over(tmp_path: Path) -> None:
    async def run() -> None:
        clock = SystemClock()
        fleet = ClipFleet(("c0001",), clock)
        fleet.set_codec("c0001", Codec.H265)
        live = LiveViews(fleet, small_site(tmp_path), clock, 1, 0)
        async with asyncio.timeout(20), live.follow("c0001", "mine", StreamName.SUB) as backlog:
            first = await backlog.take()
            assert first is not None and first.is_key and first.codec is Codec.H265
            assert (len(live), live.taps, live.transcodes, live.sessions()) == (1, 1, 0, frozenset({"mine"}))
            with pytest.raises(TooManyError, match="All 1 live views are in use"):
                await live.follow("c0001", "theirs", StreamName.SUB).__aenter__()
            live.revoke("theirs")
            assert not backlog.is_over
            backlog.begin([first, first])
            live.revoke("mine")
            backlog.offer(first)
            assert await backlog.take() is None, "not even what waited"
        assert (len(live), live.taps, fleet.open_now) == (0, 0, 0)

    asyncio.run(run())
