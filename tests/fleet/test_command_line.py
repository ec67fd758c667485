"""The command line and its page say the same."""

import json
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption

from fleet.cli import app
from tests.fleet.test_bad_input import gridpatrol

PAGE = (Path(__file__).parents[2] / "docs" / "ref" / "command-line.md").read_text("utf-8")


def commands() -> list[tuple[str, TyperCommand]]:
    """Every command with its name; those of a group under the group's heading."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    found = []
    for name, command in root.commands.items():
        parts = command.commands.values() if isinstance(command, TyperGroup) else (command,)
        found += [(name, part) for part in parts if isinstance(part, TyperCommand)]
    assert len(found) >= 11  # else nothing was looked at
    return found


def section(name: str) -> str:
    """The part of the page under the command's heading."""
    assert f"## gridpatrol {name}\n" in PAGE
    return PAGE.split(f"## gridpatrol {name}\n")[1].split("\n## ")[0]


def test_every_command_and_option_is_documented() -> None:
    missing = [
        f"{name}: {option}"
        for name, command in commands()
        for parameter in command.params
        if isinstance(parameter, TyperOption)
        for option in parameter.opts
        if option.startswith("--") and option != "--help" and f"`{option}`" not in section(name)
    ]
    assert not missing


def test_every_environment_variable_is_documented() -> None:
    for name, command in commands():
        for parameter in command.params:
            if parameter.envvar:
                assert f"`{parameter.envvar}`" in PAGE, name


def test_the_version_is_one_object() -> None:
    assert json.loads(gridpatrol("version", "--json").stdout)["version"]


def test_the_embedded_network_is_ready_right_after_installation(tmp_path: Path) -> None:
    done = gridpatrol("models", "check", "--data", str(tmp_path), "--json")
    assert done.returncode == 0, done.stdout
    states = {row["name"]: row["state"] for row in map(json.loads, done.stdout.splitlines())}
    assert states["crop_v1"] == "ready"
    assert set(states.values()) <= {"ready", "not fetched"}


def test_a_corrupt_network_is_named_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "yolox_nano_416.onnx").write_bytes(b"not a network")
    done = gridpatrol("models", "check", "--data", str(tmp_path), "--json")
    assert done.returncode == 1
    states = {row["name"]: row["state"] for row in map(json.loads, done.stdout.splitlines())}
    assert "bytes" in states["yolox_nano_416"]
    assert states["crop_v1"] == "ready"


@pytest.mark.parametrize(
    "arguments", [("replay", "nothing.mp4", "--site", "."), ("simulate", "nothing.yaml"), ("check", "nowhere")]
)
def test_what_is_missing_is_a_sentence(arguments: tuple[str, ...]) -> None:
    done = gridpatrol(*arguments)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
