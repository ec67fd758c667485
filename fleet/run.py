"""The composition root: who calls whom in a running Gridpatrol, read from top to bottom.

Everything is started in the order written here and stopped in reverse, each step with a line in the log.
"""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from base import CameraStatus, Clip, Clock, ConfigError, Event, Gap, StorageError, SystemClock, WatchRun
from camera_config import Site
from camera_config.live_site import LiveSite
from camera_config.sealed import Vault
from dashboard import (
    TRANSCODES,
    DashboardSettings,
    Registry,
    Updates,
    WebServer,
    announce_camera,
    announce_incident,
    create_app,
    ensure_setup_secret,
)
from detect import DEFAULT_WATCH, Outbox
from fleet.backups import backups_watched
from fleet.clocks import clocks_running
from fleet.control import Control, Sink
from fleet.coverage import coverage_running
from fleet.encoders import OnvifEncoders
from fleet.follow import FleetFollower
from fleet.homes import InProcessHome, SubprocessHome, WorkerHandle
from fleet.logs import hide
from fleet.network_cards import networks_in
from fleet.notices import notices_running
from fleet.retention import retention_running
from fleet.setups import setups_of
from fleet.worker import CLIPS, WorkerConfig
from ingest import DEFAULT_SETTINGS, ClipBox, Feed
from storage import Store

__all__ = ["Ready", "RunOptions", "feeds_of", "run", "vault_in"]

logger = logging.getLogger(__name__)

_ALIVE_EVERY_S = 5.0

LOGIN_KEY = "credentials.key"
"""The file in the data folder that opens the logins of `credentials.toml`."""

SPARE_ROWS = 16
"""Cameras that each worker can take up while it runs, beyond those it began with; further ones wait for a restart."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run a site; every field has a flag of the same name on the command line."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8700
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    in_process: bool = False
    database: str = ""  # SQLAlchemy URL; empty: SQLite in the data folder
    models: tuple[Path, ...] = ()  # folders searched for networks beside the embedded one
    decode_budget: float = DEFAULT_WATCH.budget_cores  # cores that each worker may use for decoding and analysing pictures
    log_level: str = "INFO"
    transcodes: int = TRANSCODES  # cameras that are transcoded for live views at a time
    trusted_proxies: tuple[str, ...] = ()  # peers whose X-Forwarded-* headers are believed
    metrics_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """What a caller may need once everything is up."""

    url: str
    setup_secret: str | None  # set until the first administrator exists
    control: Control


async def run(
    site: Site,
    options: RunOptions,
    on_ready: Callable[[Ready], Awaitable[None]] | None = None,
    clock: Clock | None = None,
) -> None:
    """Run `site` until SIGINT or SIGTERM, or until `on_ready` returns; raises ConfigError or StorageError if it cannot start."""
    clock, vault = clock or SystemClock(), vault_in(options.data)
    site = LiveSite.of(vault.opened(site))
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    async with AsyncExitStack() as stack:
        options.data.mkdir(parents=True, exist_ok=True)
        store = await stack.enter_async_context(_open_store(site, options, clock))
        await _deliver_orphans(options.data, store, clock, _names(site, options))

        control = Control(_handles(site, options, clock, await stack.enter_async_context(_run_folder())), _no_sink(), clock)
        settings = DashboardSettings(
            data=options.data,
            metrics_token=options.metrics_token,
            trusted_proxies=options.trusted_proxies,
            transcodes=options.transcodes,
        )
        app = create_app(site, store, control, clock, settings)
        registry: Registry = app.state.dashboard.registry
        registry.keep_logins_in(vault)
        registry.ask_encoders_by(OnvifEncoders(clock))
        registry.follow_with(FleetFollower(site, control, store, app.state.updates))
        app.state.dashboard.networks.found_by(partial(networks_in, options.models))
        await _folder_recorded(registry)
        not_watched = await asyncio.to_thread(store.begin_watch, [feed.camera for feed in feeds_of(site)])
        control.deliver_to(_sink(store, app.state.updates), not_watched)

        server = WebServer(app, options.host, options.port, options.trusted_proxies)
        await server.start()
        stack.push_async_callback(_said, "web server stopped", server.stop)

        await stack.enter_async_context(clocks_running(store, app.state.updates))
        await stack.enter_async_context(notices_running(site, store, control, clock))
        coverage = coverage_running(site, store, control, app.state.coverage, app.state.updates, clock)
        await stack.enter_async_context(coverage)
        await stack.enter_async_context(retention_running(store))
        await stack.enter_async_context(backups_watched(options.data, store, clock))
        kept = await stack.enter_async_context(_kept_running(control))
        await stack.enter_async_context(_alive_written_down(store))
        secret = await asyncio.to_thread(ensure_setup_secret, store, clock)
        ready = Ready(f"http://{options.host}:{server.port}", secret, control)
        logger.info("ready at %s, %d cameras on %d workers", ready.url, len(site.cameras), len(control.handles))

        waiting: list[asyncio.Task[object]] = [kept, asyncio.create_task(stopping.wait(), name="wait-for-signal")]
        if on_ready is not None:
            waiting.append(asyncio.create_task(_call(on_ready, ready), name="on-ready"))
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        logger.info("stopping")
        for task in done:
            task.result()


def vault_in(data: Path) -> Vault:
    """What seals logins and opens them, with the key in this data folder; no password of them is ever logged."""
    return Vault(data / LOGIN_KEY, hide)


async def _folder_recorded(registry: Registry) -> None:
    """What the folder holds is a version of the site. A folder that cannot be read now is no reason not to watch."""
    try:
        standing = await asyncio.to_thread(registry.standing)
    except (ConfigError, StorageError) as error:
        logger.error("the site's folder is no version of it yet: %s", error)
    else:
        logger.info("the site is version %d", standing.version.version)


def feeds_of(site: Site) -> tuple[Feed, ...]:
    """The analysed stream of every camera that is switched on, with its login."""
    return tuple(setup.feed for setup in setups_of(site).values() if setup.feed is not None)


def _names(site: Site, options: RunOptions) -> tuple[str, ...]:
    """Names of the workers; none without a camera to watch."""
    return tuple(f"worker-{number}" for number in range(max(1, min(options.workers, len(feeds_of(site))))))


def _handles(site: Site, options: RunOptions, clock: Clock, folder: Path) -> tuple[WorkerHandle, ...]:
    """One handle per worker; cameras are dealt in turn, so that those of one compound are spread over the workers."""
    setups, names = tuple(setups_of(site).values()), _names(site, options)
    handles: list[WorkerHandle] = []
    for number, name in enumerate(names):
        shard = setups[number :: len(names)]
        empty = WorkerConfig(
            name=name,
            feeds=(),
            rules=(),
            rows=len(shard) + SPARE_ROWS,
            timezone=site.timezone,
            outbox=_outboxes(options.data) / name,
            models=options.models,
            tap_address=f"ipc://{folder}/{name}.tap",
            log_level=options.log_level,
            ingest=DEFAULT_SETTINGS.shared_by(len(names)),
            watch=replace(DEFAULT_WATCH, budget_cores=options.decode_budget),
        )
        config = empty.with_changes(shard)
        handles.append(InProcessHome(config, clock) if options.in_process else SubprocessHome(config))
    return tuple(handles)


def _outboxes(data: Path) -> Path:
    return data / "outbox"


async def _deliver_orphans(data: Path, store: Store, clock: Clock, names: Sequence[str]) -> None:
    """Deliver what workers of an earlier run, with more of them, left in outboxes that no worker owns now."""
    folder = _outboxes(data)
    for orphan in sorted(folder.iterdir()) if folder.is_dir() else ():
        if orphan.name in names or not orphan.is_dir():
            continue
        outbox = Outbox(orphan, clock)
        try:
            while outbox.depth:
                number, events = outbox.pending(64)
                if events:
                    await asyncio.to_thread(store.record_events, events)
                    logger.info("delivered %d events left by %s", len(events), orphan.name)
                elif outbox.depth:
                    logger.error("%s: %d events cannot be read now; they stay for the next start", orphan, outbox.depth)
                    break
                outbox.acknowledge(number)
            is_empty = not outbox.depth and not outbox.lost and await _deliver_orphaned_clips(orphan / CLIPS, store)
        finally:
            outbox.close()
        if is_empty:
            shutil.rmtree(orphan)


async def _deliver_orphaned_clips(folder: Path, store: Store) -> bool:
    """Store the clips that a worker of an earlier run left; whether none is left."""
    box = await asyncio.to_thread(ClipBox, folder)
    for clip in box.pending(box.depth):
        try:
            await asyncio.to_thread(store.clips.store, clip)
        except StorageError as error:
            logger.error("the clip of event %s stays for the next start: %s", clip.event, error)
        else:
            box.forget([clip.event])
    return not box.depth


def _sink(store: Store, updates: Updates) -> Sink:
    """Events and states go to the database first, then to every open page."""

    async def record(events: Sequence[Event]) -> None:
        for incident in await asyncio.to_thread(store.record_events, events):
            announce_incident(updates, incident)

    shown: dict[str, tuple[object, ...]] = {}

    async def statuses(changed: Sequence[CameraStatus]) -> None:
        """Rates change every second; pages are told when something does that an operator would act on."""
        await asyncio.to_thread(store.record_statuses, changed)
        for status in changed:
            look = (status.health, status.quality, status.awake, status.advice, status.error, status.codec, status.width_px)
            if shown.get(status.camera) != look:
                shown[status.camera] = look
                announce_camera(updates, status)

    async def gaps(changed: Sequence[Gap]) -> None:
        await asyncio.to_thread(store.record_gaps, changed)

    async def watched(runs: Sequence[WatchRun]) -> None:
        await asyncio.to_thread(store.record_watch_runs, runs)

    async def clip(made: Clip) -> None:
        incident = await asyncio.to_thread(store.clips.store, made)
        found = None if incident is None else await asyncio.to_thread(store.incident, incident)
        if found is not None:
            announce_incident(updates, found)

    return Sink(record, statuses, gaps, watched, clip)


def _no_sink() -> Sink:
    async def refuse(_: object) -> None:
        raise StorageError("control was started before it was told where to deliver")

    return Sink(refuse, refuse, refuse, refuse, refuse)


@asynccontextmanager
async def _open_store(site: Site, options: RunOptions, clock: Clock) -> AsyncIterator[Store]:
    url = options.database or f"sqlite:///{options.data / 'gridpatrol.db'}"
    store = await asyncio.to_thread(Store.open, url, clock, site, options.data / "event-clips")
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)
        logger.info("database closed")


@asynccontextmanager
async def _alive_written_down(store: Store) -> AsyncIterator[None]:
    """Every few seconds, and at the end: what comes after the last time is a gap of the next start."""

    async def write() -> None:
        try:
            await asyncio.to_thread(store.keep_watch)
        except StorageError as error:
            logger.error("could not write down that we are alive: %s", error)

    async def keep() -> None:
        while True:
            await asyncio.sleep(_ALIVE_EVERY_S)
            await write()

    task = asyncio.create_task(keep(), name="alive")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await write()


@asynccontextmanager
async def _run_folder() -> AsyncIterator[Path]:
    """A folder only this user may enter, short enough for a socket's name (108 bytes, unix(7))."""
    folder = Path(tempfile.mkdtemp(prefix="gridpatrol-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _kept_running(control: Control) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(control.run(), name="control")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await control.stop()
        logger.info("workers stopped")


async def _call(on_ready: Callable[[Ready], Awaitable[None]], ready: Ready) -> None:
    await on_ready(ready)


async def _said(what: str, stop: Callable[[], Awaitable[None]]) -> None:
    await stop()
    logger.info(what)
