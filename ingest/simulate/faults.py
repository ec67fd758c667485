"""What is wrong with a simulated camera right now: its faults, played along the time since the start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ingest.simulate.clip import Sighting
from ingest.simulate.packets import PackedClip
from ingest.simulate.plan import Fault, FaultKind, SimCamera

__all__ = ["CameraState", "fault_moments"]


@dataclass(slots=True, eq=False)
class CameraState:
    """One camera while it is served. Owned by the server's thread; `sightings` and `length_s` never change."""

    camera: SimCamera
    clip: PackedClip
    resized: Mapping[tuple[int, int], PackedClip]
    sightings: tuple[Sighting, ...]
    length_s: float
    active: list[Fault] = field(default_factory=list)

    def fault(self, kind: FaultKind) -> Fault | None:
        """The fault of that kind which is active, if any."""
        for fault in self.active:
            if fault.kind is kind:
                return fault
        return None

    def has(self, *kinds: FaultKind) -> bool:
        return any(fault.kind in kinds for fault in self.active)

    @property
    def showing(self) -> PackedClip:
        """The clip at the resolution now set."""
        fault = self.fault(FaultKind.RESOLUTION)
        return self.clip if fault is None else self.resized[fault.width_px, fault.height_px]

    @property
    def jump_s(self) -> float:
        """How far the camera's own clock is off."""
        return sum(fault.jump_s for fault in self.active if fault.kind is FaultKind.CLOCK_JUMP)


def fault_moments(cameras: tuple[SimCamera, ...]) -> Iterator[tuple[float, str, Fault, bool]]:
    """Every begin (True) and end (False) of a fault: seconds since the start, camera, fault, which; in order of time."""
    moments = []
    for camera in cameras:
        for fault in camera.faults:
            moments.append((fault.at_s, camera.id, fault, True))
            if fault.kind is FaultKind.RESET:
                moments.append((fault.at_s, camera.id, fault, False))
            elif fault.for_s > 0:
                moments.append((fault.at_s + fault.for_s, camera.id, fault, False))
    return iter(sorted(moments, key=lambda moment: (moment[0], not moment[3])))
