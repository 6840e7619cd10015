"""Who trains on this machine: many workers of a study at a time, or one alone."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class TrainingRoom:
    """One worker's way into the room in which the workers of a study on this machine train.

    A file in the machine's temporary folder is locked, by those who share the room together, by
    one who is alone against all others. The system lets go of it when a process dies. Where such
    a file cannot be had, or files cannot be locked, everybody may enter at any time.

    Args:
        study: what tells the study from all others.
        folder: of the file; None: the system's temporary one.

    Attributes:
        alone: whether it is inside, alone.
    """

    def __init__(self, study: str, folder: Path | None = None) -> None:
        self.alone = False
        name = hashlib.sha256(study.encode()).hexdigest()[:16]
        user = os.getuid() if hasattr(os, "getuid") else 0
        self._path = (folder or Path(tempfile.gettempdir())) / f"tuner-{user}-{name}.lock"
        self._handle: int | None = None

    def enter(self, *, alone: bool = False) -> bool:
        """Whether the room could be entered; waits for nobody. Leaves it first."""
        self.leave()
        if sys.platform != "win32":
            try:
                if self._handle is None:
                    self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(
                    self._handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
                )
            except BlockingIOError:
                return False
            except OSError:
                pass  # no such file, or no locks here
        self.alone = alone
        return True

    def leave(self) -> None:
        """Let others in. Nothing to do outside."""
        self.alone = False
        if self._handle is not None and sys.platform != "win32":
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        self.leave()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
