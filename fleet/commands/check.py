"""`gridpatrol check SITE`: is everything as it should be, before the night shift finds out?"""

import json as json_text
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from base import Clock, ConfigError, ModelError, StorageError, SystemClock
from camera_config import Site, load_site
from detect import load_networks
from fleet.commands.run import Data, Database, SiteFolder
from fleet.logs import Redactor, configure
from fleet.run import feeds_of
from ingest import ProbeResult, probe
from storage import schema_state

__all__ = ["Finding", "check", "find"]

_PROBES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `ok` is False when somebody has to act."""

    part: str
    ok: bool
    text: str


def check(
    site: SiteFolder,
    data: Data = Path("gridpatrol-data"),
    database: Database = "",
    cameras: Annotated[
        bool, typer.Option("--cameras/--no-cameras", help="Connect to every camera and look at its stream.")
    ] = True,
    seconds: Annotated[
        float, typer.Option(help="How long each camera is looked at; GOP and frame rate need two key frames.")
    ] = 10.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Check a site: its files, the database's schema, the networks, every camera's stream. Exit 1 if anything is wrong."""
    configure("ERROR")
    clock = SystemClock()
    findings: list[Finding] = []
    console = Console()
    loaded = None
    for finding, loaded in find(site, data, database):  # noqa: B007  the last site is the loaded one
        findings.append(finding)
        _tell(console, finding, json=json)
    results = _probe_all(loaded, clock, seconds) if loaded is not None and cameras else []
    if json:
        for result in results:
            typer.echo(json_text.dumps({"part": "camera", "ok": not result.error, **asdict(result)}, ensure_ascii=False))
    elif results:
        console.print(_table(results))
    wrong = sum(not finding.ok for finding in findings) + sum(bool(result.error) for result in results)
    if not json:
        console.print(f"[red]{wrong} problems[/red]" if wrong else "[green]all is well[/green]")
    raise typer.Exit(1 if wrong else 0)


def find(folder: Path, data: Path, database: str) -> Iterator[tuple[Finding, Site | None]]:
    """Look at site, database and networks, in this order; each finding comes with the site once it has loaded."""
    site = None
    try:
        site = load_site(folder)
        yield Finding("site", True, f"{len(site.cameras)} cameras, {len(site.rules)} rules, {len(site.teams)} teams"), site
    except ConfigError as error:
        yield Finding("site", False, str(error)), None
    yield _database(data, database), site
    try:
        networks = load_networks((data / "models",))
        found = f"crop network ready; detector {networks.detector.card.name if networks.detector else 'none (optional)'}"
        yield Finding("network", not networks.problem, networks.problem or found), site
    except ModelError as error:
        yield Finding("network", False, str(error)), site


def _database(data: Path, database: str) -> Finding:
    file = data / "gridpatrol.db"
    if not database and not file.exists():
        return Finding("database", True, f"none yet; the first start makes {file}")
    try:
        state = schema_state(database or f"sqlite:///{file}")
    except StorageError as error:
        return Finding("database", False, Redactor().clean(str(error)))
    if state.is_current:
        return Finding("database", True, f"tables {state.current}")
    return Finding("database", True, f"tables {state.current or 'none'}; the next start makes {state.newest}")


def _probe_all(site: Site, clock: Clock, seconds: float) -> list[ProbeResult]:
    feeds = feeds_of(site)
    with ThreadPoolExecutor(_PROBES_AT_ONCE, thread_name_prefix="probe") as pool:
        running = pool.map(lambda feed: probe(feed, clock, seconds), feeds)
        return list(track(running, "looking at cameras", total=len(feeds), console=Console(stderr=True), transient=True))


def _tell(console: Console, finding: Finding, *, json: bool) -> None:
    if json:
        typer.echo(json_text.dumps(asdict(finding), ensure_ascii=False))
    else:
        mark = "[green]ok[/green]   " if finding.ok else "[red]wrong[/red]"
        console.print(f"{mark} {finding.part:9}", end="")
        console.print(finding.text, markup=False, highlight=False)


def _table(results: list[ProbeResult]) -> Table:
    table = Table("camera", "codec", "size", "frames/s", "kbit/s", "GOP s", "skew s", "problem", box=None, pad_edge=False)
    for row in results:
        size = f"{row.width_px}x{row.height_px}" if row.width_px else ""
        skew = "" if row.skew_s is None else f"{row.skew_s:+.1f}"
        long_gop = " smart codec? shorten the GOP" if row.gop_s > 8 else ""
        numbers = (f"{row.frames_per_s:.1f}", f"{row.kbit_per_s:.0f}", f"{row.gop_s:.1f}")
        table.add_row(row.camera, str(row.codec), size, *numbers, skew, f"[red]{escape(row.error)}[/red]{long_gop}")
    return table
