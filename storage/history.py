"""Lines of history, written down together with what people elsewhere may have to hear of them."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert

from patrol import HistoryEntry, Incident
from storage.notices import notices_of_history, queue_notices
from storage.rows import entry_row
from storage.tables import history

__all__ = ["add_history"]


def add_history(connection: Connection, incident: Incident, entries: Sequence[HistoryEntry]) -> None:
    """Add lines to the history of one incident, which is as it is after them. The caller commits."""
    if entries:
        connection.execute(insert(history), [entry_row(entry) for entry in entries])
        queue_notices(connection, notices_of_history(incident, entries))
