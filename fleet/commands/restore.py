"""`gridpatrol restore FILE SITE`: a backup into an empty place; with `--drill` into a temporary one, to see if it would do."""

import json as json_text
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from base import ConfigError, StorageError
from fleet.commands.backup import database_url
from fleet.commands.run import Data, Database
from storage.backup import SECRETS, RestoreDrill, drill_restore
from storage.backup import restore as restore_backup

__all__ = ["restore"]


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `gridpatrol backup` made.")],
    site: Annotated[Path | None, typer.Argument(help="The site folder to make; it must be empty or not there.")] = None,
    data: Data = Path("gridpatrol-data"),
    database: Database = "",
    drill: Annotated[
        bool,
        typer.Option("--drill", help="Restore into a temporary place, check it all, take it away."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put a backup in place: the files of SITE, and the database into --data or --database; neither may hold anything."""
    if drill:
        _report(file, drill_restore(file, database), json)
        return
    if site is None:
        raise ConfigError("SITE: name the folder that the site's files go to, or give --drill")
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{data}: {error.strerror}") from None
    manifest = restore_backup(file, site, database_url(data, database))
    if json:
        typer.echo(json_text.dumps(asdict(manifest), ensure_ascii=False))
        return
    typer.echo(f"{site}: site {manifest.site} as of {manifest.made_at}, {manifest.rows['incidents']} incidents.")
    typer.echo(f"Put {SECRETS} with the camera logins into {site} before you start; everybody signs in again.")


def _report(file: Path, found: RestoreDrill, json: bool) -> None:
    """Say what a drill showed; exits with 1 if the backup would not do."""
    integrity, manifest = found.integrity, found.manifest
    if json:
        report = {
            "sound": found.is_sound,
            "made_at": manifest.made_at,
            "version": manifest.version,
            "schema": manifest.schema,
            "site": manifest.site,
            "rows": dict(manifest.rows),
            "rows_differ": {table: list(pair) for table, pair in found.rows_differ.items()},
            "incidents_rebuilt": integrity.incidents,
            "incidents_differing": integrity.differing,
            "differences": list(integrity.differences),
            "orphans": integrity.orphans,
            "damage": list(integrity.damage),
        }
        typer.echo(json_text.dumps(report, ensure_ascii=False))
    else:
        for table, (expected, real) in found.rows_differ.items():
            typer.echo(f"{table}: {expected} rows by manifest, {real} restored")
        for sentence in (*integrity.differences, *integrity.damage):
            typer.echo(sentence)
        for key, count in integrity.orphans.items():
            typer.echo(f"{key}: {count} rows belong to nothing")
        verdict = "sound" if found.is_sound else "NOT sound"
        typer.echo(f"{file} of {manifest.made_at} is {verdict}: {integrity.incidents} incidents follow from their histories")
    if not found.is_sound:
        raise typer.Exit(1)
