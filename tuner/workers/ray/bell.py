"""A file descriptor that another thread makes readable, to wake a loop that waits for it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


class Bell:
    """Rings from any thread; silent once closed, as its number may be another file's by then."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._lock = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        return self._reader

    def ring(self, *_: object) -> None:
        with self._lock, suppress(BlockingIOError):  # full: then it rings anyway
            if not self._closed:
                os.write(self._writer, b"!")

    def clear(self) -> None:
        with suppress(BlockingIOError):  # it had not rung
            os.read(self._reader, 4096)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._reader)
                os.close(self._writer)
