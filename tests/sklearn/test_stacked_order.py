"""What a search's fits wait for, and what scikit-learn copies for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from tests.support.sklearn_searches import digits
from tuner.sklearn import KerasMLPClassifier, StackedGridSearchCV
from tuner.training import Trainer
from tuner.training.kind import StackKind
from tuner.training.stack import NetworkStack
from tuner.training.stack_cache import STACKS

#: Two shapes: two stacks.
GRID = {"hidden_layer_sizes": [(4,), (5,)]}


def classifier() -> KerasMLPClassifier:
    return KerasMLPClassifier((4,), epochs=1, batch_size=64, random_state=0)


def search(**settings: Any) -> StackedGridSearchCV:
    return StackedGridSearchCV(classifier(), GRID, cv=3, refit=False, **settings)


def test_a_fit_is_scored_before_the_next_stack_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    train = Trainer.train

    def trained(self: Trainer, *arguments: Any, **settings: Any) -> Any:
        order.append("trained")
        return train(self, *arguments, **settings)

    def scored(estimator: Any, X: Any, y: Any) -> float:
        order.append("scored")
        return float(estimator.score(X, y))

    monkeypatch.setattr(Trainer, "train", trained)
    search(scoring=scored).fit(*digits(200))
    assert order == ["trained", *["scored"] * 3] * 2


@pytest.mark.parametrize("jobs", [None, 2])
def test_a_stack_that_fails_fails_its_own_fits(
    jobs: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Trainer.train

    def trained(self: Trainer, plans: Any, *arguments: Any, **settings: Any) -> Any:
        if plans[0].model.units == (4,):
            raise MemoryError("no room")
        return train(self, plans, *arguments, **settings)

    monkeypatch.setattr(Trainer, "train", trained)
    with pytest.warns(Warning, match="no room|non-finite"):
        results = search(n_jobs=jobs).fit(*digits(200)).cv_results_
    assert np.isfinite(results["mean_test_score"]).tolist() == [False, True]
    with pytest.raises(MemoryError, match="no room"):
        search(n_jobs=jobs, error_score="raise").fit(*digits(200))


@pytest.mark.parametrize("train_score", [False, True])
def test_training_rows_are_copied_for_whoever_looks_at_them(
    train_score: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.model_selection import _validation

    copied: list[int] = []
    safe_split = _validation._safe_split

    def split(estimator: Any, X: Any, y: Any, indices: Any, train: Any = None) -> Any:
        if train is None:
            copied.append(len(indices))
        return safe_split(estimator, X, y, indices, train)

    monkeypatch.setattr(_validation, "_safe_split", split)
    X, y = digits(200)
    weight = np.arange(200) % 3
    own = search(return_train_score=train_score).fit(X, y, sample_weight=weight).cv_results_
    assert [size > 0 for size in copied] == [train_score] * 6
    stock = GridSearchCV(classifier(), GRID, cv=3, refit=False, return_train_score=train_score).fit(
        X, y, sample_weight=weight
    )
    np.testing.assert_allclose(
        own["mean_test_score"], stock.cv_results_["mean_test_score"], atol=1 / 60
    )


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "seen"), [(0.0, 16), (0.1, 64)])
def test_inputs_that_are_always_zero_are_left_out_where_nothing_else_moves_their_weights(
    alpha: float, seen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    features: list[int] = []
    init = NetworkStack.__init__

    def built(self: NetworkStack, kind: StackKind, *rest: Any) -> None:
        features.append(kind.shape.features)
        init(self, kind, *rest)

    monkeypatch.setattr(NetworkStack, "__init__", built)
    STACKS.clear()
    X, y = digits(200)
    X[:, 15:] = 0
    own = StackedGridSearchCV(classifier().set_params(l2=alpha), GRID, cv=2, refit=False)
    own.fit(X, y)
    assert features == [seen] * 2
    stock = GridSearchCV(own.estimator, GRID, cv=2, refit=False).fit(X, y)
    np.testing.assert_allclose(
        own.cv_results_["mean_test_score"], stock.cv_results_["mean_test_score"], atol=1 / 90
    )
