"""The site as the map needs it: GeoJSON (RFC 7946) with typed properties. URLs and credentials of cameras have no field here."""

from collections import defaultdict
from typing import Literal

from pydantic import Field

from camera_config.site import Camera, Checkpoint, Place, Point, Rule, Site
from dashboard.schemas import AnswerBody, NameOut

__all__ = ["SiteForTeamOut", "SiteOut"]

Bounds = tuple[float, float, float, float]


class PointOut(AnswerBody):
    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class PolygonOut(AnswerBody):
    type: Literal["Polygon"] = "Polygon"
    coordinates: list[list[tuple[float, float]]]


class ZoneOut(AnswerBody):
    """Part of a camera's picture that a rule watches, in fractions 0–1 of width and height."""

    name_zh: str
    name_en: str
    polygon: list[tuple[float, float]]


class PlaceProperties(AnswerBody):
    id: str
    kind: str = Field(examples=["grid_cell"])
    name_zh: str
    name_en: str
    parent: str
    compound_kind: str | None


class CameraProperties(AnswerBody):
    id: str
    name_zh: str
    name_en: str
    compound: str
    grid_cell: str
    azimuth_deg: float
    hfov_deg: float
    tilt_deg: float
    height_m: float
    uplink: str = Field(description="the switch that feeds it; empty if the site does not say")
    enabled: bool
    has_main: bool
    zones: list[ZoneOut]


class CameraNameProperties(AnswerBody):
    """What a team's phone learns of a camera."""

    id: str
    name_zh: str
    name_en: str


class CheckpointProperties(AnswerBody):
    id: str
    name_zh: str
    name_en: str
    grid_cell: str
    key_node: bool


class PlaceFeature(AnswerBody):
    type: Literal["Feature"] = "Feature"
    geometry: PolygonOut
    properties: PlaceProperties


class CameraFeature(AnswerBody):
    type: Literal["Feature"] = "Feature"
    geometry: PointOut
    properties: CameraProperties


class CameraNameFeature(AnswerBody):
    type: Literal["Feature"] = "Feature"
    geometry: None = None
    properties: CameraNameProperties


class CheckpointFeature(AnswerBody):
    type: Literal["Feature"] = "Feature"
    geometry: PointOut
    properties: CheckpointProperties


class Places(AnswerBody):
    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[PlaceFeature]


class Cameras(AnswerBody):
    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[CameraFeature]


class CameraNames(AnswerBody):
    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[CameraNameFeature]


class Checkpoints(AnswerBody):
    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[CheckpointFeature]


class SiteOut(AnswerBody):
    id: str
    name: NameOut
    timezone: str = Field(examples=["Asia/Shanghai"])
    bounds: Bounds = Field(description="west, south, east, north")
    places: Places
    cameras: Cameras
    checkpoints: Checkpoints

    @classmethod
    def of(cls, site: Site) -> "SiteOut":
        rules: dict[str, list[Rule]] = defaultdict(list)
        for rule in site.rules:
            rules[rule.camera].append(rule)
        return cls(
            id=site.id,
            name=NameOut.of(site.name),
            timezone=site.timezone,
            bounds=_bounds(site),
            places=_places(site),
            cameras=Cameras(features=[_camera(camera, rules[camera.id]) for camera in site.cameras]),
            checkpoints=_checkpoints(site),
        )


class SiteForTeamOut(AnswerBody):
    """The site for a team's phone: cameras are names without a position."""

    id: str
    name: NameOut
    timezone: str
    bounds: Bounds
    places: Places
    cameras: CameraNames
    checkpoints: Checkpoints

    @classmethod
    def of(cls, site: Site) -> "SiteForTeamOut":
        names = [CameraNameProperties(id=each.id, name_zh=each.name.zh, name_en=each.name.en) for each in site.cameras]
        return cls(
            id=site.id,
            name=NameOut.of(site.name),
            timezone=site.timezone,
            bounds=_bounds(site),
            places=_places(site),
            cameras=CameraNames(features=[CameraNameFeature(properties=name) for name in names]),
            checkpoints=_checkpoints(site),
        )


def _bounds(site: Site) -> Bounds:
    points: list[Point] = [point for place in site.places for point in place.outline]
    points += [(camera.lon, camera.lat) for camera in site.cameras]
    if not points:
        return (-180.0, -90.0, 180.0, 90.0)
    lons, lats = zip(*points, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _places(site: Site) -> Places:
    return Places(features=[_place(place) for place in site.places])


def _place(place: Place) -> PlaceFeature:
    properties = PlaceProperties(
        id=place.id,
        kind=place.kind.value,
        name_zh=place.name.zh,
        name_en=place.name.en,
        parent=place.parent,
        compound_kind=None if place.compound_kind is None else place.compound_kind.value,
    )
    return PlaceFeature(geometry=PolygonOut(coordinates=[list(place.outline)]), properties=properties)


def _camera(camera: Camera, rules: list[Rule]) -> CameraFeature:
    zones = [
        ZoneOut(name_zh=rule.zone_name.zh, name_en=rule.zone_name.en, polygon=list(rule.zone)) for rule in rules if rule.zone
    ]
    properties = CameraProperties(
        id=camera.id,
        name_zh=camera.name.zh,
        name_en=camera.name.en,
        compound=camera.compound,
        grid_cell=camera.grid_cell,
        azimuth_deg=camera.azimuth_deg,
        hfov_deg=camera.hfov_deg,
        tilt_deg=camera.tilt_deg,
        height_m=camera.height_m,
        uplink=camera.uplink,
        enabled=camera.enabled,
        has_main=bool(camera.url_main),
        zones=zones,
    )
    return CameraFeature(geometry=PointOut(coordinates=(camera.lon, camera.lat)), properties=properties)


def _checkpoints(site: Site) -> Checkpoints:
    return Checkpoints(features=[_checkpoint(each) for each in site.checkpoints])


def _checkpoint(checkpoint: Checkpoint) -> CheckpointFeature:
    properties = CheckpointProperties(
        id=checkpoint.id,
        name_zh=checkpoint.name.zh,
        name_en=checkpoint.name.en,
        grid_cell=checkpoint.grid_cell,
        key_node=checkpoint.key_node,
    )
    return CheckpointFeature(geometry=PointOut(coordinates=(checkpoint.lon, checkpoint.lat)), properties=properties)
