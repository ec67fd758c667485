"""The reference names every file, key and allowed word; the guide's files make a site."""

import re
from pathlib import Path

import pytest

from camera_config import CompoundKind, Schedule, TeamKind, load_site
from camera_config.load import FILES
from camera_config.read_cameras import CAMERA_KEYS
from camera_config.read_places import CHECKPOINT_KEYS, PLACE_KEYS, FeatureKind
from camera_config.read_tables import LABELS, RULE_KEYS, RULE_KINDS, SECRET_KEYS, SITE_KEYS, TEAM_KEYS

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "ref" / "site-folder.md").read_text("utf-8")
GUIDE = (DOCS / "guide" / "site.md").read_text("utf-8")

KEYS = {
    "`site.toml`": SITE_KEYS,
    "`cameras.csv` or `cameras.toml`": CAMERA_KEYS,
    "`places.geojson`": (*PLACE_KEYS, *CHECKPOINT_KEYS),
    "`rules.toml`": RULE_KEYS,
    "`teams.toml`": TEAM_KEYS,
    "`secrets.toml`": SECRET_KEYS,
}
WORDS = {
    "`places.geojson`": (*FeatureKind, *CompoundKind),
    "`rules.toml`": (*LABELS, *RULE_KINDS),
    "`teams.toml`": tuple(TeamKind),
}


def section(title: str) -> str:
    return REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def keys_of_rows(text: str) -> set[str]:
    """What stands in the first column of its tables."""
    return {key for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize("title", KEYS)
def test_every_key_has_a_row_and_every_row_a_key(title: str) -> None:
    assert keys_of_rows(section(title)) == set(KEYS[title])


@pytest.mark.parametrize("title", WORDS)
def test_every_allowed_word_is_named(title: str) -> None:
    assert [word for word in WORDS[title] if f"`{word}`" not in section(title)] == []


def test_every_file_is_named() -> None:
    assert [name for name in FILES if f"`{name}`" not in REFERENCE] == []


def test_the_schedules_of_the_reference_are_schedules() -> None:
    examples = re.findall(r"^\| `([^`]*\d\d:\d\d[^`]*)` \|", REFERENCE, re.MULTILINE)
    assert len(examples) == 3
    for text in examples:
        assert Schedule.parse(text).windows


def test_the_guide_makes_a_site(tmp_path: Path) -> None:
    files = re.findall(r"^## \d\. [^\n]*: `([\w.]+)`\n.*?^```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(files) == 6
    for name, text in files:
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "secrets.toml").chmod(0o600)
    site = load_site(tmp_path)
    assert (len(site.cameras), len(site.rules), len(site.teams)) == (2, 2, 1)
