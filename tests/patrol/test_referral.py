"""Referrals: every pair of state and step, who may, whose clock runs, and that nothing about a person fits in."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from base import DeniedError, TransitionError
from camera_config.desks import Desk, DeskKind
from camera_config.schedule import Schedule
from camera_config.site import Holiday, Name, Site
from patrol import Clocks, CommandError, Flag, Grid, Happening, Incident, Level, Step, advance, open_incident
from patrol.referral import (
    OPEN_REFERRAL,
    REFERRAL_AFTER,
    DeskClocks,
    Referral,
    ReferralCommand,
    ReferralEntry,
    ReferralState,
    ReferralStep,
    go_on,
    refer,
    stand_still,
    take_referral_step,
)
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor

OFFICE = Schedule.parse("mon-fri 08:30-12:00, mon-fri 13:30-17:30")
DESK = Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, OFFICE, 60, 480)
OWN = replace(DESK, id="legal", users=("王芳",))
SITE = replace(small_site(), desks=(DESK, OWN))


def owned(site: Site = SITE) -> Incident:
    """An incident of severity 2 that LI has acknowledged at noon."""
    opened, _ = open_incident(intrusion(at_s=NOON_S), "i1", 7, Grid(site).locate("c1"), NOON_S)
    return advance(opened, command(opened, Step.ACKNOWLEDGE), NOON_S)[0]


def asked(step: ReferralStep, by: object = LI, text: str = "邻里噪声纠纷", **more: str) -> ReferralCommand:
    return ReferralCommand(f"r-{step}", step, by, text, **more)  # type: ignore[arg-type]  # an Actor


def referral_in(state: ReferralState, desk: Desk = DESK) -> Referral:
    made, _ = refer(owned(), desk, asked(ReferralStep.REFER), NOON_S)
    return replace(made, state=state, ended_s=None if state in OPEN_REFERRAL else NOON_S)


@pytest.mark.parametrize("state", ReferralState)
@pytest.mark.parametrize("step", sorted(set(ReferralStep) - {ReferralStep.REFER}))
def test_every_pair_leads_where_the_table_says_or_is_refused(state: ReferralState, step: ReferralStep) -> None:
    before = referral_in(state)
    if (state, step) not in REFERRAL_AFTER:
        with pytest.raises(TransitionError, match=f"{step} is not legal while the referral is {state}"):
            take_referral_step(before, owned(), DESK, asked(step), NOON_S + 60)
        return
    after, entry = take_referral_step(before, owned(), DESK, asked(step), NOON_S + 60)
    assert (after.state, after.version) == (REFERRAL_AFTER[state, step], before.version + 1)
    assert (entry.state, entry.version, entry.at_s) == (after.state, after.version, NOON_S + 60)
    assert after.is_open == (after.ended_s is None) == (after.clock is not None)


def test_the_first_taker_answers_until_the_desk_accepts_and_again_after_it_returned_the_matter() -> None:
    sent, _ = refer(owned(), DESK, asked(ReferralStep.REFER), NOON_S)
    assert not sent.desk_answers
    accepted, _ = take_referral_step(sent, owned(), DESK, asked(ReferralStep.RECEIVE, text=""), NOON_S + 60)
    assert accepted.desk_answers
    returned, _ = take_referral_step(accepted, owned(), DESK, asked(ReferralStep.RETURN), NOON_S + 120)
    assert not returned.desk_answers


def test_only_the_owner_refers_and_withdraws_and_only_the_desk_answers() -> None:
    for step in (ReferralStep.REFER, ReferralStep.WITHDRAW):
        with pytest.raises(DeniedError, match="belongs to 李伟"):
            _do(step, WANG)
    accepted = replace(referral_in(ReferralState.ACCEPTED), desk=OWN.id)
    with pytest.raises(DeniedError, match="answered for by 王芳"):
        take_referral_step(accepted, owned(), OWN, asked(ReferralStep.DONE), NOON_S)
    with pytest.raises(DeniedError, match="people"):
        take_referral_step(accepted, owned(), DESK, asked(ReferralStep.DONE, team_actor("t1")), NOON_S)
    _, by_desk = take_referral_step(accepted, owned(), OWN, asked(ReferralStep.DONE, WANG), NOON_S)
    _, by_telephone = take_referral_step(accepted, owned(), DESK, asked(ReferralStep.DONE, WANG), NOON_S)
    assert (by_desk.flags, by_telephone.flags) == ((), (Flag.ON_BEHALF,))
    _, gone = take_referral_step(accepted, owned(), None, asked(ReferralStep.DONE), NOON_S)
    assert gone.flags == (Flag.ON_BEHALF,)


def _do(step: ReferralStep, by: object) -> None:
    if step is ReferralStep.REFER:
        refer(owned(), DESK, asked(step, by), NOON_S)
    else:
        take_referral_step(referral_in(ReferralState.SENT), owned(), DESK, asked(step, by), NOON_S)


def test_what_cannot_be_referred() -> None:
    new, _ = open_incident(intrusion(), "i2", 8, Grid(SITE).locate("c1"), NOON_S)
    with pytest.raises(TransitionError, match="nobody's"):
        refer(new, DESK, asked(ReferralStep.REFER), NOON_S)
    closed, _ = advance(owned(), command(owned(), Step.CLOSE), NOON_S)
    with pytest.raises(TransitionError, match="is closed"):
        refer(closed, DESK, asked(ReferralStep.REFER), NOON_S)
    with pytest.raises(TransitionError, match="does not serve"):
        refer(owned(), replace(DESK, places=("g2",)), asked(ReferralStep.REFER), NOON_S)
    assert refer(owned(), replace(DESK, places=("g2", "m1")), asked(ReferralStep.REFER), NOON_S)
    with pytest.raises(CommandError, match="needs a text"):
        refer(owned(), DESK, asked(ReferralStep.REFER, text="  "), NOON_S)
    with pytest.raises(CommandError, match="at most 4000"):
        refer(owned(), DESK, asked(ReferralStep.REFER, text="很" * 4001), NOON_S)


def test_the_incident_stands_still_while_the_desk_answers_and_goes_on_afterwards() -> None:
    clocks, incident = Clocks(SITE), owned()
    due = clocks.timed(incident).due
    assert due is not None
    _, received = take_referral_step(referral_in(ReferralState.SENT), incident, DESK, asked(ReferralStep.RECEIVE), NOON_S + 60)
    found = stand_still(incident, DESK.id, received)
    assert found is not None
    paused, line = found
    assert (clocks.timed(paused).due, line.step, line.at_s, line.text) == (
        None,
        Step.PAUSE,
        NOON_S + 60,
        "accepted by the desk mediation",
    )
    assert stand_still(paused, DESK.id, received) is None  # somebody else's pause, or that of another desk
    mine = replace(referral_in(ReferralState.ACCEPTED), stopped_s=paused.paused_since_s)
    _, done = take_referral_step(mine, paused, DESK, asked(ReferralStep.DONE), NOON_S + 600)
    again = go_on(paused, mine, done)
    assert again is not None
    later = clocks.timed(again[0]).due
    assert later is not None
    assert later.at_s == due.at_s + 540
    assert go_on(replace(paused, paused_since_s=NOON_S + 300), mine, done) is None  # paused anew by the owner


def test_limits_run_in_opening_hours_and_leave_out_holidays() -> None:
    friday = datetime(2023, 11, 17, 17, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    sent = replace(referral_in(ReferralState.SENT), since_s=friday.timestamp())
    due_s = DeskClocks(SITE, Clocks(SITE)).timed(sent).due_s
    assert due_s is not None
    assert datetime.fromtimestamp(due_s, UTC) == datetime(2023, 11, 20, 1, 0, tzinfo=UTC)  # Monday 09:00: half an hour each
    monday = friday.date().replace(day=20)
    off = replace(SITE, holidays=(Holiday(monday, monday, Name("放假", "off")),))
    assert DeskClocks(off, Clocks(off)).timed(sent).due_s == due_s + 86_400


def test_marks_are_told_once_each_with_the_moment_at_which_they_fell_due() -> None:
    always = replace(SITE, desks=(replace(DESK, opening_hours=Schedule.parse("always")),))
    clocks = DeskClocks(always, Clocks(always))
    sent = clocks.timed(referral_in(ReferralState.SENT))
    told, entries = clocks.tell(sent, owned(), NOON_S + 86_400, NOON_S + 86_400)
    assert [(entry.step, entry.level, entry.at_s - NOON_S) for entry in entries] == [
        (Happening.WARNED, None, 2880.0),
        (Happening.BREACHED, Level.CELL, 3600.0),
        (Happening.ESCALATED, Level.SECTION, 5400.0),
        (Happening.ESCALATED, Level.COMMUNITY, 7200.0),
        (Happening.ESCALATED, Level.SUB_DISTRICT, 10800.0),
    ]
    assert {entry.clock for entry in entries} == {ReferralStep.RECEIVE}
    assert [entry.place for entry in entries[1:]] == ["g1", "p1", "m1", "d"]
    assert told.look_s is None
    assert clocks.tell(told, owned(), NOON_S + 1e6, NOON_S + 1e6)[1] == ()
    accepted, _ = take_referral_step(told, owned(), DESK, asked(ReferralStep.RECEIVE), NOON_S + 86_400)
    assert clocks.timed(accepted).due_s == NOON_S + 86_400 + 480 * 60


def test_a_desk_that_the_site_no_longer_has_lets_no_limit_run_and_the_matter_can_be_ended() -> None:
    none = small_site()
    sent = DeskClocks(none, Clocks(none)).timed(referral_in(ReferralState.SENT))
    assert (sent.due_s, sent.look_s) == (None, None)
    assert take_referral_step(sent, owned(), None, asked(ReferralStep.RETURN), NOON_S)[0].state is ReferralState.RETURNED


def test_a_referral_holds_incident_data_only() -> None:
    """Whoever adds a field decides here, in the open, that it is not about a person."""
    assert {each.name for each in fields(Referral)} == {
        *("id", "incident", "number", "desk", "state", "reason", "by", "version", "sent_s", "since_s"),
        *("accepted_s", "ended_s", "stopped_s", "told", "due_s", "look_s"),
    }
    assert {each.name for each in fields(ReferralEntry)} == {
        *("referral", "version", "step", "state", "at_s", "recorded_s", "by", "text", "command", "flags"),
        *("clock", "level", "place"),
    }
