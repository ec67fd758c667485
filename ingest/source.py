"""What a camera's stream is asked for and what it answers: Feed, StreamFacts and the PacketSource seam.

Implementations: `RtspSource` (our own client, one non-blocking socket) and `LibavSource` (files, HTTP, RTMP, one thread).
"""

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from base.errors import AuthError, ProtocolError, StreamEnded
from base.records import Codec, Packet, Transport
from camera_config import Outline
from ingest.run import Settled
from ingest.standing import Brought, Standing

__all__ = ["CodecChanged", "Feed", "Flood", "PacketSource", "Phase", "PlainPassword", "StreamFacts", "UnsupportedStream"]


@dataclass(frozen=True, slots=True)
class Feed:
    """Which stream to open. Plain values, so that it crosses to a worker process by pickle.

    Without a `camera` it is nobody's: a row that is kept for one. Credentials written into the URL are moved into `user` and
    `password` and never stay in it; neither `repr` nor `where` shows them, nor the query, in which some cameras carry a password.
    """

    camera: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    transport: Transport = Transport.TCP  # of the pictures, over RTSP
    certificate_sha256: str = ""  # of the only certificate accepted over rtsps; empty: one the system trusts
    masks: tuple[Outline, ...] = ()  # privacy masks: black before anything sees a picture

    def __post_init__(self) -> None:
        scheme, separator, rest = self.url.partition("://")
        if not separator:
            return
        authority, slash, path = rest.partition("/")
        userinfo, at, host = authority.rpartition("@")
        if at:
            user, _, password = userinfo.partition(":")
            object.__setattr__(self, "url", f"{scheme}://{host}{slash}{path}")
            if not self.user:
                object.__setattr__(self, "user", urllib.parse.unquote(user))
                object.__setattr__(self, "password", urllib.parse.unquote(password))

    @property
    def where(self) -> str:
        """The URL as it may be logged: without credentials and query."""
        return self.url.partition("?")[0]

    def __repr__(self) -> str:
        return f"Feed(camera={self.camera!r}, url={self.where!r})"


class Phase(StrEnum):
    """How far a connection has come. Each phase but the last has a deadline."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    DESCRIBING = "describing"  # from the first request to the answer to PLAY
    STARTING = "starting"  # playing, no key frame yet
    STREAMING = "streaming"


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream; sizes are 0 until a parameter set was read. `skew_s` is the camera's clock minus ours."""

    phase: Phase = Phase.CLOSED
    codec: Codec = Codec.OTHER
    width_px: int = 0
    height_px: int = 0
    profile: str = ""
    peer: str = ""
    skew_s: float | None = None
    transport: str = ""  # how media travels: tcp (interleaved), tls, udp, http …


class PacketSource(Protocol):
    """One camera's stream as packets. Owned by the reader thread; a closed source is not opened again."""

    def open(self) -> None:
        """Begin connecting and return at once; raises SourceError if that is already known to fail."""
        ...

    def sweep(self, now_s: float) -> list[Packet]:
        """Whatever arrived since the last sweep, oldest first; never blocks. `now_s` is our UTC clock. Raises SourceError."""
        ...

    def calm(self) -> Standing | None:
        """After `sweep`: where it stands, if it may be read on at a glance (see `Glances`); else None."""
        ...

    def take(self, brought: Brought) -> Sequence[Settled]:
        """Counts what was read at a glance, as if it had been swept when it came."""
        ...

    def close(self) -> None:
        """Say goodbye if that does not block, and let go of socket or thread. May be called twice."""
        ...

    @property
    def facts(self) -> StreamFacts:
        """What is known by now; the same object as long as nothing changed."""
        ...

    @property
    def buffer_bytes(self) -> int:
        """Bytes of media that may wait in the kernel between two sweeps before something is lost or held up; 0: no such limit."""
        ...

    @property
    def received_bytes(self) -> int:
        """Bytes that came since `open`, of media or not, and whether or not packets were made of them."""
        ...

    @property
    def position(self) -> str:
        """Where reading stands, for who looks for it in a capture: byte offset, SSRC, sequence number; empty before media."""
        ...


class UnsupportedStream(ProtocolError):
    """The camera speaks correctly, but a codec or transport that our client does not read; its settings can change that."""


class PlainPassword(AuthError):
    """The camera asks for the password in plain text after it offered Digest; it was not told."""


class Flood(ProtocolError):
    """The camera brings more pieces a second than any camera has reason to; good media before it forgives nothing."""


class CodecChanged(StreamEnded):
    """The camera goes on with another codec than it described; asked anew, it describes that one."""
