"""Fuzz targets of what a browser sends that is no JSON: the offer of a live view."""

from aiortc.sdp import SessionDescription

from base import ConfigError
from dashboard.live import _checked as checked


def fuzz_offer(data: bytes) -> None:
    """ConfigError, or an offer in which no candidate is left: nobody makes us send to an address of their choice."""
    try:
        offer = checked(data.decode(errors="replace"))
    except ConfigError:
        return
    assert all(not media.ice_candidates for media in SessionDescription.parse(offer).media)
