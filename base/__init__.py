"""What every floor stands on: records, clock, errors, retry, tally, settings. Standard library and numpy only.

In: nothing. Out: frozen values and small tools without state of their own. Read `records.py` first.
"""

from base.clock import Clock, SimulatedClock, SystemClock
from base.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    DecodeError,
    DeniedError,
    GridpatrolError,
    ModelError,
    ProtocolError,
    SourceError,
    StorageError,
    StreamEnded,
    StreamTimeout,
    TransitionError,
)
from base.records import (
    Box,
    CameraStatus,
    Codec,
    Event,
    EventKind,
    FrameBatch,
    Health,
    Packet,
    Picture,
    Quality,
    Report,
    StreamName,
    Tier,
    WorkerStats,
    uuid7,
)
from base.retry import Backoff
from base.settings import TomlFile, from_table
from base.tally import Tally

__all__ = [
    "AuthError",
    "Backoff",
    "Box",
    "CameraStatus",
    "Clock",
    "Codec",
    "ConfigError",
    "ConnectError",
    "DecodeError",
    "DeniedError",
    "Event",
    "EventKind",
    "FrameBatch",
    "GridpatrolError",
    "Health",
    "ModelError",
    "Packet",
    "Picture",
    "ProtocolError",
    "Quality",
    "Report",
    "SimulatedClock",
    "SourceError",
    "StorageError",
    "StreamEnded",
    "StreamName",
    "StreamTimeout",
    "SystemClock",
    "Tally",
    "Tier",
    "TomlFile",
    "TransitionError",
    "WorkerStats",
    "from_table",
    "uuid7",
]
