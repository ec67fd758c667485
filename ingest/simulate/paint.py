"""Puts one actor into a picture: shadow, parts from far to near in a small enlarged window, behind what stands nearer."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.simulate.backdrop import SUPERSAMPLE, Picture
from ingest.simulate.figure import Figure
from ingest.simulate.light import Light
from ingest.simulate.view import Array, View

__all__ = ["Painter", "Window"]

_SMALL_PX = 36  # figures up to this height get less detail
_LEAST_PX = 20  # of which something can be seen at all
_TURNS = np.linspace(0, 2 * np.pi, 11)[:-1]
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=-1).astype(np.float32)
# a limb is painted as hulls of ever smaller, lighter discs, shifted to the upper left, so that it looks round: size, shift, tone
_ROUND = ((1.0, 0.0, 0.80), (0.72, -0.2, 1.0), (0.34, -0.36, 1.12))


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the picture: columns x0..x1, rows y0..y1, ends excluded."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(eq=False)
class Painter:
    """Paints into frames of one scene. `picture` is its backdrop."""

    view: View
    light: Light
    picture: Picture

    def actor(self, frame: NDArray[np.uint8], figure: Figure, depth_m: float, foot: Array, contact: Array) -> Window | None:
        """Paint a figure in world axes that stands on `foot` (x, y); `contact` (N, 2) is the ground it covers.

        Returns the rectangle in which it can be seen, None if it cannot: outside the picture, or behind something.
        """
        if not self._near_picture(foot):
            return None
        lit = self._sunlit(foot)
        self._shade(frame, figure, contact, lit)
        depth = np.maximum(self.view.depth(figure.point), 0.3)
        centre = self.view.project(figure.point)
        radius = figure.radius * (self.view.focal_px / depth)
        window = self._window(centre, radius)
        if window is None:
            return None
        image = self._parts(figure, centre, radius, self._colours(figure, foot, depth_m, lit), window)
        return self._blend(frame, image, window, depth_m)

    def glow(self, frame: NDArray[np.uint8], at: Array, radius_m: float, strength: float) -> None:
        """Add a soft spot of light round a point (3,) if nothing stands before it."""
        depth = float(self.view.depth(at))
        if depth < 1.0:
            return
        x, y = self.view.project(at).tolist()
        size = radius_m * self.view.focal_px / depth
        window = self._window(np.array([[x, y]], np.float32), np.array([size * 2.5], np.float32))
        if window is None or not self._open(window, depth).any():
            return
        ys, xs = np.mgrid[window.y0 : window.y1, window.x0 : window.x1].astype(np.float32)
        spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (size**2)) * strength
        self._add(frame, window, spot)

    def pool(self, frame: NDArray[np.uint8], outline: Array, strength: float) -> None:
        """Light a piece of ground, `outline` (N, 2) metres, softly."""
        corners = self.view.outline(np.column_stack([outline, np.zeros(len(outline))]).astype(np.float32))
        if len(corners) < 3:
            return
        window = self._window(corners, np.full(len(corners), 14.0, np.float32))
        if window is None:
            return
        mask = self._flat([corners], window)
        soft = cv2.blur(cv2.blur(mask, (13, 9)), (13, 9)).astype(np.float32) / 255
        self._add(frame, window, soft * strength * self._ground(window))

    # Steps

    def _near_picture(self, foot: Array) -> bool:
        """Whether anything that stands at `foot`, or its shadow, may be in the picture at all."""
        x, y = foot.tolist()
        corners = np.array([(x - 3.5, y, 0.0), (x + 3.5, y, 0.0), (x, y - 3.5, 0.0), (x, y + 3.5, 2.4)], np.float32)
        spots = self.view.project(corners)
        low, high = spots.min(axis=0), spots.max(axis=0)
        return bool(high[0] > 0 and low[0] < self.view.width and high[1] > 0 and low[1] < self.view.height)

    def _sunlit(self, foot: Array) -> float:
        x, y = self.view.project(np.array([*foot, 0.0], np.float32)).tolist()
        h, w = self.picture.sunlit.shape
        return float(self.picture.sunlit[min(max(int(y), 0), h - 1), min(max(int(x), 0), w - 1)])

    def _window(self, centre: Array, radius: Array) -> Window | None:
        low, high = (centre - radius[:, None]).min(axis=0) - 2, (centre + radius[:, None]).max(axis=0) + 3
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(self.view.width, int(high[0])), min(self.view.height, int(high[1]))
        return Window(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None

    def _colours(self, figure: Figure, foot: Array, depth_m: float, lit: float) -> Array:
        """What the camera makes of each part's colour, (P, 3), 0–255."""
        shine = self.light.lit(figure.colour, figure.normal)
        if lit < 1:
            shade = figure.colour * (self.light.ambient + 0.12 * np.maximum(figure.normal[:, 2:], 0))
            shine = shine * lit + shade * (1 - lit)
        parts = len(figure.colour)
        graded = self.light.grade(shine, np.tile(foot, (parts, 1)), np.full(parts, depth_m, np.float32))
        shining = np.full_like(graded, 250) if self.light.infrared else figure.colour * 1.5
        return np.clip(np.where(figure.glow[:, None], shining, graded), 0, 255).astype(np.float32)

    def _parts(self, figure: Figure, centre: Array, radius: Array, colour: Array, window: Window) -> NDArray[np.uint8]:
        """The parts drawn 4 or 2 times as large: BGRA u8, alpha 255 where anything is."""
        scale = 4 if window.y1 - window.y0 < 130 else 2
        image = np.zeros(((window.y1 - window.y0) * scale, (window.x1 - window.x0) * scale, 4), np.uint8)
        centre = (centre - np.array([window.x0, window.y0], np.float32)) * (scale * 16)
        radius = radius * (scale * 16)
        start, shades = figure.start.tolist(), colour.tolist()
        order = figure.drawing_order(np.array([0, 0, self.view.height_m], np.float32)).tolist()
        if figure.flat:
            corners = np.round(centre).astype(np.int32)
            for part in order:
                cv2.fillPoly(image, [corners[start[part] : start[part + 1]]], [*shades[part], 255], cv2.LINE_8, 4)
            return image
        tones = _ROUND if window.y1 - window.y0 > _SMALL_PX else _ROUND[:2]
        rims = [centre[:, None] + (_CIRCLE * size + shift) * radius[:, None, None] for size, shift, _ in tones]
        for part in order:
            span = slice(start[part], start[part + 1])
            if figure.line[part]:
                width = max(1, round(float(radius[start[part]]) / 8))
                cv2.polylines(image, [np.round(centre[span]).astype(np.int32)], True, [*shades[part], 255], width, cv2.LINE_8, 4)
                continue
            if len(tones) < len(_ROUND) and start[part + 1] - start[part] == 2:
                _rod(image, centre[span], float(radius[start[part]]), shades[part])
                continue
            for rim, (_, _, tone) in zip(rims, tones, strict=True):
                hull = cv2.convexHull(rim[span].reshape(-1, 2)).astype(np.int32)
                blue, green, red = shades[part]
                cv2.fillConvexPoly(
                    image, hull, [min(255.0, blue * tone), min(255.0, green * tone), min(255.0, red * tone), 255], cv2.LINE_8, 4
                )
        return image

    def _blend(self, frame: NDArray[np.uint8], image: NDArray[np.uint8], window: Window, depth_m: float) -> Window | None:
        w, h = window.x1 - window.x0, window.y1 - window.y0
        small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
        small *= self._open(window, depth_m)[..., None]
        alpha = small[..., 3]
        seen = alpha > 90
        if int(seen.sum()) < _LEAST_PX:
            return None
        part = frame[window.y0 : window.y1, window.x0 : window.x1]
        part[:] = part * (1 - alpha[..., None] / 255) + small[..., :3] + 0.5
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        x0, y0 = window.x0 + int(columns[0]), window.y0 + int(rows[0])
        return Window(x0, y0, window.x0 + int(columns[-1]) + 1, window.y0 + int(rows[-1]) + 1)

    def _open(self, window: Window, depth_m: float) -> Array:
        """How much of each pixel is not hidden behind something nearer than `depth_m`, 0–1."""
        s = SUPERSAMPLE
        solid = self.picture.solid_depth[window.y0 * s : window.y1 * s, window.x0 * s : window.x1 * s]
        clear = (solid > depth_m).astype(np.float32)
        return np.asarray(
            cv2.resize(clear, (window.x1 - window.x0, window.y1 - window.y0), interpolation=cv2.INTER_AREA), np.float32
        )

    def _ground(self, window: Window) -> Array:
        return self._open(window, 1e6)

    def _shade(self, frame: NDArray[np.uint8], figure: Figure, contact: Array, lit: float) -> None:
        """The shadow on the ground: by the sun where it shines, and close under the actor always."""
        under = self.view.outline(np.column_stack([contact, np.zeros(len(contact))]).astype(np.float32))
        if len(under) < 3:
            return
        outlines, strength = [under], 0.42
        if self.light.sun is not None and lit > 0.4:
            outlines += self._cast(figure, self.light.sun)
            strength = 0.5 * lit
        every = np.concatenate(outlines)
        window = self._window(every, np.full(len(every), 4.0, np.float32))
        if window is None:
            return
        mask = cv2.blur(self._flat(outlines, window), (3, 3)).astype(np.float32) * (strength / 255)
        part_of = frame[window.y0 : window.y1, window.x0 : window.x1]
        part_of[:] = part_of * (1 - mask * self._ground(window))[..., None]

    def _cast(self, figure: Figure, sun: tuple[float, float, float]) -> list[Array]:
        """The figure's shadow in the picture, one outline per part; lines are too thin to throw any."""
        away = -np.asarray(sun[:2], np.float32) / sun[2]
        flat = figure.point[:, :2] + away * figure.point[:, 2:]
        rims = (flat[:, None] + _CIRCLE[::2] * figure.radius[:, None, None]).reshape(-1, 2)
        points = np.column_stack([rims, np.zeros(len(rims))]).astype(np.float32)
        depth = self.view.depth(points)
        near, spots = depth < 1.0, self.view.project(points)
        if 1.8 * self.view.focal_px / float(depth.min()) < _SMALL_PX:
            return [np.asarray(cv2.convexHull(spots)[:, 0], np.float32)]
        each = len(_CIRCLE[::2])
        outlines = []
        for part in np.flatnonzero(~figure.line).tolist():
            span = slice(int(figure.start[part]) * each, int(figure.start[part + 1]) * each)
            if not near[span].any():
                outlines.append(np.asarray(cv2.convexHull(spots[span])[:, 0], np.float32))
        return outlines

    def _flat(self, outlines: Sequence[Array], window: Window) -> NDArray[np.uint8]:
        mask = np.zeros((window.y1 - window.y0, window.x1 - window.x0), np.uint8)
        corner = np.array([window.x0, window.y0], np.float32)
        for outline in outlines:
            points = np.round((np.clip(outline, -4000, 4000) - corner) * 16).astype(np.int32)
            cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)
        return mask

    def _add(self, frame: NDArray[np.uint8], window: Window, amount: Array) -> None:
        part = frame[window.y0 : window.y1, window.x0 : window.x1]
        part[:] = np.minimum(part + amount[..., None], 255)


def _rod(image: NDArray[np.uint8], ends: Array, radius: float, colour: list[float]) -> None:
    """A limb of a small figure: a thick line, and a lighter one in it."""
    (a, b), (c, d) = np.round(ends).astype(int).tolist()
    shift = round(0.2 * radius)
    for size, move, tone in ((2.0, 0, 0.80), (1.4, shift, 1.0)):
        shade = [min(255.0, part * tone) for part in colour]
        cv2.line(
            image, (a - move, b - move), (c - move, d - move), [*shade, 255], max(1, round(size * radius / 16)), cv2.LINE_8, 4
        )
