"""What Prometheus reads."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from base import WorkerStats
from dashboard.metrics import likely_share
from tests.dashboard.conftest import Staff

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _scrape(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for family in families for each in family.samples}


def test_every_counter_of_a_worker_is_there(staff: Staff) -> None:
    answer = staff.administrator.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    samples = _scrape(answer.text)
    worker = (("worker", "w0"),)
    assert samples["gridpatrol_worker_packets_total", worker] == 12
    assert samples["gridpatrol_worker_received_bytes_total", worker] == 3_400
    assert samples["gridpatrol_worker_outbox_depth", worker] == 2
    assert samples["gridpatrol_worker_cpu_seconds_total", worker] == 1.5
    assert len([name for name, _ in samples if name.startswith("gridpatrol_worker_")]) == len(WorkerStats.__dataclass_fields__)
    assert samples["gridpatrol_cameras", (("health", "online"),)] == 3
    assert samples["gridpatrol_cameras", (("health", "offline"),)] == 0
    assert samples["gridpatrol_cameras_by_lane", (("lane", "closed"),)] == 3
    assert samples["gridpatrol_cameras_by_advice", (("advice", "long_gop"),)] == 0
    assert samples["gridpatrol_camera_gap_seconds_total", (("cause", "stall"),)] == 12.5
    assert samples["gridpatrol_camera_gap_seconds_total", (("cause", "connect"),)] == 0
    assert samples["gridpatrol_live_views", ()] == 0
    assert samples["gridpatrol_updates_pages", ()] >= 0


def test_answers_are_counted_by_route_and_not_by_address(staff: Staff) -> None:
    route = (("method", "GET"), ("route", "/api/v1/cameras/{camera}/snapshot"), ("status", "404"))
    name = "gridpatrol_http_answers_total"
    before = _scrape(staff.administrator.get("/metrics").text)
    for number in range(5):
        staff.operator.get(f"/api/v1/cameras/none{number}/snapshot")
        staff.operator.get(f"/nothing{number}")
        staff.operator.request(f"ODD{number}", "/healthz")
    after = _scrape(staff.administrator.get("/metrics").text)
    assert after[name, route] - before.get((name, route), 0) == 5
    assert not [labels for _, labels in after if "none1" in str(labels) or "nothing1" in str(labels) or "ODD1" in str(labels)]


def test_the_token_opens_the_metrics_and_nothing_else(staff: Staff) -> None:
    token = {"Authorization": "Bearer scrape-me-0123456789"}
    url = staff.room.url
    assert httpx.get(f"{url}/metrics", headers=token).status_code == 200
    assert httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer scrape-me"}).status_code == 401
    assert httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer"}).status_code == 401
    for path in ("cameras", "site", "session", "users", "incidents"):
        assert httpx.get(f"{url}/api/v1/{path}", headers=token).status_code == 403


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [
        (0, 0, 0.0, 1.0),  # nothing known
        (0, 10, 0.0, 0.27754),
        (10, 10, 0.72246, 1.0),
        (15, 148, 0.06237, 0.16041),  # as in Newcombe (1998), table I
        (81, 263, 0.2553, 0.3662),  # likewise
    ],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, tries: int, low: float, high: float) -> None:
    assert likely_share(hits, tries) == pytest.approx((low, high), abs=1e-4)
