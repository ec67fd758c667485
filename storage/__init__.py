"""What must not be lost, in one database: events, incidents with their history, teams, accounts, audit.

In: events of the workers, commands of people. Out: incidents, after the commit. The only package that imports
SQLAlchemy. Read `store.py` first, then `writer.py`.
"""

from storage.accounts import AuditRow, NameTakenError, Session, User
from storage.health import HealthChange
from storage.incidents import IncidentState
from storage.schema import SchemaState, schema_state
from storage.store import Store

__all__ = [
    "AuditRow",
    "HealthChange",
    "IncidentState",
    "NameTakenError",
    "SchemaState",
    "Session",
    "Store",
    "User",
    "schema_state",
]
