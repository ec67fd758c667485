"""The still part of a scene, drawn once per clip: ground, buildings, hedges, parked cars; twice as large, then reduced."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.simulate.light import Light
from ingest.simulate.texture import PX_PER_M, Colour, fractal, joints
from ingest.simulate.view import Array, View

__all__ = ["SUPERSAMPLE", "Backdrop", "Face", "Foliage", "Patch", "Picture", "Wall"]

SUPERSAMPLE = 2
_TILE = 512
_BEYOND_M = 900.0  # depth of the sky
LEAF = np.array(
    [(1, 0.2), (0.5, 0.9), (-0.6, 0.8), (-1, -0.1), (-0.5, -0.9), (0.6, -0.8)], np.float32
)  # outline of a spray of leaves


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of ground; later ones cover earlier ones. `surface`: asphalt, paving, slabs, grass, earth or paint."""

    outline: tuple[tuple[float, float], ...]
    surface: str
    colour: Colour
    cover: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Wall:
    """An upright rectangle from (x, y) to (x, y), with a texture (h, w, 3) seen from the side where `first` is on the left."""

    first: tuple[float, float]
    last: tuple[float, float]
    bottom_m: float
    top_m: float
    texture: Array


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A flat convex polygon (N, 3) of one colour, seen from where its corners run anticlockwise."""

    corners: Array
    colour: Colour
    glow: bool = False  # shines by itself


@dataclass(frozen=True, slots=True, eq=False)
class Foliage:
    """Leaves as discs: `point` (N, 3), `radius` (N,) in metres, `colour` (N, 3), `normal` (N, 3)."""

    point: Array
    radius: Array
    colour: Array
    normal: Array


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A finished backdrop: `bgr` u8 (H, W, 3); how far the nearest solid thing is, float32 (2H, 2W), infinite for ground and sky;
    and how much of the sun reaches the ground, float32 (H, W) 0–1."""

    bgr: NDArray[np.uint8]
    solid_depth: Array
    sunlit: Array


@dataclass(eq=False)
class Backdrop:
    """Collects what stands where, then draws it: `ground`, shadows, `walls`, then `things` from far to near."""

    view: View
    light: Light
    rng: np.random.Generator
    ground: list[Patch] = field(default_factory=list)
    walls: list[Wall] = field(default_factory=list)
    things: list[list[Face] | Foliage] = field(default_factory=list)
    shades: list[Array] = field(default_factory=list)  # convex bodies (N, 3) that throw shadows on the ground
    contacts: list[Array] = field(default_factory=list)  # footprints (N, 2) under which no light gets

    def __post_init__(self) -> None:
        self._big = self.view.scaled(SUPERSAMPLE)
        ys, xs = np.mgrid[0 : self._big.height, 0 : self._big.width].astype(np.float32)
        self._rays = self._big.rays(np.stack([xs + 0.5, ys + 0.5], axis=-1))
        down = np.minimum(self._rays[..., 2], -1e-6)
        self._depth = np.minimum(self.view.height_m / -down, _BEYOND_M).astype(np.float32)
        self._solid = np.full_like(self._depth, np.inf)
        self._soft = np.zeros_like(self._depth)  # 1 where rain seeps away
        self._place = self._rays[..., :2] * self._depth[..., None]  # ground point (x, y) of each pixel
        self._footprint = (self._depth / self._big.focal_px * np.sqrt(1 + (self._depth / self.view.height_m) ** 2)).astype(
            np.float32
        )
        self._coarse, self._fine = fractal(self.rng, _TILE, 4), fractal(self.rng, _TILE, 64, 3)
        self._colour = self._sky()

    def draw(self) -> Picture:
        """Everything collected, as the camera sees it."""
        for patch in self.ground:
            self._patch(patch)
        sunlit = self._shadows()
        if self.light.wet:
            self._wet()
        for wall in self.walls:
            self._wall(wall)
        for thing in sorted(self.things, key=self._distance, reverse=True):
            if isinstance(thing, Foliage):
                self._leaves(thing)
            else:
                self._faces(thing)
        if self.light.wet:
            self._mirror()
        place = self._rays[..., :2] * np.minimum(self._depth, self._solid)[..., None]
        graded = self.light.grade(self._colour, place, np.minimum(self._depth, self._solid))
        small = self._reduced(graded) * _vignette(self.view.width, self.view.height)[..., None]
        sunlit = self._reduced(sunlit)
        return Picture(np.clip(small + 0.5, 0, 255).astype(np.uint8), self._solid, sunlit)

    def _reduced(self, image: Array) -> Array:
        return np.asarray(cv2.resize(image, (self.view.width, self.view.height), interpolation=cv2.INTER_AREA), np.float32)

    # Ground

    def _sky(self) -> Array:
        top, horizon = (np.asarray(colour, np.float32) for colour in self.light.sky)
        rows = np.linspace(0, 1, self._big.height, dtype=np.float32)[:, None, None]
        share = np.clip(rows * 5, 0, 1)
        return np.broadcast_to(top * (1 - share) + horizon * share, (self._big.height, self._big.width, 3)).copy()

    def _patch(self, patch: Patch) -> None:
        corners = np.array([(x, y, 0.0) for x, y in patch.outline], np.float32)
        mask = np.zeros(self._depth.shape, np.uint8)
        self._fill(mask, corners, 255)
        mask[self._rays[..., 2] >= 0] = 0
        rows, columns = np.nonzero(mask)
        x, y = self._place[rows, columns].T
        colour = self._surface(patch, x, y, self._footprint[rows, columns])
        normal = np.broadcast_to(np.array([0, 0, 1], np.float32), colour.shape)
        cover = (mask[rows, columns].astype(np.float32) / 255 * patch.cover)[:, None]
        self._colour[rows, columns] = self._colour[rows, columns] * (1 - cover) + self.light.lit(colour, normal) * cover
        if patch.surface != "paint":
            self._soft[rows, columns] = patch.surface in ("grass", "earth")

    def _surface(self, patch: Patch, x: Array, y: Array, footprint: Array) -> Array:
        """Colours (N, 3) of the points (x, y); fine detail fades where a pixel is larger than it."""
        coarse = self._noise(self._coarse, x, y, 24.0)
        middle = self._noise(self._coarse, x, y, 5.0) * np.exp(-footprint * 2)
        fine = self._noise(self._fine, x, y, 4.0) * np.exp(-footprint * 14)
        base = np.asarray(patch.colour, np.float32)
        tone = 1 + 0.0 * x
        if patch.surface == "asphalt":
            tone = 1 + 0.045 * coarse + 0.03 * middle + 0.05 * fine
        elif patch.surface == "paving":
            slab = self._fine[(y / 0.5).astype(int) % _TILE, (x / 0.5).astype(int) % _TILE]
            lines = np.maximum(joints(x, 0.5, 0.02, footprint), joints(y, 0.5, 0.02, footprint))
            tone = 1 + 0.04 * coarse + 0.04 * slab * np.exp(-footprint * 3) + 0.03 * fine - 0.3 * lines
        elif patch.surface == "slabs":
            lines = np.maximum(joints(x, 4.0, 0.03, footprint), joints(y, 4.0, 0.03, footprint))
            tone = 1 + 0.06 * coarse + 0.045 * middle + 0.04 * fine - 0.35 * lines
        elif patch.surface in ("grass", "earth"):
            tone = 1 + 0.12 * coarse + 0.12 * middle + 0.16 * fine
        elif patch.surface == "paint":
            tone = 1 + 0.05 * fine + 0.06 * middle
        return (base * tone[:, None]).astype(np.float32)

    def _noise(self, tile: Array, x: Array, y: Array, span_m: float) -> Array:
        scale = _TILE / span_m
        out: Array = tile[(y * scale).astype(np.int64) % _TILE, (x * scale).astype(np.int64) % _TILE]
        return out

    def _shadows(self) -> Array:
        """Sun shadows with a narrow penumbra, and the dark under things; returns how much of the sun is left."""
        sun = np.zeros(self._depth.shape, np.uint8)
        if self.light.sun is not None:
            away = -np.asarray(self.light.sun[:2], np.float32) / self.light.sun[2]
            for body in self.shades:
                flat = body[:, :2] + away * body[:, 2:]
                hull = cv2.convexHull(flat.astype(np.float32))[:, 0]
                self._fill(sun, np.column_stack([hull, np.zeros(len(hull), np.float32)]), 255)
        contact = np.zeros_like(sun)
        for footprint in self.contacts:
            self._fill(contact, np.column_stack([footprint, np.zeros(len(footprint))]).astype(np.float32), 255)
        shadow = cv2.GaussianBlur(sun, (0, 0), 1.6).astype(np.float32) / 255
        dark = shadow * 0.52
        close = cv2.GaussianBlur(contact, (0, 0), 9.0).astype(np.float32) / 255 * 0.5
        self._colour *= (1 - np.maximum(dark, close))[..., None]
        out: Array = 1 - shadow
        return out

    def _fill(self, mask: NDArray[np.uint8], corners: Array, value: int) -> None:
        outline = self._big.outline(corners.astype(np.float32))
        if len(outline) >= 3:
            cv2.fillPoly(mask, [np.round(np.clip(outline, -9000, 9000) * 16).astype(np.int32)], value, cv2.LINE_AA, 4)

    def _wet(self) -> None:
        """Rain makes the ground darker and lets it shine like the sky, most in puddles and far away."""
        x, y = self._place[..., 0], self._place[..., 1]
        puddle = np.clip(self._noise(self._coarse, x.ravel(), y.ravel(), 17.0).reshape(x.shape) * 1.6 - 1.2, 0, 1)
        shine = (np.clip(0.08 + self._depth / 140, 0, 0.3) + 0.27 * puddle) * (1 - 0.85 * self._soft)
        shine = np.where(self._rays[..., 2] < 0, shine, 0)[..., None].astype(np.float32)
        self._colour = (
            self._colour * (1 - 0.3 * (shine > 0)) * (1 - shine) + np.asarray(self.light.sky[1], np.float32) * 0.92 * shine
        )

    def _mirror(self) -> None:
        """Blurred upside-down reflections in wet ground of what stands farthest in each column."""
        height, width = self._depth.shape
        solid = np.isfinite(self._solid)
        base = np.where(solid.any(axis=0), height - 1 - np.argmax(solid[::-1], axis=0), 0)
        first = np.where(solid.any(axis=0), np.argmax(solid, axis=0), height)
        gap = ~solid & (np.arange(height)[:, None] > first)
        base = np.where(gap.any(axis=0), np.argmax(gap, axis=0), base)
        rows = np.arange(height)[:, None]
        source = np.clip(2 * base[None] - rows, 0, height - 1)
        flipped = cv2.blur(self._colour[source, np.arange(width)[None]], (5, 31))
        share = np.clip(0.34 - (rows - base[None]) / height * 0.8, 0, 1) * (1 - 0.8 * self._soft) * (~solid) * (rows > base[None])
        self._colour = self._colour * (1 - share[..., None]) + flipped * share[..., None]
        self._colour = self._colour.astype(np.float32)

    # Things

    def _wall(self, wall: Wall) -> None:
        """Sample the texture where each pixel's ray meets the wall."""
        first, last = (np.array([*end, 0.0], np.float32) for end in (wall.first, wall.last))
        along = last - first
        length = float(np.linalg.norm(along))
        along = along / length
        normal = np.array([along[1], -along[0], 0], np.float32)
        ends = np.array([first, last, last, first], np.float32)
        ends[:, 2] = (wall.bottom_m, wall.bottom_m, wall.top_m, wall.top_m)
        mask = np.zeros(self._depth.shape, np.uint8)
        self._fill(mask, ends, 255)
        rows, columns = np.nonzero(mask)
        if not len(rows):
            return
        rays = self._rays[rows, columns]
        depth = float(first @ normal) / (rays @ normal + 1e-9)
        nearer = (depth > 0) & (depth < self._solid[rows, columns])
        rows, columns, rays, depth = rows[nearer], columns[nearer], rays[nearer], depth[nearer]
        if not len(rows):
            return
        points = rays * depth[:, None] + np.array([0, 0, self.view.height_m], np.float32)
        shrink = max(1.0, PX_PER_M * float(np.median(depth)) / self._big.focal_px)
        texture = np.asarray(
            cv2.resize(wall.texture, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.float32
        )
        u = ((points - first) @ along) / length * texture.shape[1] - 0.5
        v = (wall.top_m - points[:, 2]) / (wall.top_m - wall.bottom_m) * texture.shape[0] - 0.5
        colour = _sample(texture, u, v)
        facing = normal if float(normal @ -first) > 0 else -normal
        self._colour[rows, columns] = self.light.lit(colour, np.broadcast_to(facing, colour.shape))
        self._solid[rows, columns] = depth

    def _distance(self, thing: list[Face] | Foliage) -> float:
        points = thing.point if isinstance(thing, Foliage) else np.concatenate([face.corners for face in thing])
        return float(np.linalg.norm(points.mean(axis=0) - np.array([0, 0, self.view.height_m])))

    def _faces(self, faces: list[Face]) -> None:
        """A thing of flat faces, given in drawing order: they cover each other in that order, and hide behind what was there."""
        before = self._solid.copy()
        for face in faces:
            outline = self._big.outline(face.corners)
            if len(outline) < 3:
                continue
            normal = face_normal(face.corners)
            where, mask = self._covered(np.round(np.clip(outline, -9000, 9000) * 16).astype(np.int32))
            corner = face.corners[0] - np.array([0, 0, self.view.height_m], np.float32)
            depth = float(corner @ normal) / (self._rays[where] @ normal + 1e-9)
            mask &= (depth < before[where]) & (depth > 0)
            self._colour[where][mask] = self.light.lit(np.asarray(face.colour, np.float32), normal)
            self._solid[where][mask] = depth[mask]

    def _leaves(self, leaves: Foliage) -> None:
        depth = self._big.depth(leaves.point)
        centre = self._big.project(leaves.point)
        radius = leaves.radius * self._big.focal_px / depth
        colour = self.light.lit(leaves.colour, leaves.normal)
        for index in np.argsort(-depth):
            if depth[index] > 1.0:
                disc = (centre[index] + LEAF * max(0.7, float(radius[index]))) * 16
                where, mask = self._covered(np.round(disc).astype(np.int32))
                mask &= self._solid[where] > depth[index] - 0.05
                self._colour[where][mask] = colour[index]
                self._solid[where][mask] = depth[index]

    def _covered(self, outline: NDArray[np.int32]) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
        """The part of the picture round a polygon given in sixteenths of a pixel, and which of its pixels it covers."""
        low = np.clip(outline.min(axis=0) // 16, 0, (self._big.width, self._big.height))
        high = np.clip(outline.max(axis=0) // 16 + 2, low, (self._big.width, self._big.height))
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        if mask.size:
            cv2.fillPoly(mask, [outline - low * 16], 1, cv2.LINE_8, 4)
        return (slice(low[1], high[1]), slice(low[0], high[0])), mask > 0


def face_normal(corners: Array) -> Array:
    """Unit normal (3,) of a polygon whose corners run anticlockwise as seen from where it points."""
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[1])
    out: Array = (normal / (np.linalg.norm(normal) + 1e-9)).astype(np.float32)
    return out


def _sample(texture: Array, u: Array, v: Array) -> Array:
    """Bilinear samples (N, 3); cv2.remap takes at most 32767 columns, so the points go in rows."""
    columns = 4096
    pad = -len(u) % columns
    maps = [np.pad(part, (0, pad)).reshape(-1, columns).astype(np.float32) for part in (u, v)]
    out = cv2.remap(texture, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 3)
    return np.asarray(out[: len(u)], np.float32)


def _vignette(width: int, height: int) -> Array:
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    away = ((xs / width - 0.5) ** 2 + (ys / height - 0.5) ** 2) / 0.5
    out: Array = 1 - 0.16 * away**1.5
    return out
