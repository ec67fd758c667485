"""How much a camera may bring in a second before it is taken for broken or hostile."""

from ingest.source import Flood

__all__ = ["Governor"]

PICTURES_PER_S = 240  # twice what the fastest surveillance camera offers
FRAMES_PER_S = 10_000  # interleaved frames or datagrams: 50 Mbit/s in pieces of 625 bytes, where cameras cut at 1,400
MESSAGES_PER_S = 50  # RTSP
_BURST_S = 5.0  # of each may come at once: a server sends its stored GOP, a line that stood still what piled up meanwhile
_LEAST_S = 0.025  # a sweep


class Governor:
    """Adds up what one connection brings, sweep by sweep. Owned by the reader thread.

    Bytes are no measure of what a camera costs us, pieces are: a million empty frames are 4 MB. What is due flows off at the
    limit's rate, and nobody may have more than five seconds' worth of it open. Costs nothing for each piece.
    """

    def __init__(self, now_s: float) -> None:
        self._limits = (
            _Limit("pictures", PICTURES_PER_S),
            _Limit("RTP packets", FRAMES_PER_S),
            _Limit("messages", MESSAGES_PER_S),
        )
        self._since_s = now_s
        self._is_open = False

    @property
    def calm_s(self) -> float | None:
        """Until when (monotonic) everything was counted, if nothing is open: then what comes no faster than the limits need not
        be counted, `go_on` tells until when. None: it must be.
        """
        return None if self._is_open else self._since_s

    def go_on(self, now_s: float) -> None:
        """What came until then need not be counted."""
        self._since_s = now_s

    def count(self, pictures: int, frames: int, messages: int, now_s: float) -> None:
        """What a sweep brought, `now_s` monotonic. Raises Flood with the rate and its limit."""
        passed_s, self._since_s = max(now_s - self._since_s, 0.0), now_s
        for limit, came in zip(self._limits, (pictures, frames, messages), strict=True):
            if came or limit.open:
                limit.count(came, passed_s)
        self._is_open = any(limit.open for limit in self._limits)


class _Limit:
    """Of one kind of thing."""

    def __init__(self, what: str, most_per_s: int) -> None:
        self.open = 0.0  # came, and has not flown off yet
        self._what, self._most_per_s = what, most_per_s
        self._came, self._lasted_s = 0, 0.0  # since nothing was open

    def count(self, came: int, passed_s: float) -> None:
        self._came, self._lasted_s = self._came + came, self._lasted_s + passed_s
        self.open = max(0.0, self.open + came - self._most_per_s * passed_s)
        if not self.open:
            self._came, self._lasted_s = 0, 0.0
        elif self.open > self._most_per_s * _BURST_S:
            lasted_s = max(self._lasted_s, _LEAST_S)
            raise Flood(
                f"the camera brings {self._came / lasted_s:,.0f} {self._what} a second ({self._came:,} in {lasted_s:.1f} s);"
                f" at most {self._most_per_s:,} a second are plausible"
            )
