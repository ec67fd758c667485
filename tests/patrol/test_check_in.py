"""Codes that cannot be made up, and what a check-in proves."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import DeniedError, TransitionError
from camera_config.round_rules import RoundRules
from patrol import CommandError
from patrol.check_in import AFTER_S, check_in, stop_of, take
from patrol.checkpoint_codes import CodeError, CodeKey, Refusal, code_of, read_code
from patrol.rounds import Act, CheckIn, Proof, RoundCommand, RoundEntry, RoundFlag
from tests.patrol.round_site import GATE, METRE_DEG, asks, does, entry, planned, round_site, route
from tests.patrol.small_site import LI, NOON_S, team_actor

KEY = CodeKey("s", 2, b"k" * 32)
[WALK] = planned(round_site(route()))
STOP = WALK.stops[0]
STRICT = RoundRules()
CODE = code_of("k1", KEY)


def enter(asked: CheckIn, camera: str = "", rules: RoundRules = STRICT, now_s: float = NOON_S) -> RoundEntry:
    return check_in(WALK, (), asked, stop_of(WALK, asked, KEY), camera, rules, now_s)


def north(metres: float) -> tuple[float, float]:
    return GATE[0], GATE[1] + metres * METRE_DEG


def test_a_code_is_short_and_read_back_whatever_its_case() -> None:
    assert re.fullmatch(r"GP1:S:K1:2:[A-Z2-7]{16}", CODE)
    assert read_code(CODE, KEY) == read_code(f" {CODE.lower()}\n", KEY) == "k1"


def refused(text: str, key: CodeKey = KEY) -> Refusal:
    with pytest.raises(CodeError) as caught:
        read_code(text, key)
    assert str(caught.value)
    return caught.value.refusal


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", Refusal.UNREADABLE),
        ("https://example.org/k1", Refusal.UNREADABLE),
        (CODE + "A", Refusal.UNREADABLE),
        (CODE[:-1], Refusal.UNREADABLE),
        ("GP1:S:K1:2:" + "A" * 10_000_000, Refusal.UNREADABLE),
        ("GP1:S:\u212a1:2:" + "A" * 16, Refusal.UNREADABLE),  # the Kelvin sign is a k in lower case
        (code_of("k1", replace(KEY, site="other")), Refusal.FOREIGN_SITE),
        (code_of("k1", replace(KEY, version=1)), Refusal.OLD_VERSION),
        (code_of("k1", replace(KEY, version=3)), Refusal.FORGED),
        (code_of("k1", replace(KEY, key=b"x" * 32)), Refusal.FORGED),
        (CODE.replace(":K1:", ":K2:"), Refusal.FORGED),
    ],
)
def test_a_bad_code_is_refused_with_its_reason(text: str, refusal: Refusal) -> None:
    assert refused(text) is refusal


@given(st.integers(0, len(CODE) - 1), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:_-0 "))
def test_no_changed_letter_passes(index: int, letter: str) -> None:
    changed = CODE[:index] + letter + CODE[index + 1 :]
    if changed.strip() != CODE:
        refused(changed)


@given(st.text(max_size=60))
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    refused(text)


def test_a_good_code_of_another_checkpoint_is_refused() -> None:
    for asked, refusal in (
        (asks(WALK, "k1", code=code_of("k2", KEY)), Refusal.OTHER_CHECKPOINT),
        (asks(WALK, code=code_of("k5", KEY)), Refusal.NOT_ON_ROUND),
    ):
        with pytest.raises(CodeError) as caught:
            stop_of(WALK, asked, KEY)
        assert caught.value.refusal is refusal
    with pytest.raises(CommandError):
        stop_of(WALK, asks(WALK), KEY)
    with pytest.raises(CommandError):
        stop_of(WALK, asks(WALK, "k5"), KEY)


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "proof", "flags"),
    [
        (0.0, 5.0, Proof.CODE, ()),
        (49.0, 0.0, Proof.CODE, ()),
        (51.0, 0.0, Proof.NONE, (RoundFlag.FAR,)),
        (80.0, 31.0, Proof.CODE, ()),  # the phone says itself that it may be wrong
        (800.0, 100_000.0, Proof.NONE, (RoundFlag.FAR,)),  # but not by that much
        (20_000.0, 5.0, Proof.NONE, (RoundFlag.FAR,)),
    ],
)
def test_a_code_counts_within_the_geofence(metres: float, accuracy_m: float, proof: Proof, flags: tuple[RoundFlag, ...]) -> None:
    found = enter(asks(WALK, code=CODE, place=north(metres), accuracy_m=accuracy_m))
    assert (found.proof, found.flags) == (proof, flags)
    assert found.distance_m == pytest.approx(metres, abs=0.5 + metres / 1000)


def test_what_else_proves_a_visit() -> None:
    open_site = replace(STRICT, code_required=False)
    assert enter(asks(WALK, code=CODE)).flags == (RoundFlag.NO_POSITION,)
    assert enter(asks(WALK, "k1", place=GATE)).proof is Proof.NONE  # a phone can say anything
    assert enter(asks(WALK, "k1", place=GATE), rules=open_site).proof is Proof.POSITION
    assert enter(asks(WALK, "k1"), rules=open_site).proof is Proof.NONE
    seen = enter(asks(WALK, "k1", place=north(300)), camera="c1")
    assert (seen.proof, seen.camera, seen.flags) == (Proof.CAMERA, "c1", (RoundFlag.FAR,))
    radio = enter(asks(WALK, "k1", by=LI))
    assert (radio.proof, radio.flags) == (Proof.RADIO, (RoundFlag.ON_BEHALF,))


def test_an_offline_check_in_keeps_its_time_and_one_from_the_future_is_refused() -> None:
    late = enter(asks(WALK, code=CODE, place=GATE, at_s=NOON_S), now_s=NOON_S + 3600)
    assert (late.at_s, late.recorded_s, late.flags) == (NOON_S, NOON_S + 3600, (RoundFlag.ARRIVED_LATE,))
    assert enter(asks(WALK, code=CODE, at_s=NOON_S + 1.5)).at_s == NOON_S  # clocks differ
    for ahead in (3.0, 1e9, float("inf"), float("nan")):
        with pytest.raises(CommandError, match="future"):
            enter(asks(WALK, code=CODE, at_s=NOON_S + ahead))


def test_who_and_when() -> None:
    with pytest.raises(DeniedError):
        enter(asks(WALK, code=CODE, by=team_actor("t2")))
    with pytest.raises(TransitionError, match="not before"):
        enter(asks(WALK, code=CODE, at_s=WALK.opens_s - 1))
    last_s = WALK.closes_s + AFTER_S
    assert enter(asks(WALK, code=CODE, at_s=last_s), now_s=last_s).proof is Proof.CODE
    with pytest.raises(TransitionError, match="was over"):
        enter(asks(WALK, code=CODE, at_s=last_s + 1), now_s=last_s + 1)
    finished = entry(WALK, Act.FINISH, NOON_S)
    with pytest.raises(TransitionError, match="finished or called off"):
        check_in(WALK, [finished], asks(WALK, code=CODE, at_s=NOON_S + 1), STOP, "", STRICT, NOON_S + 1)
    assert check_in(WALK, [finished], asks(WALK, code=CODE, at_s=NOON_S - 1), STOP, "", STRICT, NOON_S + 1).proof is Proof.CODE


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: does(WALK, Act.SKIP, checkpoint="k1"), CommandError),  # no reason
        (lambda: does(WALK, Act.SKIP, checkpoint="k1", reason="  "), CommandError),
        (lambda: does(WALK, Act.SKIP, checkpoint="k9", reason="wet"), CommandError),
        (lambda: does(WALK, Act.SKIP, checkpoint="k1", reason="x" * 501), CommandError),
        (lambda: does(WALK, Act.SKIP, checkpoint="k1", reason="x\x00"), CommandError),
        (lambda: replace(does(WALK, Act.START), id=""), CommandError),
        (lambda: replace(does(WALK, Act.START), id="x" * 65), CommandError),
        (lambda: does(WALK, Act.MISSED), CommandError),  # only the program says that
        (lambda: does(WALK, Act.CREDITED), CommandError),
        (lambda: does(WALK, Act.START, by=team_actor("t2")), DeniedError),
    ],
)
def test_what_cannot_be_done(make: Callable[[], RoundCommand], error: type[Exception]) -> None:
    with pytest.raises(error):
        take(WALK, (), make(), NOON_S)


def test_a_missed_stop_cannot_be_skipped_away_and_a_round_begins_once() -> None:
    skip = does(WALK, Act.SKIP, at_s=STOP.until_s + 1, checkpoint="k1", reason="wet")
    with pytest.raises(TransitionError, match="missed already"):
        take(WALK, (), skip, STOP.until_s + 1)
    assert take(WALK, (), replace(skip, at_s=STOP.until_s), STOP.until_s + 600).act is Act.SKIP  # done offline, in time
    started = take(WALK, (), does(WALK, Act.START), NOON_S)
    with pytest.raises(TransitionError, match="already"):
        take(WALK, [started], does(WALK, Act.START), NOON_S)
