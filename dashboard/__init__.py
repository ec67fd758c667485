"""What people see: the API under `/api/v1`, updates by WebSocket, live view by WebRTC, and the page.

In: the site, the store, and a view of the running fleet. Out: steps of people, into the store. The only package that imports
FastAPI. Read `app.py` first, then `authorize.py` and `routes/incidents.py`.
"""

from dashboard.announce import (
    announce_camera,
    announce_coverage,
    announce_handover,
    announce_incident,
    announce_referral,
    announce_round,
    announce_team,
)
from dashboard.app import create_app
from dashboard.coverage_board import CoverageBoard, CoverageNow
from dashboard.encoders import Encoders, EncoderState
from dashboard.fleet_view import FleetView, WorkerState
from dashboard.network_shelf import Network, NetworkAccuracy
from dashboard.registry import Applied, Follower, Registry, Waits
from dashboard.server import WebServer
from dashboard.settings import TRANSCODES, DashboardSettings
from dashboard.setup import ensure_setup_secret
from dashboard.updates import Updates

__all__ = [
    "TRANSCODES",
    "Applied",
    "CoverageBoard",
    "CoverageNow",
    "DashboardSettings",
    "EncoderState",
    "Encoders",
    "FleetView",
    "Follower",
    "Network",
    "NetworkAccuracy",
    "Registry",
    "Updates",
    "Waits",
    "WebServer",
    "WorkerState",
    "announce_camera",
    "announce_coverage",
    "announce_handover",
    "announce_incident",
    "announce_referral",
    "announce_round",
    "announce_team",
    "create_app",
    "ensure_setup_secret",
]
