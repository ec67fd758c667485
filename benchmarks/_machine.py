"""What a figure was measured on."""

import os
import platform
from pathlib import Path

__all__ = ["machine"]


def machine() -> str:
    """Processor, its cores and the Python version, in one line."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
