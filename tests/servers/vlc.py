"""VLC's RTSP output, started from a test: an independent peer that knows nothing of us. It serves pictures over UDP only."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["vlc"]

NOBODY = 65534  # VLC refuses to run as root
START_S = 15.0


@contextmanager
def vlc(clip: Path, *options: str) -> Iterator[str]:
    """A running VLC that plays `clip` over and over; yields its URL. Skips where there is none."""
    program = shutil.which("cvlc")
    if program is None:
        pytest.skip("no VLC (vlc-bin)")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    url = f"rtsp://127.0.0.1:{port}/cam"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = Path(shutil.copy(clip, folder))
        copy.chmod(0o644)
        output = f"#rtp{{sdp={url}}}"
        command = [program, "-I", "dummy", "--no-audio", "--loop", "--sout", output, "--sout-keep", *options, str(copy)]
        other = NOBODY if os.geteuid() == 0 else None
        process = subprocess.Popen(
            command,
            env={**os.environ, "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=other,
            group=other,
            extra_groups=None if other is None else (),
        )
        try:
            _await(process, url, port)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _await(process: "subprocess.Popen[bytes]", url: str, port: int) -> None:
    """Until the stream is described, to whomever may hear it; skips if VLC ends or never gets so far."""
    question = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
    deadline_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline_s:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(question)
            if connection.recv(4096).split(b" ")[1:2] in ([b"200"], [b"401"]):
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    pytest.skip("VLC serves nothing")
