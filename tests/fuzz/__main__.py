"""Coverage-guided fuzzing of some or all targets: `python -m tests.fuzz --seconds 60 [target…] --json`.

Prints one line a target and, with `--json`, one JSON object as the last line. What was found is kept in `build/fuzz/<target>`:
new inputs below `grown`, from which the next run goes on, failing ones as `crash-…`, `timeout-…` or `oom-…`. Exit status 1 if any
failed.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.catalogue import CORPUS, TARGETS

ROOT = Path(__file__).parents[2]
INPUT_TIMEOUT_S = 5
RSS_LIMIT_MB = 512
START_S = 120  # to import and instrument everything, and to stretch the kept inputs, on a busy machine

_PROGRESS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Result:
    """What one target did. `features` and `edges` are libFuzzer's counts of behaviours and branches seen."""

    seconds: float
    executions: int
    edges: int
    features: int
    peak_rss_mb: int
    stretched_ms: int  # processor time of the slowest stretched input
    failure: str  # empty if all went well
    files: tuple[str, ...]  # inputs that failed


def fuzz(name: str, seconds: int, folder: Path) -> Result:
    """Run one target for `seconds`, or until it fails."""
    grown = folder / name / "grown"
    grown.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.child", name, str(folder / name)]
    command += [f"-max_total_time={seconds}", f"-timeout={INPUT_TIMEOUT_S}", f"-rss_limit_mb={RSS_LIMIT_MB}"]
    command += ["-print_final_stats=1", f"-dict={CORPUS.parent / 'words.dict'}", str(grown), str(CORPUS / name)]
    began_s = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=seconds + START_S)
        said, status = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as expired:
        said, status = (expired.stderr or b"").decode(errors="replace"), -1
    progress = _PROGRESS.findall(said) or [("0", "0", "0")]
    failure = read_failure(said) or (f"exit status {status}: {said[-300:]}" if status else "")
    return Result(
        seconds=round(time.monotonic() - began_s, 1),
        executions=_number(r"stat::number_of_executed_units: (\d+)", said) or int(progress[-1][0]),
        edges=int(progress[-1][1]),
        features=int(progress[-1][2]),
        peak_rss_mb=_number(r"stat::peak_rss_mb:\s+(\d+)", said),
        stretched_ms=_number(r"^stretched: (\d+) ms", said),
        failure=failure,
        files=tuple(re.findall(r"Test unit written to (.+)", said)),
    )


def read_failure(said: str) -> str:
    """What the child said went wrong: a Python error, or libFuzzer's own verdict (time, memory)."""
    if found := re.search(r"Uncaught Python exception: ===\n(.*)", said) or re.search(r"(ERROR: libFuzzer: .*)", said):
        return found[1][:300]
    return said.rstrip().rpartition("\n")[2][:300] if "Traceback" in said else ""


def _number(pattern: str, said: str) -> int:
    found = re.search(pattern, said, re.MULTILINE)
    return int(found[1]) if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="target", help="all if none is named: " + " ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", help="where what is found is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no target called {', '.join(sorted(unknown))}; there are {' '.join(TARGETS)}")
    if find_spec("atheris") is None:
        parser.error("atheris is not installed; it comes with the extra 'dev' where there is one for this Python")
    results: dict[str, Result] = {}
    for name in options.targets or TARGETS:
        result = results[name] = fuzz(name, options.seconds, options.folder.resolve())
        print(f"{name}: {result.executions} inputs, {result.features} features, {result.failure or 'nothing wrong'}", flush=True)
    failed = [name for name, result in results.items() if result.failure]
    summary = {
        "targets": {name: asdict(result) for name, result in results.items()},
        "executions": sum(result.executions for result in results.values()),
        "failed": failed,
        "atheris": version("atheris"),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    if options.json:
        print(json.dumps(summary))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
