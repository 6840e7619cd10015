"""scikit-learn's own `check_estimator`, as one test a check: all of it on both
estimators, with and without tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor

#: The same reason as scikit-learn gives for its SGDClassifier and SGDRegressor.
_MINIBATCHES = (
    "an update's gradient is the mean over a batch's rows: a row of weight 2 stands in one batch, "
    "two rows in two; a row of weight 0 takes a place"
)
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": _MINIBATCHES,
    "check_sample_weight_equivalence_on_sparse_data": _MINIBATCHES,
}
#: Of estimators that take tables: any object may be a column's value.
_OBJECTS = "a dictionary among the values of X is refused as a ValueError, not as a TypeError"
#: Fast, and between them they meet most of what an estimator can get wrong.
FAST = {
    "check_dont_overwrite_attributes",
    "check_estimator_cloneable",
    "check_estimators_pickle",
    "check_estimators_unfitted",
    "check_fit_idempotent",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
}


def checks() -> Iterator[Any]:
    table: Any = {"categorical_features": "from_dtype"}
    estimators = (KerasMLPClassifier(), KerasMLPRegressor())
    for estimator in (*estimators, KerasMLPClassifier(**table), KerasMLPRegressor(**table)):
        for own, check in estimator_checks_generator(estimator):
            function = getattr(check, "func", check)
            name, of_tables = function.__name__, own.categorical_features is not None
            marks = [] if name in FAST and not of_tables else [pytest.mark.slow]
            failures = EXPECTED_FAILURES | ({"check_dtype_object": _OBJECTS} if of_tables else {})
            if name in failures:
                reason = failures[name]
                marks.append(
                    pytest.mark.xfail(
                        reason=reason, strict=True, raises=(AssertionError, ValueError)
                    )
                )
            settings = getattr(check, "keywords", {})
            extra = "".join(f",{k}={v}" for k, v in settings.items())
            kind = f"{type(own).__name__}{'-table' * of_tables}"
            yield pytest.param(own, check, id=f"{kind}-{name}{extra}", marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_check_estimator(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
