"""A journal's file, checked and mended: is every record whole, and its lock a living process's?"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from tuner.storage import records
from tuner.storage.clock import judge_file_clock
from tuner.storage.finding import Finding, Repair, WriteStep
from tuner.storage.journal_lock import (
    GRACE,
    JournalLock,
    describe_holder,
    holder_is_dead,
    lock_path,
    read_holder,
)
from tuner.storage.journal_repair import (
    JournalScan,
    Mended,
    mend_lines,
    mend_tail,
    parse_record,
    scan_journal,
    sync,
)
from tuner.text import listed, size_text, time_text

#: Seconds between two looks at a torn record: it may be one that is just being appended.
LOOK_AGAIN = 0.25
#: Bytes at a journal's end among which its last heartbeat is looked for.
_TAIL = 1 << 16


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
        text = (
            f"a journal holds one record a line; line {lines} of {path} is none although whole "
            "ones follow, and nothing behind it can be read: end all workers, then "
            "tuner doctor --repair takes it out and keeps it beside"
        )
        return Finding("journal", "error", text, blocks=True)
    if scan.torn:
        text = (
            f"a journal ends with a whole record; {path} has {size_text(scan.torn)} behind its "
            "last one (a writer died): tuner doctor --repair cuts it off and keeps it beside, and "
            "so does the next worker that writes"
        )
        return Finding("journal", "warning", text)
    kept = list(path.parent.glob(f"{path.name}.torn-*"))
    pieces = f"; {len(kept)} torn pieces are kept beside and may be deleted" if kept else ""
    text = f"all {scan.records} records ({size_text(scan.size)}) are whole{pieces}"
    return Finding("journal", "ok", text)


def check_lock(path: Path) -> Finding:
    """Whether a dead process left the lock."""
    lock = lock_path(path)
    holder = read_holder(lock)
    who, age = describe_holder(holder), age_of(lock)
    if holder is None:
        if not (left := leftovers(path)):
            return Finding("locks", "ok", f"nobody holds {lock.name}")
        text = (
            f"nobody holds {lock.name}; {listed([file.name for file in left])} was left by a "
            "process that died and does no harm: tuner doctor --repair removes it"
        )
    elif holder_is_dead(holder):
        text = (
            f"a lock is held by a living process; {lock} is held by {who}, which has ended: "
            "tuner doctor --repair removes it, and so does the next worker that writes"
        )
    elif age <= GRACE:
        return Finding("locks", "ok", f"{lock.name} is held by {who}, which writes right now")
    else:
        text = (
            f"a lock is held for one write, which takes milliseconds; {lock} has been held for "
            f"{time_text(age)} by {who}: whoever wants to write breaks it after {GRACE:.0f} s, and "
            "so does tuner doctor --repair unless that process lives on this machine (end it then)"
        )
    return Finding("locks", "warning", text)


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
    """Seconds since a file was last written or renamed, by this machine's clock; 0 if it is
    gone."""
    try:
        status = file.lstat()
    except FileNotFoundError:
        return 0.0
    return time.time() - max(status.st_mtime, status.st_ctime)


def check_file_clock(path: Path) -> Finding:
    """The clock of the file system, which stamped the journal's last write, against the clock of
    the worker that wrote it (its heartbeat is in the record), and against this machine's."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        file.seek(max(0, status.st_size - _TAIL))
        lines = file.readlines()
    found = [record for line in lines[-50:] if (record := parse_record(line)) is not None]
    # A result follows its heartbeat in the same write.
    beats = [record.get("system_attr", {}).get(records.HEARTBEAT) for record in found[:-3:-1]]
    beat = next((beat for beat in beats if beat is not None), None)
    return judge_file_clock(status.st_mtime, beat, time.time())


def time_write(path: Path) -> WriteStep:
    """Write a file beside the journal, under its lock, and remove it. Raises OSError."""
    lock, beside = JournalLock(path), path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    began = time.perf_counter()
    lock.acquire_to_repair()
    try:
        with beside.open("xb") as file:
            file.write(b"x")
            sync(file)
        stamped, now = beside.stat().st_mtime, time.time()
    finally:
        beside.unlink(missing_ok=True)
        lock.release()
    return WriteStep(time.perf_counter() - began, stamped - now)


def repair_journal(path: Path) -> list[Repair]:
    """Cut off a torn tail, take broken lines out, remove the lock of a dead process and what it
    left, all under the journal's lock. Raises `StorageError` if a living process of this
    machine holds it for long."""
    scan, lock = look(path), lock_path(path)
    holder = read_holder(lock)
    dead = holder is not None and holder_is_dead(holder)
    stale = dead or (holder is not None and age_of(lock) > GRACE)
    if not (stale or scan.torn or scan.broken or leftovers(path)):
        return []
    done: list[Repair] = []
    own = JournalLock(path)
    own.acquire_to_repair()
    try:
        if stale:
            why = "which has ended" if dead else f"unchanged for {GRACE:.0f} s"
            done.append(Repair("locks", f"removed {lock.name} of {describe_holder(holder)}, {why}"))
        for file in leftovers(path):
            file.unlink(missing_ok=True)
            done.append(Repair("locks", f"removed {file.name}, which a dead process had left"))
        if mended := mend_lines(path, scan_journal(path)):
            done.append(_told(mended, "took {cut} of broken lines out of the journal"))
        if mended := mend_tail(path):
            done.append(_told(mended, "cut {cut} behind the journal's last whole record"))
    finally:
        own.release()
    return done


def _told(mended: Mended, what: str) -> Repair:
    rescued = f"; {mended.rescued} whole record among them was kept" if mended.rescued else ""
    text = f"{what.format(cut=size_text(mended.cut))}, kept in {mended.saved.name}{rescued}"
    return Repair("journal", text)
