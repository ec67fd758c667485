"""Referrals in both databases: once each, with history, notices and the incident's clock, and told when late."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from base import SimulatedClock, TransitionError
from camera_config.desks import Desk, DeskKind
from camera_config.site import Name, Site
from patrol import Actor, CommandError, Happening, Incident, Step
from patrol.referral import Referral, ReferralCommand, ReferralState, ReferralStep
from storage import Store
from storage.database import Database
from storage.desk_tables import handovers, referral_entries, referrals
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site


@pytest.fixture
def site() -> Site:
    desk = Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, receipt_min=30, feedback_min=120)
    return replace(small_site(), desks=(desk, replace(desk, id="legal-aid", kind=DeskKind.LEGAL_AID)))


def owned(store: Store) -> Incident:
    [opened] = store.record_events([intrusion(at_s=NOON_S)])
    return store.apply(command(opened, Step.ACKNOWLEDGE))


def refer(store: Store, incident: Incident, desk: str = "mediation", by: Actor = LI) -> Referral:
    return store.desks.take(
        ReferralCommand(str(uuid.uuid4()), ReferralStep.REFER, by, "邻里纠纷", incident=incident.id, desk=desk)
    )


def do(store: Store, referral: Referral, step: ReferralStep, by: Actor = LI, name: str = "") -> Referral:
    return store.desks.take(ReferralCommand(name or str(uuid.uuid4()), step, by, "已联系双方", referral=referral.id))


def now(store: Store, incident: Incident) -> Incident:
    found = store.incident(incident.id)
    assert found is not None
    return found


def test_a_referral_from_beginning_to_end(store: Store, clock: SimulatedClock) -> None:
    incident = owned(store)
    sent = refer(store, incident)
    assert (sent.state, sent.number, sent.due_s) == (ReferralState.SENT, incident.number, NOON_S + 1800)
    assert now(store, incident) == incident  # the first taker still answers
    clock.advance(60)
    accepted = do(store, sent, ReferralStep.RECEIVE, WANG)
    assert (accepted.state, accepted.due_s, accepted.stopped_s) == (ReferralState.ACCEPTED, NOON_S + 60 + 7200, NOON_S + 60)
    assert (now(store, incident).paused_since_s, now(store, incident).due) == (NOON_S + 60, None)
    clock.advance(600)
    do(store, sent, ReferralStep.FEEDBACK, WANG)
    clock.advance(600)
    done = do(store, sent, ReferralStep.DONE, WANG)
    assert (done.state, done.ended_s, done.due_s) == (ReferralState.DONE, NOON_S + 1260, None)
    assert now(store, incident).pauses == ((NOON_S + 60, NOON_S + 1260),)
    assert [(line.step, line.at_s - NOON_S) for line in store.desks.history(sent.id)] == [
        (ReferralStep.REFER, 0),
        (ReferralStep.RECEIVE, 60),
        (ReferralStep.FEEDBACK, 660),
        (ReferralStep.DONE, 1260),
    ]
    assert [line.step for line in store.history(incident.id)][-2:] == [Step.PAUSE, Step.RESUME]
    assert store.desks.open_referrals() == []
    assert store.desks.referrals_of(incident.id) == [done]


def test_a_repeated_command_changes_nothing_and_another_one_needs_its_own_id(store: Store) -> None:
    incident = owned(store)
    asked = ReferralCommand(str(uuid.uuid4()), ReferralStep.REFER, LI, "x", incident=incident.id, desk="mediation")
    assert store.desks.take(asked) == store.desks.take(asked)
    with pytest.raises(CommandError, match="already used"):
        store.desks.take(replace(asked, text="y"))
    sent = store.desks.open_referrals("mediation")[0]
    first, second = (do(store, sent, ReferralStep.RECEIVE, name="r1") for _ in range(2))
    assert first == second
    assert len(store.desks.history(sent.id)) == 2
    with pytest.raises(TransitionError, match="is referred to the desk mediation already"):
        refer(store, incident)
    with pytest.raises(CommandError, match="no desk"):
        refer(store, incident, "barber")


def test_what_a_desk_has_is_neither_closed_nor_merged_away(store: Store, clock: SimulatedClock) -> None:
    incident, sent = owned(store), None
    sent = refer(store, incident)
    with pytest.raises(TransitionError, match="is referred to mediation"):
        store.apply(command(incident, Step.CLOSE))
    clock.advance(3600)
    [other] = store.record_events([intrusion(camera="c4", at_s=NOON_S + 3600)])
    with pytest.raises(TransitionError, match="is referred to mediation"):
        store.merge(command(now(store, incident), Step.MERGE, at_s=NOON_S + 3600, other=other.id))
    do(store, sent, ReferralStep.WITHDRAW)
    closed = store.apply(command(now(store, incident), Step.CLOSE, at_s=NOON_S + 3600))
    assert not closed.is_open


def test_the_clock_waits_for_the_last_of_two_desks(store: Store, clock: SimulatedClock) -> None:
    incident = owned(store)
    one, two = refer(store, incident), refer(store, incident, "legal-aid")
    do(store, one, ReferralStep.RECEIVE)
    clock.advance(10)
    assert do(store, two, ReferralStep.RECEIVE).stopped_s is None  # it stands still already
    clock.advance(10)
    do(store, one, ReferralStep.DONE)
    assert now(store, incident).paused_since_s == NOON_S
    clock.advance(10)
    do(store, two, ReferralStep.RETURN)
    assert now(store, incident).pauses == ((NOON_S, NOON_S + 30),)


def test_a_late_desk_is_told_of_once_whatever_happens_in_between(
    open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    store = open_store()
    sent = refer(store, owned(store))
    clock.advance(1800)
    assert [each.told for each in store.desks.tell_due()] == [2]
    assert store.desks.tell_due() == []
    clock.step_wall(-900)
    assert store.desks.tell_due() == []
    store.close()
    clock.step_wall(900 + 86_400)
    store = open_store()
    assert [each.told for each in store.desks.tell_due()] == [5]
    steps = [line.step for line in store.desks.history(sent.id)]
    assert steps == [ReferralStep.REFER, Happening.WARNED, Happening.BREACHED, *[Happening.ESCALATED] * 3]
    database = Database(url)
    with database.reader.connect() as connection:
        found = connection.execute(text("SELECT kind, level FROM notices WHERE kind LIKE 'referral%' ORDER BY id")).all()
    database.close()
    assert [tuple(row) for row in found] == [
        ("referral_refer", None),
        ("referral_warned", None),
        ("referral_breached", "cell"),
        ("referral_escalated", "section"),
        ("referral_escalated", "community"),
        ("referral_escalated", "sub_district"),
    ]


def test_what_fell_due_before_a_step_is_told_before_it(store: Store, clock: SimulatedClock) -> None:
    sent = refer(store, owned(store))
    clock.advance(2000)
    do(store, sent, ReferralStep.RECEIVE)
    steps = [line.step for line in store.desks.history(sent.id)]
    assert steps == [ReferralStep.REFER, Happening.WARNED, Happening.BREACHED, ReferralStep.RECEIVE]


def test_other_opening_hours_after_a_restart_count_from_then_on(
    open_store: Callable[[], Store], clock: SimulatedClock, site: Site, url: str
) -> None:
    store = open_store()
    sent = refer(store, owned(store))
    store.close()
    quicker = replace(site, desks=(replace(site.desks[0], receipt_min=10),))
    store = Store.open(url, clock, quicker)
    found = store.desks.referral(sent.id)
    store.close()
    assert found is not None
    assert found.due_s == NOON_S + 600


def test_the_history_of_a_referral_is_only_added_to(store: Store, url: str) -> None:
    refer(store, owned(store))
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        for statement in ("UPDATE referral_entries SET text = 'x'", "DELETE FROM referral_entries"):
            with pytest.raises(DBAPIError, match="append-only"), connection.begin():
                connection.execute(text(statement))
    database.close()


def test_the_tables_have_no_column_for_a_person() -> None:
    """Who works here stands in them as in every history; who is helped does not."""
    assert set(referrals.c.keys()) == {
        *("id", "incident", "number", "desk", "state", "reason", "by_kind", "by_id", "by_name", "version", "sent_s"),
        *("since_s", "accepted_s", "ended_s", "stopped_s", "told", "due_s", "look_s"),
    }
    assert set(referral_entries.c.keys()) == {
        *("referral", "version", "step", "state", "at_s", "recorded_s", "by_kind", "by_id", "by_name", "text", "command"),
        *("flags", "clock", "level", "place", "fingerprint"),
    }
    assert "caller" not in {column.name for table in (referrals, referral_entries, handovers) for column in table.c}
