"""Surfaces: noise that tiles, paving, grass, and the fronts of buildings. Textures are BGR float32 0–255."""

from dataclasses import dataclass

import cv2
import numpy as np

from ingest.simulate.view import Array

__all__ = ["Colour", "Facade", "facade", "fractal", "hoarding", "joints", "roller_door"]

Colour = tuple[float, float, float]
PX_PER_M = 40


def fractal(rng: np.random.Generator, size: int, coarsest: int, octaves: int = 5) -> Array:
    """Cloudy noise (size, size) that tiles, mean 0, standard deviation 1; `coarsest` is how many of its largest spots fit."""
    out = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = min(coarsest << octave, size)
        grid = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        grid = np.pad(grid, 2, mode="wrap")
        pad = 2 * size // cells
        large = cv2.resize(grid, (size + 2 * pad, size + 2 * pad), interpolation=cv2.INTER_CUBIC)
        out += large[pad : pad + size, pad : pad + size] * 0.62**octave
    even: Array = (out - out.mean()) / out.std()
    return even


def joints(along: Array, every_m: float, width_m: float, footprint_m: Array) -> Array:
    """How much of each pixel is joint between slabs, 0–1: lines every `every_m`, seen with pixels `footprint_m` large."""
    off = np.abs((along / every_m + 0.5) % 1 - 0.5) * every_m
    reach = np.maximum(footprint_m, width_m)
    out: Array = np.clip(1 - off / reach, 0, 1) * np.minimum(width_m / reach, 1)
    return out


@dataclass(frozen=True)
class Facade:
    """What the front of a building looks like; metres."""

    wall: Colour
    trim: Colour
    storey_m: float = 3.0
    bay_m: float = 3.6
    balconies: bool = True
    shops: bool = False


def facade(rng: np.random.Generator, width_m: float, height_m: float, look: Facade) -> Array:
    """The front of a building of flats, seen straight on, top row first; (height, width, 3)."""
    h, w = round(height_m * PX_PER_M), round(width_m * PX_PER_M)
    image = np.empty((h, w, 3), np.float32)
    image[:] = look.wall
    image *= 1 + 0.035 * _stretched(fractal(rng, 256, 4), h, w)[..., None]
    rows = np.arange(h, dtype=np.float32)[:, None]
    tiles = (np.abs((rows / (PX_PER_M * 0.12) + 0.5) % 1 - 0.5) < 0.08).astype(np.float32)
    image *= 1 - 0.05 * tiles[..., None]
    storeys = int(height_m / look.storey_m) + 1
    bays = max(1, int(width_m / look.bay_m))
    margin = (width_m - bays * look.bay_m) / 2
    for storey in range(storeys):
        floor_m = storey * look.storey_m
        _band(image, height_m - floor_m, look.trim)
        for bay in range(bays):
            left_m = margin + bay * look.bay_m
            if storey == 0 and look.shops:
                _shop(image, rng, left_m, height_m, look)
            elif storey == 0 and bay % 3 == 1:
                _entrance(image, left_m, height_m, look)
            else:
                _window(image, rng, left_m, height_m - floor_m, look, balcony=look.balconies and bay % 3 != 1 and storey > 0)
    for bay in range(0, bays + 1, 3):  # rain pipes
        x = round((margin + bay * look.bay_m) * PX_PER_M)
        cv2.line(image, (x, 0), (x, h), _times(look.wall, 0.72), 4)
    return image


def _stretched(noise: Array, h: int, w: int) -> Array:
    out: Array = cv2.resize(noise, (w, h), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return out


def _times(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _any_colour(rng: np.random.Generator, low: float, high: float) -> Colour:
    blue, green, red = rng.uniform(low, high, 3).tolist()
    return blue, green, red


def _rect(image: Array, left_m: float, top_m: float, width_m: float, height_m: float, colour: Colour) -> None:
    x, y = round(left_m * PX_PER_M), round(top_m * PX_PER_M)
    far = (x + round(width_m * PX_PER_M), y + round(height_m * PX_PER_M))
    cv2.rectangle(image, (x, y), far, colour, cv2.FILLED)


def _band(image: Array, at_m: float, trim: Colour) -> None:
    """The edge of a floor slab and its shadow."""
    _rect(image, 0, at_m - 0.14, image.shape[1] / PX_PER_M, 0.14, trim)
    _rect(image, 0, at_m, image.shape[1] / PX_PER_M, 0.05, _times(trim, 0.6))


def _window(image: Array, rng: np.random.Generator, left_m: float, floor_m: float, look: Facade, balcony: bool) -> None:
    """A window with frame, glass, curtain, sometimes a grille and an air conditioner; or a glazed balcony."""
    wide, high, sill = (2.6, 1.5, 1.0) if balcony else (1.7, 1.5, 0.9)
    x, y = left_m + (look.bay_m - wide) / 2, floor_m - sill - high
    glass = float(rng.uniform(52, 92))
    _rect(image, x - 0.08, y - 0.08, wide + 0.16, high + 0.16, (206, 206, 204))
    _rect(image, x, y, wide, high, (glass * 1.12, glass * 1.02, glass * 0.9))
    _rect(image, x, y, wide, high * 0.35, (glass * 1.5, glass * 1.38, glass * 1.2))
    if rng.random() < 0.5:
        tone = float(rng.uniform(120, 185))
        side = 0.0 if rng.random() < 0.5 else wide * 0.62
        _rect(image, x + side, y, wide * 0.38, high, (tone * 0.86, tone * 0.95, tone))
    for part in range(1, 4 if balcony else 2):
        _rect(image, x + wide * part / (4 if balcony else 2) - 0.03, y, 0.06, high, (200, 200, 198))
    if balcony:
        _rect(image, x - 0.15, floor_m - sill, wide + 0.3, sill, _times(look.wall, 1.06))
        _rect(image, x - 0.15, floor_m - sill, wide + 0.3, 0.07, _times(look.trim, 0.85))
        _rect(image, x - 0.15, floor_m - 0.12, wide + 0.3, 0.12, _times(look.wall, 0.75))
        if rng.random() < 0.6:
            for cloth in range(int(rng.integers(2, 5))):
                _rect(image, x + 0.15 + cloth * 0.5, y + 0.1, 0.34, 0.6, _any_colour(rng, 60, 215))
        return
    _rect(image, x - 0.12, floor_m - sill, wide + 0.24, 0.08, _times(look.wall, 0.8))
    if rng.random() < 0.45:  # burglar bars, as on most lower floors
        for bar in np.arange(x, x + wide + 0.01, 0.17):
            _rect(image, float(bar), y - 0.05, 0.025, high + 0.1, (168, 168, 166))
    if rng.random() < 0.55:
        ax, ay = x + wide + 0.12, floor_m - 0.95
        _rect(image, ax, ay, 0.72, 0.5, (214, 216, 214))
        _rect(image, ax, ay + 0.5, 0.72, 0.14, _times(look.wall, 0.62))
        centre = (round((ax + 0.28) * PX_PER_M), round((ay + 0.25) * PX_PER_M))
        cv2.circle(image, centre, round(0.2 * PX_PER_M), (150, 152, 150), cv2.FILLED)


def _entrance(image: Array, left_m: float, bottom_m: float, look: Facade) -> None:
    """The door of a staircase under its canopy."""
    x = left_m + look.bay_m / 2 - 0.9
    _rect(image, x - 0.5, bottom_m - 2.75, 2.8, 0.18, _times(look.trim, 0.8))
    _rect(image, x - 0.5, bottom_m - 2.57, 2.8, 0.2, _times(look.wall, 0.5))
    _rect(image, x, bottom_m - 2.3, 1.8, 2.3, (60, 66, 62))
    for leaf in (0.08, 0.95):
        _rect(image, x + leaf, bottom_m - 2.2, 0.77, 2.2, (84, 92, 86))
        _rect(image, x + leaf + 0.14, bottom_m - 1.9, 0.5, 0.75, (52, 54, 50))
    _rect(image, x + 2.0, bottom_m - 1.7, 0.3, 0.45, (190, 190, 190))


def _shop(image: Array, rng: np.random.Generator, left_m: float, bottom_m: float, look: Facade) -> None:
    """A shop front: sign board, window, door."""
    signs = ((44, 40, 176), (148, 92, 30), (52, 126, 40), (40, 150, 206), (112, 52, 120), (70, 70, 74))
    sign = signs[int(rng.integers(len(signs)))]
    width = look.bay_m - 0.25
    _rect(image, left_m + 0.12, bottom_m - 3.0, width, 0.75, sign)
    for letter in range(int(rng.integers(3, 6))):  # strokes that read as writing from afar
        x = left_m + 0.5 + letter * 0.52
        for _ in range(5):
            dx, dy = rng.uniform(0, 0.3, 2)
            long, flat = rng.uniform(0.1, 0.34), rng.random() < 0.5
            _rect(image, x + dx * 0.4, bottom_m - 2.86 + dy, long if flat else 0.05, 0.05 if flat else long, (232, 238, 240))
    glass = float(rng.uniform(48, 84))
    _rect(image, left_m + 0.12, bottom_m - 2.25, width, 2.25, (glass * 1.05, glass, glass * 0.92))
    for part in range(4):
        x = left_m + 0.12 + part * width / 3
        _rect(image, x - 0.04, bottom_m - 2.25, 0.08, 2.25, (176, 178, 178))
    for _ in range(6):
        x, y = left_m + rng.uniform(0.3, width - 0.5), bottom_m - rng.uniform(0.5, 1.6)
        _rect(image, float(x), float(y), 0.4, 0.3, _any_colour(rng, 70, 200))
    _rect(image, left_m + 0.12, bottom_m - 0.3, width, 0.3, _times(look.wall, 0.55))


def hoarding(width_m: float, height_m: float, panel: Colour = (176, 112, 44)) -> Array:
    """The corrugated panels round a building site, with a white stripe and posts."""
    h, w = round(height_m * PX_PER_M), round(width_m * PX_PER_M)
    wave = 1 + 0.10 * np.sin(np.arange(w, dtype=np.float32) / PX_PER_M * 2 * np.pi / 0.25)
    image = np.asarray(panel, np.float32) * wave[None, :, None] * np.ones((h, 1, 1), np.float32)
    _rect(image, 0, height_m - 0.35, width_m, 0.35, (214, 214, 210))
    _rect(image, 0, 0, width_m, 0.1, (220, 220, 220))
    for post in np.arange(0.0, width_m, 3.0):
        _rect(image, float(post), 0, 0.12, height_m, (205, 205, 200))
    return image


def roller_door(width_m: float, height_m: float, wall: Colour, doors: int) -> Array:
    """A row of garages with roller doors."""
    h, w = round(height_m * PX_PER_M), round(width_m * PX_PER_M)
    image = np.empty((h, w, 3), np.float32)
    image[:] = wall
    _rect(image, 0, 0, width_m, 0.25, _times(wall, 0.8))
    each = width_m / doors
    for door in range(doors):
        x = door * each + 0.3
        _rect(image, x - 0.08, height_m - 2.48, each - 0.44, 2.48, _times(wall, 0.55))
        for slat in np.arange(0, 2.4, 0.12):
            tone = 168.0 if round(slat / 0.12) % 2 else 152.0
            _rect(image, x, height_m - 2.4 + float(slat), each - 0.6, 0.12, (tone, tone * 1.01, tone * 0.99))
    return image
