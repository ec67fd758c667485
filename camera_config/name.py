"""What people call a thing."""

from dataclasses import dataclass

__all__ = ["Name"]


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a thing, in both languages of the page."""

    zh: str
    en: str
