"""The lock of a journal: a file that names its holder, so that a dead one is noticed at once.

Optuna's own lock (a symbolic link) names nobody: whoever finds it waits half a minute, and for a
journal with a relative path for ever (the link's target does not exist as seen from the link).
The two exclude each other, since both are `PATH.lock`.

Creating a file that must not exist is atomic on local file systems and on NFS from version 3.
"""

from __future__ import annotations

import math
import os
import random
import time
import uuid
from contextlib import suppress
from pathlib import Path

from optuna.storages.journal._file import BaseJournalFileLock

from tuner.errors import StorageError
from tuner.storage.owner import describe_owner, is_gone, new_owner, this_place

#: Seconds after which a lock that has not changed while it was watched is broken, whoever holds
#: it: it is held for one write, which takes milliseconds.
GRACE = 30.0
#: Seconds between two tries, at most.
_PAUSE = 0.05


class JournalLock(BaseJournalFileLock):
    """The lock of the journal at `path`.

    A lock is broken when the process that it names was on this machine and has ended, or when it
    has not changed for `GRACE` seconds of waiting.

    Args:
        patience: seconds after which it is not waited for any longer if the process that holds it
            lives on this machine.
    """

    def __init__(self, path: Path, patience: float = math.inf) -> None:
        self._file = lock_path(path)
        self._patience = patience
        self._held: str | None = None

    def acquire(self) -> bool:
        """Wait for the lock and take it.

        Raises:
            OSError: the folder cannot be written.
            StorageError: a process that lives on this machine keeps it; names that process.
        """
        seen: str | None = None
        since, pause = time.monotonic(), 0.001
        while not self._take():
            holder, now = read_holder(self._file), time.monotonic()
            if holder is None or holder != seen:
                seen, since = holder, now
            elif is_gone(holder):
                break_lock(self._file, holder)
            elif now - since > self._patience and holder.startswith(f"{this_place()}:"):
                raise StorageError(
                    f"a journal is repaired when nobody writes to it; {self._file} has been held "
                    f"for {now - since:.0f} s by {describe_holder(holder)}. Available: end that "
                    "process, then try again"
                )
            elif now - since > GRACE:
                break_lock(self._file, holder)
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _PAUSE)
        return True

    def release(self) -> None:
        """Let go of the lock; does nothing if somebody else has broken it."""
        if self.still_held:
            self._file.unlink(missing_ok=True)
        self._held = None

    @property
    def still_held(self) -> bool:
        """False if somebody took this process for dead, because it stood still for so long."""
        return self._held is not None and read_holder(self._file) == self._held

    def _take(self) -> bool:
        owner = new_owner()
        try:
            handle = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        try:
            os.write(handle, owner.encode())
        except BaseException:
            self._file.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        self._held = owner
        return True


def lock_path(path: Path) -> Path:
    """Where the lock of the journal at `path` is: the same file that Optuna uses."""
    return path.with_name(path.name + ".lock")


def read_holder(file: Path) -> str | None:
    """Text that no two holds of the lock share; None if nobody holds it.

    An owner as in `tuner.storage.owner` if `tuner` holds it. Optuna's own locks name nobody:
    theirs is made of the file's number and time.
    """
    try:
        status = file.lstat()
        if not os.path.islink(file) and (text := file.read_text("utf-8", "replace")):
            return text
    except FileNotFoundError:
        return None
    return f"{status.st_ino}/{status.st_mtime_ns}"


def describe_holder(holder: str) -> str:
    """For messages: `process 7 on node1`."""
    return describe_owner(holder) if ":" in holder else "a process that it does not name"


def break_lock(file: Path, holder: str) -> bool:
    """Remove the lock if `holder` still has it; False if it is another's or gone by now."""
    # Asking whether a process lives takes long enough for others to come and go.
    if read_holder(file) != holder:
        return False
    aside = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        file.rename(aside)
    except FileNotFoundError:
        return False
    # Between looking and renaming somebody else may have broken it and taken it: give it back.
    broken = read_holder(aside) == holder
    if not broken:
        with suppress(OSError):
            os.link(aside, file, follow_symlinks=False)
    aside.unlink(missing_ok=True)
    return broken
