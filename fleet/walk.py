"""The main job, walked through the public API alone: from the first alarm to the closed case, with a stopwatch.

What the control room and a patrol team do by hand, an operator client and a phone client do here: `gridpatrol demo --until-event`
uses it to prove an installation, and so do the tests.
"""

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from websockets.asyncio.client import connect

from base import Clock, GridpatrolError

__all__ = ["Seen", "Walk", "WalkResult", "walk"]

logger = logging.getLogger(__name__)

Json = dict[str, Any]  # Any: JSON of the public API, read by key


@dataclass(frozen=True, slots=True)
class Seen:
    """The thing behind an incident, as who drew the picture knows it. UTC seconds."""

    appeared_s: float
    in_zone_s: float | None


@dataclass(frozen=True, slots=True)
class WalkResult:
    """Seconds since the thing appeared in the picture, for each stage; and what it was."""

    event_s: float
    incident_s: float
    proposed_s: float
    dispatched_s: float
    closed_s: float
    kind: str
    label: str
    reason: str
    camera: str
    team: str
    in_zone_s: float | None
    passed_over: int  # incidents before this one that nothing forbidden had caused

    def json(self) -> str:
        return json.dumps(
            {key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(self).items()},
            ensure_ascii=False,
        )


class Walk:
    """One signed-in client of a running Gridpatrol."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=10.0, headers={"Origin": url})

    async def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request; raises GridpatrolError with the server's own sentence when it is refused."""
        answer = await self.http.request(method, f"/api/v1{path}", json=body)
        if answer.is_error:
            raise GridpatrolError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        value: Json = answer.json() if answer.content else {}
        return value

    async def step(self, incident: Json, step: str, **more: object) -> Json:
        """Take one step from the version of `incident` that was looked at; the incident afterwards."""
        body = {"step": step, "version": incident["version"], "command_id": str(uuid.uuid4()), **more}
        return await self.call("POST", f"/incidents/{incident['id']}/steps", body)

    async def incidents(self) -> AsyncIterator[Json]:
        """Every open incident, then each as it is opened or changes."""
        cookie = "; ".join(f"{item.name}={item.value}" for item in self.http.cookies.jar)
        address = self.url.replace("http", "ws", 1) + "/api/v1/updates"
        async with connect(address, additional_headers={"Cookie": cookie, "Origin": self.url}) as socket:
            # Subscribed first, asked second: what is opened between the two comes twice rather than never.
            for incident in (await self.call("GET", "/incidents?state=open"))["items"]:
                yield incident
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "incident":
                    yield message["incident"]


async def walk(
    url: str, setup_secret: str, clock: Clock, seen: Callable[[Json], Awaitable[Seen | None]], within_s: float
) -> WalkResult:
    """Wait for the first incident that `seen` confirms, and drive it to closed.

    Raises GridpatrolError when a step is refused, and TimeoutError when no such incident comes within `within_s`.
    """
    room, phone = Walk(url), Walk(url)
    async with room.http, phone.http:
        password = secrets.token_urlsafe(24)
        await room.call("POST", "/setup", {"secret": setup_secret, "name": "demo", "password": password})
        async with asyncio.timeout(within_s):
            incident, truth, passed_over = await _first(room, seen)
        incident_s = clock.now_s()

        incident = await room.step(incident, "acknowledge")
        proposal = await room.call("GET", f"/incidents/{incident['id']}/proposal")
        proposed_s = clock.now_s()
        if proposal["team"] is None:
            raise GridpatrolError(f"no team is proposed: {proposal['shortfall']}")
        incident = await room.step(incident, "dispatch", team=proposal["team"])
        dispatched_s = clock.now_s()

        code = await room.call("POST", f"/teams/{proposal['team']}/phone")
        await phone.call("POST", "/session/team", {"code": code["code"]})
        for step in ("accept", "depart", "arrive"):
            incident = await phone.step(incident, step)
        incident = await phone.step(incident, "report", text="One person in the closed area, left when asked. Fence checked.")
        incident = await room.step(incident, "verify")
        incident = await room.step(incident, "close", verdict="true", cause="trespass")
        closed_s = clock.now_s()
        if incident["work"] != "closed":
            raise GridpatrolError(f"expected the incident to be closed, it is {incident['work']}")
        detail = await room.call("GET", f"/incidents/{incident['id']}")
    first = detail["events"][0]
    return WalkResult(
        event_s=_made_s(first["id"]) - truth.appeared_s,
        incident_s=incident_s - truth.appeared_s,
        proposed_s=proposed_s - truth.appeared_s,
        dispatched_s=dispatched_s - truth.appeared_s,
        closed_s=closed_s - truth.appeared_s,
        kind=incident["kind"],
        label=first["label"],
        reason=proposal["reason"]["en"],
        camera=incident["camera"],
        team=proposal["team"],
        in_zone_s=None if truth.in_zone_s is None else truth.in_zone_s - truth.appeared_s,
        passed_over=passed_over,
    )


async def _first(room: Walk, seen: Callable[[Json], Awaitable[Seen | None]]) -> tuple[Json, Seen, int]:
    """The first new incident something real is behind, that thing, and how many others came before."""
    others: set[str] = set()
    async for incident in room.incidents():
        if incident["work"] != "new" or incident["id"] in others:
            continue
        truth = await seen(incident)
        if truth is not None:
            return incident, truth, len(others)
        others.add(incident["id"])
        logger.info("incident %s on %s: nothing forbidden is in the picture", incident["number"], incident["camera"])
    raise GridpatrolError("the server closed the update channel")


def _made_s(event: str) -> float:
    """When the event was made: the first 48 bits of a UUIDv7 are milliseconds since 1970 (RFC 9562 §5.7)."""
    return int(event.replace("-", "")[:12], 16) / 1000
