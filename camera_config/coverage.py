"""What the cameras of a site see, and what they see together.

Each camera's view is computed once, cut to the patches it touches. A camera that changes, or some that stop working, cost only
those patches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import shapely

from camera_config.coverage_rules import Band, CoverageRules, Layer, Light, Stream
from camera_config.covered import Covered, PatchCoverage
from camera_config.ground import Ground
from camera_config.site import Camera, Site
from camera_config.terrain import Terrain, polygons
from camera_config.view import footprint
from camera_config.visibility import Shape

__all__ = ["Coverage"]

V = TypeVar("V")


@dataclass(slots=True)
class _Seen:
    """One layer of the map: each camera's view, and by patch what they see of it."""

    view: dict[str, Shape]
    patch: list[PatchCoverage]


@dataclass(slots=True)
class _Known:
    """What was computed so far. Filled in by any thread; a value computed twice is the same twice."""

    layer: dict[Layer, _Seen] = field(default_factory=dict)


class Coverage:
    """The coverage of one site by its enabled cameras. Immutable from outside, safe from any thread; filled as asked for."""

    def __init__(self, site: Site) -> None:
        self._start(Terrain(site), {camera.id: camera for camera in site.cameras if camera.enabled})

    def _start(self, terrain: Terrain, cameras: Mapping[str, Camera]) -> None:
        self.terrain, self.cameras = terrain, cameras
        self._known = _Known()

    @property
    def rules(self) -> CoverageRules:
        """What the site calls covered."""
        return self.terrain.rules

    @property
    def ground(self) -> Ground:
        """From metres, which all shapes here are in, to degrees and back."""
        return self.terrain.ground

    def view(self, camera: str, layer: Layer | None = None) -> Shape:
        """What a camera sees of the ground, metres; without a layer, what the site's rules call covered. KeyError if unknown."""
        return self._seen(layer or self.rules.layer).view[camera]

    def bands(self, camera: Camera, stream: Stream, light: Light = Light.DAY) -> Mapping[Band, Shape]:
        """What a camera, of this site or not yet, sees in each band; each band holds those after it."""
        return {band: self.look(camera, Layer(stream, band, light)) for band in Band}

    def look(self, camera: Camera, layer: Layer | None = None) -> Shape:
        """What a camera would see, whether it is one of this coverage or not."""
        return self.terrain.seen(camera, footprint(camera, layer or self.rules.layer, self.rules))

    def with_camera(self, camera: Camera) -> "Coverage":
        """As this, with a camera added, or changed if there is one of that id; only patches it touches are united anew."""
        cameras = {**self.cameras, camera.id: camera} if camera.enabled else _without(self.cameras, camera.id)
        return self._changed(camera.id, cameras)

    def without_camera(self, camera: str) -> "Coverage":
        """As this, without a camera."""
        return self._changed(camera, _without(self.cameras, camera))

    def with_states(self, lost: Mapping[str, str], layer: Layer | None = None) -> Covered:
        """What is covered while the cameras in `lost` (id -> reason, any text) do not count; unknown ids are ignored."""
        seen = self._seen(layer or self.rules.layer)
        away = {camera: reason for camera, reason in lost.items() if camera in self.cameras}
        return Covered(self.terrain, self.cameras, seen.patch, away)

    def _changed(self, changed: str, cameras: Mapping[str, Camera]) -> "Coverage":
        other = Coverage.__new__(Coverage)
        other._start(self.terrain, cameras)
        for layer, seen in list(self._known.layer.items()):
            view = _without(seen.view, changed)
            patch = [known.without(changed) if changed in known.piece else known for known in seen.patch]
            if changed in cameras:
                view[changed] = self.look(cameras[changed], layer)
                for index, piece in self._pieces({changed: view[changed]}).get(changed, {}).items():
                    patch[index] = patch[index].with_piece(changed, piece)
            other._known.layer[layer] = _Seen(view, patch)
        return other

    def _seen(self, layer: Layer) -> _Seen:
        known = self._known.layer.get(layer)
        if known is None:
            view = {camera.id: self.look(camera, layer) for camera in self.cameras.values()}
            by_patch: list[dict[str, Shape]] = [{} for _ in self.terrain.patches]
            for camera, pieces in self._pieces(view).items():
                for index, piece in pieces.items():
                    by_patch[index][camera] = piece
            known = _Seen(
                view, [PatchCoverage(patch, piece) for patch, piece in zip(self.terrain.patches, by_patch, strict=True)]
            )
            self._known.layer[layer] = known
        return known

    def _pieces(self, view: Mapping[str, Shape]) -> dict[str, dict[int, Shape]]:
        """Each view by the patches it lies in."""
        names, shapes = list(view), np.array(list(view.values()), dtype=object)
        outlines = np.array([patch.outline for patch in self.terrain.patches], dtype=object)
        which, patch = self.terrain.tree.query(shapes, predicate="intersects")
        pieces = shapely.intersection(shapes[which], outlines[patch])
        found: dict[str, dict[int, Shape]] = {}
        for camera, index, piece in zip(which.tolist(), patch.tolist(), pieces, strict=True):
            shape = polygons(piece)
            if not shape.is_empty:
                found.setdefault(names[camera], {})[index] = shape
        return found


def _without(values: Mapping[str, V], key: str) -> dict[str, V]:
    return {name: value for name, value in values.items() if name != key}
