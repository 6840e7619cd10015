"""Which workers of a study train on this machine: any number at a time, or one alone."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class MachineLock:
    """One worker's lock on this machine, shared with the study's other workers or held alone.

    A file in the machine's temporary folder is locked, by those who share it together, by one
    who is alone against all others. The system releases it when a process dies. If there can be
    no such file, or files cannot be locked, everybody may train at any time.

    Args:
        study: what tells the study from all others; None: it has one worker alone, and no file.
        folder: of the file; None: the system's temporary one.
    """

    def __init__(self, study: str | None, folder: Path | None = None) -> None:
        self._alone = study is None
        name = hashlib.sha256((study or "").encode()).hexdigest()[:16]
        user = os.getuid() if hasattr(os, "getuid") else 0
        self._path = (folder or Path(tempfile.gettempdir())) / f"tuner-{user}-{name}.lock"
        self._handle: int | None = None

    def acquire(self, *, alone: bool = False) -> bool:
        """Whether the lock was to be had; waits for nobody. Releases it first."""
        self.release()
        if sys.platform != "win32" and not self._alone:
            try:
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
                kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
                fcntl.flock(self._handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:
                pass  # no such file, or no locks here
        return True

    def release(self) -> None:
        """Let others have it. Does nothing if it is not held."""
        if self._handle is not None and sys.platform != "win32":
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            os.close(self._handle)
            self._handle = None
