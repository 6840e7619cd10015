"""What the runs say: each table, and what was asked of `tuner` beside what it reached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.quality.runs import Run
from bench.quality.tables import JUDGE, OUTER_FOLDS


class Scores:
    """Contender to its scores on each outer fold, table by table; whole tables only."""

    def __init__(self, runs: Sequence[Run], tables: Sequence[str]) -> None:
        self._runs: dict[tuple[str, str], dict[int, Run]] = {}
        data: dict[str, str] = {}
        for run in runs:
            if run.table not in tables:
                continue
            if data.setdefault(run.table, run.data) != run.data:
                raise SystemExit(f"the runs of {run.table} are of different rows")
            self._runs.setdefault((run.contender, run.table), {})[run.fold] = run
        self._runs = {key: own for key, own in self._runs.items() if len(own) == OUTER_FOLDS}
        self.contenders = list(dict.fromkeys(contender for contender, _ in self._runs))
        self.tables = [name for name in tables if any(table == name for _, table in self._runs)]

    def has(self, contender: str, table: str) -> bool:
        return (contender, table) in self._runs

    def both(self, *contenders: str) -> list[str]:
        """The tables that all of them have."""
        return [own for own in self.tables if all(self.has(name, own) for name in contenders)]

    def of(self, contender: str, table: str, field: str = "score") -> NDArray[np.float64]:
        runs = self._runs[contender, table]
        return np.array([getattr(runs[fold], field) for fold in sorted(runs)], dtype=np.float64)

    def mean(self, contender: str, table: str, field: str = "score") -> float:
        return float(self.of(contender, table, field).mean())

    def error(self, contender: str, table: str) -> float:
        """The standard error over the outer folds; at least a thousandth, so that three folds
        that agree by chance do not make a small difference endless."""
        own = self.of(contender, table)
        return max(float(own.std(ddof=1) / np.sqrt(len(own))), 1e-3)


def summary(runs: Sequence[Run], tables: Sequence[str]) -> str:
    scores = Scores(runs, tables)
    parts = [_table(scores, "score"), _table(scores, "loss"), _against(scores)]
    return "\n\n".join([*parts, _asked(scores)])


def _table(scores: Scores, field: str) -> str:
    kind = "accuracy or r2" if field == "score" else "log loss or rmse"
    lines = [_row([kind, *scores.contenders]), _row(["---"] * (len(scores.contenders) + 1))]
    for table in scores.tables:
        cells = [f"{table}{' (judge)' if table in JUDGE else ''}"]
        for name in scores.contenders:
            if not scores.has(name, table):
                cells.append("")
            elif field == "score":
                cells.append(f"{scores.mean(name, table):.4f} ± {scores.error(name, table):.4f}")
            else:
                cells.append(f"{scores.mean(name, table, field):.4g}")
        lines.append(_row(cells))
    if field == "score":
        for text, field in (("mean score", "score"), ("mean seconds", "seconds")):
            common = scores.both(*scores.contenders)
            cells = [f"{text} of the {len(common)} tables of all"]
            for name in scores.contenders:
                means = [scores.mean(name, table, field) for table in common]
                cells.append(f"{np.mean(means):.4g}" if means else "")
            lines.append(_row(cells))
    return "\n".join(lines)


def _against(scores: Scores, peer: str = "realmlp") -> str:
    """Every contender against one, in its standard errors."""
    lines = [_row([f"against {peer}", "all tables", "to judge by"]), _row(["---"] * 3)]
    for name in scores.contenders:
        if name != peer and (common := scores.both(name, peer)):
            judged = [table for table in common if table in JUDGE]
            told = [_compared(scores, own, name, peer) if own else "" for own in (common, judged)]
            lines.append(_row([name, *told]))
    return "\n".join(lines)


def _asked(scores: Scores) -> str:
    """What is asked of ours, and what it reached; a line whose runs are missing says so."""
    lines = [_row(["asked", "reached"]), _row(["---"] * 2)]
    for text, needs, told in (
        (
            "defaults, no search: within one standard error of realmlp on nine tables of ten, "
            "mean score not lower",
            ("defaults", "realmlp"),
            _compared,
        ),
        (
            "search: above realmlp by half a standard error on average, better or equal on eight "
            "of ten",
            ("search", "realmlp"),
            _compared,
        ),
        (
            "search with its ensemble: above realmlp-bagged on average",
            ("search-folds", "realmlp-bagged"),
            _compared,
        ),
        (
            "search with its ensemble: the score of realmlp-search in a third of its seconds",
            ("search-folds", "realmlp-search"),
            _faster,
        ),
        (
            "the simplest within a standard error: promised less outer score under half a standard "
            "error on average",
            ("search-one-se",),
            _gap,
        ),
        ("the same of the best trial, not asked", ("search",), _gap),
    ):
        common = scores.both(*needs)
        lines.append(_row([text, told(scores, common, *needs) if common else "not measured"]))
    return "\n".join(lines)


def _compared(scores: Scores, tables: Sequence[str], ours: str, peer: str) -> str:
    less = np.array([scores.mean(ours, own) - scores.mean(peer, own) for own in tables])
    errors = less / [scores.error(peer, own) for own in tables]
    return (
        f"{int((errors >= -1).sum())} of {len(tables)} within one, {int((less >= 0).sum())} better "
        f"or equal; {less.mean():+.4f} and {errors.mean():+.2f} standard errors on average"
    )


def _faster(scores: Scores, tables: Sequence[str], ours: str, peer: str) -> str:
    ratios = [
        scores.mean(ours, own, "seconds") / scores.mean(peer, own, "seconds") for own in tables
    ]
    return (
        f"{np.median(ratios):.2f} of its seconds (median); {_compared(scores, tables, ours, peer)}"
    )


def _gap(scores: Scores, tables: Sequence[str], ours: str) -> str:
    gaps = [
        (scores.of(ours, own, "promised") - scores.of(ours, own)).mean()
        / scores.of(ours, own, "promised_error").mean()
        for own in tables
    ]
    return f"{np.mean(gaps):+.2f} standard errors on average ({len(tables)} tables)"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
