"""`gridpatrol simulate`: play drawn scenes or video files as RTSP cameras."""

import json as json_text
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from base import SystemClock
from fleet.logs import configure
from ingest.simulate import ClipCache, SimPlan, Simulator, load_plan, run_simulation

__all__ = ["CLIPS", "simulate"]

CLIPS = Path.home() / ".cache" / "gridpatrol" / "clips"


def simulate(
    plan: Annotated[Path | None, typer.Argument(help="A YAML plan; without one, drawn scenes for --cameras.")] = None,
    cameras: Annotated[int, typer.Option(min=1, help="How many cameras, where no plan is given.")] = 16,
    fps: Annotated[int, typer.Option(min=1, max=60, help="Frames a second of each camera, where no plan is given.")] = 15,
    port: Annotated[int, typer.Option(min=0, max=65535, help="RTSP port on 127.0.0.1; 0 takes a free one.")] = 8554,
    seconds: Annotated[
        float, typer.Option(min=0, help="Measure for this long with a client on every camera; 0 serves until Ctrl-C.")
    ] = 0.0,
    clips: Annotated[Path, typer.Option(help="Where drawn clips are kept; each is drawn once.")] = CLIPS,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object, last.")] = False,
) -> None:
    """Be N cameras: rtsp://127.0.0.1:PORT/c0001/sub and so on. Measuring takes a free port, so as to have no other clients."""
    configure("INFO")
    loaded = load_plan(plan) if plan else SimPlan.numbered(cameras, fps)
    console = Console(stderr=True, soft_wrap=True)

    def say(simulator: Simulator) -> None:
        until = f"for {seconds:g} s" if seconds else "until Ctrl-C"
        console.print(f"{len(loaded.cameras)} cameras {until}: {simulator.url(loaded.cameras[0].id)} …", highlight=False)

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("drawing what the cameras see (once)", total=None, visible=False)
        ClipCache(clips).prepare(
            loaded.specs().values(), progress=lambda done, of: bar.update(task, completed=done, total=of, visible=True)
        )
    stats = run_simulation(loaded, seconds, SystemClock(), clips=ClipCache(clips), port=0 if seconds else port, on_ready=say)
    if json:
        typer.echo(json_text.dumps(asdict(stats)))
    else:
        console.print(f"{stats.frames_per_s:g} frames/s, {stats.cores:g} cores, {stats.rss_mb:g} MB, {stats.late} late")
