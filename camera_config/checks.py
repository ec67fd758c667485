"""What must fit together in a site: ids exist, each once; places touch their parents; points lie inside the sub-district."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import shapely
from shapely.geometry import LineString, Polygon

from camera_config.dispatch_rules import Minimum
from camera_config.entry import Entry, Found, shown
from camera_config.gcj02 import wgs84_from_gcj02
from camera_config.read_places import PlacesFile
from camera_config.shapes import district_problem, gcj02_hint
from camera_config.site import Camera, Credential, Place, PlaceKind, Rule, Team, Way

__all__ = ["FoundSite", "check_logins", "check_site"]

T = TypeVar("T")

# Which kinds of place may be the parent of a kind; a cell may span compounds, and a compound may lie in no community.
PARENT_KINDS = {
    PlaceKind.SUB_DISTRICT: (),
    PlaceKind.COMMUNITY: (PlaceKind.SUB_DISTRICT,),
    PlaceKind.COMPOUND: (PlaceKind.COMMUNITY, PlaceKind.SUB_DISTRICT),
    PlaceKind.GRID_CELL: (PlaceKind.COMPOUND, PlaceKind.COMMUNITY),
    PlaceKind.BUILDING: (PlaceKind.GRID_CELL, PlaceKind.COMPOUND),
}
_WAY_DEG = 0.05  # about 5 km: ways may lead round the sub-district
_WIDEST_DEG = 1.0  # about 100 km: the largest sub-districts are a third of that
_FAR_DEG = 0.001  # about 100 m; further from its compound than that, a camera is asked whether it is GCJ-02


@dataclass(frozen=True, slots=True)
class FoundSite:
    """Everything read from a folder; None where a file could not be read, so that nothing is blamed on its absence."""

    cameras: tuple[Found[Camera], ...] | None
    places: PlacesFile
    rules: tuple[Found[Rule], ...]
    teams: tuple[Found[Team], ...]
    credentials: tuple[Found[Credential], ...] | None
    ways: tuple[Found[Way], ...] = ()
    minimums: tuple[Found[Minimum], ...] = ()


def check_site(site: FoundSite) -> None:
    """Note everything that does not fit together, on the entries it is about. Pure: reads no file and asks no camera."""
    _check_unique(site.cameras or ())
    _check_codes(site.cameras or ())
    _check_unique(site.places.places)
    _check_unique(site.places.checkpoints)
    _check_unique(site.teams)
    _check_rules(site)
    if site.credentials is not None:
        names = {found.id for found in site.credentials}
        for found in site.cameras or ():
            if found.value and found.value.credential and found.value.credential not in names:
                found.entry.refuse("credential", f"{_unknown('login', names)}, got {shown(found.value.credential)}")
        _check_unique(site.credentials)
        check_logins({found.value.credential for found in site.cameras or () if found.value}, site.credentials)
    if site.places.readable:
        _check_places(site)


def check_logins(used: Collection[str], credentials: Sequence[Found[Credential]]) -> None:
    """Note which of the secrets `used` for signing in have no user; a key or a token needs none."""
    for found in credentials:
        if found.id in used and found.value is not None and not found.value.user:
            found.entry.refuse("user", "missing; whoever signs in with it needs a user name")


def _check_unique(group: Sequence[Found[T]]) -> None:
    first: dict[str, Entry] = {}
    for found in group:
        if found.id and found.id in first:
            other = first[found.id]
            found.entry.refuse("id", f"expected each id once, got {shown(found.id)} again (first in line {other.line_of('id')})")
        elif found.id:
            first[found.id] = found.entry


def _check_codes(cameras: Sequence[Found[Camera]]) -> None:
    first: dict[str, str] = {}
    for found in cameras:
        code = found.value.gb_code if found.value else ""
        if code and first.setdefault(code, found.id) != found.id:
            found.entry.refuse("gb_code", f"expected each code once, got {shown(code)} again (first of {first[code]})")


def _check_rules(site: FoundSite) -> None:
    cameras = None if site.cameras is None else {found.id for found in site.cameras}
    seen: set[tuple[str, str]] = set()
    for found in site.rules:
        rule = found.value
        if rule is None:
            continue
        if cameras is not None and rule.camera not in cameras:
            found.entry.refuse("camera", f"{_unknown('camera', cameras)}, got {shown(rule.camera)}")
        if (rule.camera, rule.name) in seen:
            found.entry.refuse("name", f"expected each name once for a camera, got {shown(rule.name)} again for {rule.camera}")
        seen.add((rule.camera, rule.name))


def _check_places(site: FoundSite) -> None:
    places = site.places.places
    kinds = {found.id: found.value.kind for found in places if found.value}
    broken = {found.id for found in places if not found.value}  # they exist, but nothing is known of them
    tops = [found for found in places if found.value and found.value.kind is PlaceKind.SUB_DISTRICT]
    shapes = {found.id: Polygon(found.value.outline) for found in places if found.value}
    for found in tops[1:]:
        found.entry.refuse("kind", f"expected one sub_district, got another (first is {shown(tops[0].id)})")
    if not tops and not broken and places:
        places[0].entry.refuse("kind", "expected one feature of kind sub_district in the file, found none")
    for found in places:
        west, south, east, north = shapes[found.id].bounds if found.value else (0.0, 0.0, 0.0, 0.0)
        if max(east - west, north - south) > _WIDEST_DEG:
            found.entry.refuse("geometry", f"expected an outline at most {_WIDEST_DEG:g} degree wide and high")
        if found.value and found.value.kind is not PlaceKind.SUB_DISTRICT and found.value.parent not in broken:
            _check_parent(found, found.value, kinds, shapes)
    _check_references(site, kinds, broken)
    if tops and tops[0].value:
        _check_positions(site, shapes[tops[0].id], shapes)


def _check_parent(found: Found[Place], place: Place, kinds: dict[str, PlaceKind], shapes: dict[str, Polygon]) -> None:
    allowed = PARENT_KINDS[place.kind]
    expected = f"expected the id of a {' or '.join(allowed)}"
    if place.parent not in kinds:
        found.entry.refuse("parent", f"{expected}, got {shown(place.parent)}, which is no place of this file")
    elif kinds[place.parent] not in allowed:
        found.entry.refuse("parent", f"{expected}, got {shown(place.parent)}, which is a {kinds[place.parent]}")
    elif place.id != place.parent and not shapes[place.id].intersects(shapes[place.parent]):
        swapped = shapely.transform(shapes[place.id], lambda points: points[:, ::-1]).intersects(shapes[place.parent])
        hint = "; longitude and latitude look swapped" if swapped else ""
        expected = f"expected an outline within or across that of its parent {place.parent}"
        found.entry.refuse("geometry", f"{expected}, got one wholly outside{hint}")


def _check_references(site: FoundSite, kinds: dict[str, PlaceKind], broken: set[str]) -> None:
    compounds = {place for place, kind in kinds.items() if kind is PlaceKind.COMPOUND}
    cells = {place for place, kind in kinds.items() if kind is PlaceKind.GRID_CELL}
    parent = {found.id: found.value.parent for found in site.places.places if found.value}
    for found in site.cameras or ():
        camera = found.value
        if camera is None:
            continue
        _expect(found.entry, "compound", camera.compound, compounds, broken)
        _expect(found.entry, "grid_cell", camera.grid_cell, cells, broken)
        above = parent.get(camera.grid_cell, "")
        if above in compounds and camera.compound in compounds and above != camera.compound:
            found.entry.refuse(
                "grid_cell", f"expected a grid_cell of compound {camera.compound}, got {camera.grid_cell} of {above}"
            )
    for checkpoint in site.places.checkpoints:
        if checkpoint.value:
            _expect(checkpoint.entry, "grid_cell", checkpoint.value.grid_cell, cells, broken)
    for team in site.teams:
        for cell in team.value.grid_cells if team.value else ():
            _expect(team.entry, "grid_cells", cell, cells, broken)
    for minimum in site.minimums:
        for cell in minimum.value.grid_cells if minimum.value else ():
            _expect(minimum.entry, "grid_cells", cell, cells, broken)


def _check_positions(site: FoundSite, district: Polygon, shapes: dict[str, Polygon]) -> None:
    shapely.prepare(district)
    for found in site.cameras or ():
        camera = found.value
        if camera is None:
            continue
        if problem := district_problem(district, camera.lon, camera.lat):
            found.entry.refuse("lon", problem)
        elif camera.compound in shapes and (hint := _compound_problem(shapes[camera.compound], camera)):
            found.entry.refuse("lon", hint)
    for checkpoint in site.places.checkpoints:
        value = checkpoint.value
        if value and (problem := district_problem(district, value.lon, value.lat)):
            checkpoint.entry.refuse("geometry", problem)
    for team in site.teams:
        if team.value and (problem := district_problem(district, *team.value.home)):
            team.entry.refuse("home", problem)
    reach = district.buffer(_WAY_DEG)
    for way in site.ways:
        if way.value and not reach.intersects(LineString(way.value.line)):
            way.entry.refuse("geometry", "expected a line in or near the sub-district, got one wholly elsewhere")


def _compound_problem(compound: Polygon, camera: Camera) -> str:
    """A camera may hang outside of its compound, but not where a GCJ-02 coordinate of a point inside would put it."""
    if compound.distance(shapely.Point(camera.lon, camera.lat)) < _FAR_DEG:
        return ""
    shifted = wgs84_from_gcj02(camera.lon, camera.lat)
    if not shapely.intersects_xy(compound, *shifted):
        return ""
    return f"expected a point in or near compound {camera.compound}, got {camera.lon}, {camera.lat}; {gcj02_hint(*shifted)}"


def _expect(entry: Entry, key: str, value: str, known: Collection[str], broken: set[str]) -> None:
    if value not in known and value not in broken:
        entry.refuse(key, f"{_unknown('grid_cell' if key == 'grid_cells' else key, known)}, got {shown(value)}")


def _unknown(what: str, known: Collection[str]) -> str:
    some = sorted(known)[:3]
    return f"expected the id of a {what}" + (f", such as {', '.join(some)}" if some else f"; there is no {what}")
