"""One line about the machine, for the head of every table of figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("tensorflow", "keras", "optuna", "scikit-learn")


def describe(libraries: Sequence[str] = LIBRARIES) -> str:
    """Processor, cores, load before the run, Python and the libraries that decide the speed."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0].split(":")[1].strip() if names else model
    load = f"load {os.getloadavg()[0]:.2f} before" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} cores, {load}; Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in libraries)
    )
