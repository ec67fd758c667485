"""How the parts of the `Store` read: one function, handed to each of them."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

__all__ = ["Reader"]

T = TypeVar("T")


class Reader(Protocol):
    """Gives the answer of a query, on a connection that cannot write, from one snapshot of the database."""

    def __call__(self, query: Callable[[Connection], T], /) -> T: ...
