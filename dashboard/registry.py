"""The registry: the one place through which a running site is changed. Folder, database and fleet follow, in this order.

A change is made of the site as the folder has it, tried out on a copy by the strict loader, written into the folder all at once,
and recorded as a version. Then whoever follows applies what can be applied to the running cameras, and says what waits for a
restart. Two people cannot overwrite each other: who changes something says which state of it they looked at.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Protocol

from base import ConfigError, GridpatrolError, StorageError
from camera_config.change_cameras import Change, camera_digests, differences, files_after
from camera_config.live_site import MOVABLE
from camera_config.sealed import Vault
from camera_config.settings_files import settings_digest
from camera_config.site import Site
from camera_config.site_files import SiteFiles, digest_of, finish_replacing, read_site_files, replace_files, try_files
from camera_config.write import write_sealed
from dashboard.encoders import Encoders
from patrol import SYSTEM, Actor
from storage import CameraChanges, SiteVersion, Store, VersionKind

__all__ = ["Applied", "Changed", "ConflictError", "Follower", "NewerSiteError", "Registry", "Standing", "Waits"]

Make = Callable[[Site], Change]
"""What a site shall become; raises ConfigError."""


class ConflictError(GridpatrolError):
    """Somebody changed `camera` after the caller looked at it, or deleted it, or it is there already."""

    def __init__(self, camera: str, sentence: str) -> None:
        super().__init__(sentence)
        self.camera = camera


class NewerSiteError(ConflictError):
    """Somebody changed the site after the caller looked at it."""

    def __init__(self) -> None:
        super().__init__("", "The site was changed since; look at it again.")


@dataclass(frozen=True, slots=True)
class Waits:
    """What is not in force before a restart, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Applied:
    """Cameras to which a change was applied while they ran, and what waits."""

    live: tuple[str, ...] = ()
    waits: tuple[Waits, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """The site as its folder has it, with its files and their digest, and the version that this is."""

    site: Site
    files: SiteFiles
    digest: str
    version: SiteVersion


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change led to. `version` is None if nothing was different."""

    standing: Standing
    version: SiteVersion | None
    changes: CameraChanges
    applied: Applied


class Follower(Protocol):
    """Who applies a change to what runs; `fleet/` does, and a test."""

    async def follow(self, after: Site) -> Applied:
        """Have all of `after` that can move, cameras that did not change undisturbed. Never raises."""
        ...


class Registry:
    """Changes one site. `change`, `restore` and `follow` belong to the event loop and happen one at a time.

    Without a follower every change waits for a restart; without a vault no login can be set.
    """

    def __init__(self, running: Site, store: Store) -> None:
        self.running = running
        self._versions = store.site_versions
        self._desks = store.desks
        self._standing: Standing | None = None
        self.encoders: Encoders | None = None
        self._vault: Vault | None = None
        self._follower: Follower | None = None
        self._turn = asyncio.Lock()
        self._files = threading.RLock()  # one thread at a time at the folder

    def follow_with(self, follower: Follower) -> None:
        """Who applies changes from now on."""
        self._follower = follower

    def ask_encoders_by(self, encoders: Encoders) -> None:
        """Who asks cameras what their encoders are set to."""
        self.encoders = encoders

    def keep_logins_in(self, vault: Vault) -> None:
        """What seals the logins that are set from now on, and opens those that are."""
        self._vault = vault

    def standing(self) -> Standing:
        """The site as its folder has it now: what somebody edited there by hand is recorded first. Blocks.

        Raises ConfigError if the folder would not load, StorageError.
        """
        with self._files:
            files = self._read()
            if self._standing is None or self._standing.files != files:
                self._standing = self._caught_up(files)
            return self._standing

    async def change(
        self,
        by: Actor,
        what: VersionKind,
        make: Make,
        seen: Mapping[str, str] | None = None,
        seen_site: str | None = None,
    ) -> Changed:
        """Make the site what `make` says. `seen` are the digests of the cameras looked at, `seen_site` that of all.

        Raises ConflictError, also for a desk that goes with open referrals, ConfigError with everything that is wrong,
        StorageError; then nothing has changed.
        """

        def files_of(before: Standing) -> Mapping[str, bytes]:
            return files_after(before.site, make(before.site), before.files)

        return await self._change(by, what, files_of, seen or {}, seen_site, None)

    async def set_file(self, by: Actor, name: str, content: bytes, seen: str) -> Changed:
        """Give the settings file `name` another content; without any there is no such file. `seen` is its `settings_digest`.

        Raises ConflictError, SiteError with everything that is wrong, StorageError; then nothing has changed.
        """

        def files_of(before: Standing) -> Mapping[str, bytes]:
            if settings_digest(before.files, name) != seen:
                raise NewerSiteError()
            others = {each: kept for each, kept in before.files.items() if each != name}
            return {**others, name: content} if content else others

        return await self._change(by, VersionKind.SETTINGS_CHANGED, files_of, {}, None, None)

    async def restore(self, by: Actor, version: SiteVersion, seen_site: str) -> Changed:
        """Make the files of the folder those of an earlier version, which is a new version. Raises as `change`."""
        stored = await asyncio.to_thread(self._versions.files, version)
        return await self._change(by, VersionKind.RESTORE, lambda _: stored, {}, seen_site, version.version)

    async def set_login(self, name: str, user: str, password: str | None) -> tuple[Standing, Applied]:
        """Seal a login under its name; without a password there is none from now on. Cameras that use it follow.

        Raises ConflictError for a login of `secrets.toml`, or one that is gone while cameras use it; ConfigError, StorageError.
        """
        async with self._turn:
            standing = await asyncio.to_thread(self._write_login, name, user, password)
            return standing, await self._follow(standing.site)

    async def _change(
        self,
        by: Actor,
        what: VersionKind,
        files_of: Callable[[Standing], Mapping[str, bytes]],
        seen: Mapping[str, str],
        seen_site: str | None,
        restored: int | None,
    ) -> Changed:
        async with self._turn:
            standing, version, changes = await asyncio.to_thread(self._write, by, what, files_of, seen, seen_site, restored)
            return Changed(standing, version, changes, await self._follow(standing.site))

    def _write(
        self,
        by: Actor,
        what: VersionKind,
        files_of: Callable[[Standing], Mapping[str, bytes]],
        seen: Mapping[str, str],
        seen_site: str | None,
        restored: int | None,
    ) -> tuple[Standing, SiteVersion | None, CameraChanges]:
        with self._files:
            before = self.standing()
            _check_seen(before, seen, seen_site)
            files = files_of(before)
            if files == before.files:
                return before, None, CameraChanges()
            site = self._load(files)
            self._check_desks(before.site, site)
            changes = CameraChanges(*differences(before.site, site))
            replace_files(self.running.folder, files)
            try:
                version = self._versions.record(files, digest_of(files), what, by, changes, restored)
            except StorageError:
                replace_files(self.running.folder, before.files)
                raise
            self._standing = Standing(site, files, version.digest, version)
            return self._standing, version, changes

    def _check_desks(self, before: Site, after: Site) -> None:
        """Raise if a desk goes that still has matters: nobody would find them, and their incidents' clocks would stand still."""
        for desk in before.desk_by_id.keys() - after.desk_by_id.keys():
            count = len(self._desks.open_referrals(desk))
            if count:
                referrals = "referral" if count == 1 else "referrals"
                raise ConflictError("", f"The desk {desk} has {count} open {referrals}; end or withdraw them before it goes.")

    def _write_login(self, name: str, user: str, password: str | None) -> Standing:
        with self._files:
            before = self.standing()
            known = before.site.credential_by_name.get(name)
            if known is not None and not known.sealed:
                raise ConflictError("", f"The login {name} stands in secrets.toml; change it there.")
            users = [camera.id for camera in before.site.cameras if camera.credential == name]
            if password is None and users:
                raise ConflictError("", f"Cameras use the login {name}, such as {users[0]}; give them another one first.")
            if password is not None and self._vault is None:
                raise ConfigError("there is no place for the key that seals logins; write it into secrets.toml")
            others = [login for login in before.site.credentials if login.name != name]
            new = [self._vault.seal(name, user, password)] if self._vault is not None and password is not None else []
            kept, path = before.site.credentials, self.running.folder
            write_sealed([*others, *new], path)
            try:
                site = self._load(before.files)
            except GridpatrolError:
                write_sealed(kept, path)
                raise
            self._standing = replace(before, site=site)
            return self._standing

    def _read(self) -> SiteFiles:
        finish_replacing(self.running.folder)
        return read_site_files(self.running.folder)

    def _caught_up(self, files: SiteFiles) -> Standing:
        """The site of these files, which is a version of its own if the newest one is another."""
        site, digest = self._load(files), digest_of(files)
        newest = self._versions.newest()
        if newest is None or newest.digest != digest:
            before = self._standing.site if self._standing is not None else None if newest is None else self._loaded(newest)
            changes = CameraChanges(*differences(before, site)) if before is not None else CameraChanges()
            newest = self._versions.record(files, digest, VersionKind.FOLDER, FOLDER, changes)
        return Standing(site, files, digest, newest)

    def _load(self, files: SiteFiles) -> Site:
        """The site of these files, with its passwords. Raises ConfigError, StorageError."""
        site = try_files(self.running.folder, files, os.environ)
        return site if self._vault is None else self._vault.opened(site)

    def _loaded(self, version: SiteVersion) -> Site | None:
        """The site of a version, None if it would not load now, because a login is gone or the rules of reading are stricter."""
        try:
            return self._load(self._versions.files(version))
        except ConfigError:
            return None

    async def _follow(self, after: Site) -> Applied:
        if self._follower is None:
            return Applied(waits=(Waits("site", "nothing runs that could follow; it counts from the next start on"),))
        other = sorted(
            each.name
            for each in fields(Site)
            if each.name not in (*MOVABLE, "folder") and getattr(after, each.name) != getattr(self.running, each.name)
        )
        if other:
            why = "was changed in the folder; until a restart all else of the site stays as it is, too"
            return Applied(waits=tuple(Waits(name, why) for name in other))
        return await self._follower.follow(after)


FOLDER = Actor(SYSTEM.kind, "folder", "folder")
"""Whoever edits the files of a site."""


def _check_seen(before: Standing, seen: Mapping[str, str], seen_site: str | None) -> None:
    """Raise if what the caller looked at is not how it is."""
    if seen_site is not None and seen_site != before.digest:
        raise NewerSiteError()
    digests = camera_digests(before.site) if seen else {}
    for camera, digest in seen.items():
        if camera not in digests:
            raise ConflictError(camera, f"Camera {camera} was deleted meanwhile.")
        if digests[camera] != digest:
            raise ConflictError(camera, f"Somebody changed camera {camera} since you looked at it.")
