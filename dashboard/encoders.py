"""What the dashboard may ask of cameras' encoders; `fleet/` implements it."""

from dataclasses import dataclass
from typing import Protocol

from camera_config.site import Camera, Site

__all__ = ["EncoderState", "Encoders"]


@dataclass(frozen=True, slots=True)
class EncoderState:
    """What the encoder of an analysed stream is set to, as the device says. `gop_s` is 0 where it does not say."""

    maker: str
    model: str
    codec: str
    width_px: int
    height_px: int
    frames_per_s: float
    gop_s: float
    kbit_per_s: int
    is_short: bool  # key frames are set to come as often as detection needs them


class Encoders(Protocol):
    """Asks the cameras themselves. Any thread; blocks for seconds."""

    def ask(self, site: Site, camera: Camera, change: bool) -> tuple[EncoderState, EncoderState]:
        """How an encoder is set, and how it is after `change`. Raises ConfigError, SourceError."""
        ...
