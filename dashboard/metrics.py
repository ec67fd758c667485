"""`/metrics`: asks every component for its counters when scraped; no global registry, no counters of its own."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from math import nan, sqrt

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from base import Advice, CameraStatus, Gap, GapCause, Health, Lane, WorkerStats
from dashboard.policy import Dashboard
from storage import TargetCount

__all__ = ["CONTENT_TYPE", "likely_share", "render"]

CONTENT_TYPE = CONTENT_TYPE_LATEST

_GAUGES = frozenset(
    {"outbox_depth", "rss_bytes", "cameras_wanting", "budget_cores", "awake_cores", "cameras_packets_silent", "clips_waiting"}
)
_WORKER_HELP = {
    "packets": "Packets received from cameras.",
    "bytes": "Bytes received from cameras.",
    "key_frames_decoded": "Key frames decoded of quiet cameras.",
    "key_frames_still": "Key frames not decoded: by the packets before them nothing had changed.",
    "frames_decoded": "Frames decoded of awake cameras, key frames included; those of quiet cameras are counted apart.",
    "frames_dropped": "Frames let through the gate, then given up because decoding or the pipeline fell behind.",
    "crops": "Crops cut for the crop network.",
    "inferences": "Runs of a network.",
    "events": "Events raised.",
    "outbox_depth": "Events on stable storage that are not acknowledged yet.",
    "second_opinions": "Second opinions asked for before events of severity 1 and 2.",
    "second_opinions_late": "Those of them that were not answered in time.",
    "events_doubted": "Events raised with a lower score after a second opinion.",
    "events_held_back": "Events of severity 2 not raised, because the second opinion saw something else.",
    "clips": "Clips of events that were made.",
    "clips_reencoded": "Those of them that were encoded anew, for a privacy mask or a codec that browsers do not play.",
    "clips_refused": "Events without a clip: no room on the disk, too much to do, or no video.",
    "clips_waiting": "Clips that are not stored yet.",
    "sweeps": "Turns of the reader over the sockets of its cameras.",
    "sweep_s": "Time the reader was at work, waiting left out.",
    "sweeps_late": "Turns that began a whole turn too late.",
    "cpu_s": "Processor time used.",
    "rss_bytes": "Resident memory.",
    "watched_full_s": "Camera-seconds in which every frame was decoded.",
    "watched_quiet_s": "Camera-seconds of key frames only, because nothing was worth more.",
    "watched_budget_s": "Camera-seconds of key frames only, although the camera was worth more.",
    "not_watched_s": "Camera-seconds without any analysed frame.",
    "cameras_wanting": "Cameras that wait for the decode budget.",
    "budget_cores": "Cores that awake cameras may use.",
    "awake_cores": "Cores that awake cameras are expected to use.",
    "wakes_refused": "Wakes that the decode budget never had room for.",
    "wakes_cut": "Wakes ended early for a camera that mattered more, or whose turn it was.",
    "packet_wakes": "Wakes by packet sizes.",
    "packet_wakes_vain": "Wakes by packet sizes that found nothing relevant.",
    "cameras_packets_silent": "Cameras whose packet sizes tell nothing.",
    "own_motion_wakes": "Wakes by cameras' own motion events.",
    "own_motion_wakes_vain": "Wakes by cameras' own motion events that found nothing relevant.",
    "cameras_own_motion_silent": "Cameras whose own motion events are not listened to, because they woke in vain.",
    "samples": "Forced samples of cameras with an armed rule, seen to their end.",
    "samples_cut": "Forced samples without pictures, or taken back by the decode budget.",
    "samples_active": "Forced samples in which something relevant to an armed rule was seen.",
    "samples_missed": "Those of them for which no quiet tier would have woken the camera.",
}
_Z95 = 1.959964  # two-sided quantile of the normal distribution
_UNITS = {
    "cpu_s": "cpu_seconds",
    "sweep_s": "sweep_seconds",
    "bytes": "received_bytes",
    "watched_full_s": "watched_full_camera_seconds",
    "watched_quiet_s": "watched_quiet_camera_seconds",
    "watched_budget_s": "watched_budget_camera_seconds",
    "not_watched_s": "not_watched_camera_seconds",
}

Answers = Counter[tuple[str, str, int]]


class _Metrics(Collector):
    def __init__(self, parts: Dashboard, answers: Answers, outgoing: Sequence[TargetCount]) -> None:
        self._parts = parts
        self._answers = answers
        self._outgoing = outgoing

    def collect(self) -> Iterable[Metric]:
        parts = self._parts
        yield from _workers(parts.fleet.stats())
        yield from _missed(parts.fleet.stats().values())
        yield from _cameras(parts.fleet.statuses().values())
        yield from _gaps(parts.fleet.open_gaps().values(), parts.fleet.ended_gaps_s(), parts.clock.now_s())
        yield _one("gridpatrol_updates_pages", "Pages that follow updates.", len(parts.updates))
        yield _total("gridpatrol_updates_published", "Updates published.", parts.updates.seq)
        yield _total("gridpatrol_updates_refused", "Pages sent away because they were too slow.", parts.updates.refused)
        yield _one("gridpatrol_live_views", "Live views open.", len(parts.live))
        yield _one("gridpatrol_live_taps", "Cameras being watched.", parts.live.taps)
        yield _one("gridpatrol_live_transcodes", "Cameras being made into H.264 for who watches them.", parts.live.transcodes)
        yield _total("gridpatrol_live_dropped_packets", "Packets not sent to viewers that were too slow.", parts.live.dropped)
        yield from _notices(self._outgoing, parts.clock.now_s())
        answers = CounterMetricFamily(
            "gridpatrol_http_answers", "Answers to HTTP requests.", labels=("method", "route", "status")
        )
        for (method, route, status), count in sorted(self._answers.items()):
            answers.add_metric((method, route, str(status)), count)
        yield answers


def render(parts: Dashboard, answers: Answers, outgoing: Sequence[TargetCount]) -> bytes:
    """Everything known now, in Prometheus text format. `outgoing` is what waits for people elsewhere."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Metrics(parts, answers, outgoing))
    return generate_latest(registry)


def _workers(stats: Mapping[str, WorkerStats]) -> Iterator[Metric]:
    for item in fields(WorkerStats):
        name = f"gridpatrol_worker_{_UNITS.get(item.name, item.name)}"
        kind = GaugeMetricFamily if item.name in _GAUGES else CounterMetricFamily
        family = kind(name, _WORKER_HELP[item.name], labels=("worker",))
        for worker, values in sorted(stats.items()):
            family.add_metric((worker,), getattr(values, item.name))
        yield family


def _missed(stats: Iterable[WorkerStats]) -> Iterator[Metric]:
    """What the forced samples say about activity that the quiet tiers do not wake for."""
    stats = tuple(stats)
    active, missed = sum(each.samples_active for each in stats), sum(each.samples_missed for each in stats)
    low, high = likely_share(missed, active)
    text = "Share of the activity relevant to an armed rule that no quiet tier wakes for, by forced samples"
    yield _one("gridpatrol_missed_activity_share", f"{text}; NaN while there was none.", missed / active if active else nan)
    yield _one("gridpatrol_missed_activity_share_low", f"{text}: lower end of its 95 % interval (Wilson).", low)
    yield _one("gridpatrol_missed_activity_share_high", f"{text}: upper end.", high)


def likely_share(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `hits` of `tries` were seen: Wilson's score interval (1927); 0 to 1 without tries."""
    if not tries:
        return 0.0, 1.0
    share, z2 = hits / tries, _Z95**2
    middle = (share + z2 / (2 * tries)) / (1 + z2 / tries)
    half = _Z95 * sqrt(share * (1 - share) / tries + z2 / (4 * tries**2)) / (1 + z2 / tries)
    return max(0.0, middle - half), min(1.0, middle + half)


def _cameras(statuses: Iterable[CameraStatus]) -> Iterator[Metric]:
    statuses = tuple(statuses)
    by_health = Counter(status.health for status in statuses)
    family = GaugeMetricFamily("gridpatrol_cameras", "Cameras by health.", labels=("health",))
    for health in Health:
        family.add_metric((health.value,), by_health[health])
    yield family
    by_lane = Counter(status.lane for status in statuses)
    family = GaugeMetricFamily("gridpatrol_cameras_by_lane", "Cameras by how often they are swept.", labels=("lane",))
    for lane in Lane:
        family.add_metric((lane.value,), by_lane[lane])
    yield family
    by_advice = Counter(advice for status in statuses for advice in status.advice)
    family = GaugeMetricFamily("gridpatrol_cameras_by_advice", "Cameras that somebody should look at.", labels=("advice",))
    for advice in Advice:
        family.add_metric((advice.value,), by_advice[advice])
    yield family
    yield _one("gridpatrol_cameras_awake", "Cameras of which every frame is decoded.", sum(each.awake for each in statuses))
    yield _total("gridpatrol_camera_lost_rtp_packets", "RTP packets lost.", sum(each.lost for each in statuses))
    yield _total("gridpatrol_camera_reconnects", "Connections to cameras made again.", sum(each.reconnects for each in statuses))


def _gaps(open_gaps: Iterable[Gap], ended_s: Mapping[GapCause, float], now_s: float) -> Iterator[Metric]:
    open_gaps = tuple(open_gaps)
    count, lasting_s = Counter(gap.cause for gap in open_gaps), dict.fromkeys(GapCause, 0.0)
    for gap in open_gaps:
        lasting_s[gap.cause] += max(0.0, now_s - gap.began_s)
    ended = CounterMetricFamily(
        "gridpatrol_camera_gap_seconds", "Time cameras were not seen: gaps that ended.", labels=("cause",)
    )
    going_on = GaugeMetricFamily("gridpatrol_camera_open_gap_seconds", "The same of gaps that last.", labels=("cause",))
    cameras = GaugeMetricFamily("gridpatrol_cameras_not_seen", "Cameras that are not seen now.", labels=("cause",))
    for cause in GapCause:
        ended.add_metric((cause.value,), ended_s.get(cause, 0.0))
        going_on.add_metric((cause.value,), lasting_s[cause])
        cameras.add_metric((cause.value,), count[cause])
    yield from (ended, going_on, cameras)


def _notices(outgoing: Sequence[TargetCount], now_s: float) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("gridpatrol_notices_waiting", "Messages that wait for a receiver.", labels=("target",))
    dead = GaugeMetricFamily("gridpatrol_notices_dead", "Messages that were given up.", labels=("target",))
    oldest = GaugeMetricFamily("gridpatrol_notices_oldest_seconds", "For how long the oldest has waited.", labels=("target",))
    for count in outgoing:
        waiting.add_metric((count.target,), count.waiting)
        dead.add_metric((count.target,), count.dead)
        oldest.add_metric((count.target,), 0.0 if count.oldest_s is None else max(0.0, now_s - count.oldest_s))
    yield from (waiting, dead, oldest)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _total(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
