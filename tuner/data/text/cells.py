"""What the text of one cell is."""

from __future__ import annotations

import re

#: Text that stands for a missing value in every column.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?", "<NA>", "#NA", "-nan",
    "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "<null>", "(null)", "\\N")  # fmt: skip
#: Text that stands for a missing value among numbers.
MISSING_NUMBERS = ("-", "--", ".", "..", "*", "None", "none", "na", "missing", "unknown", "#DIV/0!",
    "#VALUE!", "#REF!", "NAN", "Null")  # fmt: skip

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)?,\d+([eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")
_CODE = re.compile(r"0\d+")


def is_number(text: str) -> bool:
    """As in Python and most programs: `-1`, `2.5`, `.5`, `1e-3`."""
    return _NUMBER.fullmatch(text.strip()) is not None


def is_count(text: str) -> bool:
    """A whole number that may be a year or a position: `0`, `17`, `2015`."""
    return text.isascii() and text.isdigit() and len(text) < 10


def is_code(text: str) -> bool:
    """Digits that a number would lose: `007`."""
    return _CODE.fullmatch(text.strip()) is not None


def has_decimal_comma(text: str) -> bool:
    return _DECIMAL_COMMA.fullmatch(text.strip()) is not None


def has_thousands_commas(text: str) -> bool:
    return _THOUSANDS.fullmatch(text.strip()) is not None


def is_missing(text: str) -> bool:
    return text.strip() in MISSING
