"""Delivery against a real database and a simulated clock: order, grouping, retries, dead letters, nothing lost."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import CameraStatus, Gap, GapCause, SimulatedClock, TransitionError
from camera_config.live_site import LiveSite
from camera_config.notification_rules import NoticeKind, NoticeLevel, TellRule, Webhook
from camera_config.schedule import Schedule
from camera_config.site import Camera, Site
from fleet.notices import MessageRefused, MessageRejected, TargetDown
from fleet.notices.delivery import Delivery, Receivers
from fleet.notices.robots import PER_MIN
from fleet.notices.site_state import SiteState
from patrol import Step
from patrol.notify import Notice
from storage import MessageState, Store
from tests.notices.stage import Book, delivery_to, one_turn, site_with, states, turns
from tests.patrol.small_site import LI, NOON_S, command, intrusion
from tests.servers.receiver import receiving

Open = Callable[[Site], Store]


def kinds(book: Book) -> list[str]:
    return [message.kind for message in book.taken]


def test_what_happens_to_an_incident_arrives_in_order(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book()
    delivery = delivery_to(store, clock, all=book)
    [incident] = store.record_events([intrusion(severity=1)])
    owned = store.apply(command(incident, Step.ACKNOWLEDGE))
    sent = store.apply(command(owned, Step.DISPATCH))
    store.apply(command(sent, Step.CLOSE))
    asyncio.run(one_turn(delivery))
    assert kinds(book) == ["opened", "dispatch", "close"]
    assert [message.title for message in book.taken] == [
        "新案卷 1：区域入侵（一级）",
        "已派单 1：区域入侵（一级）",
        "已结案 1：区域入侵（一级）",
    ]
    assert {message.link for message in book.taken} == {f"https://grid.example.org/#incident={incident.id}"}
    assert {stored.state for stored in store.outgoing.messages()} == {MessageState.DELIVERED}
    asyncio.run(turns(delivery, clock, 3))
    assert len(book.tried) == 3


def test_a_step_that_fails_tells_nobody(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book()
    [incident] = store.record_events([intrusion(severity=1)])
    with pytest.raises(TransitionError):
        store.apply(command(incident, Step.DISPATCH))
    asyncio.run(one_turn(delivery_to(store, clock, all=book)))
    assert kinds(book) == ["opened"]


def test_a_target_that_is_down_keeps_its_order_and_gets_everything_later(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book()
    delivery = delivery_to(store, clock, all=book)
    book.fail = TargetDown("refused")
    incidents = []
    for number in range(4):
        incidents += store.record_events([intrusion(f"c{number + 1}", NOON_S + number, severity=1)])
        asyncio.run(one_turn(delivery))
        clock.advance(3)
    assert {message.id for message in book.tried} == {book.tried[0].id}  # only the first is tried
    book.fail = None
    asyncio.run(turns(delivery, clock, 60, 10))
    assert [message.incident for message in book.taken[:1]] == [incidents[0].id]
    told = [notice.number for message in book.taken for notice in message.notices]
    assert told == [1, 2, 3, 4]
    assert states(store) == {MessageState.DELIVERED: len(book.taken)}


def test_a_refused_message_lets_the_others_pass(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book()
    delivery = delivery_to(store, clock, all=book)
    book.fail_for = {"opened": MessageRefused("answered 500")}
    [incident] = store.record_events([intrusion(severity=1)])
    store.apply(command(store.apply(command(incident, Step.ACKNOWLEDGE)), Step.DISPATCH))
    asyncio.run(turns(delivery, clock, 3))
    assert kinds(book) == ["dispatch"]
    book.fail_for = {}
    asyncio.run(turns(delivery, clock, 30, 5))
    assert kinds(book) == ["dispatch", "opened"]
    assert len({message.id for message in book.tried if message.kind == "opened"}) == 1


def test_what_is_never_taken_is_a_dead_letter_and_can_be_tried_again(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book()
    delivery = delivery_to(store, clock, all=book)
    book.fail = MessageRejected("answered 413")
    store.record_events([intrusion(severity=1)])
    asyncio.run(turns(delivery, clock, 5))
    [dead] = store.outgoing.messages(MessageState.DEAD)
    assert (dead.error, dead.tries) == ("answered 413", 1)
    assert [(count.target, count.waiting, count.dead) for count in store.outgoing.counts()] == [("all", 0, 1)]
    book.fail = None
    assert store.outgoing.try_again("all", LI, dead.message.id) == 1
    asyncio.run(one_turn(delivery))
    assert [message.id for message in book.taken] == [dead.message.id]
    assert store.outgoing.counts() == []


def test_trying_ends_at_the_configured_age(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with(keep_trying_s=3600.0)), Book()
    delivery = delivery_to(store, clock, all=book)
    book.fail = TargetDown("no route")
    store.record_events([intrusion("c1", severity=1)])
    asyncio.run(turns(delivery, clock, 59, 60))
    assert states(store) == {MessageState.WAITING: 1}
    assert 5 <= len(book.tried) <= 20  # with growing pauses
    store.record_events([intrusion("c2", clock.now_s(), severity=1)])
    asyncio.run(turns(delivery, clock, 20, 60))
    assert states(store) == {MessageState.DEAD: 1, MessageState.WAITING: 1}  # the second has an hour of its own
    asyncio.run(turns(delivery, clock, 70, 60))
    assert states(store) == {MessageState.DEAD: 2}


def test_time_that_passed_while_nothing_ran_does_not_count_as_trying(open_store: Open, clock: SimulatedClock) -> None:
    site = site_with(keep_trying_s=3600.0)
    store, book = open_store(site), Book()
    store.record_events([intrusion(severity=1)])
    store.close()
    clock.advance(86_400)
    store = open_store(site)
    book.fail = TargetDown("the network is not up yet")
    delivery = delivery_to(store, clock, all=book)
    asyncio.run(one_turn(delivery))
    book.fail = None
    asyncio.run(turns(delivery, clock, 20, 5))
    assert kinds(book)[0] == "opened"


def test_a_clock_that_is_put_back_holds_up_nothing(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book()
    delivery = delivery_to(store, clock, all=book)
    book.fail_for = {"opened": MessageRefused("answered 500")}
    store.record_events([intrusion(severity=1)])
    asyncio.run(one_turn(delivery))
    book.fail_for = {}
    clock.step_wall(-7200)
    asyncio.run(one_turn(delivery))
    assert kinds(book) == ["opened"]


def site_of_cameras(count: int) -> Site:
    site = site_with(rules=[TellRule(("all",), group_s=10.0)], camera_after_s=300.0)
    pattern = site.cameras[0]
    cameras: tuple[Camera, ...] = tuple(replace(pattern, id=f"k{number:02d}") for number in range(count))
    return replace(site, cameras=cameras, rules=())


def test_a_dead_switch_with_fourteen_cameras_is_one_message(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_of_cameras(14)), Book()
    delivery = delivery_to(store, clock, all=book)
    began_s = clock.now_s()
    gaps = [Gap(f"k{number:02d}", began_s + number * 0.3, None, GapCause.CONNECT) for number in range(14)]
    store.record_gaps(gaps)
    clock.advance(299)
    assert store.outgoing.tell_cameras() == 0
    for _ in range(20):
        clock.advance(1)
        store.outgoing.tell_cameras()
        asyncio.run(one_turn(delivery))
    [message] = book.taken
    assert (message.title, message.count) == ("14 路摄像机离线", 14)
    assert len(message.lines) == 6
    assert message.lines[-1] == "……另有 9 项"
    store.record_gaps([replace(gap, ended_s=clock.now_s()) for gap in gaps])
    assert store.outgoing.tell_cameras() == 14
    assert store.outgoing.tell_cameras() == 0
    asyncio.run(turns(delivery, clock, 12))
    assert [message.title for message in book.taken[1:]] == ["14 路摄像机恢复"]


def test_a_camera_that_is_back_soon_or_away_across_a_restart_is_not_told_twice(open_store: Open, clock: SimulatedClock) -> None:
    site = site_of_cameras(2)
    store = open_store(site)
    store.keep_watch()
    blip = Gap("k00", clock.now_s(), None, GapCause.STALL)
    away = Gap("k01", clock.now_s(), None, GapCause.CONNECT)
    store.record_gaps([blip, away])
    clock.advance(200)
    store.keep_watch()
    store.record_gaps([replace(blip, ended_s=clock.now_s())])
    clock.advance(200)
    store.keep_watch()
    assert store.outgoing.tell_cameras() == 1
    store.close()
    clock.advance(100)
    store = open_store(site)
    [_, still] = sorted(store.begin_watch(["k00", "k01"]), key=lambda gap: gap.camera)
    clock.advance(100)
    assert store.outgoing.tell_cameras() == 0  # the gap has another name now, the camera is as far away as before
    store.record_gaps([replace(still, ended_s=clock.now_s())])
    assert store.outgoing.tell_cameras() == 1


def test_a_robot_gets_no_more_than_it_takes_and_is_told_everything(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with()), Book(PER_MIN)
    delivery = delivery_to(store, clock, all=book)
    for number in range(90):  # each kind of thing happens again and again, too fast for one message each
        kind = (NoticeKind.BACKUP_FAILED, NoticeKind.CAMERA_OFFLINE, NoticeKind.STOP_MISSED)[number % 3]
        store.outgoing.tell(Notice(0, kind, clock.now_s(), severity=2, summary=f"n{number}"))
        asyncio.run(one_turn(delivery))
        clock.advance(0.5)
    assert len(book.taken) == PER_MIN
    asyncio.run(turns(delivery, clock, 30, 2))
    told = [notice.summary for message in book.taken for notice in message.notices]
    assert sorted(told) == sorted(f"n{number}" for number in range(90))
    assert any(message.kind == "several" or message.count > 1 for message in book.taken)


def test_quiet_hours_delay_what_is_not_severe(open_store: Open, clock: SimulatedClock) -> None:
    rule = TellRule(("all",), group_s=0.0, quiet=Schedule.parse("22:00-07:00"))
    store, book = open_store(site_with(rules=[rule])), Book()
    delivery = delivery_to(store, clock, all=book)
    clock.advance(11 * 3600)  # 23:00 in Shanghai
    store.record_events([intrusion("c1", clock.now_s(), severity=4)])
    store.record_events([intrusion("c2", clock.now_s(), severity=2)])
    asyncio.run(one_turn(delivery))
    assert [message.severity for message in book.taken] == [2]
    asyncio.run(turns(delivery, clock, 479, 60))
    assert len(book.taken) == 1
    asyncio.run(turns(delivery, clock, 3, 60))
    assert [message.severity for message in book.taken] == [2, 4]


def test_each_level_tells_the_people_of_its_place(open_store: Open, clock: SimulatedClock) -> None:
    rules = [
        TellRule(("cell",), (NoticeKind.BREACHED,), places=("g1",), group_s=0.0),
        TellRule(("secretary",), (NoticeKind.ESCALATED,), levels=(NoticeLevel.COMMUNITY,), places=("m1",), group_s=0.0),
        TellRule(("other-cell",), (NoticeKind.BREACHED,), places=("g2",), group_s=0.0),
    ]
    store = open_store(site_with(rules=rules))
    books = {name: Book() for name in ("cell", "secretary", "other-cell")}
    delivery = delivery_to(store, clock, **books)
    store.record_events([intrusion("c1")])
    clock.advance(3600)
    store.tell_due()
    asyncio.run(turns(delivery, clock, 2))
    assert {name: kinds(book) for name, book in books.items()} == {
        "cell": ["breached"],
        "secretary": ["escalated"],
        "other-cell": [],
    }
    assert "东社区" in books["secretary"].taken[0].text


def test_what_waits_for_a_receiver_that_is_no_longer_configured_is_a_dead_letter(open_store: Open, clock: SimulatedClock) -> None:
    store = open_store(site_with())
    store.record_events([intrusion(severity=1)])
    asyncio.run(turns(delivery_to(store, clock), clock, 2))
    [dead] = store.outgoing.messages(MessageState.DEAD)
    assert "no receiver all any more" in dead.error


class NoCameras:
    """Nothing is watched."""

    def statuses(self) -> dict[str, CameraStatus]:
        return {}


@pytest.mark.parametrize("starts_with_it", [True, False])
def test_a_receiver_that_cannot_be_made_waits_alone_until_it_is_mended(
    open_store: Open, clock: SimulatedClock, starts_with_it: bool
) -> None:
    with receiving() as receiver:
        good, other = Webhook("good", f"{receiver.url}/good"), Webhook("other", f"{receiver.url}/other", secret="key")
        not_text = "key\udcff"  # what Python makes of a byte of the environment that is no UTF-8
        broken = site_with(good, other, secrets={"key": not_text})
        site = LiveSite.of(broken if starts_with_it else site_with(good, other, secrets={"key": "right"}))
        store = open_store(site)
        receivers = Receivers(site, clock, SiteState(site, store, NoCameras(), clock))
        delivery = Delivery(store.outgoing, {}, clock, receivers=receivers)
        asyncio.run(one_turn(delivery))
        site.take(broken)
        store.record_events([intrusion(severity=1)])
        asyncio.run(turns(delivery, clock, 3))
        assert [got.path for got in receiver.got] == ["/good"]
        assert states(store, "other") == {MessageState.WAITING: 1}
        [waiting] = store.outgoing.messages(target="other")
        assert "cannot be used" in waiting.error
        site.take(site_with(good, other, secrets={"key": "another"}))
        asyncio.run(turns(delivery, clock, 2))
        assert [got.path for got in receiver.got] == ["/good", "/other"]
        assert set(states(store)) == {MessageState.DELIVERED}


def test_a_drill_is_marked_and_kept_apart(open_store: Open, clock: SimulatedClock) -> None:
    store, book = open_store(site_with(rules=[TellRule(("all",), (NoticeKind.OPENED,), group_s=5.0)])), Book()
    delivery = delivery_to(store, clock, all=book)
    [real] = store.record_events([intrusion("c1")])
    store.drills.begin(clock.now_s() + 600, "spring exercise", LI)
    [exercise] = store.record_events([intrusion("c1", NOON_S + 5)])  # the same camera and kind, and yet not the same matter
    assert (real.drill, exercise.drill, exercise.number) == (False, True, 2)
    asyncio.run(turns(delivery, clock, 10))
    assert sorted(message.title for message in book.taken) == ["【演练】新案卷 2：区域入侵（二级）", "新案卷 1：区域入侵（二级）"]
    clock.advance(600)
    [after] = store.record_events([intrusion("c1", NOON_S + 15)])
    assert after.id == real.id
    assert store.drills.now() is None
    marked = store.drills.mark(real.id, True, "it was ours", LI)
    assert (marked.drill, marked.version) == (True, after.version + 1)
    assert store.drills.mark(real.id, True, "again", LI) == marked
    assert [entry.step for entry in store.history(real.id)][-1] == "marked_drill"


class Flaky:
    """A sender that does what the next of `fates` says, and takes everything once they are used up."""

    per_min = 600

    def __init__(self, fates: list[str]) -> None:
        self.fates = fates
        self.taken: list[str] = []

    async def send(self, message: object) -> None:
        fate = self.fates.pop(0) if self.fates else "take"
        if fate == "down":
            raise TargetDown("down")
        if fate == "refuse":
            raise MessageRefused("refused")
        if fate == "reject":
            raise MessageRejected("rejected")
        self.taken.append(message.id)  # type: ignore[attr-defined]  # a Message
        if fate == "crash":
            raise asyncio.CancelledError  # killed after it was taken, before that was written down


FATES = st.lists(st.sampled_from(["take", "down", "refuse", "reject", "crash"]), max_size=12)
HAPPENINGS = st.lists(
    st.tuples(st.sampled_from(["c1", "c2", "c3", "c4"]), st.integers(1, 4), st.integers(0, 90)), min_size=1, max_size=8
)


@settings(max_examples=25)
@given(HAPPENINGS, FATES)
def test_every_notice_ends_delivered_or_dead_and_none_is_lost(happenings: list[tuple[str, int, int]], fates: list[str]) -> None:
    clock = SimulatedClock(NOON_S)
    sender = Flaky(list(fates))
    with tempfile.TemporaryDirectory() as folder:
        url, site = f"sqlite:///{folder}/gridpatrol.db", site_with(rules=[TellRule(("all",), group_s=10.0)])
        store = Store.open(url, clock, site)
        delivery = delivery_to(store, clock, all=sender)
        for camera, severity, wait_s in happenings:
            store.record_events([intrusion(camera, clock.now_s(), severity=severity)])
            store.outgoing.tell(Notice(0, NoticeKind.BACKUP_FAILED, clock.now_s(), severity=severity))
            asyncio.run(one_turn(delivery))
            clock.advance(wait_s)
            if wait_s % 3 == 0:  # killed and started again
                store.close()
                store = Store.open(url, clock, site)
                delivery = delivery_to(store, clock, all=sender)
        asyncio.run(turns(delivery, clock, 20, 600))
        stored = store.outgoing.messages(limit=500)
        store.close()
    told = [notice.id for each in stored for notice in each.message.notices]
    assert len(told) == len(set(told))
    assert {each.state for each in stored} <= {MessageState.DELIVERED, MessageState.DEAD}
    queued = sum(1 for each in stored for notice in each.message.notices if notice.kind is NoticeKind.BACKUP_FAILED)
    assert queued == len(happenings)
    delivered = {each.message.id for each in stored if each.state is MessageState.DELIVERED}
    assert delivered <= set(sender.taken)  # at least once, always under the same id
    assert set(sender.taken) <= {each.message.id for each in stored}
