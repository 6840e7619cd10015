"""Numbers as people write them: signs, marks, units, times of day."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuner.data.text.cells import (
    MISSING_NUMBERS,
    has_decimal_comma,
    has_thousands_commas,
    is_number,
)
from tuner.errors import DataError
from tuner.text import quoted

if TYPE_CHECKING:
    from tuner.data.sources.base import Reading

_AROUND = re.compile(r"^([$€£¥])?\s*(.*?)\s*([$€£¥%])?$")
#: A number, what it counts or weighs behind it, and a currency before it: `12 kg`, `EUR 300`.
_MEASURED = re.compile(
    r"((?:USD|EUR|GBP|CHF|JPY|CNY|INR|Rs\.?|US\$|[$€£¥₹])?)\s*([-+]?[\d.,]*\d[.,]?)\s*"
    r"((?:[^\W\d_]|[%‰°$€£¥₹²³/+]){0,12})"
)
_MULTIPLES = {"K": 1e3, "k": 1e3, "M": 1e6, "B": 1e9}
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
#: So many different numbers with a unit may be levels, if others have none.
_FEW = 20
#: Of more than these without the unit, the column is text.
_ODD = 3
Remark = tuple[str, str]
#: Of each text, and what was taken for granted.
Numbers = tuple[list[float | None], tuple[Remark, ...]]
#: Between thousands, and nowhere else in a number: spaces that break no line, and apostrophes.
_PARTED = re.compile("[\u00a0\u202f\u2009'\u2019]")
_GROUPED = re.compile(f"[-+]?\\d{{1,3}}({_PARTED.pattern}\\d{{3}})+([.,]\\d*)?")
_BRACKETS = re.compile(r"\(\s*([^()+-]*)\)")


def numbers_of(texts: Sequence[str], reading: Reading, *, strict: bool) -> Numbers:
    """Each text as a number, or None; and what their spelling was taken for.

    `strict`: times and numbers with a unit are none if others stand beside them, but for few among
    many.
    """
    texts = [_as_typed(text) for text in texts]
    allowed = _ODD if len(texts) > _FEW else 0
    best: Numbers = [None] * len(texts), ()
    least = len(texts) + 1
    for read in (_plain, _times, _measured):
        found = read(texts, reading)
        pairs = zip(texts, found[0], strict=True)
        odd = sum(number is None and text not in MISSING_NUMBERS for text, number in pairs)
        if odd < least and (read is _plain or not strict or odd <= allowed):
            best, least = found, odd
        if not odd:
            break
    return best


def _times(texts: Sequence[str], reading: Reading) -> Numbers:
    found = [_TIME.fullmatch(text) for text in texts]
    numbers = [
        int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3] or 0) if match else None
        for match in found
    ]
    example = next((text for text, match in zip(texts, found, strict=True) if match), "")
    return numbers, (("times such as {} are read as seconds since midnight", quoted(example)),)


def _measured(texts: Sequence[str], reading: Reading) -> Numbers:
    """Numbers with the unit that most have; thousands and millions are what they say."""
    found = [_MEASURED.fullmatch(text) for text in texts]
    around = [match and (match[1], match[3].removesuffix("s") or match[3]) for match in found]
    units = Counter(filter(None, around))
    units.pop(("", ""), None)
    if not units:
        return [None] * len(texts), ()
    (before, behind), _ = units.most_common(1)[0]
    multiples = {unit for _, unit in units} <= set(_MULTIPLES) and len(units) > 1
    own = {(before, unit) for unit in _MULTIPLES} if multiples else {(before, behind)}
    cores = [
        match[2] if match and unit in own else text
        for text, match, unit in zip(texts, found, around, strict=True)
    ]
    taken = [core for core, unit in zip(cores, around, strict=True) if unit in own]
    read, said = _plain(taken, reading)
    of = dict(zip(taken, read, strict=True))
    numbers = [
        of.get(core) if unit in own else None for core, unit in zip(cores, around, strict=True)
    ]
    example = quoted(texts[next(i for i, unit in enumerate(around) if unit in own)])
    if multiples:
        numbers = [
            None if number is None or unit is None else number * _MULTIPLES[unit[1]]
            for number, unit in zip(numbers, around, strict=True)
        ]
        return numbers, (*said, ("K, M and B are read as powers of ten, as in {}", example))
    return numbers, (*said, (f"{before or behind} is left out, as in {{}}", example))


def _plain(texts: Sequence[str], reading: Reading) -> Numbers:
    said: list[Remark] = []
    debt = next(filter(_BRACKETS.fullmatch, texts), None)
    if debt is not None:
        texts = [_BRACKETS.sub(r"-\1", t) if _BRACKETS.fullmatch(t) else t for t in texts]
        said.append(("brackets are read as minus signs, as in {}", quoted(debt)))
    parts = [_AROUND.match(text) for text in texts]
    cores = [match[2] if match else text for match, text in zip(parts, texts, strict=True)]
    signs = {sign for match in parts if match for sign in (match[1], match[3]) if sign}
    if len(signs) > 1:
        cores, signs = list(texts), set()
    plain = [core for core in cores if core not in MISSING_NUMBERS]
    commas = [core for core in plain if "," in core]
    numeric = commas and all(
        is_number(core) or has_decimal_comma(core) or has_thousands_commas(core) for core in plain
    )
    if numeric:
        thousands = all(map(has_thousands_commas, commas))
        pointed = any(
            core.count(".") == 1 and "," not in core and is_number(core) for core in plain
        )
        decimal = reading.decimal or ("." if thousands and (pointed or _sure(commas)) else ",")
        if decimal == "." or all(map(has_decimal_comma, commas)):
            cores = [_with_point(core, decimal) for core in cores]
            if reading.decimal is None:
                meant = "between thousands" if decimal == "." else "as decimal marks"
                said.append((f"commas are read {meant}, as in {{}} (--decimal)", quoted(commas[0])))
    if signs:
        sign = next(iter(signs))
        example = next(text for text in texts if sign in text)
        said.append((f"{sign} is left out, as in {{}}", quoted(example)))
    return [float(core) if is_number(core) else None for core in cores], tuple(said)


def _as_typed(text: str) -> str:
    """A number as a keyboard has it: typographers' minus signs, and what only parts thousands."""
    text = text.replace("\u2212", "-") if "\u2212" in text else text
    return _PARTED.sub("", text) if _GROUPED.fullmatch(text) else text


def _sure(commas: Sequence[str]) -> bool:
    """Whether commas can only stand between thousands."""
    return any(core.count(",") > 1 or "." in core for core in commas) or len(set(commas)) > 3


def _with_point(core: str, decimal: str) -> str:
    if decimal == ".":
        return core.replace(",", "")
    return core.replace(".", "").replace(",", ".") if "," in core else core


def check_decimal(reading: Reading) -> None:
    """Raises `DataError` for a decimal mark that is none."""
    if reading.decimal not in (None, ".", ","):
        raise DataError(f"--decimal takes a point or a comma; received {quoted(reading.decimal)}")
