"""Compressed files, unpacked while they are read, up to what a table can be."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tuner.errors import DataError
from tuner.resources import available_memory
from tuner.text import path_text, size_text

#: What reading a damaged file raises, or one of another program.
UNREADABLE = (
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError,
    RuntimeError, MemoryError,
)  # fmt: skip
#: A file that unpacks to so many bytes and to so many times its size holds no table: text of
#: numbers is packed to a tenth, seldom to a fiftieth.
_LARGE, _TIMES = 256 << 20, 200


@contextmanager
def opened(file: Path) -> Iterator[Path | BinaryIO]:
    """What can be read of a file: itself, or what is in it if its name ends in .gz, .bz2, .xz or
    .zip.

    Reading raises what `UNREADABLE` names, and `DataError` once more comes out than the memory
    holds, or than any table would.
    """
    name = file.name.lower()
    if name.endswith((".tar", ".zst")) or ".tar." in name:
        raise DataError(
            f"csv: reads text and .gz, .bz2, .xz and .zip files; {path_text(file)} is none: "
            "unpack it"
        )
    if name.endswith((".gz", ".bz2", ".xz", ".zip")):
        with file.open("rb") as packed, _stream(name, packed) as stream:
            size = file.stat().st_size
            most = min(available_memory(), max(_LARGE, _TIMES * size))
            yield io.BufferedReader(_Bounded(stream, most, file))
    else:
        yield file


def _stream(name: str, packed: BinaryIO) -> Any:
    if name.endswith(".gz"):
        return gzip.GzipFile(fileobj=packed)
    if name.endswith(".bz2"):
        return bz2.BZ2File(packed)
    if name.endswith(".xz"):
        return lzma.LZMAFile(packed)
    archive = zipfile.ZipFile(packed)
    names = archive.namelist()
    if len(names) != 1:
        raise zipfile.BadZipFile(f"a zip file of a table holds one file; this one {len(names)}")
    return archive.open(names[0])


class _Bounded(io.RawIOBase):
    """At most `most` bytes of `stream`."""

    def __init__(self, stream: Any, most: int, file: Path) -> None:
        self._stream, self._left, self._most, self._file = stream, most, most, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(
                f"a packed table must fit into memory; {path_text(self._file)} unpacks to more "
                "than "
                f"{size_text(self._most)}. If it is a table, unpack it first"
            )
        buffer[: len(data)] = data
        return len(data)
