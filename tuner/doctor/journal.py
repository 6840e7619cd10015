"""The journal's file: is its last record whole, and is its lock a living process's?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from tuner.doctor.finding import Finding
from tuner.storage.journal_lock import (
    GRACE,
    describe_holder,
    holder_is_dead,
    lock_path,
    read_holder,
)
from tuner.storage.journal_repair import JournalScan, scan_journal
from tuner.text import listed, size_text, time_text

#: Seconds between two looks at a torn record: it may be one that is just being appended.
LOOK_AGAIN = 0.25

MEND = "tuner doctor --repair cuts it off and keeps it beside"


def look(path: Path, sleep: Callable[[float], None] = time.sleep) -> JournalScan:
    """The journal as it is while nobody appends to it."""
    scan = scan_journal(path)
    if not scan.torn:
        return scan
    sleep(LOOK_AGAIN)
    return scan_journal(path)


def check_journal(path: Path, scan: JournalScan) -> Finding:
    """Whether every line is a whole record."""
    if scan.broken:
        lines = listed([str(line.number) for line in scan.broken])
        return Finding(
            "journal",
            "error",
            f"a journal holds one record a line; line {lines} of {path} is none although whole "
            "ones follow, and nothing behind it can be read: end all workers, then "
            "tuner doctor --repair takes it out and keeps it beside",
        )
    if scan.torn:
        return Finding(
            "journal",
            "warning",
            f"a journal ends with a whole record; {path} has {size_text(scan.torn)} behind its "
            f"last one (a writer died): {MEND}, and so does the next worker that writes",
        )
    kept = list(path.parent.glob(f"{path.name}.torn-*"))
    pieces = f"; {len(kept)} torn pieces are kept beside and may be deleted" if kept else ""
    return Finding(
        "journal", "ok", f"all {scan.records} records ({size_text(scan.size)}) are whole{pieces}"
    )


def check_lock(path: Path) -> Finding:
    """Whether a dead process left the lock."""
    lock = lock_path(path)
    holder = read_holder(lock)
    left = leftovers(path)
    if holder is None:
        if left:
            return Finding(
                "locks",
                "warning",
                f"nobody holds {lock.name}; {listed([file.name for file in left])} was left by a "
                "process that died and does no harm: tuner doctor --repair removes it",
            )
        return Finding("locks", "ok", f"nobody holds {lock.name}")
    who = describe_holder(holder)
    if holder_is_dead(holder):
        return Finding(
            "locks",
            "warning",
            f"a lock is held by a living process; {lock} is held by {who}, which has ended: "
            "tuner doctor --repair removes it, and so does the next worker that writes",
        )
    age = age_of(lock)
    if age <= GRACE:
        return Finding("locks", "ok", f"{lock.name} is held by {who}, which writes right now")
    return Finding(
        "locks",
        "warning",
        f"a lock is held for one write, which takes milliseconds; {lock} has been held for "
        f"{time_text(age)} by {who}: whoever wants to write breaks it after {GRACE:.0f} s, and so "
        "does tuner doctor --repair unless that process lives on this machine (end it then)",
    )


def leftovers(path: Path) -> list[Path]:
    """Files beside the journal that a process left which died while it broke a lock or repaired:
    ours, and those of Optuna's own locks. A living one needs them for a moment only."""
    left = re.compile(r"(\.lock)?\.[0-9a-f]{32}|\.lock[0-9a-f-]{36}\.rename")
    return sorted(
        file
        for file in path.parent.iterdir()
        if file.name.startswith(path.name)
        and left.fullmatch(file.name[len(path.name) :])
        and age_of(file) > GRACE
    )


def age_of(file: Path) -> float:
    """Seconds since a file was last written or renamed, by this machine's clock; 0 where it is
    gone."""
    try:
        status = file.lstat()
    except FileNotFoundError:
        return 0.0
    return time.time() - max(status.st_mtime, status.st_ctime)
