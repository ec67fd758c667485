"""Day, night and rain: what light does to a colour, and what the sensor makes of it."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.simulate.view import Array

__all__ = ["Light", "light_named"]

_TILE = 128  # sensor noise repeats after this many extra pixels of offset


@dataclass(frozen=True)
class Light:
    """One kind of light. Colours are BGR 0–255. `sun` points towards the sun; None without shadows."""

    name: str
    sun: tuple[float, float, float] | None
    sunlight: float
    ambient: float
    sky: tuple[tuple[float, float, float], tuple[float, float, float]]  # at the top of the picture, at the horizon
    haze_m: float  # distance after which two thirds of a colour is haze
    saturation: float
    noise: float  # standard deviation of the sensor's noise, in grey levels
    wet: bool = False
    infrared: bool = False
    lamps: tuple[tuple[float, float], ...] = field(default=())  # where lamps stand, metres; they light at night

    def lit(self, colour: Array, normal: Array) -> Array:
        """Surface colours (..., 3) with normals (..., 3) under this light."""
        light = np.full(normal.shape[:-1], self.ambient, np.float32) + 0.12 * np.maximum(normal[..., 2], 0)
        if self.sun is not None:
            light = light + self.sunlight * np.maximum(normal @ np.asarray(self.sun, np.float32), 0)
        out: Array = colour * light[..., None]
        return out

    def grade(self, colour: Array, ground: Array, depth: Array) -> Array:
        """What the camera shows of lit colours (..., 3) that stand over `ground` (..., 2) at `depth` (...); 0–255, not clipped.

        Used for the whole backdrop and for every part of an actor, so that both match.
        """
        grey = colour @ np.array([0.114, 0.587, 0.299], np.float32)
        if self.infrared:
            return self._infrared(colour, ground, depth)
        haze = (1 - np.exp(-depth / self.haze_m))[..., None]
        colour = grey[..., None] + (colour - grey[..., None]) * self.saturation
        out: Array = colour * (1 - haze) + np.asarray(self.sky[1], np.float32) * haze
        return out

    def _infrared(self, colour: Array, ground: Array, depth: Array) -> Array:
        """Grey from the camera's own lamp, which fades with distance and towards the sides, and from street lamps."""
        seen = colour @ np.array([0.05, 0.60, 0.45], np.float32)  # leaves and cloth are bright in the near infrared
        away = np.maximum(np.hypot(ground[..., 0], ground[..., 1] - 1.0), 1.0)
        side = np.abs(np.arctan2(ground[..., 0], np.maximum(ground[..., 1], 0.1)))
        power = 0.98 / (1 + (away / 15.0) ** 2.2) * np.exp(-((side / 0.72) ** 2)) + 0.10
        for x, y in self.lamps:
            power = power + 0.42 * np.exp(-((ground[..., 0] - x) ** 2 + (ground[..., 1] - y) ** 2) / 30.0)
        power = np.where(depth > 400, 0.16, power)
        grey = 12 + 205 * (1 - np.exp(-seen * power / 105))
        return np.repeat(grey[..., None], 3, axis=-1).astype(np.float32)

    def gain(self, phase: float) -> float:
        """Slow change of the light over a loop, `phase` 0–1; comes back to where it began. Clouds by day, supply by night."""
        depth = {"day": 0.035, "rain": 0.02, "night": 0.008}[self.name]
        return 1 + depth * (0.7 * math.sin(math.tau * phase) + 0.3 * math.sin(math.tau * 3 * phase + 1))

    def noise_tile(self, rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
        """Noise u8 (height + tile, width + tile, 3) around 64: add it, subtract 64; every frame at another offset of the tile.

        Smoothed a little, as a camera's own noise reduction does, and the same in all three colours but for a trace.
        """
        import cv2

        size = (height + _TILE, width + _TILE)
        fine = rng.normal(0, 1, size).astype(np.float32)
        coarse = cv2.GaussianBlur(rng.normal(0, 1, size).astype(np.float32), (0, 0), 0.8)
        luma = 0.55 * fine + 0.45 * coarse / coarse.std()
        chroma = cv2.GaussianBlur(rng.normal(0, 1, (*size, 3)).astype(np.float32), (0, 0), 1.5)
        mixed = luma[..., None] + (0.0 if self.infrared else 0.5) * chroma / chroma.std()
        return np.asarray(np.clip(64 + self.noise * mixed + 0.5, 0, 255), np.uint8)


def light_named(name: str, sun_azimuth_deg: float, lamps: tuple[tuple[float, float], ...]) -> Light:
    """The light called `name`; the sun stands at `sun_azimuth_deg` clockwise from straight ahead."""
    azimuth, height = math.radians(sun_azimuth_deg), math.radians(46)
    sun = (math.sin(azimuth) * math.cos(height), math.cos(azimuth) * math.cos(height), math.sin(height))
    if name == "day":
        return Light(name, sun, 0.62, 0.55, ((226, 196, 160), (232, 222, 208)), 320.0, 0.88, 1.1, lamps=lamps)
    if name == "rain":
        return Light(name, None, 0.0, 0.66, ((178, 172, 164), (190, 186, 180)), 95.0, 0.62, 1.3, wet=True, lamps=lamps)
    return Light(name, None, 0.0, 0.85, ((26, 26, 26), (34, 34, 34)), 1e9, 0.0, 2.6, infrared=True, lamps=lamps)
