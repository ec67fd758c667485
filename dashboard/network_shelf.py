"""The networks that this installation knows; who runs the application says how to find them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Network", "NetworkAccuracy", "NetworkShelf"]


@dataclass(frozen=True, slots=True)
class NetworkAccuracy:
    """One measured line of a card: on which pictures, which label and height in pixels, how much is found, how much wrongly."""

    data: str
    label: str
    height: str
    recall: float
    false: float
    count: int


@dataclass(frozen=True, slots=True)
class Network:
    """The card of a network in words and numbers (docs/ref/models.md), and whether its file is there."""

    name: str
    file: str
    present: bool
    bytes: int
    sha256: str
    url: str
    origin: str
    licence: str
    head: str
    labels: tuple[str, ...]
    input: str
    latency_ms: float
    latency_on: str
    about: str
    accuracy: tuple[NetworkAccuracy, ...] = ()


class NetworkShelf:
    """Asks whoever knows the networks, each time: files come and go. `found_by` before requests, `all` from any thread."""

    def __init__(self) -> None:
        self._find: Callable[[], Sequence[Network]] = tuple

    def found_by(self, find: Callable[[], Sequence[Network]]) -> None:
        """From now on `find` says which there are; it may read files, and is called from any thread."""
        self._find = find

    def all(self) -> Sequence[Network]:
        """Every network; none before somebody said how to find them."""
        return self._find()
