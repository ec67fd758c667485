"""How one input becomes several, in pieces at a mark or in chunks of any size, and where targets that need files keep them."""

import atexit
import random
import shutil
import tempfile
import zlib
from functools import cache
from itertools import pairwise
from pathlib import Path

__all__ = ["MARK", "chunks", "pieces", "scratch"]

MARK = b"\n--\n"


def pieces(data: bytes) -> list[bytes]:
    """What stands between the marks; mutations mostly leave those alone, unlike lengths."""
    return data.split(MARK)


def chunks(data: bytes, most: int = 12) -> list[bytes]:
    """`data` cut in up to `most` places, which only `data` decides: the same input is always cut alike."""
    lot = random.Random(zlib.crc32(data))
    edges = sorted({0, len(data), *(lot.randint(0, len(data)) for _ in range(lot.randint(1, most)))})
    return [data[start:end] for start, end in pairwise(edges)]


@cache
def scratch() -> Path:
    """A folder of this process, in memory where that is to be had, because some parsers wait for the disk at every write."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="gridpatrol-fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
