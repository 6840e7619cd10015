"""The SQLite file itself: is it sound, and does somebody make its tables right now?"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tuner.doctor.finding import Finding
from tuner.storage.read_only import is_wal
from tuner.text import listed


def check_integrity(path: Path) -> Finding:
    """`PRAGMA quick_check`, over a connection that only reads."""
    wal = path.with_name(path.name + "-wal")
    mode = "mode=ro&immutable=1" if is_wal(path) and not wal.exists() else "mode=ro"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found == ["ok"]:
        return Finding("integrity", "ok", "SQLite's quick_check finds the file sound")
    return Finding(
        "integrity",
        "error",
        f"a SQLite file is sound; quick_check of {path} says: {listed(found, 3)}; save what can be "
        f"read into a new file: sqlite3 {path} .recover | sqlite3 recovered.db",
    )


def check_making_lock(path: Path) -> Finding:
    """The lock under which the tables are made. The system lets go of it when its holder dies,
    so the file that it leaves is no stale lock, and removing it would let two processes in."""
    lock = path.with_name(path.name + ".lock")
    if not _is_held(lock):
        return Finding("locks", "ok", f"nobody holds {lock.name}, under which tables are made")
    return Finding(
        "locks",
        "warning",
        f"tables are made within a second, under {lock}; a living process holds it now: if it "
        f"does so for long, end that process (fuser {lock}); the file may stay",
    )


def _is_held(lock: Path) -> bool:
    if sys.platform == "win32" or not lock.exists():
        return False
    import fcntl

    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
    return False
