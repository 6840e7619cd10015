"""The encoding of a text file."""

from __future__ import annotations

import codecs

from tuner.errors import DataError
from tuner.text import quoted

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: EBCDIC, which any few bytes may be: only --encoding says it.
_NEVER_GUESSED = ["cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"]
#: Bytes by which an encoding is guessed.
_SAMPLE = 1 << 17


def decoded(data: bytes, encoding: str | None, source: str) -> tuple[bytes, str | None]:
    """`data` as UTF-8 without a byte order mark, and a sentence on its encoding if that was
    guessed.

    Args:
        encoding: a name that Python knows; None: the byte order mark says it, or it is UTF-8, or it
            is guessed.

    Raises:
        DataError: an unknown encoding, or bytes that are none of its text.
    """
    if data[-9:].rstrip().endswith(b"\x1a"):  # the end of a file, as DOS wrote it
        data = data.rstrip()[:-1]
    if encoding is not None:
        return _to_utf8(data, encoding, source).removeprefix(codecs.BOM_UTF8), None
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _to_utf8(data[len(mark) :], name, source), None
    if data.isascii():
        return data, None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        guess = _guessed(data)
        if guess is None:
            raise DataError(
                f"a text table must be text; {source} is text of no encoding that was recognized. "
                "Name it by --encoding"
            ) from None
        text = _to_utf8(data, guess, source)
        return text, f"read as {guess}, a guess (--encoding says otherwise)"
    return data, None


def _guessed(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if b"\0" in data[:_SAMPLE]:
        return None
    # What is UTF-8 tells nothing: only lines with other bytes are looked at.
    lines = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_SAMPLE]
    best = from_bytes(lines, cp_exclusion=_NEVER_GUESSED).best()
    return None if best is None else best.encoding


def _to_utf8(data: bytes, encoding: str, source: str) -> bytes:
    try:
        return data.decode(encoding).encode()
    except LookupError:
        raise DataError(
            f"--encoding takes a name that Python knows, such as latin-1 or cp1252; received "
            f"{quoted(encoding)}"
        ) from None
    except UnicodeError as error:
        raise DataError(f"{source} is no text of the encoding {encoding}: {error}") from None
