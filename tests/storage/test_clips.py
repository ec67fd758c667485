"""Clips are stored once, as they were written, and go when retention says so: the row first, then the file."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from base import Clip, ClipGap, ClipGapCause, Codec, Event, SimulatedClock, StorageError
from camera_config.retention_rules import Keep, RetentionRules
from camera_config.site import Site
from patrol import Step
from storage import Hold, Store
from storage.clips import Clips
from tests.patrol.small_site import LI, command, intrusion, small_site

DAY_S = 86_400.0
VIDEO = b"not really a video " * 100


@pytest.fixture
def site() -> Site:
    rules = RetentionRules(pictures=Keep(2, 10), events=Keep(5, 20), incidents=Keep(10, 40), clips_max_gb=1.0)
    return replace(small_site(), retention=rules)


@pytest.fixture
def store(url: str, clock: SimulatedClock, site: Site, tmp_path: Path) -> Iterator[Store]:
    store = Store.open(url, clock, site, tmp_path / "clips")
    yield store
    store.close()


@pytest.fixture
def recorded(store: Store, clock: SimulatedClock, tmp_path: Path) -> Callable[..., Clip]:
    """An event that is stored, and its clip as a worker hands it over."""

    def record(**changes: object) -> Clip:
        clock.advance(600.0)
        event = intrusion("c1", clock.now_s(), **changes)
        store.record_events([event])
        return handed_over(event, tmp_path)

    return record


def handed_over(event: Event, folder: Path) -> Clip:
    file = folder / f"{event.id}.mp4"
    file.write_bytes(VIDEO)
    gaps = (ClipGap(event.began_s - 5, event.began_s - 4, ClipGapCause.NOT_KEPT),)
    facts = (event.began_s - 4, event.raised_s + 10, 210, Codec.H264, 640, 360, len(VIDEO))
    return Clip(event.id, event.camera, *facts, hashlib.sha256(VIDEO).hexdigest(), False, gaps, file)


def close(store: Store, clock: SimulatedClock, clip: Clip) -> str:
    incident = store.incident_of_event(clip.event)
    assert incident is not None
    return store.apply(command(incident, Step.CLOSE, LI, clock.now_s())).id


def run(store: Store, clock: SimulatedClock, days: float) -> dict[str, int]:
    total: dict[str, int] = {}
    for _ in range(int(days)):
        clock.advance(DAY_S)
        store.retention.begin()
        while store.retention.delete_some():
            pass
        for table, count in store.retention.end().items():
            total[table] = total.get(table, 0) + count
    return total


def test_a_clip_is_stored_once_and_comes_back_as_it_was(store: Store, recorded: Callable[..., Clip]) -> None:
    clip = recorded()
    incident = store.clips.store(clip)
    stored = store.clips.clip(clip.event)
    assert stored is not None and replace(stored, file=clip.file) == clip
    assert stored.file != clip.file and stored.file.read_bytes() == VIDEO
    assert oct(os.stat(stored.file).st_mode & 0o777) == "0o600", "video of people is for nobody else on this machine"
    clip.file.unlink()  # its worker has been told, and has forgotten it
    assert incident is not None and store.clips.store(clip) == incident, "told twice, stored once"
    assert store.clips.of_incident(incident) == {clip.event: stored}
    assert store.clips.clip("0" * 36) is None and store.clips.of_incident("0" * 36) == {}


def test_a_clip_waits_for_its_event_and_one_of_nobody_is_given_up(
    store: Store, clock: SimulatedClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = handed_over(intrusion("c1", clock.now_s()), tmp_path)
    with pytest.raises(StorageError, match="is not stored yet"):
        store.clips.store(clip)
    clock.advance(2 * DAY_S)
    with caplog.at_level(logging.ERROR):
        assert store.clips.store(clip) is None
    assert "nobody knows that event" in caplog.text


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_file_that_is_not_what_was_written_is_not_stored(
    store: Store, recorded: Callable[..., Clip], caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    clip = recorded()
    if damage == "gone":
        clip.file.unlink()
    else:
        clip.file.write_bytes(VIDEO[:-1] + b"!")
    with caplog.at_level(logging.ERROR):
        assert store.clips.store(clip) is None
    assert f"the clip of event {clip.event} is lost" in caplog.text
    assert store.clips.clip(clip.event) is None


def test_the_last_of_the_disk_is_for_events(
    store: Store, recorded: Callable[..., Clip], clock: SimulatedClock, tmp_path: Path
) -> None:
    clip = recorded()
    full = Clips(store.clips._writer, store.clips._read, clock, tmp_path / "clips", free_bytes=1 << 62)
    with pytest.raises(StorageError, match=r"GB are free on the disk of .*clips, and the last .* GB are for events"):
        full.store(clip)
    assert store.clips.clip(clip.event) is None and store.clips.store(clip) is not None, "nothing was lost by that"
    nowhere = Clips(store.clips._writer, store.clips._read, clock, None)
    with pytest.raises(StorageError, match="no folder for clips"):
        nowhere.store(recorded())


def test_clips_go_when_pictures_go_and_their_files_after_them(
    store: Store, recorded: Callable[..., Clip], clock: SimulatedClock
) -> None:
    old, held, still_open = recorded(), recorded(), recorded()
    for clip in (old, held, still_open):
        store.clips.store(clip)
    close(store, clock, old)
    store.retention.add_hold(Hold("h" * 36, close(store, clock, held), "court", LI.name, clock.now_s()), LI)
    file = store.clips.clip(old.event)
    assert run(store, clock, 9).get("clips", 0) == 0
    assert run(store, clock, 2)["clips"] == 1
    assert store.clips.clip(old.event) is None and store.clips.clip(held.event) and store.clips.clip(still_open.event)
    assert file is not None and file.file.exists()
    os.utime(file.file, (clock.now_s() - DAY_S, clock.now_s() - DAY_S))
    assert store.clips.clear_away() == 1 and not file.file.exists()
    assert [path.stem for path in sorted(file.file.parents[1].glob("*/*"))] == sorted([held.event, still_open.event])


def test_beyond_their_room_the_least_severe_clips_go_first_and_none_too_early(
    store: Store, recorded: Callable[..., Clip], clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    clips = [replace(recorded(severity=severity), bytes=400_000_000) for severity in (1, 3, 2)]
    for clip in clips:
        store.clips.store(clip)
        close(store, clock, clip)
    with caplog.at_level(logging.WARNING):
        assert run(store, clock, 1) == {}
    assert "clips take 0.2 GB more than they should, but must not be deleted yet" in caplog.text
    assert run(store, clock, 2) == {"clips": 1}
    assert [store.clips.clip(clip.event) is not None for clip in clips] == [True, False, True]


def test_an_event_that_comes_again_brings_its_end_and_nothing_else(store: Store, clock: SimulatedClock) -> None:
    event = intrusion("c1", clock.now_s())
    ended = replace(event, ended_s=event.raised_s + 7, snapshot_jpeg=b"")
    [incident] = store.record_events([event])
    [again] = store.record_events([ended])
    store.record_events([replace(ended, ended_s=event.raised_s + 99)])
    assert (again.version, again.event_count) == (incident.version, 1)
    assert [stored.ended_s for stored in store.events(incident.id)] == [event.raised_s + 7]
    both = intrusion("c2", clock.now_s() + 1)
    [other] = store.record_events([both, replace(both, ended_s=both.raised_s + 2, snapshot_jpeg=b"")])
    assert store.events(other.id)[0].ended_s == both.raised_s + 2 and store.snapshot(both.id) == both.snapshot_jpeg
