"""What an operator may set about detection; every default has its reason beside it."""

from dataclasses import dataclass

__all__ = ["DEFAULT_WATCH", "DetectSettings", "WatchSettings"]


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """Numbers of hops 4–7. Scores are probabilities 0–1, times seconds of the picture unless said otherwise."""

    wake_score: float = 0.3  # a label this likely on a key frame is worth a closer look: the first look must not miss
    hold_s: float = 6.0  # awake at least this long: three key frames of the usual 2 s GOP without anything relevant
    learn_s: float = 3.0  # awake from its first frame on, so that the background has its two seconds of pictures at once
    follow_s: float = 60.0  # how long a thing keeps its camera awake after its event was raised
    confirm_s: float = 0.3  # a track is confirmed after this long ...
    confirm_hits: int = 3  # ... and this many frames in which it was seen
    coast_s: float = 2.0  # a confirmed track not seen for this long has ended
    min_area: float = 0.0007  # of the picture, in moving pixels: ten of 160x90, a person of 3 % of the picture's height
    max_regions: int = 16  # a camera and frame, the largest: bounds the crops of a crowd or a storm
    uncertain_low: float = 0.35  # best label between these: a public detector, where installed, takes a second look
    uncertain_high: float = 0.75
    second_looks: int = 2  # at most a batch: a detector costs 5–17 ms, the batch's deadline is 50 ms
    jpeg_quality: int = 85
    report_ends: bool = False  # return an event a second time, same id, with `ended_s`, once its track has ended

    def __post_init__(self) -> None:
        for name in ("wake_score", "min_area", "uncertain_low", "uncertain_high"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)}")
        for name in ("hold_s", "learn_s", "follow_s", "confirm_s", "coast_s", "second_looks"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError(f"jpeg_quality: expected 1 to 100, got {self.jpeg_quality}")
        if self.confirm_hits < 1 or self.max_regions < 1:
            raise ValueError(f"confirm_hits: expected 1 or more, as for max_regions, got {self.confirm_hits}, {self.max_regions}")


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Who is looked at closely, and when. Plain values, so that it crosses to a worker process by pickle."""

    budget_cores: float = 0.75  # of a worker, for decoding and analysing pictures; a quarter is always left for awake cameras
    sample_s: float = 10.0  # a forced sample lasts this long: five key frames of the usual 2 s GOP ...
    sample_every_s: float = 3600.0  # ... and each camera with an armed rule is sampled once in this time
    sample_seed: int = 0
    packet_quantile: float = 0.99  # of a camera's own packet sizes: one in a hundred is unusual ...
    packet_octaves: float = 1.0  # ... if it is at least this many factors of two above the median
    packet_hold_s: float = 4.0  # awake for these hints at least this long: until two key frames have been seen
    packet_most_vain: int = 6  # wakes an hour that find nothing before a camera's packets, or its own events, are not listened to

    def __post_init__(self) -> None:
        if not 0 <= self.packet_quantile <= 1:
            raise ValueError(f"packet_quantile: expected 0 to 1, got {self.packet_quantile}")
        for name in ("budget_cores", "sample_s", "packet_hold_s", "packet_most_vain"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        if self.sample_every_s < self.sample_s:
            raise ValueError(f"sample_every_s: expected at least sample_s, {self.sample_s}, got {self.sample_every_s}")


DEFAULT_WATCH = WatchSettings()
