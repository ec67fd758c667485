"""Every table is in the reference, and the reference names no table that is not there."""

import re
from pathlib import Path

from storage.tables import metadata

PAGE = Path(__file__).parents[2] / "docs/ref/storage.md"


def test_every_table_is_in_the_reference() -> None:
    text = PAGE.read_text("utf-8").partition("## Tables")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(metadata.tables) | {"alembic_version"}
