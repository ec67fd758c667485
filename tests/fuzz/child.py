"""One target in a process of its own: `python -m tests.fuzz.child NAME FOLDER [libFuzzer's options]`; `__main__` starts it.

Before libFuzzer takes over, every kept input is stretched (see `mutate`). An input that fails is written into FOLDER.
"""

import logging
import sys
import time
from pathlib import Path

import atheris

from tests.fuzz.catalogue import TARGETS, kept_inputs, load
from tests.fuzz.mutate import stretched

MOST_CPU_S = 1.0
"""Of one input, while every branch is being watched, which costs two to five times as much as without."""

STRETCHES = 24


class TooSlow(Exception):
    """A target took longer than `MOST_CPU_S` of processor time."""


def main() -> None:
    name, folder, *options = sys.argv[1:]
    target = TARGETS[name]
    logging.disable()  # what reports each broken thing it finds would here report without end
    with atheris.instrument_imports(include=list(target.packages)):
        fuzz = load(name)
    slowest_s = 0.0

    def run(data: bytes) -> None:
        nonlocal slowest_s
        began_s = time.thread_time()
        fuzz(data)
        spent_s = time.thread_time() - began_s
        slowest_s = max(slowest_s, spent_s)
        if spent_s > MOST_CPU_S:
            raise TooSlow(f"{len(data)} bytes took {spent_s:.1f} s of processor time; expected at most {MOST_CPU_S:g}")

    for path in kept_inputs(name):
        for data in stretched(path.read_bytes(), target.most_bytes, STRETCHES):
            try:
                run(data)
            except Exception:
                kept = Path(folder, f"crash-stretched-{path.name}")
                kept.write_bytes(data)
                print(f"Test unit written to {kept}", file=sys.stderr, flush=True)  # as libFuzzer says it
                raise
    print(f"stretched: {slowest_s * 1000:.0f} ms", file=sys.stderr, flush=True)
    atheris.Setup([f"fuzz_{name}", f"-artifact_prefix={folder}/", f"-max_len={target.most_bytes}", *options], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
