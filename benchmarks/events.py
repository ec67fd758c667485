"""A storm of events from the workers' report to every open page, and lists over a database that has been in use for years.

First 727 events within one second, then 100 a second, as two workers deliver them, while 20 pages follow the updates over
their WebSockets; the events have pictures of 30 kB. Then, with `--stored` events in the database, the lists of the API, the
books of the ledger, one month of its events as a CSV file, and the storm again for a third of the time. All of it on SQLite and
on a PostgreSQL that is started for it, both with durable commits.

The last line is one JSON object: `sqlite` and `postgresql` (null where no server is installed), each with `events`; `lost` (not
stored, or not heard of by every page); `doubled`; `burst_commit_p99_ms` and `commit_p99_ms` (one report of a worker, up to 64
events); `burst_to_websocket_p99_ms` and `to_websocket_p99_ms` (from the event to each page); `list_p95_ms`, `slowest_list`,
`slowest_list_ms` (its median), the same three for `ledger_list`; `export_lines`, `export_s`, `export_grown_mb` (memory of this
process, server and client, above what it had before); `stored_commit_p99_ms`, `stored`, `fill_s`, `load` (of the machine over the
last minute, at the end); then `list_p95_ms` and `ledger_list_p95_ms` (the worse of both) and `machine`. Bars: lost 0, doubled 0,
burst 500 ms, commits 100 ms with an empty database and with 5 million events, pages 1000 ms, lists 200 ms with 5 million events.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import resource
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
from fastapi import FastAPI

from base import Event, EventKind, SystemClock, Tier, uuid7
from benchmarks._machine import machine
from benchmarks._pages import Heard, Pages
from benchmarks._stored import fill
from camera_config import Site
from camera_config.district import make_district
from dashboard import DashboardSettings, Updates, WebServer, announce_incident, create_app
from fleet.control import Control, Sink
from patrol import Actor, ActorKind, Command, Step, Verdict
from storage import Store
from tests.storage import postgresql

PAGES = 20
WORKERS = 2
DRAIN_S, MOST = 0.2, 64
"""How often a worker is asked for events, and how many it gives at once; as fleet/control.py and fleet/worker.py have it."""

BURST, BURST_S, PER_S = 727, 1.0, 100
AFTER_BURST_S = 1.0
"""What the burst left in the outboxes belongs to it."""

A_MONTH = tuple(datetime.fromtimestamp(SystemClock().now_s() - days * 86_400, UTC).isoformat() for days in (400, 370))
TIMES = 13
JPEG = os.urandom(30_000)
DURABLE = postgresql.SETTINGS | {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "autovacuum": "on"}
ADMINISTRATOR = Actor(ActorKind.USER, "u1", "benchmark")


@dataclass
class Load:
    """What was sent and when, by event id; and how long each report took to be stored, with the time it began."""

    raised_s: dict[str, float] = field(default_factory=dict)
    commits: list[tuple[float, float]] = field(default_factory=list)
    burst_over_s: float = 0.0


async def measure(url: str, seconds: float, stored: int) -> dict[str, object]:
    """Both measurements on the empty database at `url`."""
    site = make_district().site
    async with served(site, url) as (store, server, app):
        sessions = [signed_in(store) for _ in range(PAGES)]
        pages = await asyncio.to_thread(Pages, f"ws://127.0.0.1:{server.port}", sessions)
        load = await storm(site, store, app.state.updates, seconds)
        heard = await asyncio.to_thread(pages.close)
        found = judge(load, heard, store)
        prepare_for_copies(store)
    count, fill_s = await asyncio.to_thread(fill, url, stored, SystemClock().now_s())
    async with served(site, url) as (store, server, app):
        with client_of(f"http://127.0.0.1:{server.port}", signed_in(store)) as client:
            found |= await asyncio.to_thread(ask, client, "list", lists(store))
            found |= await asyncio.to_thread(ask, client, "ledger_list", books())
            found |= await asyncio.to_thread(export, client)
        load = await storm(site, store, app.state.updates, seconds / 3)
    steady_ms = [1000 * took_s for at_s, took_s in load.commits if at_s >= load.burst_over_s + AFTER_BURST_S]
    return found | {
        "stored_commit_p99_ms": percentile(steady_ms, 99),
        "stored": count,
        "fill_s": round(fill_s, 1),
        "load": round(os.getloadavg()[0], 1),
    }


@asynccontextmanager
async def served(site: Site, url: str) -> AsyncIterator[tuple[Store, WebServer, FastAPI]]:
    """The store with its web server, put together as fleet/run.py does, without workers."""
    clock = SystemClock()
    store = await asyncio.to_thread(Store.open, url, clock, site)
    try:
        app = create_app(site, store, Control((), NOTHING, clock), clock, DashboardSettings())
        server = WebServer(app, "127.0.0.1", 0)
        await server.start()
        try:
            yield store, server, app
        finally:
            await server.stop()
    finally:
        await asyncio.to_thread(store.close)


async def _ignore(_: object) -> None:
    return


NOTHING = Sink(_ignore, _ignore, _ignore, _ignore, _ignore)


def signed_in(store: Store) -> str:
    """The cookie of a new administrator's session."""
    user = store.add_user(f"user-{secrets.token_hex(4)}", "", "administrator")
    token = secrets.token_urlsafe(32)
    store.add_session(hashlib.sha256(token.encode()).hexdigest(), "user", user.id, SystemClock().now_s() + 86_400)
    return token


async def storm(site: Site, store: Store, updates: Updates, seconds: float) -> Load:
    """The burst and what follows it, delivered by workers as control does: one report after another from each."""
    load, rng = Load(), random.Random(727)
    outboxes: list[list[Event]] = [[] for _ in range(WORKERS)]
    begin_s = time.monotonic() + 0.5
    moments = [begin_s + BURST_S * n / BURST for n in range(BURST)]
    steady_s = begin_s + BURST_S
    moments += [steady_s + n / PER_S for n in range(int(seconds * PER_S))]
    load.burst_over_s = steady_s
    cameras = [camera.id for camera in site.cameras]
    over = asyncio.Event()

    async def work(outbox: list[Event]) -> None:
        while outbox or not over.is_set():
            report = outbox[:MOST]
            if not report:
                await asyncio.sleep(DRAIN_S)
                continue
            began_s = time.monotonic()
            incidents = await asyncio.to_thread(store.record_events, report)
            load.commits.append((began_s, time.monotonic() - began_s))
            for incident in incidents:
                announce_incident(updates, incident)
            del outbox[: len(report)]

    async with asyncio.TaskGroup() as group:
        for outbox in outboxes:
            group.create_task(work(outbox))
        for number, moment_s in enumerate(moments):
            await asyncio.sleep(max(0.0, moment_s - time.monotonic()))
            camera = cameras[number] if number < BURST else rng.choice(cameras)
            event = an_event(camera, rng)
            load.raised_s[event.id] = time.monotonic()
            outboxes[cameras.index(camera) % WORKERS].append(event)
        over.set()
    return load


def an_event(camera: str, rng: random.Random) -> Event:
    now_s = SystemClock().now_s()
    return Event(
        id=uuid7(now_s),
        camera=camera,
        kind=rng.choice((EventKind.INTRUSION, EventKind.MOTION)),
        label="person",
        rule="no-entry",
        zone="yard",
        severity=rng.randint(1, 4),
        began_s=now_s - 1,
        raised_s=now_s,
        ended_s=None,
        score=rng.random(),
        box=(0.1, 0.2, 0.3, 0.4),
        seen_by=Tier.KEY_FRAME,
        network="crop",
        snapshot_jpeg=JPEG,
    )


def judge(load: Load, heard: Sequence[Heard], store: Store) -> dict[str, object]:
    """What became of the events: stored once each, and when each page first heard of the incident with it."""
    rows = Counter[str]()
    version: dict[str, tuple[str, int]] = {}
    for incident in store.incidents("all", 1_000_000):
        rows.update(event.id for event in store.events(incident.id))
        version |= {entry.event: (incident.id, entry.version) for entry in store.history(incident.id) if entry.event}
    burst_ms, steady_ms, unheard = list[float](), list[float](), set[str]()
    for notes in heard:
        by_incident: dict[str, list[tuple[int, float]]] = {}
        for incident_id, number, at_s in notes:
            by_incident.setdefault(incident_id, []).append((number, at_s))
        for event, raised_s in load.raised_s.items():
            name, least = version.get(event, ("", 0))
            times_s = [at_s for number, at_s in by_incident.get(name, ()) if number >= least]
            if times_s:
                (burst_ms if raised_s < load.burst_over_s else steady_ms).append(1000 * (min(times_s) - raised_s))
            else:
                unheard.add(event)
    burst_end_s = load.burst_over_s + AFTER_BURST_S
    return {
        "events": len(load.raised_s),
        "lost": len(unheard | {event for event in load.raised_s if not rows[event]}),
        "doubled": sum(count > 1 for count in rows.values()) + sum(event not in load.raised_s for event in rows),
        "burst_commit_p99_ms": percentile([1000 * took_s for at_s, took_s in load.commits if at_s < burst_end_s], 99),
        "commit_p99_ms": percentile([1000 * took_s for at_s, took_s in load.commits if at_s >= burst_end_s], 99),
        "burst_to_websocket_p99_ms": percentile(burst_ms, 99),
        "to_websocket_p99_ms": percentile(steady_ms, 99),
    }


def prepare_for_copies(store: Store) -> None:
    """Make the incident of which `fill` makes copies: the first one, closed."""
    first = store.incidents("all", 1_000_000)[-1]
    command = Command(uuid7(0.0), first.id, Step.CLOSE, first.version, ADMINISTRATOR, SystemClock().now_s())
    store.apply(replace(command, verdict=Verdict.FALSE_ALARM, cause="light"))


def lists(store: Store) -> dict[str, str]:
    """The lists of incidents, by what is looked for."""
    rng = random.Random(7)
    deep = [incident.id for incident in store.incidents("closed", 500)]
    queries = {
        "open": "state=open",
        "all": "state=all&limit=500",
        "closed, next page": f"state=closed&before={rng.choice(deep)}",
        "severity and category": "state=closed&severity=1&category=public_order",
        "a category that never was": "state=all&category=fire",
        "cell": "state=all&grid_cell=grid-07",
        "cell that never was": "state=all&grid_cell=nowhere",
        "team": "state=all&team=nobody",
        "work": "state=all&work=on_scene",
        "a month": f"state=all&from={quote(A_MONTH[0])}&to={quote(A_MONTH[1])}",
        "overdue": "state=all&overdue=true",
        "text, often": "state=all&text=rain",
        "text, once": "state=all&text=case+000031",
        "text, never": "state=all&text=%E7%81%AB%E7%81%BE",
        "number": "state=all&text=1234",
    }
    paths = {name: f"/api/v1/incidents?{query}" for name, query in queries.items()}
    return paths | {"incident": f"/api/v1/incidents/{rng.choice(deep)}"}


def books() -> dict[str, str]:
    """Pages of the ledger, by book and what is looked for."""
    month = f"from={quote(A_MONTH[0])}&to={quote(A_MONTH[1])}"
    deep = f"after={datetime.fromisoformat(A_MONTH[1]).timestamp()},00000000-0000-7000-8000-000000000000"
    queries = {
        "newest": "limit=500",
        "deep": f"limit=500&{deep}",
        "a month": month,
        "cell": "grid_cell=grid-07",
        "cell that never was": "grid_cell=nowhere",
        "cell, deep": f"grid_cell=grid-07&{deep}",
        "community that never was": "community=nowhere",
        "kind that never was": "kind=crowd",
        "text, never": "text=%E7%81%AB%E7%81%BE",
    }
    of_incidents = {"category that never was": "category=fire", "verdict": "verdict=true", "severity": "severity=1"}
    asked = dict.fromkeys(("incidents", "events"), queries | of_incidents)
    asked |= {book: {"newest": "limit=500", "a month": month} for book in ("referrals", "rounds", "gaps")}
    return {f"{book}, {name}": f"/api/v1/ledger/{book}?{query}" for book, some in asked.items() for name, query in some.items()}


def client_of(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, cookies={"gridpatrol_session": token}, timeout=120, verify=False)


def ask(client: httpx.Client, what: str, paths: dict[str, str]) -> dict[str, object]:
    """How long `paths` take, each asked for as often, in random order."""
    times_ms: dict[str, list[float]] = {name: [] for name in paths}
    for name in random.Random(7).sample([*paths] * TIMES, TIMES * len(paths)):
        began_s = time.perf_counter()
        answer = client.get(paths[name])
        times_ms[name].append(1000 * (time.perf_counter() - began_s))
        answer.raise_for_status()
    for name, each in times_ms.items():
        print(f"{what}: {name}: {percentile(each, 50)} ms, p95 {percentile(each, 95)} ms", file=sys.stderr)
    slowest = max(times_ms, key=lambda name: float(np.median(times_ms[name])))
    return {
        f"{what}_p95_ms": percentile([each for some in times_ms.values() for each in some], 95),
        f"slowest_{what}": slowest,
        f"slowest_{what}_ms": percentile(times_ms[slowest], 50),
    }


def export(client: httpx.Client) -> dict[str, object]:
    """The events of one month as a CSV file."""
    path = f"/api/v1/ledger/events/export?format=csv&from={quote(A_MONTH[0])}&to={quote(A_MONTH[1])}"
    before, most, lines, began_s = rss_mb(), 0.0, 0, time.perf_counter()
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            lines += piece.count(b"\n")
            most = max(most, rss_mb())
    took_s = time.perf_counter() - began_s
    return {"export_lines": lines - 1, "export_s": round(took_s, 1), "export_grown_mb": round(max(0.0, most - before), 1)}


def rss_mb() -> float:
    """Memory of this process (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / 1e6


def percentile(values: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1) if values else 0.0


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """An empty database of each kind that there is."""
    with tempfile.TemporaryDirectory(prefix="gridpatrol-") as folder:
        found = {"sqlite": f"sqlite:///{folder}/gridpatrol.db"}
        if postgresql.binaries() is None:
            yield found
            return
        place = Path(folder)
        place.chmod(0o755)  # the server runs as somebody else
        (place / "pg").mkdir()
        with postgresql.server(place / "pg", DURABLE) as sockets:
            yield found | {"postgresql": f"postgresql+psycopg://postgres@/postgres?host={sockets}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long 100 events a second follow the burst")
    parser.add_argument("--stored", type=int, default=5_000_000, help="events in the database when lists are asked for")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one of the two databases")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, dict[str, object] | None] = {"sqlite": None, "postgresql": None}
    with addresses() as urls:
        for name, url in urls.items():
            if arguments.only in (None, name):
                print(f"{name}:", file=sys.stderr)
                found[name] = asyncio.run(measure(url, arguments.seconds, arguments.stored))
    worst = {
        name: max(float(str(each[name])) for each in found.values() if each) for name in ("list_p95_ms", "ledger_list_p95_ms")
    }
    print(json.dumps({**found, **worst, "machine": machine()}))


if __name__ == "__main__":
    main()
