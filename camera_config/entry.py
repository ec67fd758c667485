"""One row, table or feature of a site folder, read key by key; what is wrong is noted with its place, and reading goes on."""

import difflib
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from base import ConfigError, printable
from camera_config.camera_url import redacted
from camera_config.site import Name, Point

__all__ = ["Entry", "FieldProblems", "Found", "Problems", "SiteError", "text_problem"]

E = TypeVar("E", bound=StrEnum)
V = TypeVar("V")

_MOST_SHOWN = 50  # problems in one message; more would push the first ones off the screen
_MOST_KEPT = 1000  # a wrong delimiter makes every field wrong; finding the line of each would take minutes
_MOST_LETTERS = 2000  # of any text
_MOST_POINTS = 10_000  # of one outline or line; a district traced from a land register has a few hundred
_MOST_NAME = 200  # letters that still fit the page
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_ID_SAYS = "expected 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit"
_LOGIN = re.compile(r"//[^'\"]*@")  # in the text of a list or table
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class SiteError(ConfigError):
    """A site folder is wrong. `problems` are all of them, each 'file:line: key: what is wrong and what is allowed'."""

    def __init__(self, problems: Sequence[str], total: int) -> None:
        self.problems = tuple(problems)
        lines = list(problems[:_MOST_SHOWN])
        if total > len(lines):
            lines.append(f"… and {total - len(lines)} more problems")
        super().__init__("\n".join(lines))


@dataclass(slots=True)
class Problems:
    """What was found wrong so far; owned by one `load_site`."""

    total: int = 0
    _kept: list[tuple[int, int, str]] = field(default_factory=list)  # rank of the file, line, text
    _rank: dict[Path, int] = field(default_factory=dict)

    def add(self, path: Path, line: Callable[[], int] | int, text: str) -> None:
        """Note `text` at a line of `path`; `line` may be a function, called only if the problem is kept."""
        self.total += 1
        if len(self._kept) < _MOST_KEPT:
            number = line if isinstance(line, int) else line()
            rank = self._rank.setdefault(path, len(self._rank))
            self._kept.append((rank, number, printable(f"{path}:{number}: {text}")))

    def add_error(self, path: Path, error: ConfigError) -> None:
        """Note that a whole file could not be read."""
        self.total += 1
        self._kept.append((self._rank.setdefault(path, len(self._rank)), 0, printable(str(error))))

    def raise_if_any(self) -> None:
        """Raise a SiteError with everything found, in order of file and line."""
        if self.total:
            raise SiteError([text for _, _, text in sorted(self._kept, key=lambda item: item[:2])], self.total)


@dataclass(slots=True)
class FieldProblems(Problems):
    """What is wrong with one row or table, field by field: (field, what was expected and what came)."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: Path, line: Callable[[], int] | int, text: str) -> None:
        self.total += 1
        name, _, reason = printable(text).partition(": ")
        self.found.append((name, reason))


@dataclass(slots=True)
class Entry:
    """Values by key, and where each stands. Every reading method notes a problem and returns something of its type if it must."""

    problems: Problems
    path: Path
    values: Mapping[str, object]
    line_of: Callable[[str], int]
    prefix: str = ""  # written before the key in messages, for example 'rule.'
    textual: bool = False  # from CSV: every value is text, an empty one is absent
    ok: bool = True  # false once a problem was noted here

    def refuse(self, key: str, problem: str) -> None:
        """Note that `key` is wrong."""
        self.ok = False
        self.problems.add(self.path, lambda: self.line_of(key), f"{self.prefix}{key}: {problem}")

    def only(self, allowed: Collection[str]) -> None:
        """Refuse every key that is not in `allowed`."""
        for key in self.values:
            if key not in allowed and self.value(key) is not None:
                near = difflib.get_close_matches(key, allowed, 1)
                meant = f"did you mean {near[0]!r}? " if near else ""
                self.refuse(key[:80], f"unknown key; {meant}allowed are {', '.join(allowed)}")

    def value(self, key: str) -> object:
        """The raw value, None if absent."""
        value = self.values.get(key)
        return None if self.textual and value == "" else value

    def text(self, key: str, default: str | None = None, most: int = _MOST_LETTERS, secret: bool = False) -> str:
        """A text without control characters, empty only if there is a default; `secret` ones are never shown."""
        value = self.value(key)
        if value is None and default is not None:
            return default
        if value is None:
            self.refuse(key, "missing; expected a text")
        elif not isinstance(value, str) or (not value and default is None):
            self.refuse(key, "expected a text" if secret else f"expected a text, got {shown(value)}")
        elif problem := text_problem(value, most, may_begin_with_dash=secret):
            self.refuse(key, problem if secret else f"{problem}, got {shown(value)}")
        else:
            return value
        return ""

    def id(self, key: str = "id", default: str | None = None) -> str:
        """The id of something, or a reference to one; empty if it is absent with a default, or wrong."""
        text = self.text(key, default)
        if text and not _ID.fullmatch(text):
            self.refuse(key, f"{_ID_SAYS}, got {shown(text)}")
            return ""
        return text

    def ids(self, key: str) -> tuple[str, ...]:
        """A list of references, not empty, none twice."""
        value = self.value(key)
        if not isinstance(value, list) or not value:
            self.refuse(
                key, f"expected a list of ids, got {shown(value)}" if value is not None else "missing; expected a list of ids"
            )
            return ()
        for item in value:
            if not isinstance(item, str) or not _ID.fullmatch(item):
                self.refuse(key, f"{_ID_SAYS}, got {shown(item)}")
                return ()
        twice = sorted({item for item in value if value.count(item) > 1}) if len(set(value)) < len(value) else []
        if twice:
            self.refuse(key, f"expected each id once, got {', '.join(twice[:5])} twice")
        return tuple(value)

    def name(self, stem: str = "name") -> Name:
        """A name from `<stem>_zh` and `<stem>_en`; one of the two is enough."""
        zh, en = (self.text(f"{stem}_{language}", "", _MOST_NAME).strip() for language in ("zh", "en"))
        if self.ok and not zh and not en:
            self.refuse(f"{stem}_zh", f"missing; expected a name here, or in {stem}_en")
        return Name(zh or en, en or zh)

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number in [low, high]."""
        value, expected = self.value(key), f"expected a number from {low:g} to {high:g}"
        if value is None and default is not None:
            return default
        if value is None:
            self.refuse(key, f"missing; {expected}")
            return low
        number = _as_number(value, self.textual)
        if not low <= number <= high:
            self.refuse(key, f"{expected}, got {shown(value)}")
            return low
        return number

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        """A whole number in [low, high]."""
        value = self.value(key)
        if value is None:
            return default
        number = _as_number(value, self.textual)
        if not low <= number <= high or number != int(number):
            self.refuse(key, f"expected a whole number from {low} to {high}, got {shown(value)}")
            return low
        return int(number)

    def truth(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.value(key)
        if value is None:
            return default
        if self.textual and isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"  # spreadsheets write TRUE
        if self.textual or not isinstance(value, bool):
            self.refuse(key, f"expected true or false, got {shown(value)}")
        return bool(value)

    def choice(self, key: str, kind: type[E], default: E | None = None, among: Sequence[E] = ()) -> E:
        """A member of a closed set, or of the part `among` of it."""
        value, allowed = self.value(key), tuple(among) or tuple(kind)
        expected = f"expected one of {', '.join(allowed)}"
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in allowed:
            self.refuse(key, f"missing; {expected}" if value is None else f"{expected}, got {shown(value)}")
            return allowed[0]
        return kind(value)

    def points(self, key: str, value: object, low: Point, high: Point) -> tuple[Point, ...]:
        """Pairs of numbers, each inside the box `low`-`high`; empty if something is wrong."""
        if not isinstance(value, list) or not value:
            self.refuse(key, f"expected a list of [x, y], got {shown(value)}")
            return ()
        if len(value) > _MOST_POINTS:
            self.refuse(key, f"expected at most {_MOST_POINTS} points, got {len(value)}")
            return ()
        points = []
        for item in value:
            pair = tuple(_as_number(part, False) for part in item) if isinstance(item, list) and len(item) == 2 else ()
            if len(pair) != 2:
                self.refuse(key, f"expected pairs of two numbers, got {shown(item)}")
                return ()
            if not (low[0] <= pair[0] <= high[0] and low[1] <= pair[1] <= high[1]):
                allowed = f"[{low[0]:g} to {high[0]:g}, {low[1]:g} to {high[1]:g}]"
                self.refuse(key, f"expected numbers within {allowed}, got {shown(item)}")
                return ()
            points.append(pair)
        return tuple(points)


@dataclass(frozen=True, slots=True)
class Found(Generic[V]):
    """Something read, with its place in the files. `value` is None if it is broken, but its id is known all the same."""

    entry: Entry
    id: str
    value: V | None


def text_problem(text: str, most: int = _MOST_LETTERS, may_begin_with_dash: bool = False) -> str:
    """What is wrong with a text from a file, empty if nothing."""
    if len(text) > most:
        return f"expected at most {most} characters, found {len(text)}"
    if any(unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u2028\u2029\u202a\u202b\u202d\u202e" for letter in text):
        return "expected no control characters"
    if text.startswith("-") and not may_begin_with_dash:
        return "expected a text that does not begin with '-'"
    return ""


def shown(value: object) -> str:
    """A value as it appears in a message: short, without control characters, without the login of a misplaced URL."""
    text = redacted(value) if isinstance(value, str) and ("@" in value or "//" in value) else repr(value)
    text = _LOGIN.sub("//…@", text)
    return text if len(text) <= 80 else text[:77] + "…"


def _as_number(value: object, textual: bool) -> float:
    """The number, or NaN for anything else; numbers beyond float are infinite."""
    if textual and isinstance(value, str) and len(value) < 60 and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if not textual and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return math.nan
