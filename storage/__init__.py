"""What must not be lost, in one database: events, incidents with their history, teams, accounts, audit.

In: events of the workers, commands of people. Out: incidents, after the commit. The only package that imports
SQLAlchemy. Read `store.py` first, then `writer.py`.
"""

from storage.accounts import AuditFilter, AuditRow, NameTakenError, Session, User
from storage.areas import Area, check_areas
from storage.assessment import AssessmentOf
from storage.checkpoint_keys import CodeAttempt
from storage.coverage import CoverageLedger, PatrolProposal, ProposalState
from storage.desks import Desks
from storage.drills import Drill
from storage.handover import Handovers
from storage.health import HealthChange
from storage.holds import Hold
from storage.incidents import IncidentFilter, IncidentState
from storage.ledger import Ledger, LedgerPage
from storage.messages import MessageState, Outcome, StoredMessage, TargetCount
from storage.outages import Outage
from storage.outgoing import Outgoing
from storage.photos import NewPhoto, Photo, Photos
from storage.plan_rounds import WantedDraw
from storage.recordings import Recording, recordings
from storage.rounds import RoundFigures, RoundFilter, Rounds
from storage.schema import SchemaState, schema_state
from storage.site_versions import CameraChanges, SiteVersion, SiteVersions, VersionKind, read_versions
from storage.store import Store
from storage.system_samples import SystemSample
from storage.walk_rounds import Told

__all__ = [
    "Area",
    "AssessmentOf",
    "AuditFilter",
    "AuditRow",
    "CameraChanges",
    "CodeAttempt",
    "CoverageLedger",
    "Desks",
    "Drill",
    "Handovers",
    "HealthChange",
    "Hold",
    "IncidentFilter",
    "IncidentState",
    "Ledger",
    "LedgerPage",
    "MessageState",
    "NameTakenError",
    "NewPhoto",
    "Outage",
    "Outcome",
    "Outgoing",
    "PatrolProposal",
    "Photo",
    "Photos",
    "ProposalState",
    "Recording",
    "RoundFigures",
    "RoundFilter",
    "Rounds",
    "SchemaState",
    "Session",
    "SiteVersion",
    "SiteVersions",
    "Store",
    "StoredMessage",
    "SystemSample",
    "TargetCount",
    "Told",
    "User",
    "VersionKind",
    "WantedDraw",
    "check_areas",
    "read_versions",
    "recordings",
    "schema_state",
]
