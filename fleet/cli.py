"""The command `gridpatrol`: one line per sub-command, and the one place where an expected error becomes a sentence."""

import sys
from collections.abc import Callable
from importlib.metadata import version as installed_version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from base import GridpatrolError
from fleet.commands import backup, check, demo, models, replay, restore, run, simulate, site, tune

__all__ = ["app", "main"]

app = typer.Typer(
    name="gridpatrol",
    help="From camera to patrol team: watch the cameras of a sub-district, and send who is needed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run.run,
    "demo": demo.demo,
    "simulate": simulate.simulate,
    "check": check.check,
    "replay": replay.replay,
    "tune": tune.tune,
    "backup": backup.backup,
    "restore": restore.restore,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(models.app, name="models")
app.add_typer(site.app, name="site")


@app.command()
def version(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Print the version."""
    number = installed_version("gridpatrol")
    typer.echo(f'{{"version": "{number}"}}' if json else f"gridpatrol {number}")


def main() -> None:
    """Run the command line; exit 1 when something failed that was to be expected, with one sentence on standard error."""
    try:
        app()
    except GridpatrolError as error:
        # Escaped: a sentence about `[[rule]]` is no markup.
        Console(stderr=True, soft_wrap=True).print(f"[red]gridpatrol:[/red] {escape(str(error))}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
