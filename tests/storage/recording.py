"""A process that records events as fast as it can and tells the id of each once it is acknowledged; made to be killed."""

from multiprocessing.connection import Connection

from base import SystemClock
from storage import Store
from tests.patrol.small_site import intrusion, small_site


def record_forever(url: str, turn: int, told: Connection) -> None:
    """Runs until killed."""
    store = Store.open(url, SystemClock(), small_site())
    n = 0
    while True:
        event = intrusion(f"c{1 + n % 4}", 1e9 + 50.0 * n, id=f"{turn:08d}-{n:027d}", snapshot_jpeg=b"x" * 3000)
        store.record_events([event])
        told.send(event.id)
        n += 1
