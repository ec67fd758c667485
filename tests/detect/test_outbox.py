"""The outbox against crashes, corruption and a full disk: what was acknowledged is there, once, in order."""

import logging
import random
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base import Event, EventKind, SimulatedClock, StorageError, Tier, uuid7
from detect import Outbox
from detect import outbox as module
from detect.outbox import pack_event, unpack_event

ROOT = Path(__file__).resolve().parents[2]


def event(number: int, jpeg_bytes: int = 200) -> Event:
    return Event(
        id=uuid7(1_700_000_000 + number),
        camera=f"c{number:04d}",
        kind=EventKind.INTRUSION,
        label="person",
        rule="院子",
        zone="Yard",
        severity=2,
        began_s=1_700_000_000.1 + number,
        raised_s=1_700_000_001.3 + number,
        ended_s=None,
        score=0.87,
        box=(0.1, 0.2, 0.3, 0.9),
        seen_by=Tier.KEY_FRAME,
        network="crop_v1",
        snapshot_jpeg=random.Random(number).randbytes(jpeg_bytes),
    )


def events(first: int, last: int) -> list[Event]:
    return [event(number) for number in range(first, last + 1)]


@contextmanager
def opened(folder: Path) -> Iterator[Outbox]:
    outbox = Outbox(folder, SimulatedClock())
    try:
        yield outbox
    finally:
        outbox.close()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.events"))


def refill(folder: Path, data: bytes, name: str) -> Path:
    """A fresh outbox folder that holds one segment."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    (folder / name).write_bytes(data)
    return folder


def test_events_come_back_in_order_until_acknowledged(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        assert outbox.pending(10) == (0, ())
        assert outbox.append(events(1, 3)) == 3
        assert outbox.append([]) == 3
        assert outbox.append(events(4, 5)) == 5
        assert outbox.depth == 5
        number, first = outbox.pending(2)
        assert (number, [one.camera for one in first]) == (2, ["c0001", "c0002"])
        assert outbox.pending(2) == (number, first)  # again, until acknowledged
        outbox.acknowledge(2)
        number, rest = outbox.pending(10)
        assert (number, [one.camera for one in rest], outbox.depth) == (5, ["c0003", "c0004", "c0005"], 3)
        outbox.acknowledge(5)
        assert outbox.pending(10) == (5, ())


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    stored = events(1, 4)
    with opened(tmp_path) as outbox:
        outbox.append(stored)
        outbox.acknowledge(1)
    with opened(tmp_path) as outbox:
        assert outbox.pending(10) == (4, tuple(stored[1:]))
        assert outbox.append([event(5)]) == 5
        outbox.acknowledge(5)
    with opened(tmp_path) as outbox:
        assert outbox.pending(10) == (5, ())
        assert outbox.append([event(6)]) == 6  # numbers go on although every segment is gone


def test_an_event_keeps_every_field() -> None:
    one = event(7)
    assert unpack_event(pack_event(one)) == one
    walked = replace(one, path=((1.5, 0.25, 0.5), (2.0, 0.3, 0.5)))
    assert unpack_event(pack_event(walked)) == walked
    assert pack_event(one) == pack_event(one)


def test_a_record_from_before_events_had_paths_is_read() -> None:
    one = event(1)
    packed = pack_event(one)
    (length,) = struct.unpack_from("<I", packed)
    old = packed[4 : 4 + length].replace(b',"path":[]', b"")
    assert len(old) < length
    assert unpack_event(struct.pack("<I", len(old)) + old + packed[4 + length :]) == one


@pytest.mark.parametrize("payload", [b"", b"\x05\x00\x00\x00", b"\x02\x00\x00\x00{}", b"\x02\x00\x00\x00[]", b"\xff" * 40])
def test_what_is_no_event_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError):
        unpack_event(payload)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(StorageError, match="another process is using it"):
        Outbox(tmp_path, SimulatedClock())
    with opened(tmp_path):
        pass


def test_a_folder_that_cannot_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="expected a folder to write in"):
        Outbox(tmp_path / "file", SimulatedClock())


def test_acknowledging_what_was_never_given_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        outbox.append(events(1, 2))
        outbox.acknowledge(99)
        assert outbox.depth == 2
        outbox.acknowledge(1)
        outbox.acknowledge(0)
        assert outbox.depth == 1


def test_segments_go_when_all_of_them_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SEGMENT_BYTES", 1500)
    with opened(tmp_path) as outbox:
        for number in range(1, 21):
            outbox.append([event(number)])
        many = len(segments(tmp_path))
        assert many >= 5
        outbox.acknowledge(10)
        assert 0 < len(segments(tmp_path)) < many
        assert [one.camera for one in outbox.pending(99)[1]] == [f"c{number:04d}" for number in range(11, 21)]
        outbox.acknowledge(20)
        assert len(segments(tmp_path)) == 1  # the one that is written to
    with opened(tmp_path):
        assert segments(tmp_path) == []


def test_an_idle_folder_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_BYTES", 2000)
    with opened(tmp_path) as outbox:
        for number in range(1, 41):
            outbox.acknowledge(outbox.append([event(number)]))
        assert sum(path.stat().st_size for path in segments(tmp_path)) < 3000


def whole_segment(folder: Path, stored: list[Event]) -> tuple[str, bytes, list[int]]:
    """Name and bytes of the segment that holds `stored`, and where each record ends."""
    ends = []
    with opened(folder) as outbox:
        for one in stored:
            outbox.append([one])
            ends.append(segments(folder)[0].stat().st_size)
    (whole,) = segments(folder)
    return whole.name, whole.read_bytes(), ends


def test_a_tail_torn_at_any_byte_is_cut_and_the_rest_kept(tmp_path: Path) -> None:
    stored = [event(number, 30) for number in range(1, 5)]
    name, data, ends = whole_segment(tmp_path / "whole", stored)
    for length in range(ends[1], len(data) + 1):
        kept = sum(end <= length for end in ends)
        folder = refill(tmp_path / "torn", data[:length], name)
        with opened(folder) as outbox:
            assert outbox.pending(9)[1] == tuple(stored[:kept])
            assert segments(folder)[0].stat().st_size == ends[kept - 1]
            if length % 20:
                continue
            number = outbox.append([event(9)])
            assert number > kept
        with opened(folder) as outbox:
            last, found = outbox.pending(9)
            assert (last, [one.camera for one in found]) == (number, [one.camera for one in [*stored[:kept], event(9)]])


def test_a_flipped_bit_anywhere_costs_one_event_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored = [event(number, 30) for number in range(1, 4)]
    name, data, ends = whole_segment(tmp_path / "whole", stored)
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 1 << at % 8
        caplog.clear()
        with opened(refill(tmp_path / "broken", bytes(broken), name)) as outbox:
            hit = sum(end <= at for end in ends)
            assert outbox.pending(9)[1] == tuple(one for number, one in enumerate(stored) if number != hit)
            assert [record.levelno >= logging.WARNING for record in caplog.records] == [True]
            if at % 20 == 0:
                assert outbox.append([event(9)]) > 3  # a number that may have been delivered is not given again


def test_a_corrupt_middle_is_reported_with_its_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path) as outbox:
        outbox.append(events(1, 3))
    (segment,) = segments(tmp_path)
    data = segment.read_bytes()
    size = len(data) // 3
    segment.write_bytes(data[:size] + b"\0" * size + data[2 * size :])
    with opened(tmp_path) as outbox:
        assert [one.camera for one in outbox.pending(9)[1]] == ["c0001", "c0003"]
        assert outbox.lost == 1
    assert f"{segment}: bytes {size} to {2 * size} are corrupt" in caplog.text


def test_an_acknowledgement_file_that_is_garbage_delivers_everything_again(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        outbox.append(events(1, 3))
        outbox.acknowledge(2)
    for garbage in (b"", b"7\n", b"7 00000000\n", b"\xff\xfe", b"-1 0\n", b"99999999999999999999999 0\n"):
        (tmp_path / "acknowledged").write_bytes(garbage)
        with opened(tmp_path) as outbox:
            assert [one.camera for one in outbox.pending(9)[1]] == ["c0001", "c0002", "c0003"]


def test_what_the_disk_no_longer_gives_back_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path) as outbox:
        outbox.append(events(1, 3))
        (segment,) = segments(tmp_path)
        with segment.open("r+b") as file:
            file.seek(segment.stat().st_size // 2)
            file.write(b"\0\0\0")
        number, found = outbox.pending(9)
        assert (number, [one.camera for one in found], outbox.lost) == (3, ["c0001", "c0003"], 1)
        assert "event 2 is lost" in caplog.text
        segment.unlink()
        assert outbox.pending(9) == (3, ())
        outbox.acknowledge(3)
        assert outbox.depth == 0


def test_what_cannot_be_read_just_now_is_kept_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A link to itself where the second segment was: opening it fails with ELOOP, which says nothing of what is on the disk."""
    monkeypatch.setattr(module, "_SEGMENT_BYTES", 1)
    stored = events(1, 3)
    with opened(tmp_path) as outbox:
        for one in stored:
            outbox.append([one])
        second = segments(tmp_path)[1]
        aside = second.rename(tmp_path / "aside")
        second.symlink_to(second)
        assert outbox.pending(9) == (1, (stored[0],))
        outbox.acknowledge(1)
        for _ in range(3):
            assert outbox.pending(9) == (1, ())  # nothing that was not delivered is acknowledged
        assert (outbox.lost, outbox.depth) == (0, 2)
        assert caplog.text.count("event 2 cannot be read now") == 1
        aside.replace(second)
        assert outbox.pending(9) == (3, tuple(stored[1:]))


OUT_OF_FILES = """
import resource, sys
from pathlib import Path
from base import SystemClock
from detect import Outbox
from tests.detect.test_outbox import events

outbox = Outbox(Path(sys.argv[1]), SystemClock())
outbox.append(events(1, 3))
most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, most[1]))
starved = outbox.pending(9)
resource.setrlimit(resource.RLIMIT_NOFILE, most)
number, found = outbox.pending(9)
print(*starved, number, len(found), outbox.lost, outbox.depth)
"""


def test_a_process_out_of_file_handles_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_FILES, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["0", "()", "3", "3", "0", "3"]
    assert "Too many open files" in done.stderr


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["crash", "ack", "tear"])), max_size=25), st.randoms())
def test_any_history_loses_nothing_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, history: list[int | str], chance: random.Random
) -> None:
    """Appends, acknowledgements, restarts and torn tails in any order, against a list."""
    folder = tmp_path_factory.mktemp("outbox")
    outbox, waiting, count = Outbox(folder, SimulatedClock()), list[Event](), 0
    try:
        for step in history:
            if isinstance(step, int):
                group = events(count + 1, count + step)
                count += step
                outbox.append(group)
                waiting += group
            elif step == "ack":
                number, found = outbox.pending(chance.randint(1, 5))
                assert found == tuple(waiting[: len(found)])
                outbox.acknowledge(number)
                waiting = waiting[len(found) :]
            else:
                outbox.close()
                if step == "tear" and segments(folder):
                    with segments(folder)[-1].open("ab") as file:  # a group that was being written when the power went
                        file.write(b"GPE1" + chance.randbytes(chance.randint(0, 40)))
                outbox = Outbox(folder, SimulatedClock())
            assert outbox.depth == len(waiting)
        assert outbox.pending(1000)[1] == tuple(waiting)
    finally:
        outbox.close()


def test_a_drain_thread_reads_while_the_pipeline_appends(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        got: list[Event] = []
        finished = threading.Event()

        def drain() -> None:
            while not (finished.is_set() and outbox.depth == 0):
                number, found = outbox.pending(7)
                got.extend(found)
                outbox.acknowledge(number)

        thread = threading.Thread(target=drain, name="drain")
        thread.start()
        for number in range(1, 61):
            outbox.append([event(number)])
        finished.set()
        thread.join(20)
        assert not thread.is_alive()
        assert [one.camera for one in got] == [f"c{number:04d}" for number in range(1, 61)]


APPENDER = """
import sys
from pathlib import Path
from base import SystemClock
from detect import Outbox
from tests.detect.test_outbox import event

outbox = Outbox(Path(sys.argv[1]), SystemClock())
number = int(sys.argv[2])
while True:
    group = [event(number + i, 5000) for i in range(1 + number % 3)]
    number += len(group)
    last = outbox.append(group)
    print(last, group[-1].camera, flush=True)  # only what is on stable storage is told
"""


@pytest.mark.kill
def test_sigkill_at_any_moment_loses_nothing_that_was_told(tmp_path: Path) -> None:
    chance, told = random.Random(4), 0
    for life in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(tmp_path), str(told + 1)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        wanted = chance.randint(1, 40)
        lines = [child.stdout.readline() for _ in range(wanted)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
        child.wait(10)
        child.stdout.close()
        whole = [line for line in lines if line.endswith("\n")]
        last_told, camera = int(whole[-1].split()[0]), whole[-1].split()[1]
        with opened(tmp_path) as outbox:
            last, found = outbox.pending(10_000)
            assert last >= last_told
            # Consecutive from the first to the last told, and at most the group that was being told on top.
            cameras = [int(one.camera[1:]) for one in found]
            assert cameras == list(range(cameras[0], cameras[0] + len(cameras)))
            assert int(camera[1:]) in cameras
            assert cameras[-1] - int(camera[1:]) <= 3 * 2
            assert (cameras[0] == 1) if life == 0 else True
            told = cameras[-1]
            outbox.acknowledge(last)


def fill_until_full(outbox: Outbox) -> list[str]:
    """Append groups until the disk is full; the cameras of the events that were acknowledged."""
    told: list[str] = []
    for number in range(1, 2000, 2):
        group = [event(number, 3000), event(number + 1, 3000)]
        try:
            outbox.append(group)
        except StorageError as error:
            assert "2 events not stored" in str(error)
            return told
        told += [one.camera for one in group]
    raise AssertionError("the disk never became full")


def test_a_full_disk_loses_nothing_and_heals(tmp_path: Path) -> None:
    """On a real file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"mounting a small tmpfs is not permitted here: {mounted.stderr.strip()}")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * 64_000)
        with opened(disk / "outbox") as outbox:
            told = fill_until_full(outbox)
            assert len(told) > 10
            with pytest.raises(StorageError):
                outbox.append([event(5000, 3000), event(5001, 3000)])
            assert [one.camera for one in outbox.pending(9999)[1]] == told
            ballast.unlink()
            outbox.append([event(7777, 3000)])
            assert [one.camera for one in outbox.pending(9999)[1]] == [*told, "c7777"]
        with opened(disk / "outbox") as outbox:
            assert [one.camera for one in outbox.pending(9999)[1]] == [*told, "c7777"]
            outbox.acknowledge(outbox.pending(9999)[0])
            assert outbox.depth == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


LIMITED = """
import resource, sys
from pathlib import Path
from base import SystemClock
from detect import Outbox
from tests.detect.test_outbox import event, fill_until_full

outbox = Outbox(Path(sys.argv[1]), SystemClock())
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
told = fill_until_full(outbox)
assert [one.camera for one in outbox.pending(9999)[1]] == told
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
outbox.append([event(7777)])
print(*told, "c7777")
"""


def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path) -> None:
    """The write that crosses the limit is cut short half-way, as on a disk that fills up."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    told = done.stdout.split()
    assert len(told) > 10
    with opened(tmp_path) as outbox:
        assert [one.camera for one in outbox.pending(9999)[1]] == told
        assert outbox.lost == 0
