"""Who may connect next: limits for all and per host, and that nobody is overtaken or forgotten."""

from collections import Counter, defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest import DEFAULT_SETTINGS, Feed
from ingest.connects import ConnectQueue, host_of

TURN_S = 0.025


def feeds(hosts: list[int]) -> list[Feed]:
    """One feed per entry, on the host of that number."""
    return [Feed(f"c{row}", f"rtsp://op:pw@10.0.{host // 250}.{host % 250}:554/{row}") for row, host in enumerate(hosts)]


def opened(hosts: list[int], seconds: float) -> list[tuple[float, int]]:
    """(when, row) of every connect, all being due at once."""
    queue = ConnectQueue(feeds(hosts), DEFAULT_SETTINGS, 0.0)
    turns = [turn * TURN_S for turn in range(round(seconds / TURN_S))]
    return [(now_s, row) for now_s in turns for row in queue.take(now_s)]


def test_727_cameras_of_their_own_are_opened_within_sixteen_seconds_fifty_a_second() -> None:
    seen = opened(list(range(727)), 16)
    assert sorted(row for _, row in seen) == list(range(727))
    for began_s in range(14):
        assert 45 <= sum(began_s <= now_s < began_s + 1 for now_s, _ in seen) <= 55


def test_a_recorder_with_32_channels_gets_four_a_second() -> None:
    seen = opened([0] * 32, 20)
    assert len(seen) == 32 and seen[-1][0] >= 7
    for began_s, _ in seen:
        assert sum(began_s <= now_s < began_s + 1 for now_s, _ in seen) <= 5


def test_a_media_server_with_all_cameras_is_opened_in_about_the_time_of_single_ones() -> None:
    seen = opened([0] * 727, 25)
    assert len(seen) == 727 and 14 <= seen[-1][0] <= 20


def test_single_cameras_do_not_wait_behind_recorders() -> None:
    seen = opened([0] * 32 + [1] * 32 + list(range(10, 30)), 20)
    assert max(now_s for now_s, row in seen if row >= 64) < 3
    first = Counter(0 if row < 32 else 1 for now_s, row in seen if now_s < 3 and row < 64)
    assert abs(first[0] - first[1]) <= 1


def test_a_second_look_counts_like_a_connect() -> None:
    queue = ConnectQueue(feeds([0, 0, 1]), DEFAULT_SETTINGS, 0.0)
    for turn in range(40):
        queue.take(turn * TURN_S)
    assert queue.allow(0, 1.0) and queue.allow(2, 1.0)
    looks = sum(queue.allow(0, 1.0 + turn * TURN_S) for turn in range(1, 81))
    assert 7 <= looks <= 9


def test_the_limits_are_shared_by_the_workers() -> None:
    half = DEFAULT_SETTINGS.shared_by(2)
    assert half == replace(DEFAULT_SETTINGS, connects_per_s=25.0, host_connects_per_s=2.0)


def test_hosts_are_told_apart_by_name_alone() -> None:
    cases = {
        "rtsp://Cam.Local:8554/x": "cam.local",
        "rtsp://[fe80::1]:554/": "fe80::1",
        "/tmp/clip.mp4": "",
        "rtsp://[broken/": "",
    }
    assert {url: host_of(url) for url in cases} == cases


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=80),
    st.lists(st.tuples(st.integers(0, 79), st.floats(0, 20)), max_size=120),
)
def test_everybody_gets_a_turn_in_time_and_no_limit_is_broken(hosts: list[int], later: list[tuple[int, float]]) -> None:
    queue, settings = ConnectQueue(feeds(hosts), DEFAULT_SETTINGS, 0.0), DEFAULT_SETTINGS
    waiting, again = dict.fromkeys(range(len(hosts)), 0.0), list(later)
    taken: list[tuple[float, int]] = []
    for turn in range(round(80 / TURN_S)):
        now_s = turn * TURN_S
        for row in queue.take(now_s):
            assert waiting.pop(row) <= now_s, "opened before its time"
            taken.append((now_s, row))
        if again and turn % 8 == 0:
            row, pause_s = again.pop()
            if row < len(hosts) and row not in waiting:
                waiting[row] = now_s + pause_s
                queue.put(row, waiting[row])
    assert not waiting, "somebody was forgotten"
    by_host: dict[int, list[float]] = defaultdict(list)
    for now_s, row in taken:
        by_host[hosts[row]].append(now_s)
    for host, times in by_host.items():
        rate = max(settings.host_connects_per_s, hosts.count(host) / settings.host_open_s)
        assert all(sum(began_s <= time_s < began_s + 1 for time_s in times) <= rate + 2 for began_s in times)
    assert all(sum(began_s <= time_s < began_s + 1 for time_s, _ in taken) <= 56 for began_s, _ in taken)
