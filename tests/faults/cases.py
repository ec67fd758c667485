"""The table of faults: what is done to a camera, what is expected of us."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from base import CameraStatus, Health, Lane, Transport
from ingest.simulate import Fault, FaultKind, SlowPhase
from tests.servers.relay import Link

__all__ = ["CASES", "Act", "FaultCase", "Run"]

_FLAPS, _OTHER_SIZE = 6, (160, 96)
_BROKEN = (Health.DEGRADED, Health.OFFLINE)  # which of the two is a question of how long it lasts
_WORKING = (Health.ONLINE,)
_LOSSY = (Health.ONLINE, Health.DEGRADED)  # degraded as soon as it is clear that more than 1 % is lost

Inject = Callable[[float, float], tuple[Fault, ...]]
"""The faults of the simulated camera, from when it is to begin and how long it is to last."""


class Act(StrEnum):
    """What is done to the line or to the simulator's process, besides the faults a camera plays itself."""

    NONE = "none"
    RESET_LINE = "reset line"
    STOP_PROCESS = "stop process"


class Run(StrEnum):
    """Faults of one run happen at the same time, each to a camera of its own, beside cameras without fault."""

    DIALOGUE = "dialogue"
    MEDIA = "media"
    LINE = "line"
    FLOOD = "flood"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class FaultCase:
    """One row. `error` is what the camera's status must say, as a regular expression; empty: the stream goes on without one.

    `health` is what its status may be just before the fault ends. `sign` is how a fault without error is noticed in the status;
    None if there is nothing to notice.
    """

    name: str
    what: str
    expected: str
    run: Run
    inject: Inject | None = None
    link: Link | None = None  # of the relay before its camera, while the fault lasts
    transport: Transport = Transport.TCP
    act: Act = Act.NONE
    error: str = ""
    health: tuple[Health, ...] = _BROKEN
    sign: Callable[[CameraStatus], bool] | None = None
    is_moment: bool = False  # over as soon as it has begun
    is_for_all: bool = False  # happens to every camera of the run
    may_lose: bool = True  # RTP packets, by their sequence numbers


def _lasting(kind: FaultKind, **own: object) -> Inject:
    """One fault that a playing camera can have."""
    return lambda at_s, for_s: (Fault(kind, at_s, for_s, **own),)  # type: ignore[arg-type]  # names and types are Fault's


def _at_next_connection(kind: FaultKind, **own: object) -> Inject:
    """One that clients meet when they connect: connections are reset as it begins."""
    return lambda at_s, for_s: (Fault(kind, at_s, for_s, **own), Fault(FaultKind.RESET, at_s))  # type: ignore[arg-type]


def _flapping(at_s: float, for_s: float) -> tuple[Fault, ...]:
    step_s = for_s / (2 * _FLAPS)
    width_px, height_px = _OTHER_SIZE
    return tuple(
        Fault(FaultKind.RESOLUTION, at_s + 2 * index * step_s, step_s, width_px=width_px, height_px=height_px)
        for index in range(_FLAPS)
    )


def _skewed_by(jump_s: float) -> Callable[[CameraStatus], bool]:
    return lambda status: status.skew_s is not None and abs(status.skew_s - jump_s) < 2


def _slow(phase: SlowPhase) -> FaultCase:
    if phase is SlowPhase.MEDIA:
        inject = _lasting(FaultKind.SLOW_LORIS, phase=phase)
        expected, error, what = "given up for want of media", "no media for", "media comes a byte a second"
    else:
        inject = _at_next_connection(FaultKind.SLOW_LORIS, phase=phase)
        expected, error = "given up when the deadline of the dialogue has passed", "no answer that leads to media within"
        what = f"the answer to {phase.upper()} comes a byte a second"
    return FaultCase(f"slow loris: {phase}", what, expected, Run.DIALOGUE, inject, error=error)


CASES: tuple[FaultCase, ...] = (
    *(_slow(phase) for phase in SlowPhase),
    FaultCase(
        "credentials changed",
        "connections end, then every request is answered 401",
        "tried again, but so seldom that no account is locked",
        Run.DIALOGUE,
        _lasting(FaultKind.REFUSE),
        error="too many connections",
    ),
    FaultCase(
        "redirect to another host",
        "DESCRIBE is answered 302 with another host",
        "refused: nothing but the configured host is asked",
        Run.DIALOGUE,
        _at_next_connection(FaultKind.REDIRECT),
        error="leads to another host, 198.51.100.7",
    ),
    FaultCase(
        "control URL elsewhere",
        "the SDP names a control URL on another host",
        "refused: nothing but the configured host is asked",
        Run.DIALOGUE,
        _at_next_connection(FaultKind.CONTROL),
        error="leads to another host, 198.51.100.7",
    ),
    FaultCase(
        "missing SPS",
        "parameter sets neither in SDP nor in the stream",
        "given up when the deadline of the first key frame has passed",
        Run.DIALOGUE,
        _at_next_connection(FaultKind.NO_SETS),
        error="no decodable key frame within",
    ),
    FaultCase(
        "missing key frame",
        "a new connection gets P frames only",
        "given up when the deadline of the first key frame has passed",
        Run.DIALOGUE,
        _at_next_connection(FaultKind.NO_KEY),
        error="no decodable key frame within",
    ),
    FaultCase(
        "SPS of 16384x16384",
        "parameter sets announce a picture of 16384x16384",
        "refused before a decoder reserves memory",
        Run.DIALOGUE,
        _at_next_connection(FaultKind.HUGE),
        error="a picture of 16384x16384",
    ),
    FaultCase(
        "sequence and timestamp wrap",
        "on a new connection sequence numbers and RTP timestamps pass zero a second after PLAY",
        "media goes on across it, nothing is lost",
        Run.DIALOGUE,
        _at_next_connection(FaultKind.WRAP),
        error="Connection reset",
        health=_WORKING,
        may_lose=False,
    ),
    FaultCase(
        "reboot",
        "connections end, and for a while every new one ends without an answer",
        "tried again with growing pauses",
        Run.MEDIA,
        _lasting(FaultKind.STOP),
        error="closed the connection|Connection reset",
    ),
    FaultCase(
        "reset mid-GOP",
        "the connection is reset (TCP RST) between two key frames",
        "opened again at once",
        Run.MEDIA,
        lambda at_s, for_s: (Fault(FaultKind.RESET, at_s),),
        error="Connection reset",
        health=_WORKING,
        is_moment=True,
    ),
    FaultCase(
        "stall",
        "requests are answered, media stops",
        "given up for want of media, whatever is answered",
        Run.MEDIA,
        _lasting(FaultKind.STALL),
        error="no media for",
    ),
    FaultCase(
        "silence",
        "neither media nor answers, sockets stay open",
        "given up for want of media, later of an answer",
        Run.MEDIA,
        _lasting(FaultKind.SILENT),
        error="no media for",
    ),
    FaultCase(
        "garbage instead of media",
        "random bytes without framing",
        "given up when no media comes behind it",
        Run.MEDIA,
        _lasting(FaultKind.GARBAGE),
        error="expected '\\$' or an RTSP message|byte",
    ),
    FaultCase(
        "garbage RTP",
        "well framed RTP packets of random bytes",
        "given up as soon as it cannot be what was announced",
        Run.MEDIA,
        _lasting(FaultKind.BAD_RTP),
        error="payload type|RTP|no media for",
    ),
    FaultCase(
        "wrong SSRC",
        "RTP packets of another source from one frame to the next",
        "believed when it was alone for a while",
        Run.MEDIA,
        _lasting(FaultKind.OTHER_SSRC),
        health=_WORKING,
        sign=lambda status: status.lost > 0,
    ),
    FaultCase(
        "truncated FU",
        "fragments (FU-A) are cut to their two header bytes",
        "given up, naming SSRC and sequence number",
        Run.MEDIA,
        _lasting(FaultKind.CUT_FRAGMENT),
        error=r"an FU-A of 2 bytes; expected at least 3 \(SSRC 0x[0-9a-f]{8}, sequence \d+\)",
    ),
    FaultCase(
        "bad interleaved length",
        "announced lengths are seven bytes too long",
        "given up, naming the byte",
        Run.MEDIA,
        _lasting(FaultKind.BAD_LENGTH),
        error=r"byte \d+",
    ),
    FaultCase(
        "resolution flaps",
        f"the size changes back and forth {_FLAPS} times",
        "followed from key frame to key frame, nothing is lost",
        Run.MEDIA,
        _flapping,
        health=_WORKING,
        sign=lambda status: status.width_px == _OTHER_SIZE[0],
        may_lose=False,
    ),
    *(
        FaultCase(
            f"clock jumps {jump_s / 3600:+.0f} h",
            "sender reports and RTP timestamps jump",
            "media goes on at our own time; the skew is shown",
            Run.MEDIA,
            _lasting(FaultKind.CLOCK_JUMP, jump_s=jump_s),
            health=(Health.ONLINE, Health.DEGRADED),
            sign=_skewed_by(jump_s),
        )
        for jump_s in (3600.0, -3600.0)
    ),
    FaultCase(
        "delay and jitter",
        "the line delays by 150 ms and up to 150 ms more",
        "nothing is lost",
        Run.LINE,
        link=Link(delay_s=0.15, jitter_s=0.15),
        health=_WORKING,
        may_lose=False,
    ),
    FaultCase(
        "narrow line",
        "the line carries 160 kbit/s, less than the camera sends",
        "goes on with what comes through",
        Run.LINE,
        link=Link(bytes_per_s=20_000),
        health=(Health.ONLINE, Health.DEGRADED),
    ),
    FaultCase(
        "dead line, both ways",
        "nothing is forwarded, nothing is closed",
        "given up for want of media",
        Run.LINE,
        link=Link(up=False, down=False),
        error="no media for",
    ),
    FaultCase(
        "half-open: from the camera",
        "nothing comes from the camera any more, requests still reach it",
        "given up for want of media",
        Run.LINE,
        link=Link(down=False),
        error="no media for",
    ),
    FaultCase(
        "half-open: to the camera",
        "media still comes, requests reach the camera no more",
        "goes on as long as media comes",
        Run.LINE,
        link=Link(up=False),
        health=_WORKING,
    ),
    FaultCase(
        "reset by the line",
        "a box on the way resets the connection on both sides",
        "opened again at once",
        Run.LINE,
        act=Act.RESET_LINE,
        error="Connection reset",
        health=_WORKING,
        is_moment=True,
    ),
    FaultCase(
        "connections refused",
        "the connection is reset, new ones are refused",
        "tried again with growing pauses",
        Run.LINE,
        link=Link(accepting=False),
        act=Act.RESET_LINE,
        error="Connection refused",
    ),
    FaultCase(
        "UDP: 3 % lost",
        "three datagrams in a hundred vanish",
        "counted and shown; what is whole is delivered",
        Run.LINE,
        link=Link(loss=0.03),
        transport=Transport.UDP,
        health=_LOSSY,
        sign=lambda status: status.lost > 0,
    ),
    FaultCase(
        "UDP: doubled, out of order",
        "one datagram in ten comes twice, one in ten 20 ms late, all with up to 10 ms of jitter",
        "put in order, nothing is lost",
        Run.LINE,
        link=Link(twice=0.1, late=0.1, jitter_s=0.01),
        transport=Transport.UDP,
        health=_WORKING,
        may_lose=False,
    ),
    FaultCase(
        "UDP: half-open",
        "no datagram comes from the camera any more, nor an answer",
        "given up for want of media",
        Run.LINE,
        link=Link(down=False),
        transport=Transport.UDP,
        error="no media for|nothing came by UDP",
    ),
    FaultCase(
        "stopped process",
        "the camera's process is stopped (SIGSTOP), its kernel still accepts connections",
        "given up for want of media",
        Run.LINE,
        act=Act.STOP_PROCESS,
        error="no media for",
    ),
    FaultCase(
        "flood of 50 Mbit/s",
        "a sub-stream brings 50 Mbit/s instead of its usual rate",
        "swept often at once; what the camera could not send until then counts as lost",
        Run.FLOOD,
        _lasting(FaultKind.FLOOD),
        health=(Health.ONLINE, Health.DEGRADED),
        sign=lambda status: status.lane is Lane.FAST,
    ),
    FaultCase(
        "all cameras drop and return",
        "every one of 727 cameras ends its connections and answers nobody, then all are back at once",
        "all are opened again, at most 50 a second",
        Run.EVERYBODY,
        _lasting(FaultKind.STOP),
        error="closed the connection|Connection reset",
        is_for_all=True,
    ),
)
