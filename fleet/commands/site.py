"""`gridpatrol site`: the cameras of a site from a table, to one, and from the network; its versions, and going back to one."""

import asyncio
import ipaddress
import json as json_text
import os
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from base import Clock, ConfigError, SystemClock
from camera_config import Site as SiteRecord
from camera_config import load_site
from camera_config.import_cameras import CameraImport, Outcome, export_cameras, import_cameras, save_import
from camera_config.site_files import finish_replacing
from camera_config.table_files import write_rows
from dashboard import Registry
from fleet.commands.backup import database_url
from fleet.commands.run import Data, Database, SiteFolder
from fleet.run import vault_in
from ingest.onvif import Device, FoundDevice, Login, OnvifError, Profile, discover
from ingest.onvif.discovery import MOST_HOSTS
from patrol import SYSTEM, Actor
from storage import Store, read_versions

__all__ = ["app"]

app = typer.Typer(help="Cameras from a table, to one, and from the network; versions of a site.", no_args_is_help=True)

COMMAND_LINE = Actor(SYSTEM.kind, "command_line", "command line")

Site = Annotated[Path, typer.Option("--site", help="The site folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or GeoJSON with the columns of cameras.csv.", show_default=False)],
    site: Site,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, write nothing.")] = False,
    json: Json = False,
) -> None:
    """Add and change cameras; rows that are wrong are named and left out. Exit 1 if there were any."""
    finish_replacing(site)
    loaded = load_site(site)
    imported = import_cameras(loaded, file)
    changes = imported.count(Outcome.ADDED) + imported.count(Outcome.CHANGED)
    if changes and not dry_run:
        save_import(loaded, imported, os.environ)
    if json:
        typer.echo(json_text.dumps(_report(imported, dry_run), ensure_ascii=False))
    else:
        _show(Console(), imported, dry_run)
    if imported.count(Outcome.REFUSED):
        raise typer.Exit(1)


@app.command()
def export(
    site: Annotated[Path, typer.Argument(help="The site folder.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="Where to: ends with .csv, .xlsx or .geojson.", show_default=False)],
) -> None:
    """Write all cameras into a table that `import` reads back without a change."""
    loaded = load_site(site)
    export_cameras(loaded.cameras, file)
    Console().print(f"{len(loaded.cameras)} cameras written to {escape(str(file))}", highlight=False)


@app.command()
def versions(
    site: SiteFolder,
    data: Data = Path("gridpatrol-data"),
    database: Database = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most, newest first.")] = 20,
    json: Json = False,
) -> None:
    """List the versions of SITE: who changed what, when. Gridpatrol may run or not."""
    load_site(site)
    found = read_versions(database_url(data, database), limit)
    rows = [{**asdict(one), "what": one.what.value, "files": dict(one.files)} for one in found]
    if json:
        typer.echo(json_text.dumps({"versions": rows}, ensure_ascii=False))
        return
    table = Table("Version", "When (UTC)", "Who", "What", "Added", "Changed", "Removed")
    for one in found:
        what = f"{one.what} {one.restored}" if one.restored else one.what.value
        counts = (len(one.changes.added), len(one.changes.changed), len(one.changes.removed))
        at = datetime.fromtimestamp(one.at_s, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
        table.add_row(str(one.version), at, escape(one.by), escape(what), *map(str, counts))
    Console().print(table)


@app.command()
def restore(
    site: SiteFolder,
    version: Annotated[int, typer.Argument(min=1, help="Its number, as `site versions` shows it.", show_default=False)],
    data: Data = Path("gridpatrol-data"),
    database: Database = "",
) -> None:
    """Make the files of SITE what they were in VERSION, which is a new version. While Gridpatrol runs, use its page."""
    finish_replacing(site)
    with closing(Store.open(database_url(data, database), SystemClock(), load_site(site))) as store:
        found = store.site_versions.version(version)
        if found is None:
            raise ConfigError(f"VERSION: there is no version {version}; `gridpatrol site versions {site}` lists them")
        registry = Registry(load_site(site), store)
        changed = asyncio.run(registry.restore(COMMAND_LINE, found, registry.standing().digest))
    counts = changed.changes
    told = f"{len(counts.added)} cameras added, {len(counts.changed)} changed, {len(counts.removed)} removed"
    now = "as it was already" if changed.version is None else f"version {changed.version.version} now: {told}"
    typer.echo(f"{site}: {now}")


@app.command("discover")
def discover_(
    site: Site,
    interface: Annotated[str, typer.Option(help="IPv4 address of this machine in the cameras' network.")] = "",
    range_: Annotated[
        str, typer.Option("--range", help="Ask every address of this network, where multicast does not pass.")
    ] = "",
    credential: Annotated[str, typer.Option(help="Login of the site to ask devices for their streams.")] = "",
    seconds: Annotated[float, typer.Option(help="How long answers are waited for.", min=0.1, max=60)] = 4.0,
    save: Annotated[Path | None, typer.Option(help="Write what was found as a table for `site import`.")] = None,
    data: Data = Path("gridpatrol-data"),
    json: Json = False,
) -> None:
    """Find ONVIF cameras in the site's camera_networks, and what they stream. Cameras the site has already are marked."""
    loaded = load_site(site)
    if not loaded.camera_networks:
        where = site / "site.toml"
        raise ConfigError(f"{where}: camera_networks: missing; name the networks that may be searched, such as ['10.20.0.0/16']")
    login = _login(loaded, credential, data) if credential else None
    if save is not None and save.suffix.lower() not in (".csv", ".xlsx"):
        raise ConfigError(f"--save: expected a file that ends with .csv or .xlsx, got {save.name!r}")
    clock = SystemClock()
    found = discover(loaded.camera_networks, clock, interface, _hosts(range_), seconds)
    known = {urlsplit(url).hostname for camera in loaded.cameras for url in (camera.url_sub, camera.url_main)}
    rows = [_asked(device, login, clock, device.host in known) for device in found]
    if save is not None:
        columns = ("id", "name_en", "url_sub", "url_main", "credential", "analysed_px", "recorded_px")
        new = [row | {"credential": credential} for row in rows if row["url_sub"] and not row["known"]]
        write_rows(save, columns, [{column: row[column] for column in columns} for row in new])
    if json:
        typer.echo(json_text.dumps({"devices": rows}, ensure_ascii=False))
    else:
        _show_devices(Console(), rows)


def _login(site: SiteRecord, name: str, data: Path) -> Login:
    """A login of the site, also a sealed one, by the key in the data folder; raises ConfigError."""
    found = vault_in(data).opened(site).credential_by_name.get(name)
    if found is None:
        raise ConfigError(f"--credential: there is no login {name!r} in secrets.toml or credentials.toml")
    if found.sealed and not found.password:
        raise ConfigError(f"--credential: the key in {data} does not open the login {name!r}; name the data folder with --data")
    return Login(found.user, found.password)


def _hosts(text: str) -> list[str]:
    if not text:
        return []
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigError(f"--range: expected a network such as 10.20.3.0/24, got {text[:60]!r}: {error}") from None
    if network.num_addresses > MOST_HOSTS:
        raise ConfigError(f"--range: expected a network of at most {MOST_HOSTS:,} addresses, got {network.num_addresses:,}")
    return [str(host) for host in network.hosts()]


def _asked(device: FoundDevice, login: Login | None, clock: Clock, known: bool) -> dict[str, str]:
    """What one device says of its streams; a device that refuses is shown with its reason."""
    row = {"id": f"cam-{device.host}-{device.port}".replace(".", "-"), "host": f"{device.host}:{device.port}"}
    row |= {"name_en": device.name, "model": device.hardware, "known": "yes" if known else ""}
    row |= dict.fromkeys(("url_sub", "url_main", "analysed_px", "recorded_px", "gop_s", "error"), "")
    try:
        with Device(device.host, login, clock, device.port, device.path) as camera:
            about = camera.information()
            row["model"] = f"{about.manufacturer} {about.model}"
            profiles = camera.profiles()
            if not profiles:
                raise OnvifError("it has no profile with video")
            main, sub = profiles[0], profiles[-1]
            row |= {"url_sub": camera.stream_url(sub), "url_main": camera.stream_url(main) if main is not sub else ""}
            row |= {"analysed_px": _px(sub), "recorded_px": _px(main), "gop_s": f"{sub.encoder.gop_s:g}"}
    except OnvifError as error:
        row["error"] = str(error)
    return row


def _px(profile: Profile) -> str:
    return f"{profile.encoder.width_px}x{profile.encoder.height_px}"


def _show_devices(console: Console, rows: list[dict[str, str]]) -> None:
    table = Table("Address", "Model", "Name", "Sub-stream", "Key frames", "Known", "Error")
    for row in rows:
        gop = f"every {row['gop_s']} s" if row["gop_s"] not in ("", "0") else ""
        cells = (row["host"], row["model"], row["name_en"], row["analysed_px"], gop, row["known"], row["error"])
        table.add_row(*map(escape, cells))
    console.print(table)
    console.print(f"{len(rows)} devices", highlight=False)


def _report(imported: CameraImport, dry_run: bool) -> dict[str, object]:
    refused = [
        {"line": row.line, "camera": row.camera, "problems": [{"field": name, "reason": reason} for name, reason in row.problems]}
        for row in imported.rows
        if row.outcome is Outcome.REFUSED
    ]
    counts = {outcome.value: imported.count(outcome) for outcome in Outcome}
    return {"dry_run": dry_run, "rows": len(imported.rows), **counts, "cameras": len(imported.cameras), "faults": refused}


def _show(console: Console, imported: CameraImport, dry_run: bool) -> None:
    refused = [row for row in imported.rows if row.outcome is Outcome.REFUSED]
    if refused:
        table = Table("Line", "Camera", "Field", "Reason", title="Left out", title_justify="left")
        for row in refused:
            for name, reason in row.problems:
                table.add_row(str(row.line), escape(row.camera), escape(name), escape(reason))
        console.print(table)
    counts = ", ".join(f"{imported.count(outcome)} {outcome}" for outcome in Outcome)
    console.print(f"{len(imported.rows)} rows: {counts}" + ("; nothing was written" if dry_run else ""), highlight=False)
