"""Settings: typed, strict, and every error with its line."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import ConfigError, TomlFile, from_table
from base.settings import read_text


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Span:
    """A type with its own notation."""

    low: int
    high: int

    @classmethod
    def parse(cls, text: str) -> "Span":
        low, dash, high = text.partition("-")
        if not dash:
            raise ValueError(f"expected two numbers such as 1-5, got {text!r}")
        return cls(int(low), int(high))


@dataclass(frozen=True, slots=True)
class Settings:
    name: str
    count: int = 1
    ratio: float = 0.5
    on: bool = False
    folder: Path = Path()
    colour: Colour = Colour.RED
    colours: tuple[Colour, ...] = ()
    limit: float | None = None
    span: Span = field(default_factory=lambda: Span(0, 0))

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count: expected no negative number, got {self.count}")


def read(text: str, table: str = "") -> Settings:
    file = TomlFile.parse(Path("f.toml"), text)
    values = file.data[table] if table else file.data
    assert isinstance(values, dict)
    return from_table(Settings, file, table, values)


def test_every_type_is_understood() -> None:
    text = (
        'name = "a"\ncount = 3\nratio = 2\non = true\nfolder = "/x"\ncolour = "blue"\ncolours = ["red"]\nlimit = 4\nspan = "1-5"'
    )
    expected = Settings("a", 3, 2.0, True, Path("/x"), Colour.BLUE, (Colour.RED,), 4.0, Span(1, 5))
    assert read(text) == expected
    assert isinstance(read(text).ratio, float)
    assert read('name = "a"') == Settings("a")


# The text of a file, and the message.
WRONG = [
    ('name = "a"\ncolr = 1', "f.toml:2: colr: unknown key; allowed are colour, colours, count"),
    ("count = 1", "f.toml:1: name: missing; expected a text"),
    ('name = "a"\ncount = 1.5', "f.toml:2: count: expected a whole number, got 1.5"),
    ('name = "a"\ncount = true', "f.toml:2: count: expected a whole number, got True"),
    ('name = "a"\nratio = "x"', "f.toml:2: ratio: expected a number, got 'x'"),
    ('name = "a"\nratio = false', "f.toml:2: ratio: expected a number, got False"),
    ('name = "a"\non = 1', "f.toml:2: on: expected true or false, got 1"),
    ("name = 7", "f.toml:1: name: expected a text, got 7"),
    ('name = "a"\nfolder = 7', "f.toml:2: folder: expected a path, got 7"),
    ('name = "a"\ncolour = "pink"', "f.toml:2: colour: expected one of red, blue, got 'pink'"),
    ('name = "a"\ncolours = ["pink"]', "f.toml:2: colours: expected one of red, blue, got 'pink'"),
    ('name = "a"\ncolours = "red"', "f.toml:2: colours: expected a list, each one of red, blue, got 'red'"),
    ('name = "a"\nlimit = "x"', "f.toml:2: limit: expected a number, got 'x'"),
    ('name = "a"\nspan = "5"', "f.toml:2: span: expected two numbers such as 1-5, got '5'"),
    ('name = "a"\ncount = -1', "f.toml:2: count: expected no negative number, got -1"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


names = st.text("abcdefghij", min_size=1, max_size=6)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
    st.integers(0, 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.sampled_from(list(Colour)), max_size=4),
)
def test_what_is_written_is_read(name: str, count: int, ratio: float, on: bool, colours: list[Colour]) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    listed = ", ".join(f'"{colour}"' for colour in colours)
    text = f'name = "{quoted}"\ncount = {count}\nratio = {ratio!r}\non = {str(on).lower()}\ncolours = [{listed}]\n'
    settings = read(text)
    assert (settings.name, settings.count, settings.on, settings.colours) == (name, count, on, tuple(colours))
    assert math.isclose(settings.ratio, ratio)


@given(st.dictionaries(names, st.one_of(st.integers(), st.text("xyz"), st.booleans(), st.lists(st.integers())), max_size=6))
def test_any_table_is_either_settings_or_a_config_error(values: dict[str, object]) -> None:
    file = TomlFile(Path("f.toml"), "", values)
    try:
        settings = from_table(Settings, file, "", values)
    except ConfigError as error:
        assert "f.toml:1: " in str(error)
    else:
        assert settings.name == values["name"]


@given(st.lists(st.tuples(names, st.integers(0, 3), st.lists(names, max_size=4, unique=True)), max_size=5))
def test_lines_are_found_in_arrays_of_tables(tables: list[tuple[str, int, list[str]]]) -> None:
    """Against the lines counted while writing the file, with comments, blank lines and nested arrays in between."""
    lines, expected, seen = ["# a file"], [], dict[str, int]()
    for name, blanks, keys in tables:
        lines += [""] * blanks + [f"[[{name}]]  # table"]
        index = seen.get(name, 0)
        seen[name] = index + 1
        expected.append((name, index, "zzz", len(lines)))
        for key in keys:
            lines += [f"{key} = [", "  [1, 2],", "  [3, 4]", "]"]
            expected.append((name, index, key, len(lines) - 3))
    file = TomlFile.parse(Path("f.toml"), "\n".join(lines))
    for name, index, key, line in expected:
        assert file.line_of(name, index, key) == line


def test_lines_are_found_in_plain_and_quoted_tables() -> None:
    file = TomlFile.parse(Path("f.toml"), 'a = 1\n[b]\na = 2\n["c d"]\n"a" = 3\ne.f = 4\n')
    assert file.line_of("", 0, "a") == 1
    assert file.line_of("b", 0, "a") == 3
    assert file.line_of("c d", 0, "a") == 5
    assert file.line_of("c d", 0, "e") == 6
    assert file.line_of("c d", 0, "missing") == 4
    assert file.line_of("nowhere", 0, "a") == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfea", "f.toml:1: expected UTF-8, found UTF-16"),
        (b"a = 1\nb = '\xe9'", "f.toml:2: expected UTF-8, found byte 0xe9"),
        (b"a = 1\nb = \n", "f.toml:2: not valid TOML"),
        (b"a = [1,\n\n", "f.toml:3: not valid TOML"),
        (b"a = 1\na = 2\n", "f.toml:2: not valid TOML"),
    ],
)
def test_unreadable_files_are_refused_with_their_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "f.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        TomlFile.read(tmp_path / "f.toml")
    assert message in str(caught.value)


def test_a_byte_order_mark_and_windows_lines_are_understood(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    file = TomlFile.read(tmp_path / "f.toml")
    assert file.data == {"a": 1, "b": 2}
    assert file.line_of("", 0, "b") == 2


def test_missing_folders_and_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a file here, found none"):
        read_text(tmp_path / "none")
    with pytest.raises(ConfigError, match="expected a regular file"):
        read_text(tmp_path)
    (tmp_path / "large").write_bytes(b"x" * 101)
    with pytest.raises(ConfigError, match="expected at most 100 bytes, found 101"):
        read_text(tmp_path / "large", 100)
    assert read_text(tmp_path / "large", 101) == "x" * 101
