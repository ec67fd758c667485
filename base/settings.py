"""Settings from TOML: typed, frozen, unknown keys refused, every error with file, line, key, value and what is allowed."""

import re
import stat
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from base.errors import ConfigError

__all__ = ["TomlFile", "from_table", "read_text"]

T = TypeVar("T")
_LIMIT_BYTES = 64 << 20  # no file that a person writes comes near; protects from a video file under the wrong name
_PLACE = re.compile(r"\(at line (?P<line>\d+), column \d+\)")  # how tomllib says where
_HEADER = re.compile(r"""^\s*\[\[?[^\[\],=]+\]\]?\s*(#.*)?$""")  # a table header, not a line of a nested array


def read_text(path: Path, limit_bytes: int = _LIMIT_BYTES) -> str:
    """The UTF-8 text of a file, without byte order mark; raises ConfigError for anything but a regular file in UTF-8."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: expected a regular file, found something else")
        if status.st_size > limit_bytes:
            raise ConfigError(f"{path}: expected at most {limit_bytes} bytes, found {status.st_size}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: expected a file here, found none") from None
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file: {error.strerror}") from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(f"{path}:1: expected UTF-8, found UTF-16; save the file as UTF-8 (a spreadsheet calls it 'CSV UTF-8')")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8 (a spreadsheet calls it 'CSV UTF-8')"
        raise ConfigError(f"{path}:{line}: expected UTF-8, found byte 0x{data[error.start]:02x}; {hint}") from None


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed TOML file that still knows which line a key stands on."""

    path: Path
    text: str
    data: dict[str, object]

    @classmethod
    def read(cls, path: Path) -> "TomlFile":
        """Parse `path`; raises ConfigError naming the file and, for a syntax error, the line."""
        return cls.parse(path, read_text(path))

    @classmethod
    def parse(cls, path: Path, text: str) -> "TomlFile":
        """Parse `text`, which stands in `path`; raises ConfigError as `read` does."""
        text = text.replace("\r\n", "\n")
        try:
            return cls(path, text, tomllib.loads(text))
        except ValueError as error:  # TOMLDecodeError, or Python's own limit on digits
            message, found = str(error), _PLACE.search(str(error))
            line = int(found["line"]) if found else text.count("\n") + 1
            raise ConfigError(f"{path}:{line}: not valid TOML: {message}") from None
        except RecursionError:
            raise ConfigError(f"{path}: not valid TOML: nested too deeply") from None

    def line_of(self, table: str, index: int, key: str) -> int:
        """The 1-based line of `key` in the `index`-th `[table]` or `[[table]]`; of the table where the key is absent; else 1."""
        header = re.compile(rf"""^\s*\[\[?\s*["']?{re.escape(table)}["']?\s*\]\]?""")
        assignment = re.compile(rf"""^\s*["']?{re.escape(key)}["']?\s*[=.]""")
        seen, table_line, inside = -1, 1, not table
        for number, line in enumerate(self.text.split("\n"), 1):
            if _HEADER.match(line):
                if table and header.match(line):
                    seen += 1
                    if seen == index:
                        table_line = number
                inside = bool(table) and seen == index and bool(header.match(line))
            elif inside and assignment.match(line):
                return number
        return table_line

    def error(self, table: str, index: int, key: str, problem: str) -> ConfigError:
        """A ConfigError that says where `key` stands and what is wrong with it."""
        name = f"{table}.{key}" if table else key
        return ConfigError(f"{self.path}:{self.line_of(table, index, key)}: {name}: {problem}")


def from_table(kind: type[T], file: TomlFile, table: str, values: Mapping[str, object], index: int = 0) -> T:
    """A frozen dataclass `kind` filled from one TOML table; raises ConfigError for unknown, missing or mistyped keys.

    Understands bool, int, float, str, Path, StrEnum, `tuple[X, ...]` and `X | None` of these, and types with a class method
    `parse(text)` that raises ValueError.
    """
    assert is_dataclass(kind)
    hints = typing.get_type_hints(kind)
    known = {item.name: item for item in fields(kind) if item.init}
    for key in values:
        if key not in known:
            raise file.error(table, index, key, f"unknown key; allowed are {', '.join(sorted(known))}")
    arguments: dict[str, object] = {}
    for name, item in known.items():
        if name in values:
            try:
                arguments[name] = _convert(hints[name], values[name])
            except ValueError as problem:
                raise file.error(table, index, name, str(problem)) from None
        elif item.default is MISSING and item.default_factory is MISSING:
            raise file.error(table, index, name, f"missing; expected {_describe(hints[name])}")
    try:
        return kind(**arguments)
    except ValueError as problem:
        key, _, text = str(problem).partition(": ")  # a type's own checks begin with the name of the field
        raise file.error(table, index, key, text) from None


def _convert(hint: object, value: object) -> object:
    """`value` as TOML gave it, as the type `hint`; raises ValueError with what was expected and what came."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return _convert(inner[0], value)
    if origin is tuple and isinstance(value, list):
        part = typing.get_args(hint)[0]
        return tuple(_convert(part, item) for item in value)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type):
        parse = getattr(hint, "parse", None)
        if parse is not None and isinstance(value, str):
            return parse(value)
        if issubclass(hint, StrEnum) and isinstance(value, str):
            if value not in list(hint):
                raise ValueError(f"expected {_describe(hint)}, got {value!r}")
            return hint(value)
        if hint is Path and isinstance(value, str):
            return Path(value)
        if hint in (str, bool) and isinstance(value, hint):
            return value
        if hint is int and isinstance(value, int) and not isinstance(value, bool):
            return value
    raise ValueError(f"expected {_describe(hint)}, got {value!r}")


def _describe(hint: object) -> str:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "one of " + ", ".join(hint)
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}
    if isinstance(hint, type):
        return words.get(hint, hint.__name__)
    if typing.get_origin(hint) is tuple:
        return f"a list, each {_describe(typing.get_args(hint)[0])}"
    inner = [part for part in typing.get_args(hint) if part is not type(None)]
    return _describe(inner[0]) if inner else str(hint)
