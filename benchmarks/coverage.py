"""What the coverage of the demo district costs, how exact it is, and the district's statistics.

``python -m benchmarks.coverage --cameras 727 --json`` prints one JSON object as its last line; times are of one core's processor.
`full_s`: everything from the site to figures and blind spots (bar 1.5); `one_camera_ms`: the same after one camera turned, 95th
percentile (20); `states_ms`: after the cameras of one switch failed, 95th percentile; `raster_error`: the largest relative
difference of a compound's covered area to a 0.25 m raster whose every cell is tried against every edge (0.01); `planner_20_s`: 20
cameras among all walls and poles (10); `views_s`: all views, part of `full_s`; `baseline_s`: the same views without walls, by a
fan of shapely lines, a ray each 0.5°; `ratio`: how many times longer that takes.
"""

import argparse
import dataclasses
import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks._machine import machine
from camera_config import Camera, PlaceKind, Site
from camera_config.coverage import Coverage
from camera_config.coverage_report import statistics
from camera_config.covered import Covered
from camera_config.district import make_district
from camera_config.planner import propose_cameras, spots_along_buildings, spots_on_poles
from camera_config.view import footprint, picture_px

Floats = NDArray[np.float64]

CELL_M = 0.25
RAY_DEG = 0.5
CHUNK = 1 << 22  # pairs of a cell and an edge at a time


def measure(cameras: int, seed: int) -> dict[str, object]:
    """All figures for the demo district with its first `cameras` cameras."""
    site = make_district(seed, cameras).site
    began_s = time.process_time()
    coverage = Coverage(site)
    covered = coverage.with_states({})
    _ = covered.figures, covered.blind_spots
    full_s = time.process_time() - began_s
    numbers = statistics(site, covered)
    began_s = time.process_time()
    spots = spots_along_buildings(coverage.terrain) + spots_on_poles(coverage.terrain, site.poles)
    proposed = propose_cameras(coverage, covered, spots, 20)
    planner_s = time.process_time() - began_s
    views_s, baseline_s = fan(coverage)
    return {
        "cameras": numbers.cameras,
        "institutions_rate": round(numbers.institutions_rate, 4),
        "compounds_some": numbers.compounds_some,
        "compounds_rate": round(numbers.compounds_rate, 4),
        "compounds_full": numbers.compounds_full,
        "building_edges": len(coverage.terrain.building_edges),
        "blind_spots": len(covered.blind_spots),
        "full_s": round(full_s, 3),
        "one_camera_ms": round(one_camera_ms(coverage), 1),
        "states_ms": round(states_ms(coverage, site), 1),
        "raster_error": round(max(raster_error(coverage, covered, place) for place in sampled(covered, site)), 5),
        "planner_20_s": round(planner_s, 2),
        "planner_gain_m2": round(sum(each.gain_m2 for each in proposed)),
        "planner_spots": len(spots),
        "views_s": round(views_s, 3),
        "baseline_s": round(baseline_s, 2),
        "ratio": round(baseline_s / views_s, 1),
        "machine": machine(),
    }


def one_camera_ms(coverage: Coverage) -> float:
    """Milliseconds until figures and blind spots are right again after one camera was turned by 25°; of 100 cameras."""
    took_ms = []
    for camera in list(coverage.cameras.values())[:: max(1, len(coverage.cameras) // 100)]:
        turned = dataclasses.replace(camera, azimuth_deg=(camera.azimuth_deg + 25) % 360)
        began_s = time.process_time()
        covered = coverage.with_camera(turned).with_states({})
        _ = covered.figures, covered.blind_spots
        took_ms.append(1000 * (time.process_time() - began_s))
    return float(np.percentile(took_ms, 95))


def states_ms(coverage: Coverage, site: Site) -> float:
    """Milliseconds until figures, blind spots and what they cost are known after a switch failed; of every switch."""
    fed = defaultdict(list)
    for camera in site.cameras:
        fed[camera.uplink].append(camera.id)
    took_ms = []
    for uplink, cameras in fed.items():
        began_s = time.process_time()
        covered = coverage.with_states(dict.fromkeys(cameras, uplink))
        _ = covered.figures, covered.blind_spots, covered.lost_m2
        took_ms.append(1000 * (time.process_time() - began_s))
    return float(np.percentile(took_ms, 95))


def sampled(covered: Covered, site: Site) -> Iterator[str]:
    """A compound covered completely and one that is not."""
    compounds = [place.id for place in site.places if place.kind is PlaceKind.COMPOUND and covered.figures[place.id].covered_m2]
    by_rate = sorted(compounds, key=lambda place: covered.figures[place].rate)
    yield from dict.fromkeys((by_rate[len(by_rate) // 4], by_rate[-len(by_rate) // 4]))


def raster_error(coverage: Coverage, covered: Covered, place: str) -> float:
    """How far the covered area of a place is from that of a raster, as a share."""
    outline = shapely.union_all([patch.outline for patch in coverage.terrain.patches if place in patch.place.values()])
    west, south, east, north = outline.bounds
    x, y = np.meshgrid(np.arange(west, east, CELL_M) + CELL_M / 2, np.arange(south, north, CELL_M) + CELL_M / 2)
    cells = np.stack([x.ravel(), y.ravel()], axis=1)
    shapely.prepare(outline)
    cells = cells[shapely.contains_xy(outline, cells) & ~shapely.contains_xy(coverage.terrain.buildings, cells)]
    is_seen = np.zeros(len(cells), bool)
    for camera in coverage.cameras.values():
        if shapely.distance(outline, shapely.Point(coverage.terrain.place_of(camera))) < coverage.rules.day_range_m:
            left = np.flatnonzero(~is_seen)
            is_seen[left[tried(coverage, camera, cells[left])]] = True
    raster_m2 = float(is_seen.sum()) * CELL_M**2
    return abs(covered.figures[place].covered_m2 - raster_m2) / raster_m2


def tried(coverage: Coverage, camera: Camera, cells: Floats) -> NDArray[np.intp]:
    """The cells a camera sees: each put through its lens, and its line of sight tried against every edge around."""
    rules, eye = coverage.rules, coverage.terrain.place_of(camera)
    east, north = (cells - eye).T
    turn, tilt, half = math.radians(camera.azimuth_deg), math.radians(camera.tilt_deg), math.radians(camera.hfov_deg) / 2
    ahead, right = east * math.sin(turn) + north * math.cos(turn), east * math.cos(turn) - north * math.sin(turn)
    drop = camera.height_m - rules.target_m
    depth, up = ahead * math.cos(tilt) + drop * math.sin(tilt), ahead * math.sin(tilt) - drop * math.cos(tilt)
    width, height = picture_px(camera, rules.stream)
    side = depth * math.tan(half)
    is_shown = (depth > 0) & (np.abs(right) <= side) & (np.abs(up) <= side * height / width) & (depth <= rules.day_range_m)
    shown = np.flatnonzero(is_shown & (width >= 2 * side * rules.ppm(rules.band)))
    if not len(shown):
        return shown
    ends = np.append(cells[shown], eye[None], axis=0)
    edges, top_m = coverage.terrain.edges_near(shapely.box(*ends.min(axis=0), *ends.max(axis=0)))
    clear = [part[~hidden(eye, cells[part], edges, top_m, camera.height_m, drop)] for part in parts(shown, len(edges))]
    return np.concatenate(clear)


def parts(which: NDArray[np.intp], edges: int) -> list[NDArray[np.intp]]:
    """Few enough cells at a time."""
    return np.array_split(which, 1 + len(which) * edges // CHUNK)


def hidden(eye: Floats, cells: Floats, edges: Floats, top_m: Floats, height_m: float, drop_m: float) -> NDArray[np.bool_]:
    """Which cells (N, 2) lie behind an edge (E, 2, 2) that is higher than the line of sight there."""
    first, second = edges[:, 0] - eye, edges[:, 1] - eye
    x, y = (cells - eye)[:, 0, None], (cells - eye)[:, 1, None]
    one, other = x * first[:, 1] - y * first[:, 0], x * second[:, 1] - y * second[:, 0]
    along = second - first
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (first[:, 0] * along[:, 1] - first[:, 1] * along[:, 0]) / (x * along[:, 1] - y * along[:, 0])
    blocked = (one * other < 0) & (share > 0) & (share < 1) & (height_m - share * drop_m < top_m)
    return np.asarray(blocked.any(axis=1))


def fan(coverage: Coverage) -> tuple[float, float]:
    """Seconds for all views, by the sweep and by a fan of shapely lines."""
    began_s = time.process_time()
    for camera in coverage.cameras.values():
        coverage.look(camera)
    views_s = time.process_time() - began_s
    edges = np.asarray(shapely.linestrings(coverage.terrain.building_edges), dtype=object)
    tree = shapely.STRtree(edges)
    began_s = time.process_time()
    for camera in coverage.cameras.values():
        fan_view(coverage, camera, edges, tree)
    return views_s, time.process_time() - began_s


def fan_view(coverage: Coverage, camera: Camera, edges: NDArray[np.object_], tree: shapely.STRtree) -> shapely.Geometry:
    corners = footprint(camera, coverage.rules.layer, coverage.rules)
    if not len(corners):
        return shapely.Polygon()
    eye = coverage.terrain.place_of(camera)
    view = shapely.Polygon(corners + eye)
    reach = float(np.hypot(*corners.T).max())
    span = math.radians(min(180.0, camera.hfov_deg / 2 + 10))
    around = shapely.union_all(edges[tree.query(shapely.Point(eye).buffer(reach), predicate="intersects")])
    ring = [tuple(eye)]
    for turn in np.arange(-span, span + 1e-9, math.radians(RAY_DEG)):
        angle = math.radians(camera.azimuth_deg) + turn
        end = eye + reach * np.array([math.sin(angle), math.cos(angle)])
        hits = shapely.get_coordinates(shapely.intersection(shapely.LineString([eye, end]), around))
        ring.append(tuple(min(hits, key=lambda hit: math.dist(hit, eye))) if len(hits) else tuple(end))
    return shapely.intersection(shapely.make_valid(shapely.Polygon(ring)), view)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=727)
    parser.add_argument("--seed", type=int, default=727)
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    options = parser.parse_args()
    result = measure(options.cameras, options.seed)
    if not options.json:
        for key, value in result.items():
            print(f"{key}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
