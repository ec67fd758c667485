"""docs/ref/rtsp-quirks.md and the tests that it names."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/ref/rtsp-quirks.md"


def functions_of(*paths: Path) -> set[str]:
    nodes = [node for path in paths for node in ast.parse(path.read_text()).body]
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_quirk_has_its_test_and_every_test_its_line() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    assert named - functions_of(*HERE.glob("test_*.py")) == set()
    quirks = [path for path in HERE.glob("test_quirks_*.py") if path != Path(__file__)]
    assert len(quirks) == 3 and functions_of(*quirks) - named == set()


def test_every_line_of_the_table_names_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| quirk")]
    assert len(rows) > 60 and all(re.fullmatch(r"\|(?: [^|]+ \|){3} (?:`test_\w+`(?:, )?)+ \|", row) for row in rows)
