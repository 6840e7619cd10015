"""A table's target column as what it means: numbers told from labels, one label in one spelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.data.columns.column import texts_of
from tuner.data.text.cells import is_code
from tuner.data.text.numbers import numbers_of
from tuner.errors import DataError
from tuner.text import listed, quoted, shell_quoted

if TYPE_CHECKING:
    import pandas as pd

    from tuner.data.columns.infer import GivenKind

#: The class of rows without a target, if such a class is asked for.
NA_CLASS = "missing"
#: So many different numbers are no classes.
_FEW = 20


def read_target(
    name: str, values: pd.Series, kind: GivenKind | None, *, na_class: bool, source: str
) -> tuple[pd.Series, list[str]]:
    """The target's values, and what was taken for granted, one sentence each.

    Labels that differ only by case, spaces or a full stop at their end become the commonest one.
    Numbers that stand as text become numbers if they are fractions, many, or have a unit.

    Args:
        kind: category: text as it stands; number: what is none is a gap.
        na_class: a gap is the label `NA_CLASS`; all values are then labels.

    Raises:
        DataError: text most of which is numbers.
    """
    import pandas as pd

    if na_class or kind == "category":
        codes, texts = texts_of(values)
        labels = [*texts[:-1], NA_CLASS if na_class else None]
        values = pd.Series(pd.Series(labels, dtype=object).to_numpy()[codes], index=values.index)
        return _one_spelling(name, values) if kind is None else (values, [])
    if kind == "number":
        return pd.to_numeric(values.astype(object), errors="coerce"), []
    if pd.api.types.infer_dtype(values.dropna().unique()) not in ("string", "categorical"):
        return values, []
    return _from_text(name, values, source)


def _from_text(name: str, values: pd.Series, source: str) -> tuple[pd.Series, list[str]]:
    counts = values.value_counts()
    rows = {str(text): int(count) for text, count in counts.items() if count}
    if len(rows) < len(counts[counts > 0]):
        return values, []  # of several types: refused where targets are
    from tuner.data.sources.base import Reading  # whose folder imports this file

    numbers, spelling = numbers_of(list(rows), Reading(), strict=True)
    wrong = [text for text, number in zip(rows, numbers, strict=True) if number is None]
    odd = sum(rows[text] for text in wrong)
    category = f"--kind {shell_quoted(f'{name}=category')}"
    if not wrong:
        fractions = not all(text.strip().lstrip("+-").isdigit() for text in rows)
        if (fractions or len(rows) > _FEW) and not any(map(is_code, rows)):
            of = dict(zip(rows, numbers, strict=True))
            read = values.astype(object).map(lambda text: of.get(str(text), np.nan))
            return read.astype("float64"), [
                f"{name}: text that spells numbers is read as such ({category} takes it for "
                "classes)",
                *(f"{name}: {sentence.format(example)}" for sentence, example in spelling),
            ]
    elif 2 * odd < sum(rows.values()):
        raise DataError(
            f"a target is numbers or labels; {name} of {source} holds numbers, and in {odd} of "
            f"{sum(rows.values())} rows {listed(list(map(quoted, wrong)), 3)}. --na "
            f"{shell_quoted(wrong[0])} takes that for a gap, {category} all for classes"
        )
    return _one_spelling(name, values)


def simple_label(label: str) -> str:
    """What two spellings of one label have in common."""
    return " ".join(label.split()).rstrip(" .").casefold()


def _one_spelling(name: str, values: pd.Series) -> tuple[pd.Series, list[str]]:
    counts = values.value_counts()
    chosen: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for label in map(str, counts[counts > 0].index):
        first = chosen.setdefault(simple_label(label), label)
        if first != label:
            spelled[label] = first
    if not spelled:
        return values, []
    pairs = [f"{quoted(label)} for {quoted(first)}" for label, first in spelled.items()]
    return values.astype(object).replace(spelled), [
        f"{name}: taken {listed(pairs)}, from which it differs only by case, spaces or a full stop "
        f"(--kind {shell_quoted(f'{name}=category')} keeps them apart)"
    ]


def known_label(label: Any, classes: Sequence[Any]) -> Any:
    """`label` as the model's classes spell it; itself if they have none such."""
    if label in classes or not all(isinstance(own, str) for own in classes):
        return label
    text = str(int(label) if isinstance(label, float) and label.is_integer() else label)
    alike = [own for own in classes if simple_label(own) == simple_label(text)]
    return alike[0] if len(alike) == 1 else label
