"""`gridpatrol simulate`: play drawn scenes or video files as RTSP cameras."""

import json as json_text
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from base import SystemClock
from fleet.logs import configure
from ingest.simulate import SimPlan, load_plan, run_simulation

__all__ = ["simulate"]


def simulate(
    plan: Annotated[Path | None, typer.Argument(help="A YAML plan; without one, drawn scenes for --cameras.")] = None,
    cameras: Annotated[int, typer.Option(help="How many cameras, where no plan is given.")] = 16,
    fps: Annotated[int, typer.Option(help="Frames a second of each camera, where no plan is given.")] = 15,
    port: Annotated[int, typer.Option(help="RTSP port on 127.0.0.1; 0 takes a free one.")] = 8554,
    seconds: Annotated[
        float, typer.Option(help="Measure for this long with a client on every camera; 0 serves until Ctrl-C.")
    ] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="Print the measurement as one JSON object, last.")] = False,
) -> None:
    """Be N cameras: rtsp://127.0.0.1:PORT/c0001/sub and so on."""
    configure("INFO")
    loaded = load_plan(plan) if plan else SimPlan.numbered(cameras, fps)
    console = Console(stderr=True)
    if not seconds:
        console.print(
            f"serving {len(loaded.cameras)} cameras at rtsp://127.0.0.1:{port}/{loaded.cameras[0].id}/sub …  (Ctrl-C stops)"
        )
    stats = run_simulation(loaded, seconds, SystemClock(), port=port if not seconds else 0)
    if json:
        typer.echo(json_text.dumps(asdict(stats)))
    else:
        console.print(stats)
