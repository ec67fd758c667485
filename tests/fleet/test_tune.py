"""`gridpatrol tune` and `replay`: what settings give or would have given, on files and on stored clips."""

import hashlib
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import pytest
from typer.testing import CliRunner

from base import Clip, Codec, EventKind, GridpatrolError, SimulatedClock
from camera_config import Rule, load_site
from detect import Threshold, Trial, run_trials, trials_of
from fleet.cli import app
from storage import Store, recordings
from tests.camera_config.small_site import write_small_site
from tests.detect.stage import ByShape, Pair, batch, noisy, rule, scene, walker, with_thing
from tests.patrol.small_site import intrusion

NIGHT_S = 1_767_625_200.0  # 2026-01-05 23:00 in Shanghai, when the small site's rule is armed


def tried(*rules: Rule, sure: float = 0.75) -> dict[tuple[Threshold, float], Trial]:
    """Every setting after a clip in which a person stays for three seconds, and later one for less than one."""
    trials = trials_of(rules)
    frames = []
    for number in range(150):
        time_s = number / 10
        picture = noisy(scene(), number)
        if 4 <= time_s < 7:
            picture = with_thing(picture, walker(0.3 + (time_s - 4) * 0.1))
        if 11 <= time_s < 11.8:
            picture = with_thing(picture, walker(0.6 + (time_s - 11) * 0.2))
        frames.append(batch([picture], time_s))
    times = list(run_trials(trials, frames, "c0", ZoneInfo("UTC"), Pair(ByShape(sure=sure)), start_s=0.0))
    assert len(times) == len(frames)
    return {(trial.threshold, trial.value): trial for trial in trials}


def test_the_first_trial_is_as_it_is_now_and_longer_dwell_gives_less() -> None:
    trials = tried(rule(dead_time_s=0.0, dwell_s=1.0))
    now = trials[Threshold.NOW, 1.0]
    assert next(iter(trials.values())) is now
    assert now.count("yard") == 1
    assert trials[Threshold.DWELL, 0.5].count("yard") == 2
    assert trials[Threshold.DWELL, 0.5].without(now) == 1
    assert trials[Threshold.DWELL, 4.0].count("yard") == 0
    assert now.without(trials[Threshold.DWELL, 4.0]) == 1


def test_a_score_beyond_what_the_network_gives_leaves_nothing() -> None:
    trials = tried(rule(dead_time_s=0.0), sure=0.75)
    counts = {value: trial.count("yard") for (kind, value), trial in trials.items() if kind is Threshold.SCORE}
    assert counts == {0.4: 1, 0.5: 1, 0.6: 1, 0.7: 1, 0.8: 0, 0.9: 0}


def test_dead_times_and_ignored_health_rules_stay_as_they_are() -> None:
    frozen = rule(name="still", kind=EventKind.FROZEN, labels=())
    trials = trials_of([frozen, rule(name="yard", dead_time_s=33.0)])
    assert {one.name for trial in trials for one in trial.rules} == {"yard"}
    assert {one.dead_time_s for trial in trials for one in trial.rules} == {33.0}
    assert trials_of([frozen])[0].rules == ()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tune") / "yard.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(40):
            picture = scene(1, 180, 320)
            picture = with_thing(picture, walker(0.2 + number / 80, foot=0.85)) if number >= 20 else picture
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(stream.encode(None))
    return path


def tuned(*arguments: str) -> str:
    """What `gridpatrol tune` prints; raises what the command line would put into one sentence."""
    done = CliRunner().invoke(app, ["tune", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_files_give_a_row_for_each_setting(video: Path, tmp_path: Path) -> None:
    site = write_small_site(tmp_path / "site")
    rows = [json.loads(line) for line in tuned("c0001", str(video), "--site", str(site), "--json").splitlines()]
    assert rows[0]["threshold"] == "now"
    assert (rows[0]["new"], rows[0]["gone"]) == (0, 0)
    assert {row["threshold"] for row in rows} == set(Threshold)
    assert all(set(row["rules"]) == {"no-entry", "yard-night"} for row in rows)


def test_without_files_the_newest_stored_clips_of_the_camera_are_used(video: Path, tmp_path: Path) -> None:
    site, data = write_small_site(tmp_path / "site"), tmp_path / "data"
    data.mkdir()
    url = f"sqlite:///{data / 'gridpatrol.db'}"
    store = Store.open(url, SimulatedClock(NIGHT_S), load_site(site), data / "event-clips")
    for camera, began_s in (("c0001", NIGHT_S - 500), ("c0002", NIGHT_S - 400), ("c0001", NIGHT_S - 300)):
        event = intrusion(camera, began_s)
        store.record_events([event])
        digest = hashlib.sha256(video.read_bytes()).hexdigest()
        facts = (began_s, began_s + 8, 40, Codec.H264, 320, 180, video.stat().st_size, digest, False, ())
        store.clips.store(Clip(event.id, camera, *facts, video))
    store.close()
    stored = recordings(url, data / "event-clips", "c0001", 20)
    assert [one.began_s for one in stored] == [NIGHT_S - 500, NIGHT_S - 300]
    assert recordings(url, data / "event-clips", "c0001", 1) == stored[1:]
    table = tuned("c0001", "--site", str(site), "--data", str(data), "--last", "1")
    assert "in 1 clip" in table
    assert "as it is now" in table
    assert "score 0.8" in table
    with pytest.raises(GridpatrolError, match="database"):
        tuned("c0001", "--site", str(site), "--data", str(tmp_path))


def test_what_cannot_be_tuned_is_one_sentence(video: Path, tmp_path: Path) -> None:
    site = write_small_site(tmp_path / "site")
    for arguments, said in (
        (("c0009", str(video)), "no such camera"),
        (("c0001", str(tmp_path / "none.mp4")), "expected a video file"),
        (("c0001", str(video), "--at", "yesterday"), "--at yesterday"),
    ):
        with pytest.raises(GridpatrolError, match=said):
            tuned(*arguments, "--site", str(site))


def test_a_replay_says_how_many_there_were_and_is_the_same_twice(video: Path, tmp_path: Path) -> None:
    site = write_small_site(tmp_path / "site")
    arguments = ["replay", str(video), "--site", str(site), "--camera", "c0001", "--json"]
    once, again = (CliRunner().invoke(app, arguments, catch_exceptions=False) for _ in range(2))
    assert once.exit_code == 0 and once.stdout_bytes == again.stdout_bytes
    assert once.stderr.startswith(f"{len(once.stdout.splitlines()) or 'no'} event") and "2 rules" in once.stderr
    (site / "rules.toml").unlink()
    with pytest.raises(GridpatrolError, match="found none: nothing would be looked for"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
