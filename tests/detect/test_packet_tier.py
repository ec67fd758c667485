"""Tier T0: packets wake where they tell something, and fall silent by themselves where they do not."""

import numpy as np

from base import PacketSense
from detect.packet_tier import PacketTier

YES, NO = np.array([True]), np.array([False])
NEVER = -np.inf


def tier(most_vain: int = 3) -> PacketTier:
    one = PacketTier(("c0",), most_vain)
    one.set_levels(np.array([10.0]), YES, YES)
    return one


def test_only_unusual_packets_of_a_camera_that_they_tell_something_about_wake_it() -> None:
    one = PacketTier(("c0",), 3)
    assert one.hits(np.array([30.0]), YES, 0.0) == [] and one.senses(0.0) == [PacketSense.LEARNING]
    one.set_levels(np.array([10.0]), YES, NO)
    assert one.hits(np.array([30.0]), YES, 0.0) == [] and one.senses(0.0) == [PacketSense.SILENT]
    one.set_levels(np.array([10.0]), YES, YES)
    assert one.hits(np.array([30.0]), YES, 0.0) == [0] and one.senses(0.0) == [PacketSense.TELLING]
    assert one.hits(np.array([10.0]), YES, 0.0) == [] and one.hits(np.array([-np.inf]), YES, 0.0) == []
    assert one.hits(np.array([30.0]), NO, 0.0) == [], "no rule is armed"


def vain(one: PacketTier, at_s: float) -> None:
    one.woke(0, at_s)
    one.ended(0, NEVER, at_s + 4)


def test_wakes_in_vain_silence_it_for_an_hour_then_for_two() -> None:
    one = tier()
    for at_s in (0.0, 100.0, 200.0):
        assert one.hits(np.array([11.0]), YES, at_s) == [0]
        vain(one, at_s)
    assert (one.wakes, one.vain) == (3, 3)
    assert one.hits(np.array([11.0]), YES, 300.0) == [] and one.silent(300.0) == 1
    assert one.hits(np.array([11.0]), YES, 204.0 + 3600) == [0] and one.silent(204.0 + 3600) == 0
    for at_s in (4000.0, 4010.0, 4020.0):
        vain(one, at_s)
    assert one.hits(np.array([11.0]), YES, 4024.0 + 7199) == [] and one.hits(np.array([11.0]), YES, 4024.0 + 7200) == [0]


def test_wakes_in_vain_are_forgotten_after_an_hour_and_forgiven_by_a_good_one() -> None:
    one = tier()
    for at_s in (0.0, 2000.0, 4000.0, 6000.0, 8000.0):
        vain(one, at_s)
    assert one.silent(8010.0) == 0, "never three within an hour"
    one.woke(0, 8100.0)
    one.ended(0, 8101.0, 8110.0)  # something relevant was there
    vain(one, 8200.0)
    vain(one, 8300.0)
    assert one.silent(8310.0) == 0
    one.woke(0, 8400.0)
    one.forget(0)  # put to sleep for another: that says nothing
    one.ended(0, NEVER, 8410.0)
    assert one.silent(8420.0) == 0 and one.vain == 7
