"""What this machine lets us use: cores and memory, container limits included."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_cores(cgroup: Path = _CGROUP) -> int:
    """Cores this process may use, at least 1: its CPU affinity, cut by a container's CPU quota
    (cgroup v2 `cpu.max`: microseconds per period, or `max`), rounded up."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no cgroup v2 here: the affinity is all that is known
    return max(1, cores)


def available_memory(cgroup: Path = _CGROUP) -> int:
    """Bytes of memory of this machine, or of its container (cgroup v2 `memory.max`)."""
    import psutil

    total = int(psutil.virtual_memory().total)
    try:
        text = (cgroup / "memory.max").read_text().strip()
        if text != "max":
            total = min(total, int(text))
    except (OSError, ValueError):
        pass
    return total
