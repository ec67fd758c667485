"""Every fault, with deadlines a third as long: what the camera's status says, that it comes back, and that the others go on."""

import re
from dataclasses import replace
from functools import cache

import pytest

from tests.faults.cases import CASES, FaultCase
from tests.faults.cast import PASSWORD
from tests.faults.stage import QUICK, Others, Outcome, play

pytestmark = pytest.mark.timeout(300)  # the first test plays all faults at once


@cache
def played(for_all: bool) -> tuple[dict[str, Outcome], Others]:
    pace = replace(QUICK, fault_s=4.0) if for_all else QUICK
    return play([case for case in CASES if case.is_for_all is for_all], pace)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_fault_is_told_and_passes(case: FaultCase) -> None:
    outcome = played(case.is_for_all)[0][case.name]
    if case.error:
        assert any(re.search(case.error, error) for error in outcome.errors), outcome.errors
        assert all("127.0.0.1" in error for error in outcome.errors)  # the peer, to find it in a capture
        assert PASSWORD not in str(outcome.errors)
    else:
        assert (outcome.errors, outcome.reconnects) == ((), 0)
    if case.sign is not None:
        assert outcome.detected_s is not None
    if not case.may_lose:
        assert outcome.status.lost == 0
    assert outcome.status.health in case.health
    assert outcome.recovered_s is not None


def test_cameras_without_fault_lose_nothing() -> None:
    others = played(False)[1]
    assert others.frames > 0
    assert (others.lost, others.missing, others.reconnects) == (0, 0, 0)
