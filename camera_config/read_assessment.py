"""`assessment.toml`: what counts how much in the score."""

from dataclasses import fields
from functools import partial
from pathlib import Path

from base import ConfigError, TomlFile
from camera_config.entry import Entry, Problems
from camera_config.score import ScoreWeights

__all__ = ["ASSESSMENT_KEYS", "read_assessment"]

ASSESSMENT_KEYS = tuple(field.name for field in fields(ScoreWeights))


def read_assessment(path: Path, problems: Problems) -> ScoreWeights:
    """Read the file, noting what is wrong; the defaults where it says nothing, or is missing."""
    if not path.exists():
        return ScoreWeights()
    try:
        file = TomlFile.read(path)
    except ConfigError as error:
        problems.add_error(path, error)
        return ScoreWeights()
    entry = Entry(problems, path, file.data, partial(file.line_of, "", 0))
    entry.only(ASSESSMENT_KEYS)
    default = ScoreWeights()
    weights = ScoreWeights(*(entry.number(key, 0, 1000, getattr(default, key)) for key in ASSESSMENT_KEYS))
    if entry.ok and not any(getattr(weights, key) for key in ASSESSMENT_KEYS):
        entry.refuse(ASSESSMENT_KEYS[0], "expected at least one weight above 0")
    return weights
