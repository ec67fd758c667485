"""What the API tells of cameras: everything a worker knows of a stream, and when it was not seen."""

from base import Advice, CameraStatus, Codec, Gap, GapCause, Health, Lane, Quality, Watched, WatchRun
from dashboard.schemas import CameraOut, iso
from tests.dashboard.conftest import Staff


def test_a_status_is_told_in_full() -> None:
    status = CameraStatus(
        "c1", Health.DEGRADED, Quality.FAIR, 1e9, 1e9 + 5, 14.98, 512.3, 2.0, 12.5, Codec.H265, "Main@3.1", 640, 360, "udp",
        skew_s=-3.25, lost=7, loss=0.0123, reconnects=2, stalls=1, lane=Lane.FAST, ring_s=6.13, awake=True,
        advice=(Advice.PACKET_LOSS, Advice.CLOCK_SKEW), error="192.0.2.1:554: byte 4711: nonsense (SSRC 0x1, sequence 2)",
    )  # fmt: skip
    told = CameraOut.of(status).model_dump(mode="json")
    expected = {
        "id": "c1", "health": "degraded", "quality": "fair", "frames_per_s": 14.98, "kbit_per_s": 512.3, "gop_s": 2.0,
        "gop_most_s": 12.5, "codec": "h265", "profile": "Main@3.1", "width_px": 640, "height_px": 360, "transport": "udp",
        "skew_s": -3.25, "loss": 0.0123, "reconnects": 2, "stalls": 1, "lane": "fast", "ring_s": 6.13, "awake": True,
        "packets": "learning", "advice": ["packet_loss", "clock_skew"], "error": status.error,
    }  # fmt: skip
    assert {key: told[key] for key in expected} == expected
    assert set(told) - set(expected) == {"since", "last_frame_at"}
    assert CameraOut.unknown("c2").model_dump()["since"] is None


def test_gaps_are_told_newest_first_since_a_day_or_since_when_asked(staff: Staff) -> None:
    now_s = staff.room.clock.now_s()
    old = Gap("c0002", now_s - 90_000, now_s - 89_000, GapCause.WORKER)
    ended = Gap("c0002", now_s - 600, now_s - 540, GapCause.ENDED_BY_CAMERA)
    lasting = Gap("c0002", now_s - 30, None, GapCause.CREDENTIALS)
    staff.room.store.record_gaps([old, ended, lasting])
    url = "/api/v1/cameras/c0002/gaps"
    items = staff.operator.get(url).json()["items"]
    assert [item["cause"] for item in items] == ["credentials", "ended_by_camera"]
    assert items[0]["ended_at"] is None and items[1]["ended_at"] > items[1]["began_at"]
    everything = staff.operator.get(url, params={"since": "2001-01-01T00:00:00Z"}).json()["items"]
    assert [item["cause"] for item in everything] == ["credentials", "ended_by_camera", "worker"]
    assert len(staff.operator.get(url, params={"limit": 1}).json()["items"]) == 1
    assert staff.operator.get("/api/v1/cameras/c0001/gaps").json() == {"items": []}
    assert staff.operator.get("/api/v1/cameras/none/gaps").status_code == 404
    assert staff.operator.get(url, params={"since": "yesterday"}).status_code == 422


def test_how_a_camera_was_watched_adds_up_to_the_time_asked_for(staff: Staff) -> None:
    now_s = staff.room.clock.now_s() // 60 * 60 - 600
    split = ((Watched.FULL, 12.0), (Watched.QUIET, 48.0))
    staff.room.store.record_watch_runs(
        [
            WatchRun("c0002", now_s, None, Watched.QUIET),
            WatchRun("c0002", now_s + 120, now_s + 180, None, split),
            WatchRun("c0002", now_s + 180, None, Watched.BUDGET),
        ]
    )
    url = "/api/v1/cameras/c0002/watched"
    since, until = (iso(now_s + at_s) for at_s in (60, 300))
    told = staff.operator.get(url, params={"since": since, "until": until}).json()
    assert told["seconds"] == {"quiet": 108.0, "full": 12.0, "budget": 120.0}
    assert [item["seconds"] for item in told["items"]] == [{"quiet": 60.0}, {"full": 12.0, "quiet": 48.0}, {"budget": 120.0}]
    assert told["items"][0]["began_at"] == since and told["items"][-1]["ended_at"] == until
    everything = staff.operator.get(url).json()
    assert sum(everything["seconds"].values()) >= 600, "what lasts is counted until now"
    assert staff.operator.get("/api/v1/cameras/none/watched").status_code == 404


def test_cameras_that_are_not_seen_are_metrics(staff: Staff) -> None:
    staff.room.fleet.gaps["c0003"] = Gap("c0003", staff.room.clock.now_s() - 100, None, GapCause.CONNECT)
    try:
        text = staff.administrator.get("/metrics").text
    finally:
        del staff.room.fleet.gaps["c0003"]
    [seconds] = [line for line in text.splitlines() if line.startswith('gridpatrol_camera_open_gap_seconds{cause="connect"}')]
    assert float(seconds.split()[-1]) >= 100
    assert 'gridpatrol_cameras_not_seen{cause="connect"} 1.0' in text
