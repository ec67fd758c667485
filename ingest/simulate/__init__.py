"""Simulated cameras: drawn scenes or video files behind a real RTSP server, for the demo, for tests and for measuring.

In: a plan (YAML, or `SimPlan`). Out: `Simulator`, N cameras on one port in one thread, with the truth about what they show.
Read `server.py` first (the life of a camera), then `plan.py` (what can be asked for), then `scene.py` (how it is drawn).
"""

from ingest.simulate.cache import ClipCache
from ingest.simulate.clip import (
    Clip,
    ClipFrame,
    SceneSpec,
    Sighting,
    TruthBox,
    clip_from_file,
    draw_clip,
    encode,
    resize_clip,
)
from ingest.simulate.plan import Fault, FaultKind, SimCamera, SimPlan, SlowPhase, load_plan
from ingest.simulate.run import run_simulation
from ingest.simulate.server import Appearance, SimStats, Simulator

__all__ = [
    "Appearance",
    "Clip",
    "ClipCache",
    "ClipFrame",
    "Fault",
    "FaultKind",
    "SceneSpec",
    "Sighting",
    "SimCamera",
    "SimPlan",
    "SimStats",
    "Simulator",
    "SlowPhase",
    "TruthBox",
    "clip_from_file",
    "draw_clip",
    "encode",
    "load_plan",
    "resize_clip",
    "run_simulation",
]
