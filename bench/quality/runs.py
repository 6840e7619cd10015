"""Runs of one contender on one outer fold, as lines of a file; what is there is not run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.quality.tables import Table, load


@dataclass(frozen=True)
class Run:
    """Attributes:
    score: accuracy, of a regression r2, on the outer test rows.
    loss: log loss, of a regression the root of the mean squared error, on the same.
    seconds: from the training rows to the answers, on `threads` threads.
    promised: the score by which a search chose; None: it made no promise.
    promised_error: the standard error of `promised` over the inner folds.
    data: the table's hash.
    settings: what the contender was.
    """

    contender: str
    table: str
    fold: int
    score: float
    loss: float
    seconds: float
    data: str
    threads: int = 1
    promised: float | None = None
    promised_error: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """To the outer test rows: probabilities `(rows, classes)`, or values `(rows,)`."""

    predictions: NDArray[Any]
    seconds: float
    promised: float | None = None
    promised_error: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)


#: Training rows as a table and the test rows' columns, to answers and what is added to the
#: contender's name for each.
Contender = Callable[[Table, pd.DataFrame], Iterable[tuple[str, Answer]]]


def run_all(
    file: Path, name: str, contender: Contender, tables: Sequence[str], folds: Sequence[int]
) -> None:
    """Append a line for each outer fold of each table that has none yet."""
    if file.exists():
        file.write_text("".join(_whole_lines(file)))
    done = {(run.contender, run.table, run.fold, run.data) for run in read(file)}
    for table in map(load, tables):
        splits = table.folds()
        for number in folds:
            if (name, table.name, number, table.hash) in done:
                continue
            train, test = splits[number]
            rows = Table(table.name, table.task, table.X.iloc[train], table.y[train])
            runs = []
            for more, answer in contender(rows, table.X.iloc[test]):
                score, loss = scores(table, answer.predictions, table.y[test])
                run = Run(
                    contender=name + more,
                    table=table.name,
                    fold=number,
                    score=score,
                    loss=loss,
                    seconds=round(answer.seconds, 2),
                    data=table.hash,
                    promised=answer.promised,
                    promised_error=answer.promised_error,
                    settings=answer.settings,
                )
                runs.append(run)
                told = f"{score:.4f} {loss:.4f} {run.seconds} s"
                print(f"{run.contender} {table.name} {number}: {told}", flush=True)
            with file.open("a") as lines:
                lines.writelines(json.dumps(asdict(run)) + "\n" for run in runs)


def read(file: Path) -> Iterator[Run]:
    """The file's runs; a last line that was cut off is none."""
    if file.exists():
        for line in _whole_lines(file):
            yield Run(**json.loads(line))


def _whole_lines(file: Path) -> list[str]:
    lines = file.read_text().splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]


def scores(table: Table, predictions: NDArray[Any], y: NDArray[Any]) -> tuple[float, float]:
    """Score and loss, see `Run`."""
    from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error

    if table.task == "regression":
        return float(r2_score(y, predictions)), float(root_mean_squared_error(y, predictions))
    labels = np.arange(predictions.shape[1])
    # float32 probabilities add to 1 within its precision only.
    shares = predictions.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    return (
        float(accuracy_score(y, shares.argmax(axis=1))),
        float(log_loss(y, shares, labels=labels)),
    )
