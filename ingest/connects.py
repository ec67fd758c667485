"""Who may connect next: a limit for all, a limit per host, and nobody overtaken."""

import heapq
import urllib.parse
from collections import Counter
from collections.abc import Sequence

from ingest.settings import IngestSettings
from ingest.source import Feed

__all__ = ["ConnectQueue", "host_of"]

_SOON_S = 0.1  # what is not used of the limit for all is saved up for that long


def host_of(url: str) -> str:
    """The host in a URL, empty for a file or what is no URL."""
    try:
        return urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return ""


class ConnectQueue:
    """Closed cameras in the order of their next try. Owned by the reader thread.

    At most `connects_per_s` in all, and per host (a recorder with 32 channels) `host_connects_per_s`; a host with so many
    cameras that this would take longer than `host_open_s` is no recorder but a media server, and gets as many as it takes.
    Costs nothing for a camera whose time has not come: hosts wait in one heap by when they have somebody to open.
    """

    def __init__(self, feeds: Sequence[Feed], settings: IngestSettings, now_s: float) -> None:
        self._host = [host_of(feed.url) or feed.camera for feed in feeds]
        cameras = Counter(self._host)
        self._pause_s = {
            host: 1 / max(settings.host_connects_per_s, count / settings.host_open_s) for host, count in cameras.items()
        }
        self._free_s = dict.fromkeys(cameras, now_s)  # when a host may be asked again
        self._waiting: dict[str, list[tuple[float, int]]] = {host: [] for host in cameras}  # heaps of (due, row)
        self._hosts: list[tuple[float, str]] = []  # heap of (when there is something to do, host)
        self._entry_s: dict[str, float] = {}  # which entry of a host in that heap counts; others are outdated
        self._rate, self._host_rate = settings.connects_per_s, settings.host_connects_per_s
        self._allowance, self._most, self._counted_s = 1.0, max(1.0, settings.connects_per_s * _SOON_S), now_s
        for row, feed in enumerate(feeds):
            if feed.camera:
                self.put(row, now_s)

    def put(self, row: int, due_s: float) -> None:
        """The camera in `row` is closed until `due_s`."""
        host = self._host[row]
        heapq.heappush(self._waiting[host], (due_s, row))
        self._enter(host)

    def exchange(self, row: int, feed: Feed, now_s: float) -> None:
        """The camera in `row` is another one from now on, to be opened at once; or none."""
        before = self._host[row]
        self._waiting[before] = [entry for entry in self._waiting[before] if entry[1] != row]
        heapq.heapify(self._waiting[before])
        if not self._waiting[before]:
            self._entry_s.pop(before, None)
        host = self._host[row] = host_of(feed.url) or feed.camera
        if host not in self._waiting:
            self._pause_s[host], self._free_s[host], self._waiting[host] = 1 / self._host_rate, now_s, []
        if feed.camera:
            self.put(row, now_s)

    def take(self, now_s: float) -> list[int]:
        """Rows that may be opened now."""
        rows: list[int] = []
        self._count(now_s)
        while self._hosts and self._hosts[0][0] <= now_s and self._allowance >= 1:
            when_s, host = heapq.heappop(self._hosts)
            if when_s != self._entry_s.get(host):
                continue
            del self._entry_s[host]
            if max(self._waiting[host][0][0], self._free_s[host]) <= now_s:
                rows.append(heapq.heappop(self._waiting[host])[1])
                self._spend(host, now_s)
            if self._waiting[host]:
                self._enter(host)
        return rows

    def allow(self, row: int, now_s: float) -> bool:
        """Whether one more connection to the camera in `row` may be made now, besides those of `take`; it is then counted."""
        self._count(now_s)
        host = self._host[row]
        if self._allowance < 1 or self._free_s[host] > now_s:
            return False
        self._spend(host, now_s)
        return True

    def _enter(self, host: str) -> None:
        """Put the host where its first camera's time comes, unless it stands there already."""
        when_s = max(self._waiting[host][0][0], self._free_s[host])
        if when_s != self._entry_s.get(host):
            self._entry_s[host] = when_s
            heapq.heappush(self._hosts, (when_s, host))

    def _count(self, now_s: float) -> None:
        self._allowance = min(self._most, self._allowance + (now_s - self._counted_s) * self._rate)
        self._counted_s = now_s

    def _spend(self, host: str, now_s: float) -> None:
        self._allowance -= 1
        self._free_s[host] = max(self._free_s[host] + self._pause_s[host], now_s)
