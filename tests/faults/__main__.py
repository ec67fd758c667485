"""Measure every fault with the deadlines of the product: `python -m tests.faults --write`. About five minutes."""

import argparse
import datetime
from dataclasses import replace

from benchmarks._machine import machine
from ingest import DEFAULT_SETTINGS
from tests.faults.cases import CASES, Run
from tests.faults.cast import FPS
from tests.faults.page import PAGE, Measured, page
from tests.faults.stage import Pace, play

_SETTINGS = replace(DEFAULT_SETTINGS, host_connects_per_s=DEFAULT_SETTINGS.connects_per_s)  # all cameras are on one host
_REAL = Pace(_SETTINGS, others=60, gop=2 * FPS, before_s=15.0, fault_s=20.0, recover_s=60.0)
_ALL = 727  # of the run in which every camera drops
_LASTS_S = {Run.LINE: 45.0, Run.FLOOD: 15.0, Run.EVERYBODY: 10.0}  # long enough on the line to call a camera offline


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--others", type=int, default=_REAL.others, help="cameras without fault (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="write docs/ref/faults-ingest.md instead of printing it")
    given = parser.parse_args()
    pace = replace(_REAL, others=given.others)
    measured = {}
    for run in Run:
        cases = [case for case in CASES if case.run is run]
        print(f"{run}: {len(cases)} faults", flush=True)
        others = _ALL if run is Run.EVERYBODY else pace.others
        measured[run] = Measured(*play(cases, replace(pace, others=others, fault_s=_LASTS_S.get(run, pace.fault_s))))
    text = page(measured, pace, FPS, machine(), datetime.datetime.now(datetime.UTC).date().isoformat())
    if given.write:
        PAGE.write_text(text, "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
