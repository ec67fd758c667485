"""The state of a site as MQTT publishes it: open incidents, cameras, teams, and counts of them."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from base import CameraStatus, Clock, Health
from camera_config.site import Site
from fleet.notices.mqtt import Topics
from patrol import Incident, TeamState, TeamStatus
from storage import Store

__all__ = ["SiteState", "StatusView"]

_MOST = 500
"""Open incidents that have a topic of their own, newest first; the counts know at most as many."""


class StatusView(Protocol):
    """Who knows how the cameras are; Control does."""

    def statuses(self) -> Mapping[str, CameraStatus]: ...


class SiteState:
    """Asks the database and the workers for what is to be retained. Nothing of callers, no reports, no addresses."""

    def __init__(self, site: Site, store: Store, cameras: StatusView, clock: Clock) -> None:
        self._site = site
        self._store = store
        self._cameras = cameras
        self._clock = clock

    async def topics(self) -> Topics:
        """Everything to be retained now, by topic below the prefix. Raises StorageError."""
        incidents = await asyncio.to_thread(self._store.incidents, "open", _MOST)
        teams = await asyncio.to_thread(self._store.team_states)
        statuses = self._cameras.statuses()
        state: dict[str, object] = {f"incident/{incident.id}": _incident(incident) for incident in incidents}
        health = {
            camera.id: statuses[camera.id].health if camera.id in statuses else Health.OFFLINE
            for camera in self._site.cameras
            if camera.enabled
        }
        state |= {f"camera/{name}": {"health": each.value} for name, each in health.items()}
        state |= {f"team/{team.team}": _team(team) for team in teams.values()}
        real = [incident for incident in incidents if not incident.drill]
        now_s = self._clock.now_s()
        state["summary"] = {
            "incidents_open": len(real),
            "incidents_severity_1": sum(incident.severity == 1 for incident in real),
            "incidents_overdue": sum(incident.due is not None and incident.due.at_s < now_s for incident in real),
            "drills_open": len(incidents) - len(real),
            "cameras_offline": sum(each is Health.OFFLINE for each in health.values()),
            "cameras": len(health),
            "teams_available": sum(team.status is TeamStatus.AVAILABLE for team in teams.values()),
            "teams_busy": sum(team.is_busy for team in teams.values()),
        }
        return state


def _incident(incident: Incident) -> dict[str, object]:
    return {
        "number": incident.number,
        "version": incident.version,
        "severity": incident.severity,
        "category": incident.category.value,
        "kind": incident.kind.value if incident.kind else None,
        "work": incident.work.value,
        "condition": incident.condition.value,
        "drill": incident.drill,
        "camera": incident.camera or None,
        "grid_cell": incident.grid_cell or None,
        "compound": incident.compound or None,
        "team": incident.team or None,
        "opened_s": incident.opened_s,
        "due_s": incident.due.at_s if incident.due else None,
    }


def _team(team: TeamState) -> dict[str, object]:
    """Without its position, which is nobody's business outside the control room."""
    return {"status": team.status.value, "on_shift": team.on_shift, "incident": team.incident or None}
