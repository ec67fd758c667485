"""The values that travel between floors, threads and processes. All are frozen; who receives one may keep it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path as FilePath
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Advice",
    "Box",
    "CameraStatus",
    "Clip",
    "ClipGap",
    "ClipGapCause",
    "Codec",
    "Event",
    "EventKind",
    "FrameBatch",
    "Gap",
    "GapCause",
    "Health",
    "Lane",
    "Opinion",
    "Packet",
    "PacketSense",
    "Path",
    "Picture",
    "Quality",
    "Report",
    "StreamName",
    "Tier",
    "Transport",
    "WatchRun",
    "Watched",
    "WorkerStats",
    "uuid7",
]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions 0–1 of the picture."""

Path = tuple[tuple[float, float, float], ...]
"""Where the foot of a thing was: UTC seconds of the picture, x, y as fractions, oldest first."""


class Codec(StrEnum):
    H264 = "h264"
    H265 = "h265"
    MJPEG = "mjpeg"  # each packet a whole JPEG file
    OTHER = "other"


class Transport(StrEnum):
    """What carries a camera's pictures over RTSP. RTSP itself always goes over TCP."""

    TCP = "tcp"
    UDP = "udp"


class StreamName(StrEnum):
    MAIN = "main"
    SUB = "sub"


class Health(StrEnum):
    """From media arriving, never from keep-alive alone."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"


class Quality(StrEnum):
    EXCELLENT = "excellent"
    FAIR = "fair"
    POOR = "poor"
    UNUSABLE = "unusable"


class Lane(StrEnum):
    """How often a camera's socket is swept."""

    QUIET = "quiet"  # every 200 ms
    FAST = "fast"  # every 25 ms: connecting, watched, awake, or so busy that the kernel's buffer would fill up
    CLOSED = "closed"  # never: it waits for its next try


class Advice(StrEnum):
    """What somebody should look at, at the camera or on the way to it. Most urgent first."""

    WRONG_CREDENTIALS = "wrong_credentials"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    UNSUPPORTED_STREAM = "unsupported_stream"  # a codec or transport that our client does not read
    NO_PICTURE = "no_picture"  # it answers, but gives no media
    PACKET_LOSS = "packet_loss"  # more than 1 % of the last minute
    UNSTABLE = "unstable"  # more than five connections or twenty stalls in the last hour
    LOW_FRAME_RATE = "low_frame_rate"  # less than 60 % of what it is used to send
    LONG_GOP = "long_gop"  # key frames more than 8 s apart, a "smart codec"
    CLOCK_SKEW = "clock_skew"  # its clock is more than 2 s off


class GapCause(StrEnum):
    """Why a camera was not seen for a time."""

    STARTING = "starting"  # we had just started, and its turn or its first key frame had not come yet
    CONNECT = "connect"  # nobody answered
    CREDENTIALS = "credentials"  # it refused the configured password
    TOO_MANY_CONNECTIONS = "too_many_connections"
    UNSUPPORTED = "unsupported"  # it sends what our client does not read
    STALL = "stall"  # it stopped sending, or sent nothing that could be shown
    PROTOCOL = "protocol"  # it sent what no standard allows
    ENDED_BY_CAMERA = "ended_by_camera"  # it closed the connection
    WORKER = "worker"  # the worker that reads it was lost
    SITE_STOPPED = "site_stopped"  # Gridpatrol did not run


class Watched(StrEnum):
    """How a camera was watched for a while. The first is all of it, the next two are its key frames only, the rest is nothing.

    From `starting` on they are the causes of gaps.
    """

    FULL = "full"  # every frame was decoded
    QUIET = "quiet"  # key frames: nothing in them was worth more
    BUDGET = "budget"  # key frames: it was worth more, and others had the processor
    NO_FRAME = "no_frame"  # media came, and for a minute no frame of it was analysed
    STARTING = "starting"
    CONNECT = "connect"
    CREDENTIALS = "credentials"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    UNSUPPORTED = "unsupported"
    STALL = "stall"
    PROTOCOL = "protocol"
    ENDED_BY_CAMERA = "ended_by_camera"
    WORKER = "worker"
    SITE_STOPPED = "site_stopped"


class PacketSense(StrEnum):
    """What the sizes of a camera's packets tell tier T0."""

    LEARNING = "learning"  # too few were seen, or no rule is armed
    TELLING = "telling"  # an unusually large one wakes the camera
    SILENT = "silent"  # nothing here: they vary too much, or woke it in vain too often


class EventKind(StrEnum):
    """What a machine observed on one camera. Numbers are alarm types of GB/T 28181 where one exists."""

    MOTION = "motion"  # 2
    OBJECT_LEFT = "object_left"  # 3
    OBJECT_REMOVED = "object_removed"  # 4
    LINE_CROSSING = "line_crossing"  # 5
    INTRUSION = "intrusion"  # 6
    WRONG_WAY = "wrong_way"  # 7
    LOITERING = "loitering"  # 8
    CROWD = "crowd"  # 10
    LANE_BLOCKED = "lane_blocked"
    FAST_MOTION = "fast_motion"  # somebody runs
    ABSENCE = "absence"  # nobody where somebody is expected
    FIRE_SMOKE = "fire_smoke"
    VIDEO_LOSS = "video_loss"
    FROZEN = "frozen"
    COVERED = "covered"
    DEFOCUSED = "defocused"
    SCENE_CHANGED = "scene_changed"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"


class Tier(StrEnum):
    """Which look at the camera saw it first (see docs/design/overview.md)."""

    PACKET = "packet"
    KEY_FRAME = "key_frame"
    AWAKE = "awake"
    FORCED = "forced"


class Opinion(StrEnum):
    """What the second opinion was of an event of severity 1 or 2 before it was raised."""

    NONE = ""  # nobody looked: lower severity, no rule about labels, or no better eyes
    CONFIRMED = "confirmed"
    DOUBTED = "doubted"  # it did not see it as clearly; the score is lower
    CONTRADICTED = "contradicted"  # it saw something else; raised all the same, because the severity is 1
    LATE = "late"  # it did not answer in time


class Packet(NamedTuple):
    """One encoded access unit of one camera. A named tuple, which takes a third of the time to make: there are 11,000 a second.

    `data` is Annex B (ISO/IEC 14496-10 annex B, start codes); a key frame carries its parameter sets in front, so that it
    decodes alone. `time_s` is our own clock, UTC, of the moment shown; `pts_90k` is the unwrapped media time.
    """

    camera: str
    time_s: float
    pts_90k: int
    is_key: bool
    data: bytes
    codec: Codec = Codec.H264
    lost: int = 0  # RTP packets missing just before this access unit


class Picture(Protocol):
    """A decoded frame that hands out pixels on demand, for as long as it is held."""

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Luma u8 (height, width), full decoded size, a view where the decoder allows it."""
        ...

    def bgr(self) -> NDArray[np.uint8]:
        """Colour u8 (height, width, 3), converted at each call."""
        ...


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Frames of different cameras that are analysed in one vectorised call: columns of equal length B.

    `camera` is the row number of the camera in its worker's shard, int32 (B,), each at most once. `time_s` float64 (B,), UTC
    of the moment shown; falls within a camera only when our clock was set back. `luma` u8 (B, H, W), reduced. `is_key` bool
    (B,). `awake` bool (B,): decoded because the gate is open. `picture` has B entries.
    """

    camera: NDArray[np.int32]
    time_s: NDArray[np.float64]
    luma: NDArray[np.uint8]
    is_key: NDArray[np.bool_]
    awake: NDArray[np.bool_]
    picture: Sequence[Picture]

    def __post_init__(self) -> None:
        n = len(self.camera)
        for name in ("time_s", "luma", "is_key", "awake", "picture"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"FrameBatch.{name}: expected {n} rows as in camera, got {len(getattr(self, name))}")
        if self.luma.ndim != 3 or self.luma.dtype != np.uint8:
            raise ValueError(f"FrameBatch.luma: expected u8 (B, H, W), got {self.luma.dtype} {self.luma.shape}")

    def __len__(self) -> int:
        return len(self.camera)


@dataclass(frozen=True, slots=True)
class Event:
    """What a machine observed on one camera, as it leaves the worker. Identified by `id` (UUIDv7) everywhere.

    `began_s` is when the thing was first seen in the picture (start of its track), `raised_s` when the rule was fulfilled; both
    are times of the picture, UTC. `box` and `score` belong to the best snapshot. `snapshot_jpeg` is the full frame at that
    moment without drawings. `seen_by` tells which tier woke the camera. `path`, at most 64 points, is the way of its thing until
    `raised_s`; empty for what is no thing. From the picture in which the rule was fulfilled to the event it took `delay_s` on our
    clock: reading, decoding, analysing; `look_s` of that the second opinion.
    """

    id: str
    camera: str
    kind: EventKind
    label: str
    rule: str
    zone: str
    severity: int
    began_s: float
    raised_s: float
    ended_s: float | None
    score: float
    box: Box
    seen_by: Tier
    network: str = ""
    snapshot_jpeg: bytes = field(default=b"", repr=False)
    path: Path = ()
    opinion: Opinion = Opinion.NONE
    delay_s: float = 0.0
    look_s: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.severity <= 4:
            raise ValueError(f"Event.severity: expected 1 (highest) to 4, got {self.severity}")


class ClipGapCause(StrEnum):
    """Why a part of what a clip should show is not in it."""

    NOT_SENT = "not_sent"  # nothing came from the camera; its own gaps say why
    NOT_KEPT = "not_kept"  # older than what was kept in memory
    CUT = "cut"  # the worker stopped, or had no room for more


@dataclass(frozen=True, slots=True)
class ClipGap:
    """A time, UTC, that belongs to a clip and cannot be played."""

    began_s: float
    ended_s: float
    cause: ClipGapCause


@dataclass(frozen=True, slots=True)
class Clip:
    """The video of an event in a file, as its worker hands it over. `began_s` is the time of its first frame, UTC.

    Every second from five before the event until `ended_s` is in the file or in one of `gaps`, which follow each other in
    time. `codec` is that of the file. `reencoded`: it was decoded and encoded anew, with privacy masks black.
    """

    event: str
    camera: str
    began_s: float
    ended_s: float
    frames: int
    codec: Codec
    width_px: int
    height_px: int
    bytes: int
    sha256: str
    reencoded: bool
    gaps: tuple[ClipGap, ...]
    file: FilePath


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """What a worker knows of one camera's stream. Rates are over the last minute of media."""

    camera: str
    health: Health
    quality: Quality
    since_s: float  # UTC since when this health holds
    last_frame_s: float | None  # UTC of the newest packet, None before the first
    frames_per_s: float = 0.0
    kbit_per_s: float = 0.0
    gop_s: float = 0.0  # typical distance of key frames
    gop_most_s: float = 0.0  # longest of late
    codec: Codec = Codec.OTHER
    profile: str = ""
    width_px: int = 0
    height_px: int = 0
    transport: str = ""  # how media travels: tcp, tls, udp, http …
    skew_s: float | None = None  # camera's clock minus ours, from RTCP sender reports
    lost: int = 0  # RTP packets since start
    loss: float = 0.0  # share of the packets of the last minute
    reconnects: int = 0
    stalls: int = 0  # pauses of more than 2 s within a connection, in the last hour
    lane: Lane = Lane.CLOSED
    ring_s: float = 0.0
    awake: bool = False
    packets: PacketSense = PacketSense.LEARNING
    advice: tuple[Advice, ...] = ()
    error: str = ""  # why there is no media now; one sentence with peer, byte offset, SSRC, sequence; never a credential


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a camera was not seen, UTC, known everywhere by camera and `began_s`.

    `ended_s` is None while it lasts. The cause of an open gap may still become known better: the newest record of it counts.
    """

    camera: str
    began_s: float
    ended_s: float | None
    cause: GapCause


@dataclass(frozen=True, slots=True)
class WatchRun:
    """A time in which a camera was watched in one way, or one minute (UTC) in which it was in several; known by camera and
    `began_s`.

    Runs of a camera follow each other without a gap: one whose `ended_s` is None lasts until the next begins. `state` is None
    iff `seconds` has several entries, which add up to the run's length.
    """

    camera: str
    began_s: float
    ended_s: float | None
    state: Watched | None
    seconds: tuple[tuple[Watched, float], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """Counters of one worker since its start, for /metrics."""

    packets: int = 0
    bytes: int = 0
    key_frames_decoded: int = 0
    key_frames_still: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    crops: int = 0
    inferences: int = 0
    events: int = 0
    outbox_depth: int = 0
    second_opinions: int = 0  # asked for before events of severity 1 and 2
    second_opinions_late: int = 0  # of them: not answered in time
    events_doubted: int = 0  # of them: raised with a lower score, contradicted ones too
    events_held_back: int = 0  # of them: not raised, because something else is there
    clips: int = 0  # made
    clips_reencoded: int = 0  # of them: a privacy mask, or a codec that browsers do not play, asked for it
    clips_refused: int = 0  # events without one: no room, too much to do, or no video
    clips_waiting: int = 0  # until they are stored
    sweeps: int = 0  # turns of the reader
    sweep_s: float = 0.0  # its time at work
    sweeps_late: int = 0  # turns that began a whole turn too late
    cpu_s: float = 0.0
    rss_bytes: int = 0
    watched_full_s: float = 0.0  # these four are camera-seconds, and add up to cameras times time
    watched_quiet_s: float = 0.0
    watched_budget_s: float = 0.0
    not_watched_s: float = 0.0
    cameras_wanting: int = 0  # that the decode budget lets wait now
    budget_cores: float = 0.0  # what cameras that are awake may cost now ...
    awake_cores: float = 0.0  # ... and what they are expected to
    wakes_refused: int = 0  # nobody had time for them while they were worth it
    wakes_cut: int = 0  # taken back for a camera that mattered more, or whose turn it was
    packet_wakes: int = 0
    packet_wakes_vain: int = 0
    cameras_packets_silent: int = 0
    own_motion_wakes: int = 0  # by what cameras say themselves
    own_motion_wakes_vain: int = 0
    cameras_own_motion_silent: int = 0
    samples: int = 0  # forced looks at a camera with an armed rule, seen to their end
    samples_cut: int = 0
    samples_active: int = 0  # in which an armed rule saw something relevant ...
    samples_missed: int = 0  # ... for which no quiet tier would have woken the camera


@dataclass(frozen=True, slots=True)
class Report:
    """What crosses from a worker to control in one `drain()`.

    `events` are on stable storage in the worker's outbox under consecutive numbers ending at `outbox_number`; they are
    sent again until a later `drain` acknowledges that number. `statuses` holds only cameras whose status changed, `gaps` those
    that began, changed or ended since the last report, in that order for each camera. `watched` holds the runs that began or
    ended since the last report; together with those told before they account for all cameras up to `watched_until_s` (0 before
    the first). `clips` lie on stable storage, too, and are told again until a later `drain` names their events.
    """

    worker: str
    outbox_number: int
    events: tuple[Event, ...] = ()
    statuses: tuple[CameraStatus, ...] = ()
    gaps: tuple[Gap, ...] = ()
    stats: WorkerStats = field(default_factory=WorkerStats)
    watched: tuple[WatchRun, ...] = ()
    watched_until_s: float = 0.0
    clips: tuple[Clip, ...] = ()


def uuid7(now_s: float, random: int | None = None) -> str:
    """A UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds, then random, so that ids sort by time.

    `random` replaces the system's randomness by 80 given bits, of which 74 are used: the same bits give the same id.
    """
    value = int(now_s * 1000) & ((1 << 48) - 1)
    if random is None:
        random = int.from_bytes(os.urandom(10))
    value = value << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
