"""The floors of docs/design/overview.md, walked: who imports whom, which library lives where, how long things are."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ALLOWED = {
    "base": set(),
    "camera_config": {"base"},
    "ingest": {"base", "camera_config"},
    "detect": {"base", "camera_config"},
    "patrol": {"base", "camera_config"},
    "storage": {"base", "camera_config", "patrol"},
    "dashboard": {"base", "camera_config", "patrol", "storage"},
    "fleet": {"base", "camera_config", "ingest", "detect", "patrol", "storage", "dashboard"},
}

# A heavy or telling library may only be imported below the paths named.
HOMES = {
    "av": ("ingest/", "dashboard/live"),
    "aiortc": ("dashboard/live",),
    "onnxruntime": ("detect/",),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "fastapi": ("dashboard/",),
    "starlette": ("dashboard/",),
    "ray": ("fleet/",),
    "torch": ("fleet/training/",),
    "zmq": ("fleet/",),
    "typer": ("fleet/",),
    "rich": ("fleet/",),
}

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
BANNED_MODULES = {"util", "utils", "helpers", "common", "misc", "manager", "handler", "processor", "service", "services"}
# Words of what Gridpatrol never does; a network card, a table or a module carrying one is a breach of the mission.
NEVER = ("face_recognition", "facenet", "arcface", "reid", "re_identification", "watchlist", "watch_list", "gait")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and first name of each absolute import; relative ones are refused because they hide their floor."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            yield node.lineno, node.module.split(".")[0]


@pytest.mark.parametrize("floor", ALLOWED)
def test_imports_only_go_down(floor: str) -> None:
    upward = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(floor)
        for line, name in imports(path)
        if name in ALLOWED and name != floor and name not in ALLOWED[floor]
    ]
    assert not upward


def test_base_needs_only_numpy() -> None:
    foreign = [
        f"{path.name}:{line} imports {name}"
        for path in sources("base")
        for line, name in imports(path)
        if name not in sys.stdlib_module_names and name not in {"base", "numpy"}
    ]
    assert not foreign


def test_heavy_libraries_stay_in_their_homes() -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(*ALLOWED)
        for line, name in imports(path)
        if name in HOMES and not str(path.relative_to(ROOT)).startswith(HOMES[name])
    ]
    assert not strays


def test_no_file_or_function_grows_too_long() -> None:
    long = []
    for path in sources(*ALLOWED, "tests", "benchmarks"):
        text = path.read_text("utf-8")
        if (count := text.count("\n")) > MAX_FILE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {count} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert not long


def test_no_module_hides_behind_an_empty_name() -> None:
    assert not [path for path in sources(*ALLOWED) if path.stem in BANNED_MODULES]


def test_only_the_clock_reads_the_time() -> None:
    readers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(*ALLOWED)
        if path != ROOT / "base" / "clock.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("time", "time"), ("datetime", "now"), ("datetime", "utcnow")}
    ]
    assert not readers


@pytest.mark.parametrize("floor", ALLOWED)
def test_packages_say_what_they_are_for_and_export_sorted_names(floor: str) -> None:
    tree = ast.parse((ROOT / floor / "__init__.py").read_text("utf-8"))
    assert len((ast.get_docstring(tree) or "").splitlines()) >= 2, "say what it is for, what comes in, what goes out"
    others = [node for node in tree.body[1:] if not isinstance(node, ast.ImportFrom | ast.Assign)]
    assert not others, "an __init__ holds its docstring, imports and __all__ only"
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    if lists:
        names = ast.literal_eval(lists[0])
        assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_places_are_watched_not_persons() -> None:
    texts = sources(*ALLOWED) + sorted((ROOT / "models").glob("*.toml"))
    found = [f"{path.relative_to(ROOT)}: {word}" for path in texts for word in NEVER if word in path.read_text("utf-8").lower()]
    assert not found
