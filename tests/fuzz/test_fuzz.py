"""Every target on every kept input and on seeded mutations of them; a short coverage-guided run where atheris is installed."""

import ast
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from camera_config.load import FILES
from tests.fuzz.__main__ import read_failure
from tests.fuzz.catalogue import CORPUS, TARGETS, kept_inputs, load
from tests.fuzz.mutate import mutated, stretched

ROOT = Path(__file__).parents[2]
MUTATIONS = 200
MOST_MEMORY_BYTES = 24 << 20
"""At the peak of one input: the largest access unit and its parts, twice, and room to spare."""

every_target = pytest.mark.parametrize("name", TARGETS)


def run(fuzz: Callable[[bytes], None], data: bytes, what: str) -> None:
    """Run one input; what fails tells the bytes, so that they can be kept as `corpus/<target>/found-…`."""
    try:
        fuzz(data)
    except Exception as error:
        error.add_note(f"{what}: {data!r}")
        raise


@every_target
def test_kept_inputs_break_nothing_and_take_little_memory(name: str) -> None:
    fuzz, inputs = load(name), kept_inputs(name)
    assert any(path.name.startswith("seed-") for path in inputs)
    fuzz(inputs[0].read_bytes())  # what is made once for all inputs is not counted
    for path in inputs:
        data = path.read_bytes()
        tracemalloc.start()
        try:
            run(fuzz, data, path.name)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < MOST_MEMORY_BYTES, path


@every_target
def test_mutations_break_nothing(name: str) -> None:
    fuzz, inputs = load(name), [path.read_bytes() for path in kept_inputs(name)]
    for number, data in enumerate(mutated(inputs, MUTATIONS)):
        run(fuzz, data, f"mutation {number}")


@every_target
def test_inputs_as_long_as_may_be_break_nothing(name: str) -> None:
    fuzz = load(name)
    for path in kept_inputs(name)[:4]:
        for data in stretched(path.read_bytes(), TARGETS[name].most_bytes, 4):
            run(fuzz, data, f"{path.name}, stretched")


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} == set(TARGETS)


def test_every_file_of_a_site_has_a_target() -> None:
    assert {name.replace(".", "_") for name in FILES} <= set(TARGETS)


def test_every_rtsp_module_is_within_reach_of_a_target() -> None:
    """A new parser beside the others needs a target; these are the modules that targets import, and what those import."""

    def imported(path: Path) -> set[str]:
        tree = ast.parse(path.read_text("utf-8"))
        return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}

    reached: set[str] = set()
    waiting = {module for path in Path(__file__).parent.glob("*_targets.py") for module in imported(path)}
    while waiting:
        module = waiting.pop()
        path = ROOT / f"{module.replace('.', '/')}.py"
        if module not in reached and path.is_file():
            reached.add(module)
            waiting |= imported(path)
    modules = {f"ingest.rtsp.{path.stem}" for path in (ROOT / "ingest/rtsp").glob("*.py") if path.stem != "__init__"}
    assert modules <= reached, f"without a fuzz target: {sorted(modules - reached)}"


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed; there is none for this Python")
def test_the_fuzzer_itself_runs_and_finds_its_way(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "address", "--seconds", "2", "--folder", str(tmp_path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    result = summary["targets"]["address"]
    assert summary["failed"] == [] and result["executions"] > 100 and result["features"] > 30 and result["files"] == []
    assert len(list((tmp_path / "address" / "grown").iterdir())) > 5  # inputs that reached something new


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("#9 DONE cov: 3 ft: 4 corp: 2/9b\nDone 9 runs", ""),
        (
            "#9 NEW\n === Uncaught Python exception: ===\nKeyError: 'x'\nTraceback …\n==7== ERROR: libFuzzer: exited",
            "KeyError: 'x'",
        ),
        ("#9 NEW\n==7== ERROR: libFuzzer: timeout after 5 seconds\n", "ERROR: libFuzzer: timeout after 5 seconds"),
        ("Traceback (most recent call last):\n  …\ntests.fuzz.child.TooSlow: 9 bytes\n", "tests.fuzz.child.TooSlow: 9 bytes"),
    ],
)
def test_a_failure_is_read_from_what_the_fuzzer_says(said: str, failure: str) -> None:
    assert read_failure(said) == failure
