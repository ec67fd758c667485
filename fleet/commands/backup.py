"""`gridpatrol backup SITE --to FILE`: everything of an installation in one file, while it runs or not."""

import json as json_text
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from base import StorageError, SystemClock, TomlFile
from fleet.backups import note_failure
from fleet.commands.run import Data, Database, SiteFolder
from storage.backup import SECRETS, back_up

__all__ = ["backup", "database_url"]


def backup(
    site: SiteFolder,
    to: Annotated[Path, typer.Option(help="The file to make; there must be none of this name.")],
    data: Data = Path("gridpatrol-data"),
    database: Database = "",
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as one JSON object.")] = False,
) -> None:
    """Back up the database and the files of SITE, without its camera logins, into one file that is checked byte by byte."""
    identity = str(TomlFile.read(site / "site.toml").data.get("id", ""))  # all of it may be wrong, and is worth keeping
    try:
        manifest = back_up(database_url(data, database), site, identity, to, version("gridpatrol"), SystemClock().now_s())
    except StorageError as error:
        note_failure(data, f"{to}: {error}")
        raise
    if json:
        typer.echo(json_text.dumps(asdict(manifest), ensure_ascii=False))
        return
    rows = manifest.rows
    typer.echo(
        f"{to}: {to.stat().st_size / 1e6:.1f} MB, {rows['incidents']} incidents, {rows['events']} events, "
        f"{rows['snapshots']} pictures"
    )
    typer.echo(f"Not in it: {SECRETS} with the camera logins (keep it apart), and who is signed in.")
    typer.echo("In it: hashes of passwords and the key of checkpoint codes, so keep it where nobody else can read it.")


def database_url(data: Path, database: str) -> str:
    """The address of the database of an installation: what `--database` says, else the file in `data`."""
    return database or f"sqlite:///{data / 'gridpatrol.db'}"
