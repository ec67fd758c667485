"""What a site calls covered, and what ground matters how much: the table `[coverage]` of `site.toml`."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Band", "CoverageRules", "Layer", "Light", "PatrolStops", "Stream"]


class Stream(StrEnum):
    """Which picture: the one a machine analyses, or the one that is kept as evidence."""

    ANALYSED = "analysed"
    RECORDED = "recorded"


class Band(StrEnum):
    """What can be told of a person, from least to most: the steps of IEC 62676-4:2014."""

    MONITOR = "monitor"
    DETECT = "detect"
    OBSERVE = "observe"
    RECOGNISE = "recognise"
    IDENTIFY = "identify"


class Light(StrEnum):
    DAY = "day"
    NIGHT = "night"


class PatrolStops(StrEnum):
    """What becomes of important ground that stopped being covered."""

    PROPOSED = "proposed"  # a patrol stop that a dispatcher makes with one press
    AUTOMATIC = "automatic"  # a patrol stop at once


@dataclass(frozen=True, slots=True)
class Layer:
    """One question to the map: which picture, how finely, in which light."""

    stream: Stream
    band: Band
    light: Light = Light.DAY


@dataclass(frozen=True, slots=True)
class CoverageRules:
    """Ground is covered where a working camera shows it in the `stream` with the pixels per metre of the `band`, by day.

    The pixels per metre are those of IEC 62676-4:2014; they rise from band to band. Weights say for how many square metres more
    each square metre of important ground counts.
    """

    stream: Stream = Stream.RECORDED
    band: Band = Band.DETECT
    monitor_ppm: float = 12.5
    detect_ppm: float = 25.0
    observe_ppm: float = 62.5
    recognise_ppm: float = 125.0
    identify_ppm: float = 250.0
    target_m: float = 1.0  # above the ground: the middle of a person
    day_range_m: float = 300.0  # what is further away, haze and trees hide, whatever the lens
    night_range_m: float = 30.0  # of a camera that says nothing of its own: the usual built-in infrared lamp
    some_share: float = 0.01  # covered share from which on a compound has some coverage
    complete_share: float = 0.95  # from which on it is covered completely: roofs, hedges and parked cars make 1 unreachable
    blind_min_m2: float = 20.0  # smaller blind spots are not listed
    gate_weight: float = 5.0
    lane_weight: float = 2.0
    play_area_weight: float = 3.0
    key_node_weight: float = 8.0
    patrol: PatrolStops = PatrolStops.PROPOSED
    patrol_min_m2: float = 30.0  # important ground of a grid cell that must be lost before a patrol stop is proposed there ...
    patrol_after_min: float = 5.0  # ... for so long: what reconnects by itself sends nobody out

    @property
    def layer(self) -> Layer:
        """The layer that decides what is covered."""
        return Layer(self.stream, self.band)

    def ppm(self, band: Band) -> float:
        """Pixels per metre from which on `band` holds."""
        return float(getattr(self, f"{band}_ppm"))
