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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

#: How every record begins, Optuna's own as well.
_BEGIN = b'{"op_code"'
#: Bytes that are read at first when looking for the last whole record; then four times as many.
_BLOCK = 1 << 13


@dataclass(frozen=True)
class Broken:
    """A line that is no record although whole ones follow: `number` from 1, `offset` and
    `length` in bytes."""

    number: int
    offset: int
    length: int


@dataclass(frozen=True)
class JournalScan:
    """What a journal's file holds.

    Attributes:
        size: bytes.
        records: whole ones.
        end: bytes up to the end of the last whole record.
        broken: lines before `end` that are no records.
    """

    size: int
    records: int
    end: int
    broken: tuple[Broken, ...]

    @property
    def torn(self) -> int:
        """Bytes behind the last whole record."""
        return self.size - self.end


@dataclass(frozen=True)
class Mended:
    """What a repair did: `cut` bytes are in `saved`; `rescued` whole records that stood in
    broken lines are records again."""

    cut: int
    saved: Path
    rescued: int


def parse_record(line: bytes) -> dict[str, Any] | None:
    """The record in a line with its line end; None where it is none."""
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
    records = end = 0
    broken: list[Broken] = []
    suspects: list[Broken] = []
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for number, offset, line in _lines(file, size):
            if parse_record(line) is None:
                suspects.append(Broken(number, offset, len(line)))
            else:
                records += 1
                end = offset + len(line)
                broken += suspects
                suspects = []
    return JournalScan(size, records, end, tuple(broken))


def mend_tail(path: Path) -> Mended | None:
    """Cut what follows the last whole record; None where nothing does.

    The caller holds the journal's lock. A whole record in what follows (one without its line end,
    or glued to a torn one by a writer that did not look) becomes a record again. Raises OSError.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        end = _last_end(file, size)
        if end == size:
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
            file.flush()
            os.fsync(file.fileno())
            return Mended(len(torn), saved, len(kept))
    saved.unlink()
    return mend_tail(path)


def mend_lines(path: Path, scan: JournalScan) -> Mended | None:
    """Take the broken lines out of the middle; None where there are none.

    The caller holds the journal's lock and has made `scan` under it. The file is written anew
    beside and put in its place in one step. Raises OSError.
    """
    if not scan.broken:
        return None
    offsets = {line.offset for line in scan.broken}
    cut, rescued = [], 0
    new = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        with path.open("rb") as old, new.open("xb") as file:
            for _, offset, line in _lines(old, scan.size):
                if offset in offsets:
                    cut.append(line)
                    line = rescue(line) or b""
                    rescued += bool(line)
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, new)
        saved = _save(path, b"".join(cut))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return Mended(sum(map(len, cut)), saved, rescued)


def rescue(line: bytes) -> bytes | None:
    """The whole record at the end of a broken line, with its line end; None where there is
    none. A quote inside a JSON text is escaped, so `{"op_code"` only stands where one begins."""
    text = line.removesuffix(b"\n") + b"\n"
    at = text.find(_BEGIN)
    while at >= 0:
        if parse_record(text[at:]) is not None:
            return text[at:]
        at = text.find(_BEGIN, at + 1)
    return None


def _lines(file: BinaryIO, size: int) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of every line of the first `size` bytes."""
    offset = 0
    for number, line in enumerate(file, start=1):
        if offset + len(line) > size:  # appended to while it is read
            line = line[: size - offset]
        if line:
            yield number, offset, line
        offset += len(line)
        if offset >= size:
            return


def _last_end(file: BinaryIO, size: int) -> int:
    """Bytes up to the end of the last whole record. Reads from the end: almost always one line."""
    start, block, text = size, _BLOCK, b""
    while start > 0:
        until, start = start, max(0, start - block)
        file.seek(start)
        text = file.read(until - start) + text
        lines = list(io.BytesIO(text))
        offset = start + len(text)
        # The first line may have begun before what was read.
        while len(lines) > (start > 0):
            line = lines.pop()
            if parse_record(line) is not None:
                return offset
            offset -= len(line)
        text, block = b"".join(lines), 4 * block
    return 0


def _save(path: Path, content: bytes) -> Path:
    """Keep `content` beside the journal, on disk before anything is cut."""
    now = datetime.now(UTC)
    for try_ in range(1000):
        saved = path.with_name(
            f"{path.name}.torn-{now:%Y%m%dT%H%M%SZ}" + (f"-{try_}" if try_ else "")
        )
        try:
            with saved.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            continue
        return saved
    raise FileExistsError(f"no free name for what is cut from {path}")
