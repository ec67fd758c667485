"""A site of a few cameras around one point, built by hand: what the tests of the running whole need, and no more."""

from pathlib import Path

from base import EventKind
from camera_config import (
    Camera,
    CompoundKind,
    Credential,
    Name,
    Place,
    PlaceKind,
    Rule,
    Schedule,
    Site,
    Team,
    TeamKind,
)

__all__ = ["WHOLE_PICTURE", "small_site"]

WHOLE_PICTURE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_LON, _LAT = 121.5, 30.5


def small_site(
    folder: Path,
    urls: dict[str, str],
    *,
    zones: dict[str, tuple[tuple[float, float], ...]] | None = None,
    labels: tuple[str, ...] = ("person",),
    dwell_s: float = 1.0,
    dead_time_s: float = 120.0,
    min_score: float = 0.5,
    severity: int = 2,
    login: tuple[str, str] | None = None,
) -> Site:
    """One compound, one cell, one team on duty; a camera per entry of `urls`, each with an intrusion rule in its zone."""
    cameras = tuple(
        Camera(
            id=camera,
            name=Name(f"摄像机{number}", f"Camera {number}"),
            compound="p01",
            grid_cell="g01",
            lon=_LON + 0.0004 * number,
            lat=_LAT + 0.0004,
            height_m=4.0,
            azimuth_deg=45.0 * number % 360,
            tilt_deg=15.0,
            hfov_deg=80.0,
            url_sub=url,
            credential="all" if login else "",
        )
        for number, (camera, url) in enumerate(urls.items(), 1)
    )
    rules = tuple(
        Rule(
            camera=camera,
            name=f"{camera}-yard",
            kind=EventKind.INTRUSION,
            zone=(zones or {}).get(camera, WHOLE_PICTURE),
            zone_name=Name("禁区", "Closed yard"),
            labels=labels,
            schedule=Schedule.parse("always"),
            dwell_s=dwell_s,
            dead_time_s=dead_time_s,
            severity=severity,
            min_score=min_score,
        )
        for camera in urls
    )
    return Site(
        folder=folder,
        id="small",
        name=Name("小街道", "Small sub-district"),
        timezone="Asia/Shanghai",
        cameras=cameras,
        places=_places(),
        rules=rules,
        teams=(Team("t01", Name("一队", "Team 1"), TeamKind.POLICE_POST, ("g01",), Schedule.parse("always"), (_LON, _LAT)),),
        checkpoints=(),
        credentials=(Credential("all", *login),) if login else (),
    )


def _places() -> tuple[Place, ...]:
    return (
        _place("d01", PlaceKind.SUB_DISTRICT, "街道", "Sub-district", "", 0.020),
        _place("m01", PlaceKind.COMMUNITY, "社区", "Community", "d01", 0.018),
        _place("p01", PlaceKind.COMPOUND, "小区", "Compound", "m01", 0.016, CompoundKind.RESIDENTIAL),
        _place("g01", PlaceKind.GRID_CELL, "网格", "Cell", "p01", 0.014),
    )


def _place(
    id_: str, kind: PlaceKind, zh: str, en: str, parent: str, half_deg: float, compound: CompoundKind | None = None
) -> Place:
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    outline = tuple((_LON + x * half_deg, _LAT + y * half_deg) for x, y in corners)
    return Place(id_, kind, Name(zh, en), parent, outline, compound)
