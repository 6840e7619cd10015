"""How many threads a product of NumPy's takes while stacks train."""

from __future__ import annotations

from typing import Any

import pytest
from joblib import cpu_count
from searches import digits
from threadpoolctl import threadpool_info

from tuner.sklearn import KerasMLPClassifier, StackedGridSearchCV


def blas() -> set[int]:
    return {own["num_threads"] for own in threadpool_info() if own["user_api"] == "blas"}


@pytest.mark.parametrize("jobs", [None, 2])
def test_scoring_leaves_cores_to_the_stacks_that_train(jobs: int | None) -> None:
    seen: list[set[int]] = []

    def scored(estimator: Any, X: Any, y: Any) -> float:
        seen.append(blas())
        return float(estimator.score(X, y))

    before = blas()
    estimator = KerasMLPClassifier((4,), epochs=1, batch_size=64, random_state=0)
    grid = {"hidden_layer_sizes": [(4,), (5,)]}
    search = StackedGridSearchCV(estimator, grid, cv=3, scoring=scored, n_jobs=jobs, refit=False)
    search.fit(*digits(200))
    assert seen == [before if jobs is None else {max(1, cpu_count() // 2)}] * 6
    assert blas() == before
