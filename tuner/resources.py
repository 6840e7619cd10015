"""What this machine lets us use: cores and memory, container limits included."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


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


def available_memory(cgroup: Path = _CGROUP, proc: Path = _PROC) -> int:
    """Bytes of memory of this machine, or of its container or job if those are fewer (cgroup
    v2 `memory.max` or v1 `memory.limit_in_bytes`, of this process's group and those above it)."""
    import psutil

    total = int(psutil.virtual_memory().total)
    for folder in _groups(cgroup, proc):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):  # not this version, not readable, or `max`
                total = min(total, int((folder / name).read_text()))
    return total


def oom_kills(cgroup: Path = _CGROUP, proc: Path = _PROC) -> int | None:
    """How many processes the kernel has killed for want of memory: in this process's cgroup
    (v2 `memory.events`, v1 `memory.oom_control`), else on the whole machine (`/proc/vmstat`, since
    Linux 4.13). None if nobody counts."""
    files = [
        folder / name
        for folder in _groups(cgroup, proc)
        for name in ("memory.events", "memory.oom_control")
    ]
    for file in [*files, proc / "vmstat"]:
        try:
            lines = [line.split() for line in file.read_text().splitlines()]
            counts = [int(value) for name, value in lines if name == "oom_kill"]
        except (OSError, ValueError):
            continue
        if counts:
            return counts[0]
    return None


def _groups(cgroup: Path, proc: Path) -> Iterator[Path]:
    """The folders of this process's cgroup that tell of memory, the innermost first; then those
    of a container's root, under which its own group is shown."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if kinds not in ("", "memory"):
            continue
        root = cgroup / kinds
        group = root / path.lstrip("/")
        while group != root and root in group.parents:
            yield group
            group = group.parent
    yield cgroup
    yield cgroup / "memory"
