"""`gridpatrol run SITE`: watch a site's real cameras."""

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from base import ConfigError
from camera_config import load_site
from camera_config.site_files import finish_replacing
from dashboard import TRANSCODES
from detect import DEFAULT_WATCH
from fleet.logs import configure
from fleet.run import Ready, RunOptions
from fleet.run import run as run_site

__all__ = ["Data", "Database", "Host", "Level", "LogLevel", "Port", "SiteFolder", "Workers", "cores", "run", "say_address"]

_SHORTEST_TOKEN = 16


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


SiteFolder = Annotated[Path, typer.Argument(help="The site folder: site.toml, cameras.csv, places.geojson, …")]
Data = Annotated[Path, typer.Option(help="Where the database, outboxes and networks are kept.", envvar="GRIDPATROL_DATA")]
Host = Annotated[str, typer.Option(help="Address to listen on. Anything but loopback needs a proxy with TLS in front.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Workers = Annotated[int, typer.Option(min=0, help="Worker processes; 0: one per core.")]
Database = Annotated[
    str,
    typer.Option(help="SQLAlchemy URL, such as postgresql+psycopg://…; default SQLite in --data.", envvar="GRIDPATROL_DATABASE"),
]
DecodeBudget = Annotated[
    float, typer.Option(min=0.01, help="Cores each worker may use for decoding and analysing pictures; see docs/ref/watching.md.")
]
Transcodes = Annotated[
    int,
    typer.Option(min=0, help="Cameras that are transcoded for live views at a time, up to a core each; 0: none."),
]
LogLevel = Annotated[Level, typer.Option(help="How much is logged.")]
Proxies = Annotated[
    list[str] | None,
    typer.Option("--trusted-proxy", help="Address of a proxy whose X-Forwarded-* headers are believed; repeatable."),
]
MetricsToken = Annotated[
    str,
    typer.Option(
        help="Bearer token for /metrics, at least 16 characters; better by environment.", envvar="GRIDPATROL_METRICS_TOKEN"
    ),
]


def run(
    site: SiteFolder,
    data: Data = Path("gridpatrol-data"),
    host: Host = "127.0.0.1",
    port: Port = 8700,
    workers: Workers = 0,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="One worker, in this process: for a handful of cameras.")
    ] = False,
    database: Database = "",
    decode_budget: DecodeBudget = DEFAULT_WATCH.budget_cores,
    transcodes: Transcodes = TRANSCODES,
    trusted_proxy: Proxies = None,
    metrics_token: MetricsToken = "",
    log_level: LogLevel = Level.INFO,
) -> None:
    """Watch the cameras of SITE, and serve the control room's page."""
    if 0 < len(metrics_token) < _SHORTEST_TOKEN:
        raise ConfigError(f"--metrics-token: expected at least {_SHORTEST_TOKEN} characters, got {len(metrics_token)}")
    finish_replacing(site)  # a change that counts, but that whoever made it did not live to finish
    loaded = load_site(site)
    configure(log_level, [*(login.password for login in loaded.credentials), metrics_token])
    options = RunOptions(
        data=data,
        host=host,
        port=port,
        workers=1 if in_process else workers or cores(),
        in_process=in_process,
        database=database,
        decode_budget=decode_budget,
        transcodes=transcodes,
        models=(data / "models",),
        log_level=log_level,
        trusted_proxies=tuple(trusted_proxy or ()),
        metrics_token=metrics_token,
    )
    asyncio.run(run_site(loaded, options, _say_and_stay))


def cores() -> int:
    """How many this process may use: the number of workers where none is given."""
    return len(os.sched_getaffinity(0))


async def _say_and_stay(ready: Ready) -> None:
    say_address(ready)
    await asyncio.Event().wait()


def say_address(ready: Ready) -> None:
    """Tell a person where the page is and, on the first start, how to become its administrator."""
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"\n[bold]Gridpatrol is running at [cyan]{ready.url}[/cyan][/bold]   (Ctrl-C stops it)")
    if ready.setup_secret:
        console.print("This installation has no administrator yet. This link makes you the first one; it works once:")
        console.print(f"  [bold cyan]{ready.url}/#setup={ready.setup_secret}[/bold cyan]\n")
