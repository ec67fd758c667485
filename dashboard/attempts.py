"""How often somebody may be wrong: a moving window of failures per key, bounded in memory."""

import ipaddress
from collections import OrderedDict, deque

from base import Clock
from dashboard.failures import TooManyError

__all__ = ["Attempts", "peer_key"]

KEYS = 10_000
"""Keys remembered; beyond, the one unused for longest is forgotten. About 2 MB."""


class Attempts:
    """Counts failures per key within the last `window_s`. Owned by the event loop.

    An attempt counts as failed from its beginning until it is forgiven, so that many at a time are bounded, too.
    """

    def __init__(self, clock: Clock, limit: int, window_s: float) -> None:
        self._clock = clock
        self._limit = limit
        self._window_s = window_s
        self._times_s: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, *keys: str) -> None:
        """Count one attempt under each key; raises TooManyError, counting nothing, if one of them has none left."""
        now_s = self._clock.monotonic_s()
        waits_s = [self._wait_s(key, now_s) for key in keys]
        if max(waits_s) > 0:
            raise TooManyError("Too many failed attempts; wait a little and try again.", max(waits_s))
        for key in keys:
            self._times_s.setdefault(key, deque()).append(now_s)
            self._times_s.move_to_end(key)
        while len(self._times_s) > KEYS:
            self._times_s.popitem(last=False)

    def forgive(self, *keys: str) -> None:
        """Take back the newest attempt of each key: it succeeded."""
        for key in keys:
            times_s = self._times_s.get(key)
            if times_s:
                times_s.pop()
            if not times_s:
                self._times_s.pop(key, None)

    def _wait_s(self, key: str, now_s: float) -> float:
        times_s = self._times_s.get(key)
        if not times_s:
            return 0.0
        while times_s and times_s[0] <= now_s - self._window_s:
            times_s.popleft()
        return times_s[0] + self._window_s - now_s if len(times_s) >= self._limit else 0.0


def peer_key(host: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 that one IPv6 customer has all addresses of."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return f"peer:{host[:64]}"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return f"peer:{ipaddress.ip_network((address, 64), strict=False)}"
    return f"peer:{getattr(address, 'ipv4_mapped', None) or address}"
