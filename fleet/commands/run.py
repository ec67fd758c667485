"""`gridpatrol run SITE`: watch a site's real cameras."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from camera_config import load_site
from fleet.logs import configure
from fleet.run import Ready, RunOptions
from fleet.run import run as run_site

__all__ = ["run"]

SiteFolder = Annotated[Path, typer.Argument(help="The site folder: site.toml, cameras.csv, places.geojson, …")]
Data = Annotated[Path, typer.Option(help="Where the database, outboxes and networks are kept.", envvar="GRIDPATROL_DATA")]
Host = Annotated[str, typer.Option(help="Address to listen on. Anything but loopback needs a proxy with TLS in front.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")]
Workers = Annotated[int, typer.Option(help="Worker processes; 0: one per core.")]
Database = Annotated[
    str,
    typer.Option(help="SQLAlchemy URL, such as postgresql+psycopg://…; default SQLite in --data.", envvar="GRIDPATROL_DATABASE"),
]
LogLevel = Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")]


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
    log_level: LogLevel = "INFO",
) -> None:
    """Watch the cameras of SITE, and serve the control room's page."""
    loaded = load_site(site)
    configure(log_level, [login.password for login in loaded.credentials])
    options = options_from(data, host, port, workers, in_process=in_process, database=database, log_level=log_level)
    asyncio.run(run_site(loaded, options, _say_and_stay))


def options_from(
    data: Path, host: str, port: int, workers: int, *, in_process: bool = False, database: str = "", log_level: str = "INFO"
) -> RunOptions:
    """Options as the flags give them; `data / models` is where fetched networks are found."""
    options = RunOptions(
        data=data, host=host, port=port, in_process=in_process, database=database, models=(data / "models",), log_level=log_level
    )
    if in_process:
        workers = 1
    return RunOptions(
        **{**{name: getattr(options, name) for name in RunOptions.__slots__}, "workers": workers or options.workers}
    )


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
