"""Flags of which rows and columns are read, and how: of every command that reads data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from tuner.cli.flags import ROWS, SHARE, flag
from tuner.cli.refusals import OneOf
from tuner.errors import UsageError, unknown
from tuner.text import quoted

_TASKS = ("binary", "multiclass", "multilabel", "regression")
_SCALINGS = ("auto", "robust", "standard", "minmax", "none")


@dataclass(frozen=True)
class RowFlags:
    """Each is called as a field of `tuner.study.data_spec.DataSpec`; None and empty: not given."""

    target: str | None = flag("COLUMN", "Column(s) to predict, separated by commas.")
    group: str | None = flag("COLUMN", "Column whose equal values stay in one fold.")
    time: str | None = flag("COLUMN", "Rows in its order: folds of the kind time.")
    fold_column: str | None = flag("COLUMN", "Its values name the folds; -1: always training.")
    limit: int | None = flag("ROWS", "Use this many rows only.", type=ROWS)
    test_share: float | None = flag("F", "Keep this share out of the search.", type=SHARE)
    test_data: str | None = flag("URI", "Test rows, which the search never sees.")
    task: str | None = flag(None, "Instead of the task that the target asks.", type=OneOf(_TASKS))
    target_scale: str | None = flag(
        None,
        "How a regression's target is trained; log: of 1 + target.",
        type=OneOf(("auto", "standard", "log")),
    )
    na_class: bool = flag(
        None, "Rows without a target are a class of their own.", is_flag=True, default=False
    )
    drop: tuple[str, ...] = flag(
        "COLUMN", "Leave a column out. Repeatable.", default=(), multiple=True
    )
    features: tuple[str, ...] = flag(
        "COLUMN", "Leave all other columns out. Repeatable.", default=(), multiple=True
    )
    kinds: tuple[str, ...] = flag(
        "COLUMN=KIND",
        "What a column is: number, category or date. Repeatable.",
        "--kind",
        default=(),
        multiple=True,
    )
    header: bool | None = flag(
        None, "Whether the first line names the columns.", "--header/--no-header"
    )
    sep: str | None = flag("TEXT", "What separates the values of a line.")
    encoding: str | None = flag("NAME", "Encoding of a text table, such as latin-1.")
    decimal: str | None = flag("MARK", "Decimal mark of a text table's numbers: . or a comma.")
    na: tuple[str, ...] = flag(
        "TEXT", "What else stands for a missing value. Repeatable.", default=(), multiple=True
    )
    scaling: str | None = flag(None, "Scaling of the inputs.", type=OneOf(_SCALINGS))

    def given(self) -> dict[str, Any]:
        """The flags that were given, by the names of `DataSpec`.

        Raises:
            UsageError: a kind that is none.
        """
        own = {field.name: getattr(self, field.name) for field in fields(RowFlags)}
        own["kinds"] = read_kinds(self.kinds)
        own["na_class"] = self.na_class or None
        return {name: value for name, value in own.items() if value not in (None, (), {})}


def read_kinds(texts: Sequence[str]) -> dict[str, str]:
    """`COLUMN=KIND` as column to kind, of a column given twice the last. Raises `UsageError`."""
    from tuner.data.columns.infer import GIVEN_KINDS

    kinds: dict[str, str] = {}
    for text in texts:
        column, equals, kind = text.rpartition("=")
        if not equals or not column:
            raise UsageError(
                f"--kind takes COLUMN=KIND; received {quoted(text)}. Available kinds: "
                f"{', '.join(GIVEN_KINDS)}"
            )
        if kind not in GIVEN_KINDS:
            raise UsageError(f"--kind {column}: {unknown('kind', kind, GIVEN_KINDS)}")
        kinds[column] = kind
    return kinds
