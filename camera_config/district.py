"""The demo sub-district: fictional, plausible, the same for the same seed.

`python -m camera_config.district --seed 727 --out FOLDER` writes it as a site folder, with the plan of what its cameras show.
"""

import argparse
import random
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from base import ConfigError, EventKind, GridpatrolError, StorageError
from camera_config.demo_cameras import Mount, hang_cameras
from camera_config.demo_desks import make_desks
from camera_config.demo_ground import Uplinks, make_gates, make_play_areas, make_poles, make_walls
from camera_config.demo_layout import draw_plan
from camera_config.demo_names import DISTRICT
from camera_config.demo_paths import make_ways
from camera_config.demo_places import NamedPlan, make_places, name_plan
from camera_config.demo_rounds import make_rounds
from camera_config.demo_scenes import FORBIDDEN_ZONE, FORBIDDEN_ZONE_NAME, LIGHTS, SCENES, SceneAssignment
from camera_config.demo_teams import HOLIDAYS, make_checkpoints, make_dispatch_rules, make_teams
from camera_config.site import Camera, CompoundKind, Credential, Name, PlaceKind, Rule, Site
from camera_config.write import write_site, write_text

__all__ = ["CAMERAS", "PORT", "District", "main", "make_district", "write_district"]

CAMERAS = 727
PORT = 8554  # of the simulator; the usual one for RTSP servers without root rights
PLAN = "simulate.yaml"

_FPS = 15
_LOOP_S = 60.0
_VARIANTS = 2  # of each scene and light, so 24 clips for all cameras
_LOGIN = "demo"
_LEADERS = 4  # compounds that, with one camera for each scene, make up the first 16
# Light of the first 16 cameras by scene, one a compound. Each clip takes some ten seconds to draw, so they are shared.
_FIRST_LIGHTS = {
    "street": ("day", "night", "rain", "day"),
    "courtyard": ("day", "night", "night", "night"),
    "gate": ("day", "night", "day", "day"),
    "car_park": ("day", "night", "day", "night"),
}
_FIRST_TRESPASSES = {
    2: 12.0,
    7: 44.0,
}  # camera -> offset: an alarm soon after the start, another half a minute later
_TRESPASSES = frozenset({("courtyard", "day"), ("gate", "night")})  # the clips in which somebody does
_TRESPASS_RATE = 0.1


@dataclass(frozen=True, slots=True)
class District:
    """A demo site and what its cameras show."""

    site: Site
    scenes: Mapping[str, SceneAssignment]

    def scene_of(self, camera: str) -> SceneAssignment:
        """What a camera shows; KeyError if there is no such camera."""
        return self.scenes[camera]

    def plan_yaml(self) -> str:
        """The plan for the simulator, without the login, which is in `secrets.toml`."""
        lines = [f"# What the demo cameras show.\nfps: {_FPS}\nloop_s: {_LOOP_S}\ncameras:\n"]
        for camera, shows in self.scenes.items():
            values = {
                "id": camera,
                "scene": shows.scene,
                "light": shows.light,
                "variant": shows.variant,
                "trespass": str(shows.trespass).lower(),
                "offset_s": shows.offset_s,
            }
            lines.append(f"  - {{{', '.join(f'{key}: {value}' for key, value in values.items())}}}\n")
        return "".join(lines)


def make_district(seed: int = 727, cameras: int = CAMERAS, port: int = PORT, password: str = "") -> District:
    """The sub-district with the first `cameras` of its 727; all depends on `seed` alone, but for a password nobody gave."""
    if not 1 <= cameras <= CAMERAS:
        raise ConfigError(f"cameras: expected 1 to {CAMERAS}, got {cameras}")
    if not 1 <= port <= 65535:
        raise ConfigError(f"port: expected 1 to 65535, got {port}")
    rng = random.Random(seed)
    plan = name_plan(rng, draw_plan(rng))
    places = make_places(rng, plan)
    hung = _in_order(plan, hang_cameras(rng, plan.drawn.blocks, CAMERAS))
    scenes = {f"c{number:04d}": _scene(rng, number, mount) for number, (_, mount) in enumerate(hung, 1)}
    severities = {camera: _severity(rng, number) for number, camera in enumerate(scenes, 1)}
    kept = list(scenes)[:cameras]
    uplinks = Uplinks()
    teams, checkpoints = make_teams(plan), make_checkpoints(plan)
    site = Site(
        folder=Path(),
        id=f"demo-{seed}",
        name=Name(f"{DISTRICT.zh}街道(演示)", f"{DISTRICT.en} Sub-district (demo)"),
        timezone="Asia/Shanghai",
        cameras=tuple(
            _camera(plan, camera, index, mount, port, uplinks.next(plan.compound_id[index]))
            for camera, (index, mount) in zip(kept, hung, strict=False)
        ),
        places=places,
        rules=_rules({camera: (scenes[camera].scene, severities[camera]) for camera in kept}),
        teams=teams,
        checkpoints=checkpoints,
        credentials=(Credential(_LOGIN, _LOGIN, password or secrets.token_hex(12)),),
        holidays=HOLIDAYS,
        ways=make_ways(plan),
        dispatch=make_dispatch_rules(),
        rounds=make_rounds(teams, checkpoints),
        desks=make_desks(),
        walls=make_walls(plan),
        gates=make_gates(plan),
        play_areas=make_play_areas(plan),
        poles=make_poles(plan),
    )
    return District(site, {camera: scenes[camera] for camera in kept})


def write_district(district: District, folder: Path) -> Site:
    """Write the site and `simulate.yaml`, and return the site; refuses a folder that holds anything but a demo."""
    if folder.exists() and not (folder.is_dir() and ((folder / PLAN).exists() or not any(folder.iterdir()))):
        raise ConfigError(f"{folder}: expected a new or empty folder, or one with an earlier demo; what is there stays untouched")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot make this folder: {error.strerror}") from None
    write_text(folder / PLAN, district.plan_yaml())  # first: it marks the folder as a demo, should the rest be cut short
    write_site(district.site, folder)
    return replace(district.site, folder=folder)


def _in_order(plan: NamedPlan, mounts: Sequence[Sequence[Mount]]) -> list[tuple[int, Mount]]:
    """All cameras with their compound, outwards from the middle; first one for each scene in four neighbouring compounds."""
    blocks = plan.drawn.blocks
    middle = plan.drawn.outline.centroid
    homes = [block for block in blocks if block.kind is CompoundKind.RESIDENTIAL]
    focus = min(homes, key=lambda block: block.outline.distance(middle)).outline.centroid
    by_distance = sorted(range(len(blocks)), key=lambda index: blocks[index].outline.centroid.distance(focus))
    leaders = [index for index in by_distance if blocks[index].kind is not CompoundKind.ROAD][:_LEADERS]
    first = [(index, next(mount for mount in mounts[index] if mount.scene == scene)) for index in leaders for scene in SCENES]
    taken = set(first)
    return first + [(index, mount) for index in by_distance for mount in mounts[index] if (index, mount) not in taken]


def _scene(rng: random.Random, number: int, mount: Mount) -> SceneAssignment:
    """The first 16 cameras share nine clips, two of them with a trespasser; of the others one in about fifty has one."""
    offset_s = round(rng.uniform(0, _LOOP_S), 1) % _LOOP_S
    light, variant = rng.choices(LIGHTS, (5, 3, 2))[0], rng.randrange(_VARIANTS)
    trespass = (mount.scene, light) in _TRESPASSES and rng.random() < _TRESPASS_RATE
    if number <= _LEADERS * len(SCENES):
        light, variant = _FIRST_LIGHTS[mount.scene][(number - 1) // len(SCENES)], 0
        trespass, offset_s = number in _FIRST_TRESPASSES, _FIRST_TRESPASSES.get(number, offset_s)
    return SceneAssignment(mount.scene, light, 0 if trespass else variant, offset_s, trespass)


def _severity(rng: random.Random, number: int) -> int:
    """Mixed; exactly one of the first 16 is of the highest."""
    drawn: int = rng.choices((1, 2, 3), (1, 4, 5))[0]
    return drawn if number > _LEADERS * len(SCENES) else 1 if number == 2 else 2 + number % 2


def _camera(plan: NamedPlan, camera: str, index: int, mount: Mount, port: int, uplink: str) -> Camera:
    lon, lat = plan.drawn.plan.lonlat(mount.x, mount.y)
    compound = plan.compound_name[index]
    url = f"rtsp://127.0.0.1:{port}/{camera}"
    return Camera(
        id=camera,
        name=Name(f"{compound.zh}{mount.name.zh}", f"{compound.en}, {mount.name.en}"),
        compound=plan.compound_id[index],
        grid_cell=plan.cell_id[index][mount.cell],
        lon=lon,
        lat=lat,
        height_m=mount.height_m,
        azimuth_deg=plan.drawn.plan.azimuth_deg(mount.x, mount.y, mount.dx, mount.dy),
        tilt_deg=mount.tilt_deg,
        hfov_deg=mount.hfov_deg,
        url_sub=f"{url}/sub",
        url_main=f"{url}/main",
        credential=_LOGIN,
        recorded_px=mount.recorded_px,
        night_range_m=mount.night_range_m,
        uplink=uplink,
    )


def _rules(watched: Mapping[str, tuple[str, int]]) -> tuple[Rule, ...]:
    """One intrusion rule for each camera; those of the same scene and severity together, to share a table in the file."""
    rules = []
    for camera, (scene, severity) in sorted(watched.items(), key=lambda item: (SCENES.index(item[1][0]), item[1][1], item[0])):
        zone, name = FORBIDDEN_ZONE[scene], FORBIDDEN_ZONE_NAME[scene]
        rules.append(Rule(camera, "no-entry", EventKind.INTRUSION, zone, name, dwell_s=1.0, dead_time_s=120.0, severity=severity))
    return tuple(rules)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m camera_config.district", description="Write the demo sub-district as a site folder."
    )
    parser.add_argument("--seed", type=int, default=727, help="which district (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--cameras", type=int, default=CAMERAS, help="only the first so many (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="of the simulator's RTSP server (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        site = write_district(make_district(options.seed, options.cameras, options.port), options.out)
    except GridpatrolError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    kinds = [place.kind for place in site.places]
    counts = (
        f"{kinds.count(PlaceKind.COMPOUND)} compounds, {kinds.count(PlaceKind.GRID_CELL)} grid cells, {len(site.teams)} teams"
    )
    sys.stdout.write(f"{options.out}: {len(site.cameras)} cameras, {counts}, {len(site.checkpoints)} checkpoints\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
