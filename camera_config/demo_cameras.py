"""Where the demo sub-district hangs its cameras: at gates, at corners of houses, along fences and roads."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import shapely

from camera_config.demo_cover import RECORDED_PX as WIDE_PX
from camera_config.demo_cover import Sight, sights
from camera_config.demo_layout import BlockPlan
from camera_config.demo_scenes import SCENES
from camera_config.site import RECORDED_PX, CompoundKind, Name, Size

__all__ = ["Mount", "hang_cameras"]

# Of the cameras of a compound, how many a kind of compound deserves against the others, and how they split over street,
# courtyard, gate and car park.
_WEIGHT = {
    CompoundKind.RESIDENTIAL: 18,
    CompoundKind.ENTERPRISE: 16,
    CompoundKind.COMMERCE: 18,
    CompoundKind.INSTITUTION: 15,
    CompoundKind.SCHOOL: 18,
    CompoundKind.HOSPITAL: 22,
    CompoundKind.ROAD: 12,
}
_SPLIT = {
    CompoundKind.RESIDENTIAL: (0.22, 0.38, 0.22, 0.18),
    CompoundKind.ENTERPRISE: (0.34, 0.16, 0.20, 0.30),
    CompoundKind.COMMERCE: (0.28, 0.26, 0.16, 0.30),
    CompoundKind.INSTITUTION: (0.24, 0.34, 0.22, 0.20),
    CompoundKind.SCHOOL: (0.28, 0.38, 0.22, 0.12),
    CompoundKind.HOSPITAL: (0.24, 0.30, 0.20, 0.26),
    CompoundKind.ROAD: (0.84, 0.0, 0.0, 0.16),
}
# Height, tilt down and horizontal field of view of the usual camera for a scene, each from-to.
_OPTICS = {
    "street": ((5.0, 6.5), (12, 20), (52, 80)),
    "courtyard": ((4.0, 5.5), (15, 25), (70, 95)),
    "gate": ((3.0, 4.0), (14, 22), (55, 78)),
    "car_park": ((4.5, 6.0), (18, 28), (80, 100)),
}
_PLACE = {
    "street": Name("道路", "lane"),
    "courtyard": Name("庭院", "courtyard"),
    "gate": Name("门岗", "gate"),
    "car_park": Name("停车场", "car park"),
}
_ARM_M = 2.6  # from a wall to the camera; clears the house although it is turned, not bent, on its way to the map
_COVERED_KINDS = (CompoundKind.ENTERPRISE, CompoundKind.COMMERCE, CompoundKind.INSTITUTION, CompoundKind.ROAD)
_COVERED = 22  # compounds covered completely: those of these kinds, and where it takes the fewest cameras for the ground
_NIGHT_RANGE_M = {WIDE_PX: 80.0}  # a large sensor comes with a strong lamp
_SHARP_PX: Size = (2560, 1440)
_SHARP_RATE = 0.4  # of the cameras of the other compounds
_CLEAR_M = 0.5  # of walls and cell borders
_APART_M = 4.0  # two cameras on one pole look like one on the map


@dataclass(frozen=True, slots=True)
class Mount:
    """One camera on the plan: where it hangs, the direction it looks, and what it is for."""

    scene: str
    name: Name  # within its compound
    x: float
    y: float
    dx: float
    dy: float
    cell: int  # which of the cells of its compound
    height_m: float
    tilt_deg: float
    hfov_deg: float
    recorded_px: Size

    @property
    def night_range_m(self) -> float | None:
        """As of a Camera."""
        return _NIGHT_RANGE_M.get(self.recorded_px)


@dataclass(frozen=True, slots=True)
class _Spot:
    scene: str
    x: float
    y: float
    dx: float
    dy: float


def hang_cameras(rng: random.Random, blocks: Sequence[BlockPlan], total: int) -> list[list[Mount]]:
    """`total` cameras by compound: 22 compounds are covered completely, the others share what is left."""
    looks = {index: sights(block) for index, block in enumerate(blocks)}
    cost = {index: len(looks[index]) / block.outline.area for index, block in enumerate(blocks)}
    covered = set(sorted(looks, key=lambda index: (blocks[index].kind not in _COVERED_KINDS, cost[index]))[:_COVERED])
    others = [index for index in looks if index not in covered]
    counts = _shares([blocks[index] for index in others], total - sum(len(looks[index]) for index in covered))
    share = dict(zip(others, counts, strict=True))
    return [
        _along(block, looks[index]) if index in covered else _scattered(rng, block, share[index])
        for index, block in enumerate(blocks)
    ]


def _along(block: BlockPlan, looks: Sequence[Sight]) -> list[Mount]:
    numbers = dict.fromkeys(SCENES, 0)
    mounts = []
    for look in looks:
        numbers[look.scene] += 1
        mounts.append(
            Mount(
                scene=look.scene,
                name=_numbered(look.scene, numbers[look.scene]),
                x=look.x,
                y=look.y,
                dx=look.dx,
                dy=look.dy,
                cell=_cell_at(block, look.x, look.y),
                height_m=look.height_m,
                tilt_deg=look.tilt_deg,
                hfov_deg=look.hfov_deg,
                recorded_px=WIDE_PX,
            )
        )
    return mounts


def _shares(blocks: Sequence[BlockPlan], total: int) -> list[int]:
    """How many of `total` cameras each compound gets, by its kind and the root of its size; largest remainder."""
    areas = [math.sqrt(block.outline.area) for block in blocks]
    mean = sum(areas) / len(areas)
    weights = [_WEIGHT[block.kind] * (0.7 + 0.3 * area / mean) for block, area in zip(blocks, areas, strict=True)]
    exact = [total * weight / sum(weights) for weight in weights]
    counts = [int(value) for value in exact]
    by_remainder = sorted(range(len(blocks)), key=lambda index: counts[index] - exact[index])
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def _scattered(rng: random.Random, block: BlockPlan, count: int) -> list[Mount]:
    """`count` cameras for a compound, spread out; the first four of an ordinary compound show the four scenes."""
    candidates = _candidates(rng, block)
    room_m = {spot: 1e9 for spots in candidates.values() for spot in spots}  # to the nearest camera hung so far
    wanted = _wanted(block, count)
    numbers = dict.fromkeys(SCENES, 0)
    mounts = []
    for scene in (scene for turn in range(count) for scene in SCENES if turn < wanted[scene]):
        pool = candidates[scene] if any(room_m[spot] >= _APART_M for spot in candidates[scene]) else list(room_m)
        # Gates come in order of their importance, all others where there is most room.
        best = candidates["gate"][0] if scene == "gate" and candidates["gate"] else max(pool, key=room_m.__getitem__)
        candidates[best.scene].remove(best)
        del room_m[best]
        for spot, room in room_m.items():
            room_m[spot] = min(room, math.hypot(spot.x - best.x, spot.y - best.y))
        numbers[best.scene] += 1
        mounts.append(_mount(rng, block, best, numbers[best.scene]))
    return mounts


def _wanted(block: BlockPlan, count: int) -> dict[str, int]:
    split = _SPLIT[block.kind]
    wanted = {scene: max(1 if share else 0, int(count * share)) for scene, share in zip(SCENES, split, strict=True)}
    wanted["gate"] = min(wanted["gate"], 2 * len(block.gates))
    main = SCENES[split.index(max(split))]
    wanted[main] += count - sum(wanted.values())
    return wanted


def _mount(rng: random.Random, block: BlockPlan, spot: _Spot, number: int) -> Mount:
    height, tilt, hfov = (round(rng.uniform(*span), 1) for span in _OPTICS[spot.scene])
    return Mount(
        scene=spot.scene,
        name=_numbered(spot.scene, number),
        x=round(spot.x, 2),
        y=round(spot.y, 2),
        dx=spot.dx,
        dy=spot.dy,
        cell=_cell_at(block, spot.x, spot.y),
        height_m=height,
        tilt_deg=tilt,
        hfov_deg=hfov,
        recorded_px=_SHARP_PX if rng.random() < _SHARP_RATE else RECORDED_PX,
    )


def _cell_at(block: BlockPlan, x: float, y: float) -> int:
    return min(range(len(block.cells)), key=lambda index: block.cells[index].distance(shapely.Point(x, y)))


def _numbered(scene: str, number: int) -> Name:
    place = _PLACE[scene]
    return Name(f"{place.zh}{number}", f"{place.en} {number}")


def _candidates(rng: random.Random, block: BlockPlan) -> dict[str, list[_Spot]]:
    """Possible places by scene, inside the compound, clear of walls and cell borders."""
    if block.kind is CompoundKind.ROAD:
        spots = [*_road_spots(rng, block, "street"), *_road_spots(rng, block, "car_park")]
    else:
        spots = [spot for kind in (_fence_spots, _house_spots, _gate_spots, _corner_spots) for spot in kind(rng, block)]
    obstacles = shapely.union_all([*block.built, *(cell.exterior for cell in block.cells)])
    points = shapely.points([(spot.x, spot.y) for spot in spots])
    good = shapely.contains(block.outline.buffer(-1.5), points) & (shapely.distance(obstacles, points) > _CLEAR_M)
    kept = list(dict.fromkeys(spot for spot, is_good in zip(spots, good, strict=True) if is_good))
    return {scene: [spot for spot in kept if spot.scene == scene] for scene in SCENES}


def _gate_spots(rng: random.Random, block: BlockPlan) -> Iterator[_Spot]:
    """Inside each gate, first those that look out at the barrier, then those that look in along the lane."""
    for inwards in (False, True):
        for x, y, outx, outy in block.gates:
            depth, side = (4.0, 3.5) if inwards else (11.0, -3.5)
            sign = -1 if inwards else 1
            lean = rng.uniform(-0.15, 0.15)
            yield _Spot(
                "gate",
                x - outx * depth + outy * side,
                y - outy * depth + outx * side,
                sign * outx - outy * lean,
                sign * outy + outx * lean,
            )


def _fence_spots(rng: random.Random, block: BlockPlan) -> Iterator[_Spot]:
    """Along the fence, about every 45 m, looking along it and a little inwards."""
    ring = block.outline.buffer(-3.5, join_style="mitre").exterior
    for index in range(max(4, int(ring.length / 45))):
        at = ring.length * (index + 0.3) / max(4, int(ring.length / 45))
        here, there = ring.interpolate(at), ring.interpolate((at + 6) % ring.length)
        dx, dy = there.x - here.x, there.y - here.y
        inx, iny = block.outline.centroid.x - here.x, block.outline.centroid.y - here.y
        reach = math.hypot(inx, iny) or 1.0
        lean = rng.uniform(0.8, 2.4)
        yield _Spot("street", here.x, here.y, dx + inx / reach * lean, dy + iny / reach * lean)


def _house_spots(rng: random.Random, block: BlockPlan) -> Iterator[_Spot]:
    """At the corners of houses, looking along the long wall into the yard before it."""
    for house in block.built:
        corners = shapely.get_coordinates(shapely.oriented_envelope(house))[:4].tolist()
        for index, (x, y) in enumerate(corners):
            others = [corners[index - 1], corners[(index + 1) % 4]]
            far = max(others, key=lambda other: math.hypot(other[0] - x, other[1] - y))
            near = min(others, key=lambda other: math.hypot(other[0] - x, other[1] - y))
            alongx, alongy = _unit(far[0] - x, far[1] - y)
            awayx, awayy = _unit(x - near[0], y - near[1])
            lean = rng.uniform(0.25, 0.6)
            yield _Spot("courtyard", x + awayx * _ARM_M, y + awayy * _ARM_M, alongx + awayx * lean, alongy + awayy * lean)


def _corner_spots(rng: random.Random, block: BlockPlan) -> Iterator[_Spot]:
    """In the corners of the compound, and halfway between, where the parking bays are, looking towards the middle."""
    ring = block.outline.buffer(-6, join_style="mitre")
    middle = block.outline.centroid
    west, south, east, north = ring.bounds
    for fx, fy in (
        (0.02, 0.02),
        (0.98, 0.98),
        (0.98, 0.02),
        (0.02, 0.98),
        (0.25, 0.01),
        (0.75, 0.99),
        (0.01, 0.3),
        (0.99, 0.7),
        (0.7, 0.01),
        (0.3, 0.99),
    ):
        x, y = west + (east - west) * fx, south + (north - south) * fy
        dx, dy = _unit(middle.x - x, middle.y - y)
        lean = rng.uniform(-0.3, 0.3)
        yield _Spot("car_park", x, y, dx - dy * lean, dy + dx * lean)


def _road_spots(rng: random.Random, block: BlockPlan, scene: str) -> Iterator[_Spot]:
    """On poles at both kerbs, every 30 m in turn, looking along the road, or across it where cars are parked."""
    west, south, east, north = block.outline.bounds
    lies = east - west > north - south
    length, breadth = (east - west, north - south) if lies else (north - south, east - west)
    for index in range(int(length / 30)):
        along, near = 15 + 30.0 * index, index % 2 == 0
        across = 2.5 if near else breadth - 2.5
        forward, inwards = (1 if index % 4 < 2 else -1), (1 if near else -1)
        turn = rng.uniform(0.12, 0.3) if scene == "street" else rng.uniform(0.7, 1.1)
        if scene == "car_park":
            along += 7
        x, y = (west + along, south + across) if lies else (west + across, south + along)
        dx, dy = (forward, inwards * turn) if lies else (inwards * turn, forward)
        yield _Spot(scene, x, y, dx, dy)


def _unit(x: float, y: float) -> tuple[float, float]:
    length = math.hypot(x, y) or 1.0
    return x / length, y / length
