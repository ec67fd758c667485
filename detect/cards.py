"""Cards: what Gridpatrol knows of an ONNX network before it trusts it, and how it fetches one.

A card is a TOML file, of ours in `models/`, of the operator beside the ONNX file in the data folder. See docs/ref/models.md.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from base.clock import Clock, SystemClock
from base.errors import ConfigError, ModelError
from base.settings import TomlFile, from_table
from detect.heads import Head

__all__ = [
    "Accuracy",
    "Card",
    "Classes",
    "Fit",
    "Input",
    "check",
    "fetch",
    "find_file",
    "list_cards",
    "mirror_folder",
    "read_card",
]

MODELS_FOLDER = Path(__file__).resolve().parent.parent / "models"
MAX_BYTES = 512 * 1024 * 1024  # no network for this work is larger; bounds what a wrong card can pull
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 20.0  # of silence
FETCH_DEADLINE_S = 600.0  # of the whole download

Progress = Callable[[int, int], None]
"""Called with the bytes received and the bytes expected."""


class Fit(StrEnum):
    """How a picture is brought to the network's size."""

    CORNER = "corner"  # aspect kept, at the upper left, the rest padded
    CENTRE = "centre"  # aspect kept, in the middle, the rest padded
    STRETCH = "stretch"  # aspect not kept


class Colour(StrEnum):
    GREY = "grey"
    BGR = "bgr"
    RGB = "rgb"


@dataclass(frozen=True, slots=True)
class Input:
    """What the network eats: pixel = (value - mean) / deviation, colour by colour, in the order of `colour`."""

    height_px: int
    width_px: int
    colour: Colour
    fit: Fit = Fit.STRETCH
    pad: float = 0.0  # value 0–255 around a fitted picture
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        for name in ("height_px", "width_px"):
            if not 16 <= getattr(self, name) <= 4096:
                raise ValueError(f"{name}: expected 16 to 4096, got {getattr(self, name)}")
        for name in ("mean", "deviation"):
            if len(getattr(self, name)) != 3:
                raise ValueError(f"{name}: expected three numbers, got {len(getattr(self, name))}")
        if min(self.deviation) <= 0:
            raise ValueError(f"deviation: expected positive numbers, got {min(self.deviation)}")


@dataclass(frozen=True, slots=True)
class Classes:
    """Which of the network's labels are a person or a vehicle to our rules; all others keep their own names."""

    person: tuple[str, ...] = ("person",)
    vehicle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One measured line: on which pictures, which class and size, how much is found, how much of the rest is taken for it."""

    data: str
    label: str
    height: str  # of the object in pixels, "24-48"; "all"
    recall: float
    false: float  # crop: share of other things called this; detector: 1 - precision
    count: int  # crops or labelled boxes


@dataclass(frozen=True, slots=True)
class Card:
    """An ONNX network: what it is, where it comes from, what it may be used for, how it is fed and read, how good it is."""

    name: str
    file: str
    sha256: str
    bytes: int
    url: str  # empty: comes with Gridpatrol
    origin: str
    licence: str
    head: Head
    labels: tuple[str, ...]
    latency_ms: float  # per picture or crop on one thread of the machine that `latency_on` names
    latency_on: str
    input: Input
    classes: Classes = Classes()
    accuracy: tuple[Accuracy, ...] = ()
    about: str = ""
    rank: int = 100  # of detectors that are there and none is asked for, the one of the lowest rank is taken
    min_score: float = 0.3
    max_overlap: float = 0.45

    def __post_init__(self) -> None:
        if not self.file.endswith(".onnx") or Path(self.file).name != self.file:
            raise ValueError(f"file: expected a plain name ending in .onnx, got {self.file!r}")
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"sha256: expected 64 lower-case hexadecimal digits, got {self.sha256!r}")
        if not 0 < self.bytes <= MAX_BYTES:
            raise ValueError(f"bytes: expected 1 to {MAX_BYTES}, got {self.bytes}")
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: expected at least one, each once")
        if self.url and not self.url.startswith(("https://", "http://127.0.0.1")):
            raise ValueError(f"url: expected https://…, got {self.url!r}")
        for name in (*self.classes.person, *self.classes.vehicle):
            if name not in self.labels:
                raise ValueError(f"classes: {name!r} is not among the labels")


def read_card(path: Path) -> Card:
    """The card in a TOML file; raises ModelError naming file, line and key."""
    try:
        file = TomlFile.read(path)
        top = dict(file.data)
        tables: dict[str, object] = {
            "input": from_table(Input, file, "input", _table(file, top.pop("input", {}), "input")),
            "classes": from_table(Classes, file, "classes", _table(file, top.pop("classes", {}), "classes")),
        }
        rows = top.pop("accuracy", [])
        if not isinstance(rows, list):
            raise file.error("accuracy", 0, "", "expected [[accuracy]] tables")
        tables["accuracy"] = tuple(
            from_table(Accuracy, file, "accuracy", _table(file, row, "accuracy"), index) for index, row in enumerate(rows)
        )
        plain = from_table(_Top, file, "", top)
        return Card(**{name: getattr(plain, name) for name in _Top.__dataclass_fields__}, **tables)  # type: ignore[arg-type]  # checked one by one above
    except ConfigError as error:
        raise ModelError(f"model card {error}") from None
    except ValueError as error:
        raise ModelError(f"model card {path}: {error}") from None


@dataclass(frozen=True, slots=True)
class _Top:
    """The keys of a card outside its tables."""

    name: str
    file: str
    sha256: str
    bytes: int
    origin: str
    licence: str
    head: Head
    labels: tuple[str, ...]
    url: str = ""
    latency_ms: float = 0.0
    latency_on: str = ""
    about: str = ""
    rank: int = 100
    min_score: float = 0.3
    max_overlap: float = 0.45


def _table(file: TomlFile, value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise file.error("", 0, name, "expected a table")
    return value


def list_cards(folders: Iterable[Path] = ()) -> tuple[Card, ...]:
    """Every card that comes with Gridpatrol, then those in `folders`; of one name the first counts. Raises ModelError."""
    found: dict[str, Card] = {}
    for folder in (MODELS_FOLDER, *folders):
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            card = read_card(path)
            found.setdefault(card.name, card)
    return tuple(found.values())


def mirror_folder() -> Path | None:
    """The offline mirror of network files, from GRIDPATROL_WEIGHTS; None if not set."""
    value = os.environ.get("GRIDPATROL_WEIGHTS", "")
    return Path(value) if value else None


def find_file(card: Card, folders: Sequence[Path]) -> Path | None:
    """Where the card's file lies: embedded, or in the first of `folders` that has it. Says nothing about its content."""
    for folder in (MODELS_FOLDER, *folders):
        if (folder / card.file).is_file():
            return folder / card.file
    return None


def check(card: Card, folder: Path) -> bytes:
    """The card's file in `folder`, after its size and SHA-256 were found right; raises ModelError with a sentence."""
    path = folder / card.file
    try:
        size = path.stat().st_size
        if size != card.bytes:
            raise ModelError(f"{path}: expected {card.bytes} bytes as its card says, found {size}")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from None
    _check_hash(card, data, str(path))
    return data


def _check_hash(card: Card, data: bytes, where: str) -> None:
    if (found := hashlib.sha256(data).hexdigest()) != card.sha256:
        raise ModelError(f"{where}: expected SHA-256 {card.sha256} as its card says, found {found}")


def fetch(
    card: Card,
    folder: Path,
    progress: Progress = lambda received, expected: None,
    clock: Clock | None = None,
    deadline_s: float = FETCH_DEADLINE_S,
) -> Path:
    """Bring the card's file into `folder`: from there if right, else from the mirror, else from its URL; where it lies then.

    The file appears under its name only when its size and hash are right. `progress` is called in this thread. Takes at most
    about `deadline_s`, and 20 s of silence. Raises ModelError with a sentence; nothing is left behind then.
    """
    clock = clock or SystemClock()
    target = folder / card.file
    if _is_right(card, folder):
        progress(card.bytes, card.bytes)
        return target
    mirror = mirror_folder()
    if mirror is not None and _is_right(card, mirror):
        data = check(card, mirror)
    elif card.url:
        data = _download(card, progress, clock, deadline_s)
        _check_hash(card, data, card.url)
    else:
        raise ModelError(f"{card.name}: {card.file} comes with Gridpatrol and has no URL; install Gridpatrol again")
    _put(target, data)
    progress(card.bytes, card.bytes)
    return target


def _is_right(card: Card, folder: Path) -> bool:
    try:
        check(card, folder)
    except ModelError:
        return False
    return True


def _download(card: Card, progress: Progress, clock: Clock, deadline_s: float) -> bytes:
    """The bytes at the card's URL, exactly as many as the card says; redirects are refused."""
    ends_s = clock.monotonic_s() + deadline_s
    data = bytearray()
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        # Sizes count bytes as stored, so the server must not compress on the way.
        plain = {"Accept-Encoding": "identity"}
        with httpx.stream("GET", card.url, headers=plain, timeout=timeout, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise ModelError(f"{card.url}: expected 200, the server answered {answer.status_code} {answer.reason_phrase}")
            for chunk in answer.iter_raw():
                data += chunk
                progress(min(len(data), card.bytes), card.bytes)
                if len(data) > card.bytes:
                    raise ModelError(f"{card.url}: expected {card.bytes} bytes as the card says, the server sends more")
                if clock.monotonic_s() > ends_s:
                    raise ModelError(f"{card.url}: not complete after {deadline_s:.0f} s: {len(data)} of {card.bytes} bytes")
    except httpx.TimeoutException:
        raise ModelError(f"{card.url}: the server fell silent after {len(data)} of {card.bytes} bytes") from None
    except httpx.RemoteProtocolError as error:
        raise ModelError(f"{card.url}: broken off after {len(data)} of {card.bytes} bytes: {error}") from None
    except httpx.HTTPError as error:
        offline = f"without a network, put {card.file} into a folder and name that folder in GRIDPATROL_WEIGHTS"
        raise ModelError(f"{card.url}: no connection: {error}; {offline}") from None
    if len(data) != card.bytes:
        raise ModelError(f"{card.url}: expected {card.bytes} bytes as the card says, got {len(data)}")
    return bytes(data)


def _put(target: Path, data: bytes) -> None:
    """Write so that `target` is either absent, as before, or complete."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ModelError(f"{target}: cannot be written: {error.strerror or error}; {len(data)} bytes are needed") from None
