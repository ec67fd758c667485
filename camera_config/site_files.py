"""The files of a site folder as one value: read, compared, tried out on a copy, and replaced all together or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from base import ConfigError, StorageError
from camera_config.entry import SiteError
from camera_config.load import FILES, load_site
from camera_config.sealed import SEALED_FILE
from camera_config.site import Site

__all__ = ["KEPT_FILES", "SiteFiles", "digest_of", "finish_replacing", "read_site_files", "replace_files", "try_files"]

KEPT_FILES = tuple(name for name in FILES if name not in ("secrets.toml", SEALED_FILE))
"""The files of which versions are kept: all but those with logins."""

SiteFiles = Mapping[str, bytes]
"""Content by name; what a folder does not have is not in it."""

_STAGE = ".replacing"
_LIST = "list.json"


def read_site_files(folder: Path) -> dict[str, bytes]:
    """The files of `folder` of which versions are kept. Raises StorageError."""
    found: dict[str, bytes] = {}
    for name in KEPT_FILES:
        try:
            found[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StorageError(f"{folder / name}: cannot read: {error.strerror}") from None
    return found


def digest_of(files: SiteFiles) -> str:
    """SHA-256 over names and contents, 64 hexadecimal digits: the same files have the same, others another."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return whole.hexdigest()


def try_files(folder: Path, files: SiteFiles, environment: Mapping[str, str]) -> Site:
    """The site that `folder` would be with these files, and with its logins as they are. Nothing there is touched.

    Raises SiteError, which names the files as they would lie in `folder`, and StorageError.
    """
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch)
        for name in FILES:
            if name not in KEPT_FILES and (folder / name).exists():
                _copy(folder / name, trial / name)
        for name, content in files.items():
            _write(trial / name, content, 0o600)
        try:
            site = load_site(trial, environment)
        except SiteError as error:
            problems = [text.replace(f"{trial}{os.sep}", f"{folder}{os.sep}") for text in error.problems]
            raise SiteError(problems, len(problems)) from None
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(trial), str(folder))) from None
    return replace(site, folder=folder)


def replace_files(folder: Path, files: SiteFiles) -> None:
    """Make the files of `folder` of which versions are kept these, all of them or none. Raises StorageError.

    What is new is written beside the old and flushed; then one rename says that it counts. Who is stopped after that finishes
    at the next start, by `finish_replacing`.
    """
    before = read_site_files(folder)
    changed = {name: content for name, content in files.items() if before.get(name) != content}
    gone = sorted(before.keys() - files.keys())
    if not changed and not gone:
        return
    making = folder / f"{_STAGE}.new"
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        for name, content in changed.items():
            _write(making / name, content, 0o644)
        _write(making / _LIST, json.dumps({"changed": sorted(changed), "gone": gone}).encode(), 0o644)
        making.replace(folder / _STAGE)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise StorageError(f"{folder}: cannot write: {error.strerror}") from None
    finish_replacing(folder)


def finish_replacing(folder: Path) -> bool:
    """Finish what `replace_files` began before it was stopped; whether there was anything. Raises StorageError."""
    stage = folder / _STAGE
    if not stage.is_dir():
        return False
    try:
        if not (stage / _LIST).exists():  # all was done, and it was stopped while it cleared away
            shutil.rmtree(stage)
            return True
        listed = json.loads((stage / _LIST).read_bytes())
        for name in KEPT_FILES:
            if name in listed["changed"] and (stage / name).exists():
                (stage / name).replace(folder / name)
            elif name in listed["gone"]:
                (folder / name).unlink(missing_ok=True)
        shutil.rmtree(stage)
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(f"{stage}: a change of the site cannot be finished: {error}") from None
    return True


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _copy(path: Path, to: Path) -> None:
    """With its mode, which is checked: a login that others may read is refused."""
    shutil.copyfile(path, to)
    shutil.copymode(path, to)
