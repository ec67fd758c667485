"""What can be tuned about reading cameras. The defaults are the measured ones; few sites need to change any."""

from dataclasses import dataclass

__all__ = ["DEFAULT_SETTINGS", "IngestSettings"]


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Intervals, deadlines and bounds of hops 1-3. Plain values, so that it crosses to a worker process by pickle."""

    sweep_s: float = 0.2  # quiet cameras: three frames a recv at 15 frames/s
    fast_sweep_s: float = 0.025  # connecting, watched, awake or busy cameras
    connect_s: float = 5.0
    describe_s: float = 10.0
    first_key_s: float = 15.0
    stall_s: float = 10.0  # by media progress, never by keep-alive
    busy_sweep_bytes: int = 160 * 1024  # a quiet camera that brings more in one sweep is swept often for `busy_s`
    busy_s: float = 5.0
    connects_per_s: float = 50.0
    backoff_floor_s: float = 1.0
    backoff_after_stall_s: float = 5.0
    backoff_cap_s: float = 120.0
    good_media_s: float = 60.0  # media for that long forgives earlier failures
    ring_gops: int = 3
    ring_camera_bytes: int = 4 * 2**20
    ring_bytes: int = 192 * 2**20
    awake_packets: int = 300  # encoded packets an awake camera may have waiting for its decoder
    pending_frames: int = 64  # decoded frames that may wait for the pipeline, all cameras together
    pending_frames_per_camera: int = 4

    def __post_init__(self) -> None:
        if not 0 < self.fast_sweep_s <= self.sweep_s <= 1:
            raise ValueError(
                f"fast_sweep_s: expected 0 < fast_sweep_s <= sweep_s <= 1, got {self.fast_sweep_s} and {self.sweep_s}"
            )
        for name in (
            "ring_gops",
            "ring_camera_bytes",
            "ring_bytes",
            "awake_packets",
            "pending_frames",
            "pending_frames_per_camera",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")


DEFAULT_SETTINGS = IngestSettings()
