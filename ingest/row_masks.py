"""Which privacy masks hold for the packets of each row, also while a row becomes another camera or gets other masks."""

import threading
from collections.abc import Sequence

from camera_config import Outline

__all__ = ["RowMasks"]


class RowMasks:
    """The masks of each row. Any thread.

    Whoever takes a packet of a row takes its masks with it, with the `lock` held under which a row is exchanged as a whole. So no
    picture is ever made of a packet with the masks of what came after it. Each exchange gives a row a list of its own: while a
    row has the very list that was taken, it is the same camera.
    """

    def __init__(self, rows: Sequence[Sequence[Outline]]) -> None:
        self.lock = threading.Lock()
        self._rows = [list(masks) for masks in rows]

    def of(self, row: int) -> Sequence[Outline]:
        """What is black in pictures of a row."""
        return self._rows[row]

    def exchange(self, row: int, masks: Sequence[Outline]) -> None:
        """A row is another camera from now on. Call it with the lock held."""
        self._rows[row] = list(masks)
