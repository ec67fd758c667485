"""Fuzz targets of what a browser sends that is no JSON: the offer of a live view, and photos."""

from aiortc.sdp import SessionDescription

from base import ConfigError
from dashboard.live import _checked as checked
from dashboard.photo import LONGEST_PX, clean
from dashboard.photo_format import MOST_PIXELS, measure

SMALL = 100_000  # pixels


def fuzz_offer(data: bytes) -> None:
    """ConfigError, or an offer in which no candidate is left: nobody makes us send to an address of their choice."""
    try:
        offer = checked(data.decode(errors="replace"))
    except ConfigError:
        return
    assert all(not media.ice_candidates for media in SessionDescription.parse(offer).media)


def fuzz_photo(data: bytes) -> None:
    """ConfigError, or a JPEG of bounded size and nothing else in the file; what claims to be large reaches no decoder."""
    try:
        said = measure(data)
        assert 0 < said.width_px * said.height_px <= MOST_PIXELS
        if said.width_px * said.height_px > SMALL:  # it would be decoded, which takes a fuzzer too long
            return
        kept = clean(data, said.media_type)
    except ConfigError:
        return
    again = measure(kept.jpeg)
    assert (again.media_type, again.width_px, again.height_px) == ("image/jpeg", kept.width_px, kept.height_px)
    assert max(kept.width_px, kept.height_px) <= LONGEST_PX
