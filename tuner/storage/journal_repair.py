"""A journal whose last record was cut: finding it, and cutting back to the last whole record.

A record is whole when its line ends and holds one of Optuna's JSON objects. Nobody has read a
record that is not: readers stop before it. So cutting one off takes nothing from anyone, and what
is cut is kept beside, in `NAME.torn-TIME`.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

#: How every record begins, Optuna's own as well.
_BEGIN = b'{"op_code"'
#: Bytes at the end among which the last record is looked for: longer than a trial's curves.
_TAIL = 1 << 17
#: Bytes at the beginning among which a record must be.
_LOOK = 1 << 20


@dataclass(frozen=True)
class JournalScan:
    """What a journal's file holds.

    Attributes:
        size: bytes.
        records: whole ones.
        end: bytes up to the end of the last whole record.
        broken: numbers, from 1, of the lines before `end` that are no records.
    """

    size: int
    records: int
    end: int
    broken: tuple[int, ...]

    @property
    def torn(self) -> int:
        """Bytes behind the last whole record."""
        return self.size - self.end


@dataclass(frozen=True)
class Mended:
    """What a repair did: `cut` bytes are in `saved`; `rescued` whole records that stood in
    broken lines are records again. As text, the end of a sentence about it."""

    cut: int
    saved: Path
    rescued: int

    def __str__(self) -> str:
        kept = f"; {self.rescued} whole record among them was kept" if self.rescued else ""
        return f", kept in {self.saved.name}{kept}"


def parse_record(line: bytes) -> dict[str, Any] | None:
    """The record in a line with its line end; None if it is none."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(record, dict) and "op_code" in record and "worker_id" in record
    return record if whole else None


def scan_journal(path: Path) -> JournalScan:
    """Read the whole journal; changes nothing. A record that is being appended right now looks
    torn: look again, or hold the lock. Raises OSError."""
    records = end = offset = 0
    broken: list[int] = []
    suspects: list[int] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if parse_record(line) is None:
                suspects.append(number)
            else:
                records += 1
                end = offset + len(line)
                broken += suspects
                suspects = []
            offset += len(line)
    return JournalScan(offset, records, end, tuple(broken))


def is_journal(path: Path) -> bool:
    """Whether the file is empty or holds a record, were it torn; another file's content is none
    of ours to cut. Raises OSError."""
    with path.open("rb") as file:
        begin = file.read(_LOOK)
    return _BEGIN.startswith(begin[: len(_BEGIN)]) or any(map(parse_record, io.BytesIO(begin)))


def mend_tail(path: Path) -> Mended | None:
    """Cut what follows the last whole record; None if nothing does.

    The caller holds the journal's lock. A whole record in what follows (one without its line end,
    or glued to a torn one by a writer that did not look) becomes a record again. Raises OSError.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        last = file.readlines()[-1:]
        if all(map(parse_record, last)):  # almost always
            return None
        end = scan_journal(path).end
        if end >= size:  # a record longer than the tail
            return None
        file.seek(end)
        torn = file.read(size - end)
        kept = [record for line in io.BytesIO(torn) if (record := rescue(line))]
        saved = _save(path, torn)
        # A process that stood still for so long that its lock was broken must not cut now.
        if file.seek(0, os.SEEK_END) == size:
            file.seek(end)
            file.truncate()
            file.write(b"".join(kept))
            sync(file)
            return Mended(len(torn), saved, len(kept))
    saved.unlink()
    return mend_tail(path)


def mend_lines(path: Path, scan: JournalScan) -> Mended | None:
    """Take the broken lines out of the middle; None if there are none.

    The caller holds the journal's lock and has made `scan` under it. The file is written anew
    beside and put in its place in one step. Raises OSError.
    """
    if not scan.broken:
        return None
    broken, cut, rescued = set(scan.broken), [], 0
    new = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        with path.open("rb") as old, new.open("xb") as file:
            for number, line in enumerate(old, start=1):
                if number in broken:
                    cut.append(line)
                    line = rescue(line) or b""
                    rescued += bool(line)
                file.write(line)
            sync(file)
        shutil.copymode(path, new)
        saved = _save(path, b"".join(cut))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return Mended(sum(map(len, cut)), saved, rescued)


def rescue(line: bytes) -> bytes | None:
    """The whole record at the end of a broken line, with its line end; None if there is
    none. A quote inside a JSON text is escaped, so `{"op_code"` only stands where one begins."""
    text = line.removesuffix(b"\n") + b"\n"
    at = text.find(_BEGIN)
    while at >= 0:
        if parse_record(text[at:]) is not None:
            return text[at:]
        at = text.find(_BEGIN, at + 1)
    return None


def _save(path: Path, content: bytes) -> Path:
    """Keep `content` beside the journal, on disk before anything is cut."""
    name = f"{path.name}.torn-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for again in count():
        saved = path.with_name(f"{name}-{again}" if again else name)
        with suppress(FileExistsError), saved.open("xb") as file:
            file.write(content)
            sync(file)
            return saved
    raise AssertionError("unreachable")


def sync(file: BinaryIO) -> None:
    """What was written is on disk when it returns."""
    file.flush()
    os.fsync(file.fileno())
