"""The reference names every file, key and allowed word; the guide's files make a site."""

import re
from pathlib import Path

import pytest

from base import Transport
from camera_config import CompoundKind, OpensIncident, Order, Schedule, TeamKind, TravelMode, load_site
from camera_config.coverage_rules import Band, Stream
from camera_config.desks import DeskKind
from camera_config.load import FILES
from camera_config.notification_rules import NoticeKind, NoticeLevel
from camera_config.read_assessment import ASSESSMENT_KEYS
from camera_config.read_cameras import CAMERA_KEYS
from camera_config.read_coverage import COVERAGE_KEYS
from camera_config.read_desks import DESK_KEYS
from camera_config.read_ground import GROUND_KEYS, GroundKind
from camera_config.read_limits import HOURS_KEYS, LIMIT_KEYS, SECTION_KEYS, TOP_KEYS
from camera_config.read_masks import MASK_KEYS
from camera_config.read_notifications import NOTIFICATION_KEYS
from camera_config.read_paths import WAY_KEYS
from camera_config.read_places import CHECKPOINT_KEYS, PLACE_KEYS, FeatureKind
from camera_config.read_retention import RETENTION_KEYS
from camera_config.read_rounds import ROUND_KEYS
from camera_config.read_rules import LABELS, RULE_KEYS
from camera_config.read_tables import SECRET_KEYS, SITE_KEYS
from camera_config.read_teams import DISPATCH_KEYS, HOLIDAY_KEYS, TEAM_KEYS
from camera_config.rotation import parse_shift
from camera_config.rule_kinds import RULE_KINDS, Direction
from camera_config.sealed import SEALED_KEYS
from camera_config.time_limits import Category, LimitedStep

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "ref" / "site-folder.md").read_text("utf-8")
GUIDE = (DOCS / "guide" / "site.md").read_text("utf-8")

KEYS = {
    "`site.toml`": (*SITE_KEYS, *RETENTION_KEYS, *COVERAGE_KEYS),
    "`cameras.csv` or `cameras.toml`": CAMERA_KEYS,
    "`places.geojson`": (*PLACE_KEYS, *CHECKPOINT_KEYS),
    "`ground.geojson`": tuple(key for keys in GROUND_KEYS.values() for key in keys),
    "`rules.toml`": RULE_KEYS,
    "`masks.toml`": MASK_KEYS,
    "`paths.geojson`": WAY_KEYS,
    "`teams.toml`": (*TEAM_KEYS, *HOLIDAY_KEYS),
    "`dispatch.toml`": tuple(key for keys in DISPATCH_KEYS.values() for key in keys),
    "`limits.toml`": (*TOP_KEYS, *LIMIT_KEYS, *HOURS_KEYS, *SECTION_KEYS),
    "`rounds.toml`": tuple(key for keys in ROUND_KEYS.values() for key in keys),
    "`desks.toml`": DESK_KEYS,
    "`assessment.toml`": ASSESSMENT_KEYS,
    "`secrets.toml`": SECRET_KEYS,
    "`credentials.toml`": SEALED_KEYS,
}
WORDS = {
    "`site.toml`": (*Stream, *Band),
    "`ground.geojson`": tuple(GroundKind),
    "`cameras.csv` or `cameras.toml`": tuple(Transport),
    "`places.geojson`": (*FeatureKind, *CompoundKind),
    "`rules.toml`": (*LABELS, *RULE_KINDS, *Direction),
    "`paths.geojson`": tuple(TravelMode),
    "`desks.toml`": tuple(DeskKind),
    "`teams.toml`": (*TeamKind, *TravelMode),
    "`rounds.toml`": (*Order, *OpensIncident),
    "`limits.toml`": (*LimitedStep, *Category),
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
    assert len(examples) == 5
    for text in examples:
        shift = parse_shift(text.replace("\\|", "|"))
        assert shift.windows if isinstance(shift, Schedule) else any(shift.days)


def test_the_guide_makes_a_site(tmp_path: Path) -> None:
    files = re.findall(r"^## \d\. [^\n]*: `([\w.]+)`\n.*?^```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(files) == 6
    for name, text in files:
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "secrets.toml").chmod(0o600)
    site = load_site(tmp_path)
    assert (len(site.cameras), len(site.rules), len(site.teams)) == (2, 2, 1)


def test_the_page_on_notifications_names_every_key_and_word() -> None:
    page = (DOCS / "ref" / "notifications.md").read_text("utf-8")
    words = [key for keys in NOTIFICATION_KEYS.values() for key in keys] + list(NoticeKind) + list(NoticeLevel)
    assert [word for word in words if word != NoticeKind.TEST and f"`{word}`" not in page] == []


def test_the_service_may_write_where_it_writes() -> None:
    unit = (DOCS / "guide" / "operate.md").read_text("utf-8").split("```ini\n")[1].split("```")[0]
    found = re.search(r"^ExecStart=\S+ run (\S+) --data (\S+)$", unit, re.MULTILINE)
    writable = re.search(r"^ReadWritePaths=(.*)$", unit, re.MULTILINE)
    assert found is not None and writable is not None
    assert set(writable[1].split()) == set(found.groups())
