"""Every error Gridpatrol raises on purpose, as one tree.

::

    GridpatrolError
    ├── ConfigError          the operator's file
    ├── SourceError          the camera or the wire
    │   ├── ConnectError     nobody answers, or the way is blocked
    │   │   └── TooManyConnections   the camera takes no more clients
    │   ├── AuthError        the camera refuses the credentials
    │   ├── ProtocolError    the camera says what no standard allows
    │   ├── StreamTimeout    the camera stopped saying anything
    │   └── StreamEnded      the camera closed the connection
    ├── DecodeError          the bits
    ├── ModelError           the ONNX file or its card
    ├── StorageError         the disk or the database
    ├── TransitionError      a step that is not legal from here
    └── DeniedError          the caller's rights
"""

__all__ = [
    "AuthError",
    "ConfigError",
    "ConnectError",
    "DecodeError",
    "DeniedError",
    "GridpatrolError",
    "ModelError",
    "ProtocolError",
    "SourceError",
    "StorageError",
    "StreamEnded",
    "StreamTimeout",
    "TooManyConnections",
    "TransitionError",
    "printable",
]


class GridpatrolError(Exception):
    """Anything Gridpatrol raises on purpose; its text is a sentence a person can act on."""


class ConfigError(GridpatrolError):
    """A file the operator wrote is wrong; the text names file, line, key, value and what is allowed."""


class SourceError(GridpatrolError):
    """A camera, or the wire to it, failed; the text carries enough to find the packet in Wireshark.

    A camera's own words in it are printable: no camera writes to a terminal or a log as it likes.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class ConnectError(SourceError):
    """No connection: refused, unreachable, unresolvable, or not within its deadline."""


class TooManyConnections(ConnectError):
    """The camera refuses credentials that it has accepted before: most do so when too many clients are connected."""


class AuthError(SourceError):
    """The camera answered 401 or 403 to the configured credentials."""


class ProtocolError(SourceError):
    """The camera sent bytes that RTSP, SDP, RTP or H.264 does not allow."""


class StreamTimeout(SourceError):
    """A phase of the connection ran past its deadline, or media stopped making progress."""


class StreamEnded(SourceError):
    """The camera closed a connection that had worked."""


class DecodeError(GridpatrolError):
    """A packet did not decode into a picture."""


class ModelError(GridpatrolError):
    """An ONNX network or its card cannot be used: wrong hash, shape, operator or output."""


class StorageError(GridpatrolError):
    """The disk or the database refused; nothing was acknowledged."""


class TransitionError(GridpatrolError):
    """A step is not legal from the present state, or somebody else was faster."""


class DeniedError(GridpatrolError):
    """The caller may not do this."""


def printable(text: str) -> str:
    """`text` on one line, with escapes for control characters and those that turn the direction of writing."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
