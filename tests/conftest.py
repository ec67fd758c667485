"""What holds for every test."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("gridpatrol", deadline=None)  # a busy machine is no failure
settings.load_profile("gridpatrol")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands that a test runs in this process set up logging of the whole process: the next test must not depend on it."""
    root = logging.getLogger()
    level = root.level
    yield
    logging.captureWarnings(False)
    root.setLevel(level)
