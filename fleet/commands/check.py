"""`gridpatrol check SITE`: is everything as it should be, before the night shift finds out?"""

import json as json_text
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table

from base import Advice, CameraStatus, Clock, ConfigError, Health, ModelError, StorageError, SystemClock
from camera_config import Site, load_site
from detect import load_networks, refusal
from fleet.commands.run import Data, Database, SiteFolder
from fleet.logs import Redactor, configure, hide
from fleet.run import feeds_of, vault_in
from ingest import survey
from storage import schema_state

__all__ = ["Finding", "check", "find"]

_COLOURS = {Health.ONLINE: "green", Health.DEGRADED: "yellow", Health.OFFLINE: "red"}
_WIDEST = 500  # columns of a table, more than any
_ADVICE = {
    Advice.WRONG_CREDENTIALS: "correct user and password of its login",
    Advice.TOO_MANY_CONNECTIONS: "close other clients of this camera",
    Advice.UNSUPPORTED_STREAM: "set the stream to H.264 or H.265 at the camera",
    Advice.NO_PICTURE: "it answers but gives no picture; look at the stream's path, restart the camera",
    Advice.PACKET_LOSS: "packets are lost; look at the network, or read this camera over TCP",
    Advice.UNSTABLE: "the stream breaks off often; look at power and network",
    Advice.LOW_FRAME_RATE: "it sends far fewer frames than usual",
    Advice.LONG_GOP: "smart codec? set the key frame interval to 2 s",
    Advice.CLOCK_SKEW: "set its clock (NTP)",
}


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
    statuses = _survey(loaded, clock, seconds) if loaded is not None and cameras else ()
    if json:
        for status in statuses:
            typer.echo(json_text.dumps({"part": "camera", "ok": not status.error, **asdict(status)}, ensure_ascii=False))
    elif statuses:
        _show(console, statuses)
    wrong = sum(not finding.ok for finding in findings) + sum(bool(status.error) for status in statuses)
    if not json:
        console.print(f"[red]{wrong} problems[/red]" if wrong else "[green]all is well[/green]")
    raise typer.Exit(1 if wrong else 0)


def find(folder: Path, data: Path, database: str) -> Iterator[tuple[Finding, Site | None]]:
    """Look at site, database and networks, in this order; each finding comes with the site once it has loaded."""
    site = None
    try:
        site = vault_in(data).opened(load_site(folder))
        hide(login.password for login in site.credentials)
        yield Finding("site", True, f"{len(site.cameras)} cameras, {len(site.rules)} rules, {len(site.teams)} teams"), site
        if shut := [login.name for login in site.credentials if login.sealed and not login.password]:
            why = f"the key in {data} does not open the logins {', '.join(shut)}"
            yield Finding("logins", False, f"{why}; name the data folder, or set their passwords again"), site
    except ConfigError as error:
        yield Finding("site", False, str(error)), None
    yield _database(data, database), site
    try:
        networks = load_networks((data / "models",))
        found = f"crop network ready; detector {networks.detector.card.name if networks.detector else 'none (optional)'}"
        yield Finding("network", not networks.problem, networks.problem or found), site
        for problem in [refusal(rule, networks.crop.labels) for rule in (site.rules if site else ())]:
            if problem:
                yield Finding("rule", False, f"{problem}; it will not be watched for"), site
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


def _survey(site: Site, clock: Clock, seconds: float) -> tuple[CameraStatus, ...]:
    feeds = feeds_of(site)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("looking at cameras", total=len(feeds))
        return survey(feeds, clock, seconds, lambda done: progress.update(task, completed=done))


def _tell(console: Console, finding: Finding, *, json: bool) -> None:
    if json:
        typer.echo(json_text.dumps(asdict(finding), ensure_ascii=False))
    else:
        mark = "[green]ok[/green]   " if finding.ok else "[red]wrong[/red]"
        console.print(f"{mark} {finding.part:9}", end="")
        console.print(finding.text, markup=False, highlight=False)


def _show(console: Console, statuses: Sequence[CameraStatus]) -> None:
    """The table, and below it a line for each camera with which something is wrong; nothing is cut off in a narrow window."""
    table = _table(statuses)
    console.width = max(console.width, Measurement.get(console, console.options.update(width=_WIDEST), table).maximum)
    console.print(table)
    for row in statuses:
        told = "; ".join(([row.error] if row.error else []) + [_ADVICE[each] for each in row.advice])
        if told:
            console.print(f"[{_COLOURS[row.health]}]{row.camera}[/]", end="  ")
            console.print(told, markup=False, highlight=False, soft_wrap=True)


def _table(statuses: Sequence[CameraStatus]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("camera", "state", "grade", "codec", "size"):
        table.add_column(name, no_wrap=True)
    for name in ("frames/s", "kbit/s", "GOP s", "loss %", "skew s", "ring s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in statuses:
        known = row.last_frame_s is not None
        numbers = (row.frames_per_s, row.kbit_per_s, row.gop_s, 100 * row.loss)
        table.add_row(
            row.camera,
            f"[{_COLOURS[row.health]}]{row.health}[/]",
            row.quality,
            " ".join((row.codec, escape(row.profile))) if known else "",
            f"{row.width_px}x{row.height_px}" if row.width_px else "",
            *(f"{number:.{places}f}" if known else "" for number, places in zip(numbers, (1, 0, 1, 2), strict=True)),
            "" if row.skew_s is None else f"{row.skew_s:+.1f}",
            f"{row.ring_s:.1f}" if known else "",
        )
    return table
