"""The plan of a simulation: which cameras, what each shows, and what goes wrong with it when. YAML in, frozen values out."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import yaml

from base import ConfigError
from camera_config.demo_scenes import LIGHTS, SCENES
from ingest.simulate.clip import SceneSpec

__all__ = ["Fault", "FaultKind", "SimCamera", "SimPlan", "SlowPhase", "load_plan"]

_MOST_CAMERAS = 10_000


class FaultKind(StrEnum):
    """What can go wrong with a simulated camera; docs/ref/simulate-plan.md tells what a client sees."""

    STOP = "stop"
    STALL = "stall"
    SILENT = "silent"
    RESET = "reset"
    SLOW_LORIS = "slow_loris"
    GARBAGE = "garbage"
    BAD_RTP = "bad_rtp"
    BAD_LENGTH = "bad_length"
    OTHER_SSRC = "other_ssrc"
    CUT_FRAGMENT = "cut_fragment"
    NO_KEY = "no_key"
    NO_SETS = "no_sets"
    HUGE = "huge"
    FLOOD = "flood"
    RESOLUTION = "resolution"
    CLOCK_JUMP = "clock_jump"
    WRAP = "wrap"
    REFUSE = "401"
    REDIRECT = "redirect"
    CONTROL = "control"


class SlowPhase(StrEnum):
    """What a slow loris sends a byte a second of: the answer to one method, or the media."""

    OPTIONS = "options"
    DESCRIBE = "describe"
    SETUP = "setup"
    PLAY = "play"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, `at_s` seconds after the simulation started, lasting `for_s` (0: until the end; a reset is a moment)."""

    kind: FaultKind
    at_s: float
    for_s: float = 10.0
    jump_s: float = 3600.0  # clock_jump only: how far the camera's clock and its RTP timestamps jump
    width_px: int = 320  # resolution only
    height_px: int = 180
    phase: SlowPhase = SlowPhase.DESCRIBE  # slow_loris only
    mbit_per_s: float = 50.0  # flood only


@dataclass(frozen=True, slots=True)
class SimCamera:
    """One camera: a drawn scene, or a video `file`. `offset_s` is where in its loop it is when the simulation starts."""

    id: str
    scene: str = "street"
    light: str = "day"
    variant: int = 0
    trespass: bool = True
    offset_s: float = 0.0
    file: Path | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class SimPlan:
    """Everything `Simulator` needs but the pictures. Without `user`, clients need no password."""

    cameras: tuple[SimCamera, ...]
    fps: int = 15
    loop_s: float = 60.0
    user: str = ""
    password: str = field(default="", repr=False)
    seed: int = 1  # of the RTP sequence numbers, SSRCs and garbage

    @classmethod
    def numbered(cls, count: int, fps: int = 15, seed: int = 1, variants: int = 1) -> "SimPlan":
        """`count` cameras c0001, c0002, … over all scenes and lights, each at its own random moment of the loop.

        They share at most 12 clips per variant.
        """
        rng = random.Random(seed)
        cameras = []
        for index in range(count):
            scene = SCENES[index % len(SCENES)]
            light = LIGHTS[index // len(SCENES) % len(LIGHTS)]
            variant = index // (len(SCENES) * len(LIGHTS)) % variants
            offset_s = round(rng.uniform(0, 60), 4)
            cameras.append(SimCamera(f"c{index + 1:04d}", scene, light, variant, offset_s=offset_s))
        return cls(tuple(cameras), fps=fps, seed=seed)

    def spec(self, camera: SimCamera) -> SceneSpec | Path:
        """What the clip of `camera` is made from."""
        if camera.file is not None:
            return camera.file
        return SceneSpec(camera.scene, camera.light, camera.variant, fps=self.fps, loop_s=self.loop_s, trespass=camera.trespass)

    def clip_name(self, camera: SimCamera) -> str:
        """The key of the camera's clip in the mapping given to `Simulator`."""
        spec = self.spec(camera)
        return spec.name if isinstance(spec, SceneSpec) else str(spec)

    def specs(self) -> dict[str, SceneSpec | Path]:
        """Every clip this plan needs, by name, without the changed resolutions of faults."""
        return {self.clip_name(camera): self.spec(camera) for camera in self.cameras}


def load_plan(source: Path | str) -> SimPlan:
    """A plan from a YAML file, or from YAML text; raises ConfigError naming file, line, key, value and what is allowed."""
    name, folder, text = "plan", Path(), source
    if isinstance(source, Path):
        name, folder = str(source), source.parent
        try:
            text = source.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{source}: expected readable UTF-8 text: {error}") from None
    try:
        node = yaml.compose(str(text), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {error}") from None
    return _plan(_Table(name, "", node, folder))


class _Table:
    """A YAML mapping that knows its line; hands out checked values and refuses keys nobody asked for."""

    def __init__(self, name: str, path: str, node: yaml.Node | None, folder: Path) -> None:
        self.name, self.path, self.node, self.folder = name, path, node, folder
        self.values: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            raise self.error("", f"expected a mapping of keys to values, got {_shown(node)}")
        for key, value in node.value:
            text = str(key.value)
            if text in self.values:
                raise self.error(text, "the key is there twice", value)
            self.values[text] = value

    def error(self, key: str, problem: str, node: yaml.Node | None = None) -> ConfigError:
        at = node or self.values.get(key) or self.node
        line = at.start_mark.line + 1 if at is not None else 1
        place = ".".join(part for part in (self.path, key) if part)
        return ConfigError(f"{self.name}:{line}: {place + ': ' if place else ''}{problem}")

    def only(self, *allowed: str) -> None:
        for key in self.values:
            if key not in allowed:
                raise self.error(key, f"unknown key; allowed are {', '.join(allowed)}")

    def text(self, key: str, default: str | None = None, allowed: tuple[str, ...] = ()) -> str:
        node = self.values.get(key)
        if node is None and default is not None:
            return default
        expected = f"one of {', '.join(allowed)}" if allowed else "a text"
        if node is None:
            raise self.error(key, f"missing; expected {expected}")
        if not isinstance(node, yaml.ScalarNode) or not node.value or (allowed and node.value not in allowed):
            raise self.error(key, f"expected {expected}, got {_shown(node)}")
        return str(node.value)

    def number(self, key: str, default: float | None, low: float, high: float) -> float:
        node = self.values.get(key)
        if node is None and default is not None:
            return default
        if node is None:
            raise self.error(key, f"missing; expected a number from {low:g} to {high:g}")
        try:
            value = float(node.value) if isinstance(node, yaml.ScalarNode) else float("nan")
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise self.error(key, f"expected a number from {low:g} to {high:g}, got {_shown(node)}")
        return value

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.number(key, default, low, high)
        if value != int(value):
            raise self.error(key, f"expected a whole number from {low} to {high}, got {value:g}")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        node = self.values.get(key)
        if node is None:
            return default
        if not isinstance(node, yaml.ScalarNode) or node.value not in ("true", "false"):
            raise self.error(key, f"expected true or false, got {_shown(node)}")
        return bool(node.value == "true")

    def tables(self, key: str) -> Iterator["_Table"]:
        node = self.values.get(key)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(key, f"expected a list, got {_shown(node)}")
        for index, item in enumerate(node.value):
            yield _Table(self.name, f"{self.path + '.' if self.path else ''}{key}[{index}]", item, self.folder)


def _shown(node: yaml.Node | None) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value)
    if node is None:
        return "nothing"
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def _plan(table: _Table) -> SimPlan:
    table.only("fps", "loop_s", "user", "password", "seed", "cameras")
    fps = table.whole("fps", 15, 1, 60)
    loop_s = table.number("loop_s", 60.0, 55.0, 600.0)
    seed = table.whole("seed", 1, 0, 2**31 - 1)
    user, password = table.text("user", ""), table.text("password", "")
    if bool(user) != bool(password):
        raise table.error("user" if user else "password", "user and password belong together; give both or neither")
    if isinstance(table.values.get("cameras"), yaml.ScalarNode):
        count = table.whole("cameras", 0, 1, _MOST_CAMERAS)
        cameras = SimPlan.numbered(count, fps, seed).cameras
    else:
        cameras = tuple(_camera(item) for item in table.tables("cameras"))
    if not 1 <= len(cameras) <= _MOST_CAMERAS:
        raise table.error("cameras", f"expected 1 to {_MOST_CAMERAS} cameras, as a list or as their number, got {len(cameras)}")
    seen: dict[str, int] = {}
    for index, camera in enumerate(cameras):
        if camera.id in seen:
            raise table.error("cameras", f"cameras[{index}].id: {camera.id!r} is already the id of cameras[{seen[camera.id]}]")
        seen[camera.id] = index
    return SimPlan(cameras, fps, loop_s, user, password, seed)


def _camera(table: _Table) -> SimCamera:
    table.only("id", "scene", "light", "variant", "trespass", "offset_s", "file", "faults")
    camera = table.text("id")
    if not camera.replace("-", "").replace("_", "").isalnum() or not camera.isascii():
        raise table.error("id", f"expected letters, digits, - and _, got {camera!r}")
    file = None
    if "file" in table.values:
        for key in ("scene", "light", "variant", "trespass"):
            if key in table.values:
                raise table.error(key, "a camera plays a file or a drawn scene, not both")
        file = (table.folder / table.text("file")).resolve()
        if not file.is_file():
            raise table.error("file", f"expected a video file, found none at {file}")
    return SimCamera(
        id=camera,
        scene=table.text("scene", SCENES[0], SCENES),
        light=table.text("light", LIGHTS[0], LIGHTS),
        variant=table.whole("variant", 0, 0, 9999),
        trespass=table.flag("trespass", True),
        offset_s=table.number("offset_s", 0.0, 0.0, 86_400.0),
        file=file,
        faults=tuple(_fault(item) for item in table.tables("faults")),
    )


_OWN_KEYS: Mapping[FaultKind, tuple[str, ...]] = {
    FaultKind.RESET: (),
    FaultKind.CLOCK_JUMP: ("for_s", "jump_s"),
    FaultKind.RESOLUTION: ("for_s", "width_px", "height_px"),
    FaultKind.SLOW_LORIS: ("for_s", "phase"),
    FaultKind.FLOOD: ("for_s", "mbit_per_s"),
}


def _fault(table: _Table) -> Fault:
    kind = FaultKind(table.text("kind", None, tuple(FaultKind)))
    table.only("kind", "at_s", *_OWN_KEYS.get(kind, ("for_s",)))
    width_px, height_px = table.whole("width_px", 320, 64, 3840), table.whole("height_px", 180, 64, 2160)
    for key, value in (("width_px", width_px), ("height_px", height_px)):
        if value % 2:
            raise table.error(key, f"expected an even number, got {value}")
    return Fault(
        kind=kind,
        at_s=table.number("at_s", None, 0.0, 1e7),
        for_s=table.number("for_s", 10.0, 0.0, 1e7),
        jump_s=table.number("jump_s", 3600.0, -1e9, 1e9),
        width_px=width_px,
        height_px=height_px,
        phase=SlowPhase(table.text("phase", SlowPhase.DESCRIBE, tuple(SlowPhase))),
        mbit_per_s=table.number("mbit_per_s", 50.0, 1.0, 200.0),
    )
