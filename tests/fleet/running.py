"""A running Gridpatrol in processes of its own, and what a test may do to it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

__all__ = ["Running", "wait_until"]

_READY = re.compile(r"ready at (http://[\d.]+:\d+)")
_SETUP = re.compile(r"#setup=([\w-]+)")


def wait_until(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Wait for `condition()`, polling; an AssertionError names `what` if it does not hold within `within_s`."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, f"{what}: not within {within_s:g} s"
        time.sleep(0.02)


class Running:
    """`gridpatrol run SITE` as a subprocess, whose log goes to a file that outlives it. Use as a context."""

    def __init__(self, site: Path, data: Path, *more: str) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.patience_s = 40.0
        self._arguments = ["run", str(site), "--data", str(data), "--port", "0", *more]
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @classmethod
    def demo(cls, data: Path, *more: str) -> Self:
        """`gridpatrol demo` instead; drawing its clips takes its time."""
        running = cls(data, data, *more)
        running.patience_s = 240.0
        running._arguments = ["demo", "--data", str(data), "--port", "0", *more]
        return running

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Start it and wait until it says that it is ready; otherwise nothing of it is left running."""
        self.launch()
        try:
            wait_until(lambda: _READY.search(self.new_log()) or self._ended(), self.patience_s, "ready")
            assert not self._ended(), self.new_log()
        except BaseException:
            self.stop()
            raise
        return self

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fleet.cli", *self._arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def url(self) -> str:
        found = _READY.search(self.new_log())
        assert found, self.new_log()
        return found[1]

    @property
    def setup_secret(self) -> str:
        wait_until(lambda: _SETUP.search(self.new_log()), 10, "the set-up link")
        found = _SETUP.search(self.new_log())
        assert found
        return found[1]

    def new_log(self) -> str:
        """What it has logged since this start."""
        return self.log.read_bytes()[self._log_start :].decode("utf-8", "replace")

    def worker_pids(self) -> list[int]:
        """Process ids of the workers that live now."""
        assert self.process is not None
        try:
            children = psutil.Process(self.process.pid).children()
            servers = [child for child in children if any("multiprocessing.forkserver" in word for word in child.cmdline())]
            return [worker.pid for server in servers for worker in server.children()]
        except psutil.Error:
            return []

    def kill_control(self) -> None:
        """`kill -9` of the process with the database and the web server; its workers are left to end by themselves."""
        assert self.process is not None
        workers = self.worker_pids()
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not any(map(psutil.pid_exists, workers)), 15, "workers end when control is gone")

    def kill_everything(self) -> None:
        """`kill -9` of all processes at once."""
        assert self.process is not None
        workers = self.worker_pids()
        for pid in (self.process.pid, *workers):
            kill(pid)
        self.process.wait()
        wait_until(lambda: not any(map(psutil.pid_exists, workers)), 15, "killed workers are gone")

    def stop(self) -> float:
        """SIGTERM, and how many seconds it took; what is left after 15 s is killed and is a failure."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        began_s, workers = time.monotonic(), self.worker_pids()
        self.process.terminate()
        try:
            self.process.wait(15)
        finally:
            for pid in (self.process.pid, *workers):
                if psutil.pid_exists(pid):
                    kill(pid)
        return time.monotonic() - began_s

    def acknowledged(self) -> list[str]:
        """Ids of all events any worker has acknowledged since the log file began, in that order."""
        ids = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            # Lines of two processes may run together when one is killed while it writes.
            start = line.find('{"')
            if "event acknowledged" in line and start >= 0:
                try:
                    ids.append(str(json.loads(line[start:])["event_id"]))
                except (json.JSONDecodeError, KeyError):
                    found = re.search(r'"event_id": "([\w-]{36})"', line)
                    if found:
                        ids.append(found[1])
        return ids

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


def kill(pid: int) -> None:
    """`kill -9`, of a process that may already be gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
