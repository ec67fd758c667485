"""What goes over the wire about coverage. Shapes are GeoJSON (RFC 7946) in WGS-84; areas are square metres of open ground."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import shapely
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from camera_config.coverage import Coverage
from camera_config.coverage_report import Statistics, statistics
from camera_config.coverage_rules import CoverageRules, Layer
from camera_config.covered import BlindSpot, Figure
from camera_config.planner import ProposedCamera
from camera_config.site import Name, PlaceKind, Site
from dashboard.coverage_board import CoverageNow
from dashboard.schemas import AnswerBody, NameOut, RequestBody, SiteId, Time, iso
from patrol.coverage_causes import Loss
from storage import Area, Outage, PatrolProposal, ProposalState

__all__ = [
    "CoverageNewsOut",
    "CoverageOut",
    "CoverageReportOut",
    "PatrolProposalOut",
    "PlanIn",
    "PlanOut",
    "ViewsOut",
    "shape_out",
    "shown_places",
    "tops_of",
]

MOST_SPOTS = 500
DEGREES = 7
"""Decimals of a degree on the wire: a centimetre."""

Shape = dict[str, Any]  # Any: coordinates are nested as deep as the shape asks for


class FigureOut(AnswerBody):
    ground_m2: float = Field(examples=[18250.4])
    covered_m2: float = Field(examples=[11410.0])
    rate: float = Field(description="covered share of the open ground", examples=[0.6252])
    important_m2: float = Field(description="gates, lanes, play areas, key nodes", examples=[1420.0])
    important_covered_m2: float = Field(examples=[1180.5])
    important_rate: float = Field(examples=[0.8313])
    cameras: int = Field(description="that work", examples=[14])

    @classmethod
    def of(cls, figure: Figure) -> "FigureOut":
        return cls(
            ground_m2=round(figure.ground_m2, 1),
            covered_m2=round(figure.covered_m2, 1),
            rate=round(figure.rate, 4),
            important_m2=round(figure.important_m2, 1),
            important_covered_m2=round(figure.important_covered_m2, 1),
            important_rate=round(figure.important_rate, 4),
            cameras=figure.cameras,
        )


class PlaceFigureOut(AnswerBody):
    place: str = Field(examples=["cell-17-1"])
    kind: str = Field(examples=["grid_cell"])
    compound_kind: str | None = Field(examples=["residential"])
    name: NameOut
    parent: str
    figure: FigureOut


class DefinitionOut(AnswerBody):
    """What counts as covered: shown by a working camera by day, in this stream, with at least so many pixels per metre."""

    stream: str = Field(examples=["recorded"])
    band: str = Field(examples=["detect"])
    pixels_per_metre: float = Field(examples=[25.0])
    some_share: float = Field(description="from which on a compound has some coverage", examples=[0.01])
    complete_share: float = Field(description="from which on it is covered completely", examples=[0.95])
    blind_min_m2: float = Field(description="smaller blind spots are not listed", examples=[20.0])

    @classmethod
    def of(cls, rules: CoverageRules) -> "DefinitionOut":
        return cls(
            stream=rules.stream,
            band=rules.band,
            pixels_per_metre=rules.ppm(rules.band),
            some_share=rules.some_share,
            complete_share=rules.complete_share,
            blind_min_m2=rules.blind_min_m2,
        )


class StatisticsOut(AnswerBody):
    """The sub-district's statistics; docs/ref/coverage.md says what each is."""

    cameras: int = Field(examples=[727])
    working: int = Field(examples=[713])
    institutions: int = Field(examples=[11])
    institutions_rate: float = Field(examples=[1.0])
    compounds: int = Field(examples=[61])
    compounds_some: int = Field(examples=[44])
    compounds_rate: float = Field(examples=[0.6])
    compounds_full: int = Field(examples=[22])

    @classmethod
    def of(cls, found: Statistics) -> "StatisticsOut":
        return cls(
            cameras=found.cameras,
            working=found.working,
            institutions=found.institutions,
            institutions_rate=round(found.institutions_rate, 4),
            compounds=found.compounds,
            compounds_some=found.compounds_some,
            compounds_rate=round(found.compounds_rate, 4),
            compounds_full=found.compounds_full,
        )


class BlindSpotOut(AnswerBody):
    grid_cell: str
    compound: str
    community: str
    area_m2: float
    importance: float = Field(description="its area, important ground with the site's weights, m²")
    touches: list[str] = Field(examples=[["gate:gate-07-1", "lane"]])
    names: list[NameOut] = Field(description="of the gates, play areas and key nodes that it touches")
    lon: float = Field(description="a point on what of it matters most")
    lat: float
    outline: Shape

    @classmethod
    def of(cls, spot: BlindSpot, coverage: Coverage, named: Mapping[str, Name]) -> "BlindSpotOut":
        return cls(
            grid_cell=spot.grid_cell,
            compound=spot.compound,
            community=spot.community,
            area_m2=round(spot.area_m2, 1),
            importance=round(spot.importance, 1),
            touches=list(spot.touches),
            names=[NameOut.of(named[touch]) for touch in spot.touches if touch in named],
            lon=round(spot.lon, DEGREES),
            lat=round(spot.lat, DEGREES),
            outline=shape_out(coverage, spot.outline),
        )


class CauseOut(AnswerBody):
    """Cameras that cover nothing for one reason. All cameras of one switch are one reason."""

    cause: str = Field(examples=["uplink"], description=", ".join(Loss))
    uplink: str | None = Field(examples=["switch-17-1"])
    cameras: list[str]
    lost_m2: float = Field(description="ground that would be covered if these worked and the others stayed as they are")
    incident: str | None = Field(description="of a switch that is down")
    since: Time | None = Field(description="of a switch that is down")


class PatrolProposalOut(AnswerBody):
    id: str
    grid_cell: str
    lon: float
    lat: float
    why: str
    state: ProposalState
    proposed: Time
    stop: str | None = Field(description="the temporary stop that was made of it")
    by: str | None

    @classmethod
    def of(cls, found: PatrolProposal) -> "PatrolProposalOut":
        return cls(
            id=found.id,
            grid_cell=found.grid_cell,
            lon=round(found.lon, DEGREES),
            lat=round(found.lat, DEGREES),
            why=found.why,
            state=found.state,
            proposed=iso(found.proposed_s),
            stop=found.stop or None,
            by=found.by or None,
        )


class CoverageNewsOut(AnswerBody):
    """What a page is told when the coverage changed; it loads what it shows again."""

    version: int
    at: Time
    causes: dict[str, int] = Field(description="cameras that cover nothing, by cause", examples=[{"uplink": 14}])
    figures: dict[str, FigureOut] = Field(description="of the sub-district, or of the communities and cells of an account")

    @classmethod
    def of(cls, site: Site, now: CoverageNow, area: Area | None) -> "CoverageNewsOut":
        lost = now.covered.lost.items()
        causes = Counter(cause.partition(":")[0] for camera, cause in lost if area is None or camera in area.cameras)
        top = [place.id for place in site.places if place.kind is PlaceKind.SUB_DISTRICT]
        places = top if area is None else sorted(area.communities | area.grid_cells)
        figures = now.covered.figures
        return cls(
            version=now.version,
            at=iso(now.at_s),
            causes=dict(sorted(causes.items())),
            figures={place: FigureOut.of(figures[place]) for place in places if place in figures},
        )


class CoverageOut(AnswerBody):
    """What is covered now, in the area of who asks. `statistics` and `kinds` are about all of the sub-district, and only for
    those who have it."""

    version: int
    at: Time
    definition: DefinitionOut
    statistics: StatisticsOut | None
    places: list[PlaceFigureOut]
    kinds: dict[str, FigureOut] = Field(description="compounds by their kind")
    blind_spots: list[BlindSpotOut] = Field(description=f"the {MOST_SPOTS} most important at most, the most important first")
    blind_spots_all: int = Field(description="how many there are")
    causes: list[CauseOut]
    proposals: list[PatrolProposalOut]

    @classmethod
    def of(
        cls, site: Site, now: CoverageNow, outages: Sequence[Outage], proposals: Sequence[PatrolProposal], area: Area | None
    ) -> "CoverageOut":
        covered, places, named = now.covered, shown_places(site, area), _names(site)
        spots = [spot for spot in covered.blind_spots if area is None or area.holds(spot.grid_cell, spot.community)]
        return cls(
            version=now.version,
            at=iso(now.at_s),
            definition=DefinitionOut.of(now.coverage.rules),
            statistics=StatisticsOut.of(statistics(site, covered)) if area is None else None,
            places=[_place_out(site, place, covered.figures[place]) for place in places],
            kinds={kind.value: FigureOut.of(figure) for kind, figure in covered.by_kind.items()} if area is None else {},
            blind_spots=[BlindSpotOut.of(spot, now.coverage, named) for spot in spots[:MOST_SPOTS]],
            blind_spots_all=len(spots),
            causes=_causes(site, now, outages, area),
            proposals=[PatrolProposalOut.of(each) for each in proposals],
        )


class CoverageReportOut(AnswerBody):
    """The statistics as a report: of everything, and by community, compound and grid cell."""

    at: Time
    definition: DefinitionOut
    statistics: StatisticsOut | None
    kinds: dict[str, FigureOut]
    places: list[PlaceFigureOut]

    @classmethod
    def of(cls, site: Site, now: CoverageNow, area: Area | None) -> "CoverageReportOut":
        whole = CoverageOut.of(site, now, (), (), area)
        return cls(at=whole.at, definition=whole.definition, statistics=whole.statistics, kinds=whole.kinds, places=whole.places)


class ViewProperties(AnswerBody):
    camera: str
    state: str = Field(description="`working`, or why it covers nothing", examples=["working"])
    uplink: str | None


class ViewOut(AnswerBody):
    type: Literal["Feature"] = "Feature"
    geometry: Shape
    properties: ViewProperties


class ViewsOut(AnswerBody):
    """What each enabled camera sees of the ground: a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[ViewOut]

    @classmethod
    def of(cls, now: CoverageNow, layer: Layer | None, area: Area | None) -> "ViewsOut":
        features = []
        for camera in now.coverage.cameras.values():
            if area is None or camera.id in area.cameras:
                state = now.covered.lost.get(camera.id, "working").partition(":")[0]
                shape = shape_out(now.coverage, now.coverage.view(camera.id, layer))
                properties = ViewProperties(camera=camera.id, state=state, uplink=camera.uplink or None)
                features.append(ViewOut(geometry=shape, properties=properties))
        return cls(features=features)


class PlanIn(RequestBody):
    """Where to hang `count` more cameras; with `place` only ground of that place counts."""

    count: int = Field(ge=1, le=50, examples=[5])
    place: SiteId | None = Field(default=None, examples=["compound-12"])


class PlannedCameraOut(AnswerBody):
    lon: float
    lat: float
    height_m: float
    azimuth_deg: float
    tilt_deg: float
    hfov_deg: float
    lens: str = Field(examples=["4 mm, 4 MP"])
    gain_m2: float = Field(description="ground that becomes covered by it, after those before it")
    view: Shape


class PlanOut(AnswerBody):
    items: list[PlannedCameraOut]

    @classmethod
    def of(cls, coverage: Coverage, found: Iterable[ProposedCamera]) -> "PlanOut":
        return cls(
            items=[
                PlannedCameraOut(
                    lon=round(each.camera.lon, DEGREES),
                    lat=round(each.camera.lat, DEGREES),
                    height_m=each.camera.height_m,
                    azimuth_deg=round(each.camera.azimuth_deg, 1),
                    tilt_deg=round(each.camera.tilt_deg, 1),
                    hfov_deg=each.camera.hfov_deg,
                    lens=each.lens.name,
                    gain_m2=round(each.gain_m2, 1),
                    view=shape_out(coverage, coverage.look(each.camera)),
                )
                for each in found
            ]
        )


def _names(site: Site) -> dict[str, Name]:
    """The names of what blind spots touch, by what they call it."""
    gates = {f"gate:{gate.id}": gate.name for gate in site.gates}
    play_areas = {f"play_area:{play_area.id}": play_area.name for play_area in site.play_areas}
    return gates | play_areas | {f"key_node:{point.id}": point.name for point in site.checkpoints if point.key_node}


def shown_places(site: Site, area: Area | None) -> list[str]:
    """The places of which somebody may see the figures, in the order of the site: of an area its communities and cells, and
    compounds in these communities."""
    kinds = (PlaceKind.SUB_DISTRICT, PlaceKind.COMMUNITY, PlaceKind.COMPOUND, PlaceKind.GRID_CELL)
    if area is None:
        return [place.id for place in site.places if place.kind in kinds]
    inside = area.communities | area.grid_cells
    own = {PlaceKind.COMMUNITY: inside, PlaceKind.GRID_CELL: inside}
    return [
        place.id
        for place in site.places
        if place.id in own.get(place.kind, ()) or (place.kind is PlaceKind.COMPOUND and place.parent in area.communities)
    ]


def shape_out(coverage: Coverage, shape: BaseGeometry) -> Shape:
    """A shape in metres as GeoJSON geometry in WGS-84; the outer ring runs counterclockwise (RFC 7946 §3.1.6)."""
    degrees = shapely.orient_polygons(coverage.ground.lonlat(shape))
    rounded = shapely.transform(degrees, lambda points: points.round(DEGREES))
    found: Shape = shapely.geometry.mapping(rounded)
    return found


def _place_out(site: Site, name: str, figure: Figure) -> PlaceFigureOut:
    place = site.place_by_id[name]
    return PlaceFigureOut(
        place=name,
        kind=place.kind,
        compound_kind=place.compound_kind,
        name=NameOut.of(place.name),
        parent=place.parent,
        figure=FigureOut.of(figure),
    )


def _causes(site: Site, now: CoverageNow, outages: Sequence[Outage], area: Area | None) -> list[CauseOut]:
    """The reasons for which cameras in the area cover nothing, those that cost most first; those switched off at the end."""
    by_cause: dict[str, list[str]] = {}
    for camera, cause in sorted(now.covered.lost.items()):
        if area is None or camera in area.cameras:
            by_cause.setdefault(cause, []).append(camera)
    down = {outage.uplink: outage for outage in outages}
    lost_m2, tops = now.covered.lost_m2, tops_of(site, shown_places(site, area))
    found = [_cause(lost_m2.get(cause, {}), cause, cameras, down, tops) for cause, cameras in by_cause.items()]
    found.sort(key=lambda each: (-each.lost_m2, each.cause, each.uplink or ""))
    idle = [camera.id for camera in site.cameras if not camera.enabled and (area is None or camera.id in area.cameras)]
    return [*found, *([_cause({}, Loss.DISABLED, idle, {}, ())] if idle else ())]


def _cause(
    lost_m2: Mapping[str, float], cause: str, cameras: list[str], down: Mapping[str, Outage], tops: Iterable[str]
) -> CauseOut:
    kind, _, uplink = cause.partition(":")
    outage = down.get(uplink)
    return CauseOut(
        cause=kind,
        uplink=uplink or None,
        cameras=cameras,
        lost_m2=round(sum(lost_m2.get(place, 0.0) for place in tops), 1),
        incident=outage.incident if outage else None,
        since=iso(outage.began_s) if outage else None,
    )


def tops_of(site: Site, shown: Sequence[str]) -> list[str]:
    """Of some places those that lie in no other one of them: together they are all of the ground, none of it twice."""
    return [place for place in shown if not _above(site, place) & set(shown)]


def _above(site: Site, place: str) -> set[str]:
    found, name = set[str](), site.place_by_id[place].parent
    while name in site.place_by_id and name not in found:
        found.add(name)
        name = site.place_by_id[name].parent
    return found
