"""`[retention]` of `site.toml`: read, written back, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from camera_config import SiteError, load_site, write_site
from camera_config.retention_rules import Keep, Kept, RetentionRules
from tests.fleet.small_site import small_site


def written(folder: Path, table: str) -> Path:
    write_site(small_site(folder, {"c1": "rtsp://192.0.2.1/sub"}), folder)
    with (folder / "site.toml").open("a") as file:
        file.write(f"\n[retention]\n{table}\n")
    return folder


def test_without_a_table_the_defaults_hold(tmp_path: Path) -> None:
    write_site(small_site(tmp_path, {"c1": "rtsp://192.0.2.1/sub"}), tmp_path)
    rules = load_site(tmp_path).retention
    assert rules == RetentionRules()
    assert rules.of(Kept.PICTURES) == Keep(30, 90)


def test_what_is_said_is_read_and_written_back(tmp_path: Path) -> None:
    site = load_site(
        written(tmp_path / "a", "pictures_min_days = 15\npictures_max_days = 30\nevents_max_days = 60\npictures_max_gb = 2.5")
    )
    assert site.retention == replace(RetentionRules(), pictures=Keep(15, 30), events=Keep(30, 60), pictures_max_gb=2.5)
    write_site(site, tmp_path / "b")
    assert load_site(tmp_path / "b").retention == site.retention


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("pictures_max_days = 10", "retention.pictures_max_days: expected at least pictures_min_days, 30"),
        ("events_max_days = 60", "retention.pictures_max_days: expected at most events_max_days, 60"),
        (
            "incidents_max_days = 400\nevents_max_days = 500",
            "retention.events_max_days: expected at most incidents_max_days, 400",
        ),
        ("audit_min_days = -1", "retention.audit_min_days: expected a number from 0"),
        ("pictures_max_gb = 0", "retention.pictures_max_gb: expected a number from 0.001"),
        ("picture_max_days = 40", "retention.picture_max_days: unknown key; did you mean 'pictures_max_days'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(table: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        load_site(written(tmp_path, table))
    assert sentence in str(caught.value)
    assert "site.toml:" in str(caught.value)
