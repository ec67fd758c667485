"""Every benchmark for a short while, one JSON object a line: `python -m benchmarks`; arguments are names to run."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run each `benchmarks/<name>.py` named, or all; the exit status of the first that failed."""
    names = sys.argv[1:] or sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    for name in names:
        print(f"{name}: ", end="", flush=True)
        status = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--json"], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
