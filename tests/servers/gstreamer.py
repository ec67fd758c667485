"""GStreamer's RTSP server, started from a test: an independent peer that knows nothing of us."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["PASSWORD", "USER", "gstreamer"]

PYTHON = Path("/usr/bin/python3")
SCRIPT = Path(__file__).with_name("gst_rtsp.py")
USER, PASSWORD = "operator", "s3cret:word"


@contextmanager
def gstreamer(*arguments: str) -> Iterator[str]:
    """A running server; yields its URL up to the path, with `rtsps` if it was given a certificate. Skips where there is none."""
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON} with GStreamer's bindings")
    process = subprocess.Popen(
        [str(PYTHON), str(SCRIPT), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline().strip()
        if not line.startswith("port "):
            pytest.skip(line or "GStreamer's RTSP server does not start")
        yield f"rtsp{'s' * ('--tls' in arguments)}://127.0.0.1:{line[5:]}"
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        process.stdout.close()
