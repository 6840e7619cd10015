"""stdout and stderr that may be closed, full, or read by nobody (`tuner results | head -1`)."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tuner.errors import TunerError

#: What a shell says of a program that a closed pipe has ended.
BROKEN_PIPE = 128 + 13


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Inside, nobody has to mind what becomes of stdout and stderr.

    The first write to stdout that fails ends the command: with exit code 141 if its reader has
    gone, as other programs end; else it raises `TunerError`. What stderr cannot take is lost: what
    it says is for those who look. Both are then silent for good, so that nothing fails twice.

    A closed one is opened on the null device, to be read only: else the next file to be opened,
    a storage perhaps, would get its number and all that is written to it.
    """
    before = sys.stdout, sys.stderr
    _open_closed()
    sys.stdout = _guarded(sys.stdout, 1, _Stdout)
    sys.stderr = _guarded(sys.stderr, 2, _Stderr)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _open_closed() -> None:
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # It gets the lowest number that is free; workers have to find it there too.
            os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)


class _Stderr(io.FileIO):
    """A raw stream that loses what cannot be written."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self._silence()
            return self._failed(error, len(data))

    def _silence(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)

    def _failed(self, error: OSError, size: int) -> int:
        return size


class _Stdout(_Stderr):
    """A raw stream that ends the command if it cannot be written."""

    def _failed(self, error: OSError, size: int) -> int:
        if error.errno == errno.EPIPE:
            raise SystemExit(BROKEN_PIPE)
        raise TunerError(
            f"results go to stdout, which must be writable; it is not ({error.strerror}). "
            "Available: the same command with another place for its output; what is stored is safe"
        )


def _guarded(stream: Any, descriptor: int, raw: type[_Stderr]) -> Any:
    """A text stream as `stream` that writes through `raw`; `stream` itself if it does not write to
    this descriptor (tests and notebooks put others in its place)."""
    try:
        if stream is not None and stream.fileno() != descriptor:
            return stream
    except (OSError, ValueError, AttributeError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw(descriptor, "w", closefd=False)),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors=getattr(stream, "errors", "backslashreplace"),
        line_buffering=getattr(stream, "line_buffering", True),
    )
