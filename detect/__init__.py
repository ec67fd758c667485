"""Hops 4–7: frames → motion → objects → tracks → rules → events on stable storage.

In: `FrameBatch`es of one worker's cameras, rules, networks. Out: `Event`s with their best snapshot, an `Outbox` that keeps them,
and calls of `wake` for cameras worth a closer look. Read `pipeline.py` first; `background.py` is where the time goes.
"""

from detect.background import Backgrounds
from detect.budget import Choice, Costs, Want, choose
from detect.cards import Card, check, fetch, find_file, list_cards
from detect.crops import cut_crops
from detect.ledger import CODE, WatchLedger
from detect.motion import Regions, find_regions
from detect.networks import CropNetwork, Detections, Detector, Networks, load_networks
from detect.objects import CropClassifier, Judges, PictureDetector
from detect.outbox import Outbox
from detect.packet_tier import PacketTier
from detect.pipeline import DetectStats, Pipeline
from detect.replay import replay
from detect.rules import refusal
from detect.samples import SampleCounts, Samples
from detect.second_opinion import LookAside
from detect.settings import DEFAULT_WATCH, DetectSettings, WatchSettings
from detect.tuning import Threshold, Trial, run_trials, trials_of
from detect.vain import VainWakes
from detect.wake import NOT_ARMED, TIER_OF, Turn, WakeCause, Wakes

__all__ = [
    "CODE",
    "DEFAULT_WATCH",
    "NOT_ARMED",
    "TIER_OF",
    "Backgrounds",
    "Card",
    "Choice",
    "Costs",
    "CropClassifier",
    "CropNetwork",
    "DetectSettings",
    "DetectStats",
    "Detections",
    "Detector",
    "Judges",
    "LookAside",
    "Networks",
    "Outbox",
    "PacketTier",
    "PictureDetector",
    "Pipeline",
    "Regions",
    "SampleCounts",
    "Samples",
    "Threshold",
    "Trial",
    "Turn",
    "VainWakes",
    "WakeCause",
    "Wakes",
    "Want",
    "WatchLedger",
    "WatchSettings",
    "check",
    "choose",
    "cut_crops",
    "fetch",
    "find_file",
    "find_regions",
    "list_cards",
    "load_networks",
    "refusal",
    "replay",
    "run_trials",
    "trials_of",
]
