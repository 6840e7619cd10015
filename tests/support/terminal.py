"""A terminal's screen, from what is written to it: enough for what `tuner` and rich write."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

#: A control sequence (its numbers and its letter), or one character.
_TOKEN = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|([\s\S])")
#: A control sequence whose end has not arrived.
_TORN = re.compile(r"\x1b(\[\??[\d;]*)?\Z")

#: Makes the terminal on stdin that of the process, so that what is typed there can interrupt it.
_ITS_OWN = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Screen:
    """Lines of `width` cells without an end: nothing scrolls away."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: list[dict[int, str]] = [{}]
        self._row = self._column = 0
        self._torn = ""

    def feed(self, text: str) -> None:
        """A letter after a full line stands in the next one, as in any terminal."""
        text = self._torn + text
        self._torn = text[len(_TORN.sub("", text)) :]
        for numbers, letter, character in _TOKEN.findall(_TORN.sub("", text)):
            if letter == "A":
                self._row -= int(numbers or 1)
            elif letter == "K":
                start = 0 if numbers == "2" else self._column
                row = self._rows[self._row]
                self._rows[self._row] = {at: c for at, c in row.items() if at < start}
            elif character == "\r":
                self._column = 0
            elif character == "\n":
                self._down()
            elif character:
                if self._column == self.width:
                    self._down()
                    self._column = 0
                self._rows[self._row][self._column] = character
                self._column += 1

    def _down(self) -> None:
        self._row += 1
        while len(self._rows) <= self._row:
            self._rows.append({})

    @property
    def lines(self) -> list[str]:
        """What stands there, empty lines left out."""
        rows = ["".join(row.get(at, " ") for at in range(self.width)) for row in self._rows]
        return [row.rstrip() for row in rows if row.strip()]


def _without_width() -> dict[str, str]:
    """The environment but for a width that is not this terminal's: pytest-xdist sets one."""
    return {name: own for name, own in os.environ.items() if name not in ("COLUMNS", "LINES")}


class Terminal:
    """A command in a terminal of its own."""

    def __init__(
        self, command: Sequence[str], *, width: int, folder: Path, env: Mapping[str, str]
    ) -> None:
        self.screen = Screen(width)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ITS_OWN, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**_without_width(), "TERM": "xterm-256color", **env},
        )
        os.close(slave)

    def until(self, shown: Callable[[str], bool], seconds: float = 60.0) -> str:
        """Read until `shown` is true of the screen's text, which is given back."""
        end = time.monotonic() + seconds
        while not shown(text := "\n".join(self.screen.lines)):
            ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"never shown:\n{text}"
            data = self._read()
            assert data, f"ended without showing it:\n{text}"
            self.screen.feed(data)
        return text

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> list[str]:
        """What stands on the screen once the command has ended."""
        while data := self._read():
            self.screen.feed(data)
        self._process.wait(60)
        os.close(self._master)
        return self.screen.lines

    def _read(self) -> str:
        """Empty at the end."""
        try:
            while data := os.read(self._master, 65536):
                if text := self._decoder.decode(data):
                    return text
        except OSError:  # as Linux says that nobody writes any more
            pass
        return ""
