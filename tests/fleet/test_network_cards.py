"""The cards as the administrator's page gets them."""

from pathlib import Path

import pytest

from fleet.network_cards import networks_in


def test_networks_have_their_cards_and_say_whether_they_are_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    by_name = {each.name: each for each in networks_in([tmp_path])}
    crop = by_name["crop_v1"]
    assert crop.present and crop.licence == "Apache-2.0" and crop.accuracy and crop.input == "64 × 64 grey"
    absent = next(each for each in by_name.values() if not each.present)
    (tmp_path / absent.file).write_bytes(b"x")
    assert {each.name: each.present for each in networks_in([tmp_path])}[absent.name]
    (tmp_path / "bad.toml").write_text("name = 3", "utf-8")
    assert {each.name for each in networks_in([tmp_path])} == set(by_name) and "bad.toml" in caplog.text
