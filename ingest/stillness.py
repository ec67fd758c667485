"""Which cameras' packets say that nothing has changed, so that the next key frame shows what the last one did.

A predicted picture holds what differs from the one before it. Where the encoder spends next to nothing on these, as it always
does while this camera's scene is empty, a key frame brings no news: decoding it would cost 1 to 2 ms to find the same picture.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_UNSEEN_S", "Stillness"]

MOST_UNSEEN_S = 7.0
"""A key frame that comes this long after the last decoded one is decoded whatever packets say: light and shadows creep."""

_STRETCH = 12  # predicted pictures judged together: under a second, in which the noise of single ones evens out
_ENOUGH = 40  # stretches before anything is believed: half a minute
_MOST_S = 2.5  # a stretch: of a camera with fewer than five pictures a second, a walker's few would drown among the others
_MOST_BYTES = 400.0  # a picture, of an empty scene: who needs more has leaves, rain or a pulsing encoder, and hides a walker
_MORE, _MORE_BYTES = 1.2, 12.0  # than in an empty scene: a walker of 20 pixels adds 40 bytes and more
_RISE, _FALL = 1.002, 0.982  # a stretch: what is usual follows the lower tenth of what comes (Robbins and Monro 1951)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Stillness:
    """Of each row: whether a stretch of predicted pictures was larger than they are while nothing moves, since it was last asked.

    What an empty scene takes is learned from what comes, as its low end. Owned by the reader thread.
    """

    def __init__(self, rows: int) -> None:
        self._bytes = np.zeros(rows)  # of the stretch that is being added up ...
        self._pictures = np.zeros(rows, np.int64)  # ... how many they are ...
        self._began_s = np.full(rows, -np.inf)  # ... and since when (monotonic)
        self._empty = np.full(rows, np.nan)  # bytes of a predicted picture while nothing moves
        self._stretches = np.zeros(rows, np.int64)
        self._changed = np.ones(rows, np.bool_)

    def add(self, size: Floats, pictures: Counts, now_s: float) -> None:
        """Bytes of the predicted pictures of each row that came until `now_s` (monotonic), and how many they are: (rows,)."""
        self._bytes += size
        self._pictures += pictures
        full = np.flatnonzero(self._pictures >= _STRETCH)
        if not len(full):
            return
        mean = self._bytes[full] / self._pictures[full]
        took_s = now_s - self._began_s[full]
        self._bytes[full], self._pictures[full], self._began_s[full] = 0.0, 0, now_s
        empty = np.where(np.isnan(self._empty[full]), mean, self._empty[full])
        much = (mean > empty * _MORE + _MORE_BYTES) | (empty > _MOST_BYTES) | (took_s > _MOST_S)
        self._changed[full] |= much
        self._empty[full] = empty * np.where(mean < empty, _FALL, _RISE)
        self._stretches[full] += 1

    def changed(self, row: int) -> bool:
        """Whether a key frame may show something new. True while too little is known, or only these come."""
        return bool(self._changed[row] or self._stretches[row] < _ENOUGH)

    def seen(self, row: int) -> None:
        """The newest key frame is being looked at."""
        self._changed[row] = False

    def forget(self, row: int) -> None:
        """This row is another camera from now on."""
        self._bytes[row] = self._pictures[row] = self._stretches[row] = 0
        self._empty[row], self._began_s[row] = np.nan, -np.inf
        self._changed[row] = True
