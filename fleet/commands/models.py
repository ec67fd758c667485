"""`gridpatrol models`: list the networks Gridpatrol has a card for, fetch them, check them."""

import json as json_text
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from base import ModelError
from detect import Card, CropNetwork, Detector, find_file, list_cards
from detect import check as check_file
from detect import fetch as fetch_file

__all__ = ["app"]

_READY, _MISSING = "ready", "not fetched"

app = typer.Typer(help="List, fetch and check networks (ONNX files) by their cards.", no_args_is_help=True)
Data = Annotated[Path, typer.Option(help="Where fetched networks are kept: DATA/models.", envvar="GRIDPATROL_DATA")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@app.command("list")
def list_(data: Data = Path("gridpatrol-data"), json: Json = False) -> None:
    """Every network with a card: what it finds, its licence, and whether it is here."""
    rows = [(card, _state(card, data / "models")) for card in list_cards()]
    if json:
        for card, state in rows:
            typer.echo(
                json_text.dumps(
                    {"name": card.name, "file": card.file, "licence": card.licence, "labels": len(card.labels), "state": state}
                )
            )
        return
    table = Table("network", "finds", "licence", "state", box=None, pad_edge=False)
    for card, state in rows:
        labels = ", ".join(card.labels[:3]) + (f" and {len(card.labels) - 3} more" if len(card.labels) > 3 else "")
        table.add_row(card.name, labels, card.licence, f"[green]{state}[/green]" if state == _READY else state)
    Console().print(table)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The network's name, as `gridpatrol models list` shows it; 'all' for every one.")],
    data: Data = Path("gridpatrol-data"),
) -> None:
    """Download a network from the address on its card, and check its SHA-256."""
    for card in [card for card in list_cards() if card.url] if name == "all" else [_card(name)]:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True)
        ) as bar:
            task = bar.add_task(card.name, total=card.bytes)

            def advance(done: int, total: int | None, task: "object" = task, bar: Progress = bar) -> None:
                bar.update(task, completed=done, total=total)  # type: ignore[arg-type]  # TaskID, bound per loop

            path = fetch_file(card, data / "models", advance)
        typer.echo(f"{card.name}: ready at {path}")


@app.command()
def check(data: Data = Path("gridpatrol-data"), json: Json = False) -> None:
    """Load every network that is here and let it judge a probe picture; exit 1 if one cannot be used."""
    bad = 0
    for card in list_cards():
        state = _state(card, data / "models", load=True)
        bad += state not in (_READY, _MISSING)
        typer.echo(json_text.dumps({"name": card.name, "state": state}, ensure_ascii=False) if json else f"{card.name}: {state}")
    raise typer.Exit(1 if bad else 0)


def _card(name: str) -> Card:
    cards = {card.name: card for card in list_cards()}
    if name not in cards:
        raise ModelError(f"no network is called {name!r}; there are {', '.join(sorted(cards))}")
    return cards[name]


def _state(card: Card, folder: Path, *, load: bool = False) -> str:
    """`ready`, `not fetched`, or what is wrong with the file; `load` also lets the network judge a probe picture."""
    path = find_file(card, (folder,))
    if path is None:
        return _MISSING
    try:
        data = check_file(card, path.parent)
        if load:
            (CropNetwork if card.head == "crop" else Detector)(card, data)
    except ModelError as error:
        return str(error)
    return _READY
