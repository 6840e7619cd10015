"""Rows as an estimator gets them to rows as training wants them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_X_y, validate_data

from tuner.sklearn.estimators.columns import FittedColumns, frame_of, refuse_text

#: Bytes stay bytes: training brings each batch to float32 by itself.
DTYPES = (np.float32, np.uint8)


def read_rows(estimator: Any, X: Any, *, reset: bool, **settings: Any) -> Any:
    """`validate_data`'s X, dense `(rows, inputs)`, and y if `settings` have one; with
    `categorical_features`, given when the estimator was fitted, the columns of a table encoded.

    With `reset` the `KerasMLP` takes what it must know of X from it. Raises ValueError as
    scikit-learn's estimators do.
    """
    if reset:
        estimator.columns_ = None
        encoded = estimator.categorical_features is not None
    else:
        encoded = estimator.columns_ is not None
    if encoded:
        return _encoded(estimator, X, reset, settings)
    try:
        read = validate_data(
            estimator, X, accept_sparse="csr", dtype=DTYPES, reset=reset, **settings
        )
    except (TypeError, ValueError):
        refuse_text(X)
        raise
    x, *rest = read if isinstance(read, tuple) else (read,)
    x = x.toarray() if issparse(x) else x
    return (x, *rest) if rest else x


def _encoded(estimator: Any, X: Any, reset: bool, settings: dict[str, Any]) -> Any:
    if hasattr(X, "iloc") or hasattr(X, "to_pandas"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
    else:
        X = validate_data(
            estimator, X, accept_sparse="csr", dtype=None, ensure_all_finite=False, reset=reset
        )
        X = X.toarray() if issparse(X) else X
    frame = frame_of(X, getattr(estimator, "feature_names_in_", None))
    if reset:
        estimator.columns_, x = FittedColumns.fit(frame, estimator.categorical_features)
        estimator.is_categorical_ = estimator.columns_.categorical
    else:
        assert estimator.columns_ is not None
        x = estimator.columns_.inputs(frame)
    if "y" not in settings:
        return x
    return check_X_y(x, settings.pop("y"), dtype=DTYPES, estimator=estimator, **settings)
