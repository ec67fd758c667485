"""The ground plan of the demo sub-district: streets, blocks, cells and buildings.

Drawn on a straight plan in metres (x east, y north), then bent and turned a little on its way to longitude and latitude, so that
it looks grown and not ruled.
"""

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from camera_config.site import CompoundKind, Point

__all__ = ["BlockPlan", "DistrictPlan", "Plan", "draw_plan"]

_ORIGIN: Point = (121.9, 30.6)  # WGS-84 of the middle; open water in reality, so no real place is meant
_M_PER_LAT = 110_861.0  # metres per degree at 30.6 degrees north, WGS-84
_M_PER_LON = 95_908.0
_TURN = math.radians(-8)
_COLUMNS, _ROWS, _CROSS_ROAD_AFTER, _AVENUE_AFTER = 8, 5, 3, 2
_STREET_M, _AVENUE_M, _LANE_M = 24.0, 46.0, 14.0

# Buildings of a kind of compound: length from-to, depth, gap along, pitch across, in metres; share kept free.
_BUILDINGS: dict[CompoundKind, tuple[float, float, float, float, float, float]] = {
    CompoundKind.RESIDENTIAL: (38, 56, 13, 10, 36, 0.05),
    CompoundKind.ENTERPRISE: (58, 84, 38, 14, 58, 0.0),
    CompoundKind.COMMERCE: (44, 72, 40, 14, 58, 0.05),
    CompoundKind.INSTITUTION: (42, 60, 16, 14, 44, 0.1),
    CompoundKind.SCHOOL: (42, 60, 15, 13, 38, 0.2),
    CompoundKind.HOSPITAL: (50, 72, 20, 12, 44, 0.06),
}
_STAIRS, _STAIRS_M = 2, (3.4, 1.2)  # stairwells of a house, their width and how far they stand out


@dataclass(frozen=True, slots=True)
class Plan:
    """The way from the straight plan to the earth."""

    middle: Point

    def ground(self, x: float, y: float) -> Point:
        """Metres east and north of the middle, on the ground, of a point of the plan."""
        x, y = x - self.middle[0], y - self.middle[1]
        x, y = x + 15 * math.sin(y / 230 + 0.6), y + 13 * math.sin(x / 310 + 1.1)
        return x * math.cos(_TURN) - y * math.sin(_TURN), x * math.sin(_TURN) + y * math.cos(_TURN)

    def lonlat(self, x: float, y: float) -> Point:
        """Where a point of the plan lies, WGS-84, to a centimetre."""
        return _lonlat(*self.ground(x, y))

    def ring(self, shape: Polygon) -> tuple[Point, ...]:
        """The closed outline of a shape of the plan; long edges bend with the streets."""
        points = [self.lonlat(x, y) for x, y in shapely.segmentize(shape.exterior, 40).coords]
        return (*points[:-1], points[0])

    def house_ring(self, house: Polygon) -> tuple[Point, ...]:
        """As `ring`, but turned as a whole instead of bent: walls stay at right angles."""
        x, y = house.centroid.x, house.centroid.y
        east, north = self.ground(x, y)
        turn = math.radians(90 - self.azimuth_deg(x, y, 1, 0))
        cos, sin = math.cos(turn), math.sin(turn)
        corners = [(cx - x, cy - y) for cx, cy in house.exterior.coords]
        points = [_lonlat(east + dx * cos - dy * sin, north + dx * sin + dy * cos) for dx, dy in corners]
        return (*points[:-1], points[0])

    def azimuth_deg(self, x: float, y: float, dx: float, dy: float) -> float:
        """The compass direction in which the plan's direction (dx, dy) points at (x, y)."""
        length = math.hypot(dx, dy) / 10
        (east0, north0), (east1, north1) = self.ground(x, y), self.ground(x + dx / length, y + dy / length)
        return round(math.degrees(math.atan2(east1 - east0, north1 - north0)) % 360, 1) % 360


def _lonlat(east_m: float, north_m: float) -> Point:
    return round(_ORIGIN[0] + east_m / _M_PER_LON, 7), round(_ORIGIN[1] + north_m / _M_PER_LAT, 7)


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One compound on the plan: its outline, its cells, the buildings of each cell, its gates, and the direction of its rows."""

    kind: CompoundKind
    community: int
    outline: Polygon
    cells: tuple[Polygon, ...]
    buildings: tuple[tuple[Polygon, ...], ...]  # one tuple for each cell
    gates: tuple[tuple[float, float, float, float], ...]  # x, y on the outline, and the direction outwards
    turn_deg: float

    @property
    def built(self) -> tuple[Polygon, ...]:
        return tuple(building for group in self.buildings for building in group)


@dataclass(frozen=True, slots=True)
class DistrictPlan:
    """Everything drawn: the outline, the communities, the compounds, those along roads last, and the middles of the streets."""

    plan: Plan
    outline: Polygon
    communities: tuple[Polygon, ...]
    blocks: tuple[BlockPlan, ...]
    streets: tuple[LineString, ...]


def draw_plan(rng: random.Random) -> DistrictPlan:
    """A sub-district of 8 communities and 44 compounds; the same for the same state of `rng`."""
    columns = _spans(rng, _COLUMNS, (215, 320), _CROSS_ROAD_AFTER)
    rows = _spans(rng, _ROWS, (180, 255), _AVENUE_AFTER)
    width, height = columns[-1][1], rows[-1][1]
    outline = _outline(width, height)
    lots = [
        (community, _largest(lot.intersection(outline.buffer(-_STREET_M / 2 - 4))))
        for community, lot in _lots(rng, columns, rows)
    ]
    blocks = [_block(rng, kind, community, lot) for (kind, community, lot) in _with_kinds(rng, lots, columns, rows)]
    blocks += _roads(columns, rows)
    communities = tuple(_largest(part.intersection(outline)) for part in _communities(columns, rows, outline))
    return DistrictPlan(Plan((width / 2, height / 2)), outline, communities, tuple(blocks), _streets(columns, rows, blocks))


Span = tuple[float, float]


def _outline(width: float, height: float) -> Polygon:
    """Streets all around, but for a shore that cuts off the north-western corner and a canal at the south-eastern one."""
    edge = _STREET_M / 2 + 6
    west, south, east, north = -edge, -edge, width + edge, height + edge
    shore = [(west + 150, north), (west + 60, north - 45), (west, north - 120)]
    return Polygon([(west, south), (east - 190, south), (east - 70, south + 60), (east, south + 150), (east, north), *shore])


def _spans(rng: random.Random, count: int, size: Span, wide_after: int) -> list[Span]:
    """From-to of each column or row of blocks, streets left between them."""
    spans, start = [], 0.0
    for index in range(count):
        end = start + rng.uniform(*size)
        spans.append((start, end))
        start = end + (_AVENUE_M if index == wide_after else _STREET_M)
    return spans


def _community_of(column: int, row: int) -> int:
    return column // 2 + (0 if row <= _AVENUE_AFTER else 4)


def _communities(columns: list[Span], rows: list[Span], outline: Polygon) -> tuple[Polygon, ...]:
    """Two columns each, south and north of the avenue; borders lie in streets, but never cut a road compound."""
    west, south, east, north = outline.bounds
    middles = [(columns[i][1] + columns[i + 1][0]) / 2 for i in (1, 3, 5)]
    middles[1] = columns[_CROSS_ROAD_AFTER + 1][0] - 2
    xs, ys = [west, *middles, east], [south, rows[_AVENUE_AFTER + 1][0] - 2, north]
    return tuple(box(xs[i], ys[j], xs[i + 1], ys[j + 1]) for j in range(2) for i in range(4))


def _lots(rng: random.Random, columns: list[Span], rows: list[Span]) -> list[tuple[int, Polygon]]:
    """Building lots with their community: the 40 blocks of the grid, three pairs joined and one cut in two, so 38."""
    pairs = [
        (column, row) for column in range(0, _COLUMNS, 2) for row in range(_ROWS) if row not in (_AVENUE_AFTER, _AVENUE_AFTER + 1)
    ]
    chosen = rng.sample(pairs, 4)
    joined, cut = chosen[:3], chosen[3]
    lots = []
    for row, (south, north) in enumerate(rows):
        for column, (west, east) in enumerate(columns):
            community = _community_of(column, row)
            if (column - 1, row) in joined:
                continue
            if (column, row) in joined:
                lots.append((community, box(west, south, columns[column + 1][1], north)))
            elif (column, row) == cut:
                middle = (west + east) / 2
                lots += [
                    (community, box(west, south, middle - _LANE_M / 2, north)),
                    (community, box(middle + _LANE_M / 2, south, east, north)),
                ]
            else:
                lots.append((community, box(west, south, east, north)))
    return lots


def _with_kinds(
    rng: random.Random, lots: list[tuple[int, Polygon]], columns: list[Span], rows: list[Span]
) -> list[tuple[CompoundKind, int, Polygon]]:
    """Shops and offices at the crossing, a hospital and a school on large lots, works in the north-east, homes elsewhere."""
    crossing = shapely.Point(columns[_CROSS_ROAD_AFTER][1], rows[_AVENUE_AFTER][1])
    kinds: dict[int, CompoundKind] = {}

    def give(kind: CompoundKind, count: int, worth: Callable[[Polygon], float]) -> None:
        free = sorted((index for index in range(len(lots)) if index not in kinds), key=lambda index: worth(lots[index][1]))
        kinds.update(dict.fromkeys(free[:count], kind))

    give(CompoundKind.COMMERCE, 3, lambda lot: lot.distance(crossing))
    give(CompoundKind.INSTITUTION, 1, lambda lot: lot.distance(crossing))
    give(CompoundKind.HOSPITAL, 1, lambda lot: -lot.area)
    give(CompoundKind.SCHOOL, 1, lambda lot: -lot.area)
    corner = shapely.Point(columns[-1][1], rows[-1][1])
    give(CompoundKind.ENTERPRISE, 4, lambda lot: lot.centroid.distance(corner))
    for kind, count in (
        (CompoundKind.SCHOOL, 2),
        (CompoundKind.INSTITUTION, 2),
        (CompoundKind.HOSPITAL, 1),
        (CompoundKind.COMMERCE, 1),
    ):
        give(kind, count, lambda _: rng.random())
    return [(kinds.get(index, CompoundKind.RESIDENTIAL), community, lot) for index, (community, lot) in enumerate(lots)]


def _block(rng: random.Random, kind: CompoundKind, community: int, lot: Polygon) -> BlockPlan:
    corner_m = rng.uniform(5, 11)
    outline = lot.buffer(-corner_m).buffer(corner_m, quad_segs=2)
    turn_deg = rng.uniform(-4, 4)
    rows = _building_rows(rng, kind, outline, turn_deg)
    cells = _cells(kind, outline, rows, turn_deg)
    buildings = [building for row in rows for building in row]
    sorted_in = tuple(tuple(item for item in buildings if cell.contains(item.centroid)) for cell in cells)
    return BlockPlan(kind, community, outline, cells, sorted_in, _gates(rng, outline, turn_deg), turn_deg)


def _building_rows(rng: random.Random, kind: CompoundKind, outline: Polygon, turn_deg: float) -> list[list[Polygon]]:
    """Rows of houses from south to north, a lane through the middle and some ground kept free, all turned by `turn_deg`."""
    low, high, depth, gap, pitch, share_free = _BUILDINGS[kind]
    west, south, east, north = outline.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    inner = outline.buffer(-6)
    free_x = middle[0] + rng.choice((-1, 0, 1)) * (east - west) * 0.16
    free_y = middle[1] + rng.choice((-1, 0, 1)) * (north - south) * 0.12
    half_x, half_y = (east - west) * math.sqrt(share_free) / 2, (north - south) * math.sqrt(share_free) / 2
    free = box(free_x - half_x, free_y - half_y, free_x + half_x, free_y + half_y)
    rows = []
    count = max(1, int((north - south - 24 + pitch - depth) // pitch))
    pitch = (north - south - 26 - depth) / (count - 1) if count > 1 else pitch
    for index in range(count):
        y = south + 13 + index * pitch if count > 1 else middle[1] - depth / 2
        row = []
        for start, stop in ((west + 8, middle[0] - 5), (middle[0] + 5, east - 8)):
            x = start + rng.uniform(0, 6)
            while x + low <= stop:
                length = min(rng.uniform(low, high), stop - x)
                house = affinity.rotate(box(x, y, x + length, y + depth), turn_deg, origin=middle)
                if inner.contains(house) and not free.intersects(house):
                    row.append(affinity.rotate(_with_stairs(x, y, length, depth), turn_deg, origin=middle))
                x += length + gap
        rows.append(row)
    return rows


def _with_stairs(x: float, y: float, length: float, depth: float) -> Polygon:
    """A house with its stairwells, which stand out to the north."""
    south = [(x, y), (x + length, y)]
    stairs = []
    for part in range(_STAIRS, 0, -1):
        middle = x + length * (part - 0.5) / _STAIRS
        left, right = middle - _STAIRS_M[0] / 2, middle + _STAIRS_M[0] / 2
        out = y + depth + _STAIRS_M[1]
        stairs += [(right, y + depth), (right, out), (left, out), (left, y + depth)]
    return Polygon([*south, (x + length, y + depth), *stairs, (x, y + depth)])


def _cells(kind: CompoundKind, outline: Polygon, rows: list[list[Polygon]], turn_deg: float) -> tuple[Polygon, ...]:
    """Grid cells as bands of whole rows: one for up to 4.5 hectares of homes, else two or three; one for anything but homes."""
    count = 1 if kind is not CompoundKind.RESIDENTIAL else 1 if outline.area < 45_000 else 2 if outline.area < 80_000 else 3
    west, south, east, north = outline.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    straight = [[affinity.rotate(house, -turn_deg, origin=middle).bounds for house in row] for row in rows]
    tops = [max(bounds[3] for bounds in row) if row else None for row in straight]
    bottoms = [min(bounds[1] for bounds in row) if row else None for row in straight]
    cuts = [south - 500.0]
    for part in range(1, count):
        above = round(part * len(rows) / count)
        top, bottom = tops[above - 1], bottoms[above]
        cuts.append((top + bottom) / 2 if top is not None and bottom is not None else south + (north - south) * part / count)
    cuts.append(north + 500.0)
    bands = [
        affinity.rotate(box(west - 500, low, east + 500, high), turn_deg, origin=middle) for low, high in itertools.pairwise(cuts)
    ]
    return tuple(_largest(outline.intersection(band)) for band in bands)


def _largest(shape: shapely.Geometry) -> Polygon:
    parts = [part for part in (shape.geoms if isinstance(shape, MultiPolygon) else (shape,)) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area)


def _gates(rng: random.Random, outline: Polygon, turn_deg: float) -> tuple[tuple[float, float, float, float], ...]:
    """Two gates at the ends of the lane through the middle, and often one at a side; the main gate first."""
    west, south, east, north = outline.bounds
    shift = math.tan(math.radians(turn_deg)) * (north - south) / 2
    middle_x, y = (west + east) / 2, south + (north - south) * rng.uniform(0.4, 0.6)
    ends = [
        (middle_x + shift, _across(outline, middle_x + shift)[0], 0.0, -1.0),
        (middle_x - shift, _across(outline, middle_x - shift)[1], 0.0, 1.0),
    ]
    rng.shuffle(ends)
    low, high = LineString([(west - 1, y), (east + 1, y)]).intersection(outline).bounds[::2]
    sides = [(low, y, -1.0, 0.0), (high, y, 1.0, 0.0)]
    return (*ends, *([rng.choice(sides)] if rng.random() < 0.6 else []))


def _across(outline: Polygon, x: float) -> Span:
    """From-to of the outline along y at `x`."""
    south, north = outline.bounds[1::2]
    low, high = LineString([(x, south - 1), (x, north + 1)]).intersection(outline).bounds[1::2]
    return low, high


def _roads(columns: list[Span], rows: list[Span]) -> list[BlockPlan]:
    """The avenue in four sections, west to east, and the crossing road in two, south and north of it."""
    south, north = rows[_AVENUE_AFTER][1] + 4, rows[_AVENUE_AFTER + 1][0] - 4
    west, east = columns[_CROSS_ROAD_AFTER][1] + 4, columns[_CROSS_ROAD_AFTER + 1][0] - 4
    ends = [columns[0][0], (columns[1][1] + columns[2][0]) / 2, east, (columns[5][1] + columns[6][0]) / 2, columns[-1][1]]
    strips = [(index, box(ends[index], south, ends[index + 1], north)) for index in range(4)]
    strips += [(1, box(west, rows[0][0], east, south - 3)), (5, box(west, north + 3, east, rows[-1][1]))]
    return [BlockPlan(CompoundKind.ROAD, community, strip, (strip,), ((),), (), 0.0) for community, strip in strips]


def _streets(columns: list[Span], rows: list[Span], blocks: list[BlockPlan]) -> tuple[LineString, ...]:
    """The middles of the streets around and between the blocks, but for those that joined lots have swallowed."""
    half = _STREET_M / 2
    xs, ys = ([spans[0][0] - half, *_middles(spans), spans[-1][1] + half] for spans in (columns, rows))
    lines = [LineString([(x, ys[0]), (x, ys[-1])]) for x in xs] + [LineString([(xs[0], y), (xs[-1], y)]) for y in ys]
    built = shapely.union_all([block.outline for block in blocks if block.kind is not CompoundKind.ROAD])
    open_lines = shapely.difference(shapely.union_all(lines), built)
    return tuple(part for part in getattr(open_lines, "geoms", [open_lines]) if isinstance(part, LineString))


def _middles(spans: list[Span]) -> list[float]:
    return [(before[1] + after[0]) / 2 for before, after in itertools.pairwise(spans)]
