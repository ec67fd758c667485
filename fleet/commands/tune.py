"""`gridpatrol tune CAMERA`: what another threshold would have given on what the camera has recorded."""

import json as json_text
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from base import ConfigError
from camera_config import MaskKind, Site, load_site
from detect import Threshold, Trial, load_networks, run_trials, trials_of
from fleet.commands.backup import database_url
from fleet.commands.replay import utc_s
from fleet.commands.run import Data, Database
from fleet.logs import configure
from ingest import read_file
from storage import Recording, recordings

__all__ = ["tune"]

_UNITS = {Threshold.NOW: "", Threshold.SENSITIVITY: "× as sensitive", Threshold.SCORE: "", Threshold.DWELL: "× the dwell time"}


def tune(
    camera: Annotated[str, typer.Argument(help="The camera whose rules and recordings are used.")],
    clips: Annotated[list[Path] | None, typer.Argument(help="Video files; without any, the stored clips of its events.")] = None,
    site: Annotated[Path, typer.Option(help="The site folder.")] = Path("site"),
    data: Data = Path("gridpatrol-data"),
    database: Database = "",
    last: Annotated[int, typer.Option(min=1, help="How many stored clips are used, the newest first.")] = 20,
    at: Annotated[
        str, typer.Option(help="When each file begins, ISO 8601 with zone; decides which rules are armed.")
    ] = "2026-01-05T23:00:00+08:00",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per setting.")] = False,
) -> None:
    """Show how many events other settings of motion, score and dwell time would have given. Changes nothing."""
    configure("ERROR")
    loaded = load_site(site)
    if camera not in loaded.camera_by_id:
        raise ConfigError(f"{camera}: no such camera in {site}")
    trials = trials_of(loaded.rules_of(camera))
    if not trials[0].rules:
        raise ConfigError(f"{camera}: expected a rule about what it sees in {site / 'rules.toml'}, found none")
    if not (clips or database or (data / "gridpatrol.db").is_file()):
        raise ConfigError(f"--data {data}: no database in it; name the folder of an installation, or video files")
    footage = _given(clips, utc_s(at)) if clips else _stored(database_url(data, database), data, camera, last)
    hours = _play(loaded, camera, footage, trials) / 3600
    for trial in trials if json else ():
        typer.echo(json_text.dumps(_values(trial, trials[0], hours)))
    if not json:
        _print(trials, hours, len(footage), stored=not clips)


def _given(clips: Sequence[Path], start_s: float) -> list[Recording]:
    for clip in clips:
        if not clip.is_file():
            raise ConfigError(f"{clip}: expected a video file here, found none")
    return [Recording(clip, start_s) for clip in clips]


def _stored(url: str, data: Path, camera: str, last: int) -> list[Recording]:
    """The newest clips of a camera's events that are still there."""
    footage = [one for one in recordings(url, data / "event-clips", camera, last) if one.file.is_file()]
    if not footage:
        raise ConfigError(f"{camera}: no clip of it is stored in {data}; name video files")
    return footage


def _play(site: Site, camera: str, footage: Sequence[Recording], trials: Sequence[Trial]) -> float:
    """Show all footage to all trials; its length in seconds."""
    networks, seconds = load_networks(()), 0.0
    masks, ignored = site.masks_of(camera, MaskKind.PRIVACY), site.masks_of(camera, MaskKind.IGNORE)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("clips", total=len(footage))
        for one in footage:
            batches = read_file(one.file, masks=masks)
            shown = run_trials(trials, batches, camera, site.zone_info, networks, start_s=one.began_s, ignored=ignored)
            seconds += max(shown, default=0.0)
            progress.advance(task)
    return seconds


def _values(trial: Trial, now: Trial, hours: float) -> dict[str, object]:
    return {
        "threshold": trial.threshold.value,
        "value": trial.value,
        "events": len(trial.events),
        "per_hour": round(len(trial.events) / hours, 1) if hours else None,
        "new": trial.without(now),
        "gone": now.without(trial),
        "rules": {rule.name: trial.count(rule.name) for rule in now.rules},
    }


def _print(trials: Sequence[Trial], hours: float, clips: int, stored: bool) -> None:
    table = Table(title=f"{hours * 60:.1f} minutes in {clips} {'clip' if clips == 1 else 'clips'}")
    for column in ("setting", "events", "an hour", "new", "gone", *(rule.name for rule in trials[0].rules)):
        table.add_column(column, justify="left" if column == "setting" else "right")
    for trial in trials:
        table.add_row(*_cells(trial, trials[0], hours), end_section=trial.threshold is Threshold.NOW)
    console = Console()
    console.print(table)
    dead_s = max(rule.dead_time_s for rule in trials[0].rules)
    if dead_s:
        console.print(f"As at work, a rule is silent after an event for its dead time, here up to {dead_s:g} s.")
    if stored:
        console.print(
            "Clips exist where there was an event: what these settings would add between the clips is not in the table."
        )


def _cells(trial: Trial, now: Trial, hours: float) -> Iterator[str]:
    values = _values(trial, now, hours)
    name = "as it is now" if trial is now else f"{trial.threshold} {trial.value:g} {_UNITS[trial.threshold]}".strip()
    yield name
    for key in ("events", "per_hour", "new", "gone"):
        yield "–" if values[key] is None else str(values[key])
    for rule in now.rules:
        yield str(trial.count(rule.name))
