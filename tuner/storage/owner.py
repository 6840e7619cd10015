"""Who runs a trial, written so that others on the same machine see at once when it is gone."""

from __future__ import annotations

import os
import platform
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


@cache
def this_place() -> str:
    """The machine since it was started, and the container on it: where a process number means
    one process. A node name alone is shared by containers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        space = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        import psutil

        boot, space = str(int(psutil.boot_time())), "0"
    return f"{platform.node()}/{boot}/{space}"


def process_name(pid: int) -> str:
    """Process `pid` of this machine, with which the owners it makes begin: `place:process`."""
    return f"{this_place()}:{pid}"


def is_of(owner: str, process: str) -> bool:
    """Whether `owner` was made by `process` (of `process_name`)."""
    return owner.rsplit(":", 2)[0] == process


def new_owner() -> str:
    """A name for one run of a worker's loop: `place:process:its start:random`."""
    import psutil

    process = psutil.Process()
    return f"{process_name(process.pid)}:{_start(process)}:{uuid.uuid4().hex[:8]}"


def _start(process: psutil.Process) -> str:
    """When the process began, as a number that stays the same while it lives.

    `create_time` is seconds since 1970 and follows the clock: after an adjustment a living process
    would be taken for another one, which has ended. Field 22 of proc(5)'s stat counts from boot.
    """
    try:
        status = Path(f"/proc/{process.pid}/stat").read_bytes()
    except OSError:
        return f"{process.create_time():.2f}"
    return status.rsplit(b")", 1)[1].split()[19].decode()


def describe_owner(owner: str | None) -> str:
    """For messages: `process 7 on node1`; `an unknown process` for None."""
    if owner is None:
        return "an unknown process"
    place, number, *_ = owner.split(":")
    return f"process {number} on {place.split('/')[0]}"


def is_gone(owner: str) -> bool:
    """True if `owner`'s process was on this machine and has ended; False if it lives, or if
    nothing is known (another machine)."""
    import psutil  # takes longer to load than most commands that only read to run

    place, _, rest = owner.partition(":")
    if place != this_place():
        return False
    try:
        number, start, _ = rest.split(":")
        process = psutil.Process(int(number))
        # A process number is used again; a zombie (dead, not yet waited for) does no more work.
        return _start(process) != start or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, ValueError):  # not to be asked, or no owner
        return False
