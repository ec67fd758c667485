"""Every fuzz target by name, and the inputs that are kept for it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

__all__ = ["CORPUS", "TARGETS", "Target", "kept_inputs", "load"]

CORPUS = Path(__file__).parent / "corpus"

FuzzTarget = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where `fuzz_<name>` stands, how long inputs may become, and whose code tells the fuzzer where it is (`packages`)."""

    name: str
    module: str
    most_bytes: int = 4096
    packages: tuple[str, ...] = ("base", "ingest")


_SITE, _DETECT = ("base", "camera_config"), ("base", "detect")
TARGETS = {
    target.name: target
    for target in (
        Target("message", "rtsp_targets", 20_000),
        Target("session", "rtsp_targets", 16_000),
        Target("datagrams", "rtsp_targets", 8192),
        Target("sdp", "rtsp_targets", 8192),
        Target("challenge", "rtsp_targets", 16_000),
        Target("address", "rtsp_targets"),
        Target("simulator", "rtsp_targets", 16_000),
        Target("rtp", "media_targets"),
        Target("calm", "media_targets", 8192),
        Target("h264", "media_targets"),
        Target("h265", "media_targets"),
        Target("jpeg", "media_targets"),
        Target("parameter_sets", "media_targets", 1024),
        Target("timeline", "media_targets", 2048),
        Target("clip_facts", "media_targets", 1024),
        Target("onvif", "onvif_targets"),
        Target("site_toml", "site_targets", 2048, _SITE),
        Target("cameras_csv", "site_targets", packages=_SITE),
        Target("cameras_toml", "site_targets", packages=_SITE),
        Target("places_geojson", "site_targets", packages=_SITE),
        Target("paths_geojson", "site_targets", packages=_SITE),
        Target("ground_geojson", "site_targets", packages=_SITE),
        Target("rules_toml", "site_targets", packages=_SITE),
        Target("masks_toml", "site_targets", packages=_SITE),
        Target("teams_toml", "site_targets", packages=_SITE),
        Target("dispatch_toml", "site_targets", packages=_SITE),
        Target("limits_toml", "site_targets", packages=_SITE),
        Target("rounds_toml", "site_targets", packages=_SITE),
        Target("desks_toml", "site_targets", packages=_SITE),
        Target("assessment_toml", "site_targets", 1024, _SITE),
        Target("notifications_toml", "site_targets", packages=_SITE),
        Target("secrets_toml", "site_targets", 2048, _SITE),
        Target("credentials_toml", "site_targets", 2048, _SITE),
        Target("model_card", "detect_targets", packages=_DETECT),
        Target("onnx_file", "detect_targets", packages=_DETECT),
        Target("outbox_event", "detect_targets", packages=_DETECT),
        Target("outbox_folder", "detect_targets", packages=_DETECT),
        Target("offer", "dashboard_targets", 16_000, ("aiortc", "base", "dashboard")),
        Target("photo", "dashboard_targets", packages=("base", "dashboard")),
    )
}


def load(name: str) -> FuzzTarget:
    """The function of a target; importing it imports the parser, so a fuzzer must be listening to imports by then."""
    function: FuzzTarget = getattr(import_module(f"tests.fuzz.{TARGETS[name].module}"), f"fuzz_{name}")
    return function


def kept_inputs(name: str) -> list[Path]:
    """The committed inputs of a target, in the order of their names."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
