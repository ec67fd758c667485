"""An ephemeral PostgreSQL server from Debian's packages: own data folder, unix socket only, no durability."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}


def binaries() -> Path | None:
    """The newest installed server's programs, None if there is no server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def unprivileged() -> tuple[int, int] | None:
    """User and group to run the server as; None when we are not root, as PostgreSQL demands. Raises KeyError without one."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("postgres")
    return user.pw_uid, user.pw_gid


@contextmanager
def server(folder: Path, settings: Mapping[str, str] = SETTINGS) -> Iterator[str]:
    """A running server with its data under `folder`; yields its socket's folder. The superuser is called `postgres`."""
    programs, user = binaries(), unprivileged()
    assert programs is not None
    data, sockets = folder / "data", folder / "s"
    sockets.mkdir()
    uid, gid = user or (None, None)
    if user is not None:
        for place in (folder, sockets):
            os.chown(place, *user)
    initdb = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, user=uid, group=gid)
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", sockets, *options],
        stdout=subprocess.DEVNULL,
        stderr=log,
        cwd=folder,
        user=uid,
        group=gid,
    )
    try:
        _wait(process, sockets)
        yield str(sockets)
    finally:
        process.send_signal(signal.SIGQUIT)  # immediate shutdown: nobody wants the data
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen[bytes], sockets: Path) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)
