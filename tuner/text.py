"""How sizes, times, numbers and lists are written for people and read: the one place."""

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

#: No printable characters to Python, but parts of words: joiners, and spaces of other widths.
_KEPT = frozenset("\u200c\u200d\u00a0\u202f\u3000")


def size_text(count: float) -> str:
    """Bytes: `1 byte`, `312 bytes`, `4 KB`, `612 MB`, `5.1 GB` (powers of 1024, as `--memory`
    counts)."""
    for unit, power in (("GB", 30), ("MB", 20), ("KB", 10)):
        if count >= 2**power:
            return f"{_short(count / 2**power)} {unit}"
    return counted(round(count), "byte")


def time_text(seconds: float) -> str:
    """A length of time: `under 1 ms`, `3 ms`, `1.2 s`, `90 s`, `30 min`, `5.1 h`."""
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{_short(seconds)} s"
    return f"{_short(seconds / 60)} min" if seconds < 7200 else f"{_short(seconds / 3600)} h"


def clock_text(seconds: float) -> str:
    """A length of time that runs: `0:05`, `12:30`, `1:02:03`, rounded to whole seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def score_text(score: float | None, of: float | None = None) -> str:
    """A score with four decimals, or with four significant digits if it is below 0.001 or from 10
    on; `-` for None and NaN. A deviation is written as the score is that it is `of`."""
    if score is None or math.isnan(score):
        return "-"
    scale = abs(score if of is None else of)
    return f"{score:.4f}" if scale == 0 or 0.001 <= scale < 10 else f"{score:.4g}"


def measure_text(value: float | None) -> str:
    """A score or a cost: whole numbers from 10 on in full, as a number of parameters."""
    if value is not None and abs(value) >= 10 and float(value).is_integer():
        return f"{value:.0f}"
    return score_text(value)


def spread_text(scores: Sequence[float | None] | None) -> str:
    """The mean of the folds' scores and their (population) standard deviation: `0.9751 ± 0.0120`;
    `-` without folds, or if a score was not finite (None)."""
    folds = [score for score in scores or () if score is not None]
    if not scores or len(folds) < len(scores):
        return "-"
    mean = math.fsum(folds) / len(folds)
    std = math.sqrt(math.fsum((score - mean) ** 2 for score in folds) / len(folds))
    return f"{score_text(mean)} ± {score_text(std, mean)}"


def value_text(value: Any, digits: int = 6) -> str:
    """A value in a table or a line: floats to so many significant digits; `-` for None and NaN."""
    if value is None or value != value:
        return "-"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def params_text(params: Mapping[str, Any]) -> str:
    """`name=value` with floats to four significant digits, two spaces between."""
    return printable("  ".join(f"{key}={value_text(own, 4)}" for key, own in params.items()))


def rounded(value: float, digits: int = 7) -> float:
    """To so many significant digits: 7 are what float32 holds, without the noise of its float64
    form."""
    return float(f"{float(value):.{digits}g}")


def printable(text: str, *, keep: str = "") -> str:
    """What somebody else wrote, fit for a terminal: what is no printable character (escape
    sequences, line ends, marks that turn the direction of writing, bytes that are no UTF-8) is
    escaped as Python does it. `keep`: characters that stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT or c in keep else _escaped(c) for c in text)


def shell_quoted(text: str) -> str:
    """As one word of a shell's command line; what cannot be printed as `$'...'`."""
    if printable(text) == text:
        return shlex.quote(text)
    return f"$'{''.join(map(_shell_escaped, text))}'"


def json_ready(value: Any) -> Any:
    """`value` with NaN and infinities as None, numpy scalars and arrays as plain Python: what
    JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def shortened(text: str, most: int = 100) -> str:
    """`text`; of one with more than `most` characters its beginning and its length."""
    return text if len(text) <= most else f"{text[: most - 20]}... ({len(text)} characters)"


def quoted(value: object, most: int = 100) -> str:
    """What was received, as Python writes it, for messages: shortened as `shortened` does."""
    if isinstance(value, str | bytes) and len(value) > most:
        kind = "characters" if isinstance(value, str) else "bytes"
        return f"{value[: most - 20]!r}... ({len(value)} {kind})"
    try:
        return shortened(repr(value), most)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"


def path_text(path: object) -> str:
    """A path or a URI in a message: as it is, but quoted if it could be taken for a part of the
    sentence (it ends in punctuation), is long, or holds what a terminal does not show."""
    text = str(path)
    plain = text.isprintable() and len(text) <= 300 and not text.endswith(tuple(".,:;!? "))
    return text if plain or text in (".", "..") else quoted(text, 300)


def said(error: BaseException, most: int = 300) -> str:
    """What an error of another package says, as a part of a sentence: in one line, shortened,
    without the punctuation at its end; its kind if it says nothing."""
    return shortened(" ".join(str(error).split()), most).rstrip(" .:;!?") or type(error).__name__


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 trial`, `3 trials`; `plural` if it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(items: Sequence[str], most: int = 5) -> str:
    """The first `most` of them, long ones shortened, and how many more there are: `a, b and 3
    more`."""
    more = len(items) - most
    return ", ".join(shortened(item, 200) for item in items[:most]) + (
        f" and {more} more" if more > 0 else ""
    )


def _escaped(character: str) -> str:
    return ascii(character)[1:-1]


def _shell_escaped(character: str) -> str:
    """Inside `$'...'`: a byte that is no UTF-8 as such."""
    code = ord(character)
    if character in "\\'":
        return f"\\{character}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0x80 <= code < 0xA0 else printable(character)


def _short(number: float) -> str:
    """One decimal below 100 unless it is 0, none from there on."""
    return f"{number:.1f}".removesuffix(".0") if number < 99.95 else f"{number:.0f}"


def read_time(text: str) -> float:
    """`90`, `90s`, `10m`, `1.5h` or `1h30m` in seconds. Raises ValueError."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms]?)", text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ValueError(f"must be a time such as 90s, 10m or 1h30m; got {quoted(text)}")
    return sum(float(number) * units[unit] for number, unit in parts)


def read_size(text: str) -> int:
    """`100`, `4k` or `1.5G` in bytes, by powers of 1024. Raises ValueError."""
    units = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    try:
        size = int(float(number) * units.get(unit, 0 if unit else 1))
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise ValueError(
            f"takes bytes with one of the units K, M, G, T; received {quoted(text)}. Available, "
            "for "
            "example: 2G"
        )
    return size
