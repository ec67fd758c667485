"""`/metrics`: asks every component for its counters when scraped; no global registry, no counters of its own."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from base import CameraStatus, Health, WorkerStats
from dashboard.policy import Dashboard

__all__ = ["CONTENT_TYPE", "render"]

CONTENT_TYPE = CONTENT_TYPE_LATEST

_GAUGES = frozenset({"outbox_depth", "rss_bytes"})
_WORKER_HELP = {
    "packets": "Packets received from cameras.",
    "bytes": "Bytes received from cameras.",
    "key_frames_decoded": "Key frames decoded of quiet cameras.",
    "frames_decoded": "Frames decoded of awake cameras, key frames included; those of quiet cameras are counted apart.",
    "frames_dropped": "Frames let through the gate, then given up because decoding or the pipeline fell behind.",
    "crops": "Crops cut for the crop network.",
    "inferences": "Runs of a network.",
    "events": "Events raised.",
    "outbox_depth": "Events on stable storage that are not acknowledged yet.",
    "cpu_s": "Processor time used.",
    "rss_bytes": "Resident memory.",
}
_UNITS = {"cpu_s": "cpu_seconds", "bytes": "received_bytes"}

Answers = Counter[tuple[str, str, int]]


class _Metrics(Collector):
    def __init__(self, parts: Dashboard, answers: Answers) -> None:
        self._parts = parts
        self._answers = answers

    def collect(self) -> Iterable[Metric]:
        parts = self._parts
        yield from _workers(parts.fleet.stats())
        yield from _cameras(parts.fleet.statuses().values())
        yield _one("gridpatrol_updates_pages", "Pages that follow updates.", len(parts.updates))
        yield _total("gridpatrol_updates_published", "Updates published.", parts.updates.seq)
        yield _total("gridpatrol_updates_refused", "Pages sent away because they were too slow.", parts.updates.refused)
        yield _one("gridpatrol_live_views", "Live views open.", len(parts.live))
        yield _one("gridpatrol_live_taps", "Cameras being watched.", parts.live.taps)
        yield _total("gridpatrol_live_dropped_packets", "Packets not sent to viewers that were too slow.", parts.live.dropped)
        answers = CounterMetricFamily(
            "gridpatrol_http_answers", "Answers to HTTP requests.", labels=("method", "route", "status")
        )
        for (method, route, status), count in sorted(self._answers.items()):
            answers.add_metric((method, route, str(status)), count)
        yield answers


def render(parts: Dashboard, answers: Answers) -> bytes:
    """Everything known now, in Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Metrics(parts, answers))
    return generate_latest(registry)


def _workers(stats: Mapping[str, WorkerStats]) -> Iterator[Metric]:
    for item in fields(WorkerStats):
        name = f"gridpatrol_worker_{_UNITS.get(item.name, item.name)}"
        kind = GaugeMetricFamily if item.name in _GAUGES else CounterMetricFamily
        family = kind(name, _WORKER_HELP[item.name], labels=("worker",))
        for worker, values in sorted(stats.items()):
            family.add_metric((worker,), getattr(values, item.name))
        yield family


def _cameras(statuses: Iterable[CameraStatus]) -> Iterator[Metric]:
    statuses = tuple(statuses)
    by_health = Counter(status.health for status in statuses)
    family = GaugeMetricFamily("gridpatrol_cameras", "Cameras by health.", labels=("health",))
    for health in Health:
        family.add_metric((health.value,), by_health[health])
    yield family
    yield _one("gridpatrol_cameras_awake", "Cameras of which every frame is decoded.", sum(each.awake for each in statuses))
    yield _total("gridpatrol_camera_lost_rtp_packets", "RTP packets lost.", sum(each.lost for each in statuses))
    yield _total("gridpatrol_camera_reconnects", "Connections to cameras made again.", sum(each.reconnects for each in statuses))


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _total(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
