"""Masks from the file to the event: what is hidden moves nothing and is in no picture; what is ignored is only no event."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import cv2
import numpy as np
import pytest

from base import Event, FrameBatch
from camera_config import Outline
from detect import Backgrounds, replay
from ingest import read_file
from tests.detect.stage import ByShape, Pair, rule, scene, walker, with_thing

HEIGHT, WIDTH = 360, 640
LEFT: Outline = ((0.0, 0.0), (0.45, 0.0), (0.45, 1.0), (0.0, 1.0))
HIDDEN = slice(0, HEIGHT), slice(0, int(0.45 * WIDTH))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody walks to and fro in the left part from the third second on, somebody else in the right part from the ninth."""
    path = tmp_path_factory.mktemp("masks") / "two.mp4"
    empty = scene(3, HEIGHT, WIDTH)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "18"}
        for number in range(15 * 8):
            time_s = number / 8
            picture = with_thing(empty, walker(0.2 + 0.1 * np.sin(time_s))) if time_s >= 3 else empty
            picture = with_thing(picture, walker(0.75 + 0.1 * np.sin(time_s))) if time_s >= 9 else picture
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(stream.encode(None))
    return path


def events(batches: Iterator[FrameBatch], ignored: Sequence[Outline] = ()) -> list[Event]:
    everywhere = rule(dead_time_s=0.0)
    return list(replay(batches, "c0", [everywhere], ZoneInfo("UTC"), Pair(ByShape()), ignored=ignored))


def side(event: Event) -> str:
    return "left" if event.box[2] < 0.5 else "right"


def test_without_a_mask_both_are_events(clip: Path) -> None:
    assert [side(event) for event in events(read_file(clip))] == ["left", "right"]


def test_behind_a_privacy_mask_nothing_moves_and_nothing_is_shown(clip: Path) -> None:
    background = Backgrounds(1)
    for batch in read_file(clip, masks=[LEFT]):
        assert batch.luma[0][:, :72].max() == 0
        assert batch.picture[0].luma[HIDDEN].max() == 0
        assert not background.apply(batch.camera, batch.time_s, batch.luma)[0][:, :72].any()
    (one,) = events(read_file(clip, masks=[LEFT]))
    assert side(one) == "right"
    shown = cv2.imdecode(np.frombuffer(one.snapshot_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown[HIDDEN].max() < 40 < shown.max()  # JPEG rings a little


def test_where_motion_is_ignored_nothing_becomes_an_event_and_everything_is_shown(clip: Path) -> None:
    (one,) = events(read_file(clip), ignored=[LEFT])
    assert side(one) == "right"
    shown = cv2.imdecode(np.frombuffer(one.snapshot_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown[HIDDEN].max() > 100
