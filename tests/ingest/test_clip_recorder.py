"""The clip of an event: from the key frame before its first five seconds to ten after its end, what is missing said, and never
lost once it is acknowledged."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from base import Clip, ClipGap, ClipGapCause, Codec, Event, EventKind, Packet, SimulatedClock, StorageError, Tier
from camera_config import Outline
from ingest import ClipBox, ClipRecorder, pack_clip, unpack_clip
from ingest.gate import Gate
from ingest.ring import Ring
from tests.ingest.conftest import encode
from tests.ingest.test_clip_file import MASK, played

RATE, GOP_S = 4, 2.0
NOW_S = 1_700_000_000.0
EVENT = Event(
    "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e", "c1", EventKind.INTRUSION, "person", "r", "z", 2, 0.0, 0.0, None, 0.9,
    (0.1, 0.1, 0.2, 0.3), Tier.AWAKE,
)  # fmt: skip


class Watched:
    """One camera behind a real ring of three GOPs; its stream goes on as the clock is told to."""

    def __init__(self, folder: Path, masks: Sequence[Outline] = (), dwell_s: float = 0.0) -> None:
        self.clock = SimulatedClock(NOW_S)
        self.gate = Gate(Ring(1, 3, 4 << 20, 4 << 20), self.clock, 300)
        self.box = ClipBox(folder, free_bytes=0)
        self.recorder = ClipRecorder({"c1": dwell_s}, self, self.box, self.clock, {"c1": masks})
        self._units = encode(frames=int(RATE * GOP_S), gop=int(RATE * GOP_S))
        self._sent = 0

    def awake(self, camera: str) -> bool:
        return self.gate.awake(0)

    def packets(self, camera: str) -> tuple[Packet, ...]:
        return self.gate.packets(0)

    def run(self, seconds: float, sends: bool = True) -> None:
        """Let time pass, and the recorder take its turns."""
        for _ in range(int(seconds * RATE)):
            at = self._sent % len(self._units)
            if sends:
                packet = Packet("c1", self.clock.now_s(), self._sent * 90_000 // RATE, at == 0, self._units[at])
                self.gate.admit(0, [packet])
            self._sent += 1
            self.clock.advance(1 / RATE)
            if self._sent % RATE == 0:
                self.recorder.turn()

    def written(self) -> Clip:
        assert self.recorder.waiting == 1
        assert self.recorder.write_next()
        [clip] = self.box.pending(10)
        return clip


def happening(began_s: float, raised_s: float) -> Event:
    return replace(EVENT, began_s=began_s, raised_s=raised_s, path=((began_s, 0.5, 0.5),))


def test_a_clip_begins_at_the_key_frame_before_and_ends_ten_seconds_after_the_thing_has_gone(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.run(6)
    camera.gate.wake(0, NOW_S + 20)  # a key frame showed somebody
    camera.run(4)
    camera.recorder.begin(happening(NOW_S + 8, NOW_S + 10))
    camera.run(3)
    camera.recorder.end(EVENT.id, NOW_S + 12)
    camera.run(10)
    assert camera.recorder.waiting == 0
    camera.run(1)
    clip = camera.written()
    assert (clip.event, clip.camera, clip.codec, clip.reencoded) == (EVENT.id, "c1", Codec.H264, False)
    assert clip.began_s == NOW_S + 2.0, "the last key frame five seconds before"
    assert clip.ended_s == NOW_S + 22 and clip.gaps == ()
    shown = played(clip.file)
    assert len(shown) == clip.frames == 20 * RATE
    assert {round(later - earlier, 3) for (earlier, _), (later, _) in pairwise(shown)} == {1 / RATE}
    assert clip.sha256 == hashlib.sha256(clip.file.read_bytes()).hexdigest() and clip.bytes == clip.file.stat().st_size


def test_a_thing_that_stays_has_its_clip_thirty_seconds_after_the_event(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.run(6)
    camera.recorder.begin(happening(NOW_S + 5, NOW_S + 6))
    camera.run(32)
    clip = camera.written()
    assert clip.ended_s == NOW_S + 36 and clip.began_s == NOW_S


def test_long_loitering_is_in_its_clip_from_its_begin_on(tmp_path: Path) -> None:
    """The ring holds six seconds; an awake camera's packets are kept for as long as its rules dwell."""
    camera = Watched(tmp_path, dwell_s=20.0)
    camera.run(8)
    camera.gate.wake(0, NOW_S + 60)
    camera.run(22)
    camera.recorder.begin(replace(happening(NOW_S + 10, NOW_S + 30), path=()))
    camera.run(12)
    clip = camera.written()
    assert clip.began_s == NOW_S + 4.0 and clip.gaps == () and clip.ended_s == NOW_S + 40


def test_what_was_not_kept_and_what_was_not_sent_is_said(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.run(20)
    camera.recorder.begin(replace(happening(NOW_S + 2, NOW_S + 20), path=()))
    camera.run(4)
    camera.run(4, sends=False)
    camera.run(4)
    clip = camera.written()
    first, pause = clip.gaps
    assert first == ClipGap(NOW_S - 3, NOW_S + 14, ClipGapCause.NOT_KEPT) and clip.began_s == NOW_S + 14
    assert pause == ClipGap(NOW_S + 23.75, NOW_S + 28, ClipGapCause.NOT_SENT)
    seconds = clip.ended_s - clip.began_s
    assert clip.frames / RATE + (pause.ended_s - pause.began_s) == pytest.approx(seconds, abs=1 / RATE)


def test_a_camera_that_went_dark_has_a_clip_of_what_it_showed_before(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.run(6)
    camera.run(5, sends=False)
    camera.recorder.begin(replace(happening(NOW_S + 6, NOW_S + 11), path=()))
    camera.run(12, sends=False)
    clip = camera.written()
    assert clip.began_s == NOW_S and clip.gaps == (ClipGap(NOW_S + 5.75, NOW_S + 21, ClipGapCause.NOT_SENT),)


def test_without_a_packet_there_is_no_clip_and_it_is_counted(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.recorder.begin(replace(happening(NOW_S, NOW_S + 1), path=()))
    camera.run(13, sends=False)
    assert camera.recorder.waiting == 0 and camera.recorder.stats().refused == 1


def test_a_masked_camera_is_encoded_anew_and_a_stop_waits_for_no_encoding(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    camera = Watched(tmp_path, masks=[MASK])
    camera.run(6)
    camera.recorder.begin(replace(happening(NOW_S + 5, NOW_S + 6), path=()))
    camera.run(12)
    clip = camera.written()
    assert clip.reencoded and camera.recorder.stats().reencoded == 1
    for _, bgr in played(clip.file):
        assert bgr[80:100, 135:185].max() < 24
    camera.recorder.begin(replace(happening(NOW_S + 17, NOW_S + 18), id="another", path=()))
    camera.run(12)
    camera.recorder.stop(0.1)
    with caplog.at_level(logging.WARNING):
        camera.recorder.write_next()
    assert camera.box.depth == 1 and "being stopped" in caplog.text


@pytest.mark.parametrize(("masks", "dwell_s"), [((), 0.0), ((), None), ((((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)),), 0.0)])
def test_what_came_behind_a_mask_stays_behind_it_when_mask_camera_or_stream_change(
    tmp_path: Path, masks: Sequence[Outline], dwell_s: float | None
) -> None:
    """Removed, gone, or another mask: the clip that was being gathered ends there, and is masked as its pictures were."""
    camera = Watched(tmp_path, masks=[MASK])
    camera.run(6)
    camera.recorder.begin(happening(NOW_S + 5, NOW_S + 6))
    camera.recorder.exchange("c1", dwell_s, masks)  # before the recorder has even looked at the event
    camera.run(2)
    clip = camera.written()
    assert clip.reencoded and clip.gaps[-1].cause is ClipGapCause.CUT
    for _, bgr in played(clip.file):
        assert bgr[80:100, 135:185].max() < 24
    camera.recorder.turn()
    assert camera.recorder.waiting == 0


def test_other_rules_do_not_end_a_clip_and_a_new_mask_hides_what_came_before(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.run(6)
    camera.recorder.begin(happening(NOW_S + 5, NOW_S + 6))
    camera.recorder.exchange("c1", 20.0, (), another=False)
    camera.run(3)
    assert camera.recorder.waiting == 0
    camera.recorder.exchange("c1", 20.0, (MASK,))
    camera.run(1)
    clip = camera.written()
    assert clip.reencoded and clip.ended_s > NOW_S + 8
    for _, bgr in played(clip.file):
        assert bgr[80:100, 135:185].max() < 24


def test_a_clip_is_told_again_until_it_is_acknowledged_also_by_the_next_process(tmp_path: Path) -> None:
    camera = Watched(tmp_path)
    camera.run(6)
    camera.recorder.begin(replace(happening(NOW_S + 5, NOW_S + 6), path=()))
    camera.run(12)
    clip = camera.written()
    (tmp_path / "half.part").write_bytes(b"killed while it was written")
    (tmp_path / "bare.mp4").write_bytes(b"killed before it was said what it is")
    again = ClipBox(tmp_path)
    assert again.pending(4) == (clip,) == camera.box.pending(4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{EVENT.id}.json", f"{EVENT.id}.mp4"]
    again.forget(["unknown", EVENT.id])
    again.forget([EVENT.id])
    assert again.depth == 0 and list(tmp_path.iterdir()) == []
    assert ClipBox(tmp_path).depth == 0


def test_events_go_before_their_clips_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    box = ClipBox(tmp_path, free_bytes=1 << 62)
    packets = [Packet("c1", NOW_S + at / 15, at * 6000, at == 0, data) for at, data in enumerate(encode(8, 8))]
    with pytest.raises(
        StorageError, match=r"event e1 gets no clip: .* GB are free on the disk of .*, and the last .* are for events"
    ):
        box.put("e1", packets, (), lambda _: (), NOW_S + 1)
    full = ClipBox(tmp_path, free_bytes=0, most_bytes=0)
    assert full.put("e1", packets, (), lambda _: (), NOW_S + 1).frames == 8
    with pytest.raises(StorageError, match="GB of clips wait to be stored already"):
        full.put("e2", packets, (), lambda _: (), NOW_S + 1)
    assert full.depth == 1


def test_the_facts_of_a_clip_come_back_and_nonsense_is_refused() -> None:
    gap = ClipGap(NOW_S, NOW_S + 1, ClipGapCause.CUT)
    clip = Clip("e1", "c1", NOW_S, NOW_S + 9, 90, Codec.H265, 640, 360, 12345, "ab" * 32, False, (gap,), Path())
    assert unpack_clip(pack_clip(clip)) == clip
    facts = json.loads(pack_clip(clip))
    for broken in ({"event": "../etc"}, {"bytes": "many"}, {"codec": "h222"}, {"gaps": [[1, 2]]}, {"surplus": 1}):
        with pytest.raises(ValueError, match=r"expected|valid"):
            unpack_clip(json.dumps(facts | broken).encode())
    for text in (b"", b"[]", b"null", b"{}", b"\xff"):
        with pytest.raises(ValueError, match=r"expected|Expecting|decode"):
            unpack_clip(text)
