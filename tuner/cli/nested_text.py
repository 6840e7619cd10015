"""Promised and outer scores of a nested study as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.cli.output import columns_of
from tuner.text import score_text, spread_text

if TYPE_CHECKING:
    from tuner.results.nested import Nested


def nested_text(nested: Nested) -> str:
    """A table of the outer folds, then a line a rule with the means."""
    rules = nested.rules
    header = ["outer fold", "rows", "test rows"]
    for rule in rules:
        header += [f"{rule}: trial", "inner", "outer", "gap"]
    lines = []
    for fold in nested.folds:
        cells = [str(fold.fold), str(fold.rows), str(fold.test_rows)]
        for rule in rules:
            own = fold.chosen[rule]
            scores = [score_text(own.inner), score_text(own.outer), _gap(own.gap, own.inner)]
            cells += [str(own.trial), *scores]
        lines.append(cells)
    said = []
    for rule in rules:
        summary = nested.summary(rule)
        if summary is None:
            said.append(f"outer folds: {len(nested.folds)} of {nested.count} are scored")
            break
        inner = [fold.chosen[rule].inner for fold in nested.folds]
        outer = [fold.chosen[rule].outer for fold in nested.folds]
        said.append(
            f"{rule}: outer {nested.metric} {spread_text(outer)}, promised {spread_text(inner)}, "
            f"gap {_gap(summary.gap, summary.inner)} (standard error "
            f"{score_text(summary.standard_error, summary.inner)})"
        )
    return "\n".join([columns_of(header, lines), "", *said])


def _gap(gap: float, beside: float) -> str:
    return f"{'-' if gap < 0 else '+'}{score_text(abs(gap), beside)}"
