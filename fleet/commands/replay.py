"""`gridpatrol replay CLIP`: the same detection over a video file, as fast as it goes."""

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from base import ConfigError, Event
from camera_config import MaskKind, Rule, load_site
from detect import load_networks
from detect import replay as replay_events
from fleet.logs import configure
from ingest import read_file

__all__ = ["replay", "utc_s"]


def replay(
    clip: Annotated[Path, typer.Argument(help="A video file that FFmpeg can read.")],
    camera: Annotated[str, typer.Option(help="The camera whose rules are used.")],
    site: Annotated[Path, typer.Option(help="The site folder whose rules are used.")] = Path("site"),
    at: Annotated[
        str, typer.Option(help="When the clip begins, ISO 8601 with zone; decides which rules are armed.")
    ] = "2026-01-05T23:00:00+08:00",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per event.")] = False,
) -> None:
    """Print the events of CLIP as if CAMERA of SITE had seen it, in seconds of the clip. The same clip gives the same lines."""
    configure("WARNING")
    loaded = load_site(site)
    if camera not in loaded.camera_by_id:
        raise ConfigError(f"--camera {camera}: no such camera in {site}")
    if not clip.is_file():
        raise ConfigError(f"{clip}: expected a video file here, found none")
    start_s = utc_s(at)
    rules, networks = loaded.rules_of(camera), load_networks(())
    if not rules:
        raise ConfigError(f"{camera}: expected a rule of it in {site / 'rules.toml'}, found none: nothing would be looked for")
    batches = read_file(clip, masks=loaded.masks_of(camera, MaskKind.PRIVACY))
    ignored = loaded.masks_of(camera, MaskKind.IGNORE)
    events = 0
    for event in replay_events(batches, camera, rules, loaded.zone_info, networks, start_s=start_s, ignored=ignored):
        typer.echo(_line(event, start_s) if json else _sentence(event, start_s))
        events += 1
    # Beside the lines: a clip without events must not look like a command that did nothing.
    typer.echo(_summary(events, rules, at), err=True)


def _summary(events: int, rules: Sequence[Rule], at: str) -> str:
    told = f"{events or 'no'} {'event' if events == 1 else 'events'} by {len(rules)} {'rule' if len(rules) == 1 else 'rules'}"
    dead_s = max(rule.dead_time_s for rule in rules)
    kept = f"; after an event its rule is silent for up to {dead_s:g} s (dead_time_s)" if dead_s else ""
    return f"{told}, the clip taken to begin at {at}{kept}"


def utc_s(text: str) -> float:
    """UTC seconds of an ISO 8601 time with zone; raises ConfigError."""
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text}: expected a time such as 2026-01-05T23:00:00+08:00") from None
    if moment.tzinfo is None:
        raise ConfigError(f"--at {text}: expected a zone, such as +08:00 or Z")
    return moment.timestamp()


def _line(event: Event, start_s: float) -> str:
    return json_text.dumps(
        {
            "kind": event.kind.value,
            "label": event.label,
            "began_s": round(event.began_s - start_s, 3),
            "ended_s": None if event.ended_s is None else round(event.ended_s - start_s, 3),
            "box": [round(side, 4) for side in event.box],
            "score": round(event.score, 4),
            "rule": event.rule,
            "zone": event.zone,
            "severity": event.severity,
            "raised_s": round(event.raised_s - start_s, 3),
        },
        ensure_ascii=False,
    )


def _sentence(event: Event, start_s: float) -> str:
    what = f"{event.kind} of a {event.label}" if event.label else str(event.kind)
    where = f" in {event.zone}" if event.zone else ""
    return f"{event.began_s - start_s:8.2f} s  {what}{where}, score {event.score:.2f}, by {event.rule}"
