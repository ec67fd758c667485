"""Camera streams in, packets and reduced frames out.

In: `Feed`s (URL and credentials of one stream each). Out: `FrameBatch`es for `detect`, packets for live view, a status for each
camera. One thread reads all sockets, one decodes. Read `feeds.py` first: hops 1-3 of a picture's life on one page; then
`reader.py` (the sweep), `life.py` (the life of a camera) and `rtsp/session.py` (the protocol, without I/O).
"""

from ingest.clip_box import ClipBox, pack_clip, unpack_clip
from ingest.clip_recorder import ClipRecorder, ClipStats
from ingest.feeds import Feeds, IngestStats
from ingest.libav_source import LibavSource
from ingest.main_stream import MAIN, MainStreams
from ingest.packet_stats import PacketLevels
from ingest.probe import survey
from ingest.reader import SweepReader
from ingest.replay import read_file
from ingest.rtsp_source import RtspSource
from ingest.settings import DEFAULT_SETTINGS, IngestSettings
from ingest.source import Feed, PacketSource, Phase, StreamFacts, UnsupportedStream

__all__ = [
    "DEFAULT_SETTINGS",
    "MAIN",
    "ClipBox",
    "ClipRecorder",
    "ClipStats",
    "Feed",
    "Feeds",
    "IngestSettings",
    "IngestStats",
    "LibavSource",
    "MainStreams",
    "PacketLevels",
    "PacketSource",
    "Phase",
    "RtspSource",
    "StreamFacts",
    "SweepReader",
    "UnsupportedStream",
    "pack_clip",
    "read_file",
    "survey",
    "unpack_clip",
]
