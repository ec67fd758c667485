"""FFmpeg behind the same protocol, and replaying files."""

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from base import DecodeError, Packet, SourceError, StreamEnded, SystemClock
from ingest import Feed, Feeds, LibavSource, Phase, read_file
from ingest.decode import decode_key
from tests.ingest.conftest import FRAMES, GOP, HEIGHT, WIDTH, Until, picture


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name the base class gives it
        """Tests are not told."""


@pytest.fixture
def web(clip_file: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(clip_file.parent)))
    thread = threading.Thread(target=server.serve_forever, name="test-http", daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{clip_file.name}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_file_plays_at_its_own_speed_as_annex_b_and_ends(clip_file: Path, until: Until) -> None:
    clock, packets, ends = SystemClock(), list[Packet](), list[SourceError]()
    source = LibavSource(Feed("c1", str(clip_file)), clock)
    source.open()
    began_s = clock.monotonic_s()

    def ended() -> bool:
        try:
            packets.extend(source.sweep(clock.now_s()))
        except StreamEnded as error:
            ends.append(error)
        return bool(ends)

    assert until(ended, 15)
    assert clock.monotonic_s() - began_s >= (FRAMES - 2) / 15
    source.close()
    assert len(packets) == FRAMES and [packet.is_key for packet in packets] == [at % GOP == 0 for at in range(FRAMES)]
    for key in packets[::GOP]:
        assert decode_key(key).luma.shape == (HEIGHT, WIDTH)  # each key frame decodes alone
    assert source.facts.phase is Phase.CLOSED


def test_http_through_feeds(web: str, until: Until) -> None:
    feeds = Feeds([Feed("c1", web)], SystemClock())
    feeds.start()
    try:
        batch = feeds.next_batch(10)
        assert batch is not None and batch.is_key.all()
        assert until(lambda: feeds.statuses()[0].reconnects > 0, 10)  # a file over HTTP ends
        assert "ended" in feeds.statuses()[0].error
    finally:
        feeds.stop()


@pytest.mark.parametrize("url", ["concat:/etc/passwd", "ftp://192.0.2.1/x", "exec://x", "lavfi://testsrc", "/no/such/file"])
def test_what_is_not_opened(url: str, until: Until) -> None:
    source, errors = LibavSource(Feed("c1", url), SystemClock()), list[SourceError]()
    source.open()

    def failed() -> bool:
        try:
            source.sweep(0.0)
        except SourceError as error:
            errors.append(error)
        return bool(errors)

    assert until(failed, 10)
    source.close()


def test_read_file_gives_every_frame_from_zero(clip_file: Path) -> None:
    batches = list(read_file(clip_file))
    assert len(batches) == FRAMES
    times = np.array([batch.time_s[0] for batch in batches])
    assert np.allclose(times, np.arange(FRAMES) / 15, atol=1e-3)
    assert all(batch.camera.tolist() == [0] and batch.luma.shape == (1, 90, 160) and batch.awake.all() for batch in batches)
    drawn = picture(10)
    assert np.abs(batches[10].picture[0].bgr().astype(int) - drawn).mean() < 6
    assert len(list(read_file(clip_file, frames_per_s=5))) == FRAMES // 3


def test_read_file_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.mp4"):
        next(read_file(tmp_path / "missing.mp4"))
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    with pytest.raises((SourceError, DecodeError)):
        next(read_file(tmp_path / "noise.mp4"))
