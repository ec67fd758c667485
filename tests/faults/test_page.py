"""The committed page names every case there is, so that it cannot go stale unseen."""

import re

from tests.faults.cases import CASES, Run
from tests.faults.page import PAGE


def test_the_page_has_a_row_for_every_case_and_no_other() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    named = [row for row in rows if row[0] != "fault"]
    assert named == [(case.name, case.what, case.expected) for run in Run for case in CASES if case.run is run]
