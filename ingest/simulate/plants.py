"""Trees, hedges and bushes as clouds of leaves."""

from itertools import pairwise

import numpy as np

from ingest.simulate.backdrop import Face, Foliage
from ingest.simulate.texture import Colour
from ingest.simulate.view import Array

__all__ = ["crown", "hedge", "trunk"]


def crown(rng: np.random.Generator, centre: tuple[float, float, float], size_m: tuple[float, float], colour: Colour) -> Foliage:
    """The crown of a tree: lumps of leaves about an ellipsoid `size_m` (half width, half height)."""
    wide, high = size_m
    lumps = rng.normal(0, 1, (9, 3))
    lumps = lumps / np.linalg.norm(lumps, axis=1)[:, None] * rng.uniform(0.35, 0.62, (9, 1))
    count = round(420 * wide)
    of = rng.integers(0, len(lumps), count)
    away = rng.normal(0, 1, (count, 3))
    away = away / np.linalg.norm(away, axis=1)[:, None]
    unit = lumps[of] + away * rng.uniform(0.28, 0.5, (count, 1))
    point = np.asarray(centre) + unit * (wide, wide, high)
    return _leaves(rng, point, 0.6 * away + 0.4 * unit, colour, (0.07, 0.17))


def hedge(
    rng: np.random.Generator, first: tuple[float, float], last: tuple[float, float], size_m: tuple[float, float], colour: Colour
) -> Foliage:
    """A clipped hedge along a line, `size_m` (width, height)."""
    length = float(np.hypot(last[0] - first[0], last[1] - first[1]))
    along = (np.asarray(last) - np.asarray(first)) / length
    across = np.array([along[1], -along[0]])
    count = round(190 * length * (size_m[1] + size_m[0]))
    t, s, z = rng.uniform(0, length, count), rng.uniform(-0.5, 0.5, count), rng.uniform(0, 1, count)
    face = rng.random(count)  # leaves sit on the top and both sides
    z = np.where(face < 0.4, 1.0, z)
    s = np.where(face >= 0.7, 0.5, np.where(face >= 0.4, -0.5, s))
    xy = np.asarray(first) + along * t[:, None] + across * (s * size_m[0])[:, None]
    point = np.column_stack([xy, z * size_m[1]]) + rng.normal(0, 0.03, (count, 3))
    normal = np.column_stack([across * np.where(face >= 0.4, np.sign(s), 0)[:, None], np.where(face < 0.4, 1.0, 0.15)])
    low = 0.62 + 0.38 * np.clip(z, 0, 1)  # darker towards the ground
    leaves = _leaves(rng, point, normal, colour, (0.05, 0.11))
    return Foliage(leaves.point, leaves.radius, (leaves.colour * low[:, None]).astype(np.float32), leaves.normal)


def trunk(foot: tuple[float, float], height_m: float, width_m: float, colour: Colour = (52, 66, 78)) -> list[Face]:
    """A round post of eight sides: tree trunk, lamp post, bollard."""
    turns = np.linspace(0, 2 * np.pi, 9)
    ring = np.column_stack([np.cos(turns), np.sin(turns)]) * width_m / 2 + np.asarray(foot)
    faces = []
    for a, b in pairwise(ring):
        outward = (a + b) / 2 - np.asarray(foot)
        if outward @ (a + b) < 0:  # the camera stands at the origin
            corners = np.array([(*a, 0), (*b, 0), (*b, height_m), (*a, height_m)], np.float32)
            faces.append(Face(corners, colour))
    return faces


def _leaves(rng: np.random.Generator, point: Array, normal: Array, colour: Colour, radius_m: tuple[float, float]) -> Foliage:
    count = len(point)
    normal = normal / (np.linalg.norm(normal, axis=1)[:, None] + 1e-9)
    tone = rng.normal(1, 0.16, (count, 1)) * (0.82 + 0.25 * normal[:, 2:])
    tint = rng.normal(1, 0.05, (count, 3))
    return Foliage(
        point.astype(np.float32),
        rng.uniform(*radius_m, count).astype(np.float32),
        (np.asarray(colour) * tone * tint).astype(np.float32),
        normal.astype(np.float32),
    )
