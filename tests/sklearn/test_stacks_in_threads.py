"""`n_jobs` trains several stacks at a time, and no score depends on it."""

from __future__ import annotations

from threading import Barrier, Event
from typing import Any

import keras
import numpy as np
import pytest
from joblib import cpu_count
from threadpoolctl import threadpool_info

from tests.support.sklearn_searches import Stacks, digits
from tuner.sklearn import KerasMLPClassifier, StackedGridSearchCV
from tuner.sklearn.search.parallel import in_threads


def test_two_items_are_at_work_at_a_time_and_results_come_in_order() -> None:
    together = Barrier(2, timeout=60)

    def work(item: int, callbacks: Any) -> int:
        assert len(callbacks) == 1
        together.wait()
        return 10 * item

    assert list(in_threads(2, work, [1, 2, 3, 4])) == [10, 20, 30, 40]


def blas() -> set[int]:
    return {own["num_threads"] for own in threadpool_info() if own["user_api"] == "blas"}


def test_numpy_leaves_the_cores_to_what_trains_and_takes_them_afterwards() -> None:
    before, last = blas(), Event()
    assert before
    results = in_threads(2, lambda item, callbacks: item or last.wait(60), [1, 0])
    assert next(results) == 1
    assert blas() == {max(1, cpu_count() // 2)}
    last.set()
    assert next(results) is True
    assert blas() == before
    results.close()  # type: ignore[attr-defined]
    last.clear()
    abandoned = in_threads(2, lambda item, callbacks: item or last.wait(60), [1, 0])
    next(abandoned)
    last.set()
    abandoned.close()  # type: ignore[attr-defined]
    assert blas() == before


def test_one_job_hears_of_no_callbacks() -> None:
    assert list(in_threads(1, lambda item, callbacks: (item, callbacks), "ab")) == [
        ("a", ()),
        ("b", ()),
    ]


def test_where_one_raises_the_others_end_at_their_next_epoch() -> None:
    began = Barrier(2, timeout=60)
    epochs: list[int] = []

    class Model:
        stop_training = False

    def work(item: str, callbacks: Any) -> None:
        began.wait()
        if item == "raises":
            raise ValueError("wrong")
        callback: keras.callbacks.Callback = callbacks[0]
        model = Model()
        callback.set_model(model)
        for epoch in range(10_000_000):
            callback.on_epoch_end(epoch)
            epochs.append(epoch)
            if model.stop_training:
                return

    with pytest.raises(ValueError, match="wrong"):
        list(in_threads(2, work, ["raises", "trains"]))
    assert len(epochs) < 10_000_000


@pytest.mark.parametrize("optimizer", ["sgd", pytest.param("adam", marks=pytest.mark.slow)])
def test_scores_are_the_same_to_the_last_bit(
    optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = digits(300)
    stacks = Stacks(monkeypatch)
    grid = {"learning_rate": [0.1 / (1 + i) for i in range(9)]}
    estimator = KerasMLPClassifier((8,), optimizer=optimizer, epochs=2, random_state=0)
    results = [
        StackedGridSearchCV(estimator, grid, cv=5, refit=False, n_jobs=jobs).fit(X, y).cv_results_
        for jobs in (None, 2)
    ]
    # 9 candidates, at most 4 a stack.
    assert stacks.networks == [15] * 6
    for fold in range(5):
        name = f"split{fold}_test_score"
        np.testing.assert_array_equal(results[0][name], results[1][name])
