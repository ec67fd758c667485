"""The reference of the steps is the one the program has."""

from pathlib import Path

from patrol import Step, Work
from patrol.step_tables import page

PAGE = Path(__file__).parents[2] / "docs/ref/incident-steps.md"


def test_the_reference_of_incident_steps_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m patrol.step_tables > docs/ref/incident-steps.md"


def test_every_state_and_step_is_on_the_page() -> None:
    text = page()
    assert all(f"| {word} |" in text for word in (*Work, *Step))
