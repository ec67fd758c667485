"""Every benchmark for a short while, one JSON object a line: `python -m benchmarks`; arguments are names to run."""

import subprocess
import sys
from pathlib import Path

SHORT = {
    "coverage": ["--cameras", "150"],
    "dashboard": ["--seconds", "4", "--alarms", "1000"],
    "events": ["--seconds", "5", "--stored", "50000"],
    "decode": ["--gops", "1", "--repeats", "2"],
    "pipeline": ["--cameras", "60", "--seconds", "10", "--settle", "10", "--no-ablations"],
    "ingest": ["--cameras", "200", "--seconds", "6"],
}
"""Arguments that make a benchmark short; the others are short by themselves."""


def main() -> int:
    """Run each `benchmarks/<name>.py` named, or all; the exit status of the first that failed."""
    names = sys.argv[1:] or sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    for name in names:
        print(f"{name}: ", end="", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", *SHORT.get(name, [])]
        status = subprocess.run(command, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
