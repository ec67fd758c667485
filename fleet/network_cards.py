"""The cards of all networks for the administrator's page."""

import logging
from collections.abc import Sequence
from pathlib import Path

from base import ModelError
from dashboard import Network, NetworkAccuracy
from detect import Card, find_file, list_cards

__all__ = ["networks_in"]

logger = logging.getLogger(__name__)


def networks_in(folders: Sequence[Path]) -> list[Network]:
    """Every network that comes with Gridpatrol, and those with a card in `folders`."""
    try:
        cards = list_cards(folders)
    except ModelError as error:  # one of the site's own: the others can be shown all the same
        logger.error("networks of the site are left out: %s", error)
        cards = list_cards()
    return [_network(card, find_file(card, folders) is not None) for card in cards]


def _network(card: Card, present: bool) -> Network:
    rows = ((row.data, row.label, row.height, row.recall, row.false, row.count) for row in card.accuracy)
    return Network(
        name=card.name,
        file=card.file,
        present=present,
        bytes=card.bytes,
        sha256=card.sha256,
        url=card.url,
        origin=card.origin,
        licence=card.licence,
        head=card.head.value,
        labels=card.labels,
        input=f"{card.input.width_px} × {card.input.height_px} {card.input.colour}",
        latency_ms=card.latency_ms,
        latency_on=card.latency_on,
        about=" ".join(card.about.split()),
        accuracy=tuple(NetworkAccuracy(*row) for row in rows),
    )
