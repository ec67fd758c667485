"""What can be tuned about reading cameras. The defaults are the measured ones; few sites need to change any."""

from dataclasses import dataclass, replace

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
    busy_s: float = 5.0  # a camera that half fills the kernel's buffer in `sweep_s` is swept often for that long
    connects_per_s: float = 50.0
    host_connects_per_s: float = 4.0  # to one host, such as a recorder with 32 channels
    host_open_s: float = 16.0  # a host with so many cameras that this is too slow gets as many as it takes
    backoff_floor_s: float = 1.0
    backoff_after_stall_s: float = 5.0
    backoff_cap_s: float = 120.0
    good_media_s: float = 60.0  # media for that long forgives earlier failures
    ring_gops: int = 5  # of the usual 2 s: five seconds before what woke a camera, and the clip of it
    ring_camera_bytes: int = 4 * 2**20
    ring_bytes: int = 192 * 2**20
    awake_packets: int = 300  # encoded packets an awake camera may have waiting for its decoder
    pending_frames: int = 64  # decoded frames that may wait for the pipeline, all cameras together
    pending_frames_per_camera: int = 4

    def shared_by(self, readers: int) -> "IngestSettings":
        """The part of each of `readers` readers in the limits that hold for all of them together."""
        return replace(self, connects_per_s=self.connects_per_s / readers, host_connects_per_s=self.host_connects_per_s / readers)

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
