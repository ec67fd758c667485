"""A short look at one camera, for `gridpatrol check`."""

from dataclasses import dataclass

from base.clock import Clock
from base.errors import SourceError, StreamTimeout
from base.records import Codec, Packet
from ingest.reader import choose_source
from ingest.rtsp_source import Resolver
from ingest.source import Feed, StreamFacts

__all__ = ["ProbeResult", "probe"]

_TURN_S = 0.03
_KEYS = 3  # two whole GOPs


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What was seen of one camera. Rates are 0 if too little came; `error` is empty if media came."""

    camera: str
    codec: Codec = Codec.OTHER
    width_px: int = 0
    height_px: int = 0
    profile: str = ""
    frames_per_s: float = 0.0
    gop_s: float = 0.0
    kbit_per_s: float = 0.0
    skew_s: float | None = None
    lost: int = 0
    error: str = ""


def probe(feed: Feed, clock: Clock, timeout_s: float) -> ProbeResult:
    """Connect, watch two GOPs or until `timeout_s`, and disconnect. Never raises for what a camera does. Blocks; any thread."""
    resolver = Resolver()
    until_s = clock.monotonic_s() + timeout_s
    packets: list[Packet] = []
    facts, error = StreamFacts(), ""
    try:
        facts = _watch(feed, clock, resolver, until_s, packets)
    except SourceError as problem:
        error = str(problem)
    finally:
        resolver.close()
    return _result(feed, facts, packets, error)


def _watch(feed: Feed, clock: Clock, resolver: Resolver, until_s: float, packets: list[Packet]) -> StreamFacts:
    """Fill `packets` until two GOPs are complete or time is up; raises SourceError if none came."""
    source = choose_source(feed, clock, resolver)
    try:
        source.open()
        while clock.monotonic_s() < until_s:
            packets += source.sweep(clock.now_s())
            if sum(packet.is_key for packet in packets) >= _KEYS:
                break
            clock.sleep(_TURN_S)
        if not packets:
            raise StreamTimeout(f"{source.facts.peer or feed.where}: no media in time, still {source.facts.phase}")
        return source.facts
    finally:
        source.close()


def _result(feed: Feed, facts: StreamFacts, packets: list[Packet], error: str) -> ProbeResult:
    keys = [packet.pts_90k for packet in packets if packet.is_key]
    span_s = (max(packet.pts_90k for packet in packets) - packets[0].pts_90k) / 90_000 if packets else 0.0
    many = len(packets) - 1 if span_s > 0 else 0
    size = sum(len(packet.data) for packet in packets[:-1])
    return ProbeResult(
        camera=feed.camera,
        codec=facts.codec,
        width_px=facts.width_px,
        height_px=facts.height_px,
        profile=facts.profile,
        frames_per_s=round(many / span_s, 2) if many else 0.0,
        gop_s=round((keys[-1] - keys[0]) / 90_000 / (len(keys) - 1), 2) if len(keys) > 1 else 0.0,
        kbit_per_s=round(size * 8e-3 / span_s, 1) if many else 0.0,
        skew_s=facts.skew_s,
        lost=sum(packet.lost for packet in packets),
        error=error,
    )
