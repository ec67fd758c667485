"""`gridpatrol demo`: a whole fictional sub-district on this machine, with nothing to configure."""

import asyncio
import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from base import Clock, ConfigError, SystemClock
from camera_config import Site, load_site
from camera_config.district import make_district, write_district
from fleet.commands.run import Host, Level, LogLevel, Port, Workers, cores, say_address
from fleet.demo_cameras import DemoCameras
from fleet.logs import configure
from fleet.run import Ready, RunOptions
from fleet.run import run as run_site
from fleet.walk import Json, Seen, WalkResult, walk
from ingest.simulate import SimPlan, load_plan

__all__ = ["demo"]

SEED = 727
_RTSP_PORT = 8554
_SEEN_BEFORE_S = 30.0  # an event may be raised this long after its thing appeared
_WITHIN_S = 180.0

Cameras = Annotated[int, typer.Option(min=1, max=727, help="How many of the district's 727 cameras to start.")]


def demo(
    cameras: Cameras = 16,
    host: Host = "127.0.0.1",
    port: Port = 8700,
    workers: Workers = 0,
    data: Annotated[Path, typer.Option(help="Where the demo keeps its district, clips and database.")] = Path(".demo"),
    headless: Annotated[
        bool, typer.Option("--headless", help="Nobody is going to open the page: start from an empty database on a free port.")
    ] = False,
    until_event: Annotated[
        bool, typer.Option("--until-event", help="Wait for the first event, drive it to closed through the API, and stop.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --until-event: print the times as one JSON object, last.")] = False,
    log_level: LogLevel = Level.INFO,
) -> None:
    """Start a fictional sub-district with simulated cameras, and serve its control room."""
    if until_event and not headless:
        raise ConfigError("--until-event: expected together with --headless, because it signs in on a database of its own")
    console = Console(stderr=True, soft_wrap=True)
    configure(log_level)
    site, plan = _district(data, cameras, _free(_RTSP_PORT))
    configure(log_level, [login.password for login in site.credentials])
    played = DemoCameras(plan, data / "clips", int(site.cameras[0].url_sub.split(":")[2].split("/")[0]))
    _draw(played, console)
    folder = Path(tempfile.mkdtemp(prefix="headless-", dir=data)) if headless else data
    options = RunOptions(
        folder, host, 0 if headless else port, workers or cores(), models=(data / "models",), log_level=log_level
    )
    try:
        with played:
            result = asyncio.run(_run(site, options, played, until_event=until_event))
    finally:
        if headless:
            shutil.rmtree(folder, ignore_errors=True)
    if result is not None:
        typer.echo(result.json() if json else f"closed {result.closed_s:.1f} s after it appeared: {result.reason}")


async def _run(site: Site, options: RunOptions, played: DemoCameras, *, until_event: bool) -> WalkResult | None:
    """Run the site until it is stopped, or, with `until_event`, until one incident has been walked to its end."""
    results: list[WalkResult] = []
    clock = SystemClock()

    async def on_ready(ready: Ready) -> None:
        say_address(ready)
        if not until_event:
            await asyncio.Event().wait()
        assert ready.setup_secret is not None, "a database of its own has no users"
        results.append(
            await walk(ready.url, ready.setup_secret, clock, lambda incident: _truth(played, incident, clock), _WITHIN_S)
        )

    await run_site(site, options, on_ready, clock)
    return results[0] if results else None


async def _truth(played: DemoCameras, incident: Json, clock: Clock) -> Seen | None:
    """The trespass that is on `incident`'s camera now, or was a moment ago; None if there is none."""
    now_s = clock.now_s()
    drawn = await asyncio.to_thread(played.appearances, incident["camera"], now_s - _SEEN_BEFORE_S, now_s)
    forbidden = [thing for thing in drawn if thing.trespass]
    return Seen(forbidden[-1].appeared_s, forbidden[-1].zone_from_s) if forbidden else None


def _district(data: Path, cameras: int, rtsp_port: int) -> tuple[Site, SimPlan]:
    """The demo district with `cameras` cameras, written anew (its camera login too), and what they play."""
    folder = data / "site"
    write_district(make_district(SEED, cameras, rtsp_port), folder)
    site = load_site(folder)
    login = site.credentials[0]
    return site, replace(load_plan(folder / "simulate.yaml"), user=login.user, password=login.password)


def _draw(played: DemoCameras, console: Console) -> None:
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("drawing what the cameras see (once)", total=None, visible=False)
        played.prepare(lambda done, of: bar.update(task, completed=done, total=of, visible=True))


def _free(port: int) -> int:
    """`port` if nobody listens there, else one the system gives."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigError("no free port on 127.0.0.1 for the simulated cameras")
