"""scikit-learn's callbacks: an epoch is a task of the fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.sklearn_searches import Stacks
from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor, StackedGridSearchCV

IRIS = load_iris()
X, Y = StandardScaler().fit_transform(IRIS.data), IRIS.target
SMALL: dict[str, Any] = {
    "hidden_layer_sizes": (8,),
    "random_state": 0,
    "learning_rate": 0.02,
    "epochs": 3,
}


class Recorder:
    """What a callback is told, and the estimators that it may look at."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.told: list[tuple[str, str, Any]] = []
        self.fitted: list[Any] = []
        self.weights: list[Any] = []
        self._stop_after = stop_after

    def setup(self, estimator: Any, context: Any) -> None:
        self.told.append(("setup", context.task_name, context.max_subtasks))

    def teardown(self, estimator: Any, context: Any) -> None:
        self.told.append(("teardown", context.task_name, context.max_subtasks))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.told.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None, metadata: Any = None
    ) -> bool:
        self.told.append(("end", context.task_name, context.task_id))
        self.fitted.append(fitted_estimator)
        self.weights.append(metadata)
        return context.task_name == "epoch" and context.task_id == self._stop_after


def test_every_epoch_is_a_task_of_the_fit() -> None:
    recorder, weight = Recorder(), np.linspace(0.5, 1, 150)
    model = KerasMLPClassifier(**SMALL).set_callbacks(recorder).fit(X, Y, sample_weight=weight)
    epochs = [(kind, "epoch", number) for number in range(3) for kind in ("begin", "end")]
    begin, end = ("begin", "fit", 0), ("end", "fit", 0)
    assert recorder.told == [("setup", "fit", 3), begin, *epochs, end, ("teardown", "fit", 3)]
    assert all(own["sample_weight"] is weight for own in recorder.weights)
    *on_the_way, last, whole = recorder.fitted
    assert [own.n_iter_ for own in recorder.fitted] == [1, 2, 3, 3]
    np.testing.assert_array_equal(last.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(whole.predict_proba(X), model.predict_proba(X))
    first = KerasMLPClassifier(**SMALL | {"epochs": 1}).fit(X, Y, sample_weight=weight)
    np.testing.assert_allclose(on_the_way[0].coefs_[0], first.coefs_[0], atol=1e-6)
    for name, values in model.history_.items():
        assert on_the_way[1].history_[name] == pytest.approx(values[:2])


def test_a_callback_may_end_the_training() -> None:
    model = KerasMLPRegressor(**SMALL, patience=50).set_callbacks(Recorder(stop_after=1))
    model.fit(X, X[:, 0] * 100)
    assert model.n_iter_ == 2


def test_a_failed_fit_tells_its_end_and_forgets_it() -> None:
    recorder = Recorder()
    model = KerasMLPClassifier(**SMALL | {"learning_rate": 1e30, "optimizer": "sgd"})
    with pytest.raises(ValueError, match="must not diverge"):
        model.set_callbacks(recorder).fit(X * 1e6, Y)
    assert recorder.told[-1] == ("teardown", "fit", 3)
    assert not hasattr(model, "_callback_fit_ctx")


def test_the_scoring_monitor_scores_each_epoch() -> None:
    monitor = ScoringMonitor(scoring="r2")
    table = pd.DataFrame({"length": X[:, 0], "kind": IRIS.target_names[Y]})
    model = KerasMLPRegressor(**SMALL, categorical_features="from_dtype").set_callbacks(monitor)
    model.fit(table, X[:, 2] * 10)
    rows = monitor.get_logs().data
    (whole,) = [row["r2"] for row in rows if row["task_name"] == "fit"]
    epochs = [row["r2"] for row in rows if row["task_name"] == "epoch"]
    assert len(epochs) == 3
    assert epochs[0] < epochs[2] == whole == model.score(table, X[:, 2] * 10)


def test_the_progress_bar_reaches_it_inside_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    pipeline = make_pipeline(StandardScaler(), KerasMLPClassifier(**SMALL))
    pipeline.set_callbacks(ProgressBar()).fit(X, Y)
    assert "KerasMLPClassifier - fit" in capsys.readouterr().out


def test_stacks_leave_fits_that_are_watched_to_the_estimator(monkeypatch: Any) -> None:
    stacks, recorder = Stacks(monkeypatch), Recorder()
    watched = KerasMLPClassifier(**SMALL).set_callbacks(recorder)
    StackedGridSearchCV(watched, {"epochs": [1, 2]}, cv=2, refit=False).fit(X, Y)
    assert stacks.networks == [1] * 4
    assert [told[0] for told in recorder.told].count("setup") == 4
    told = len(recorder.told)
    GridSearchCV(watched, {"epochs": [1, 2]}, cv=2, refit=False).fit(X, Y)
    assert recorder.told[told:] == recorder.told[:told]
    assert len(cross_validate(watched, X, Y, cv=2)["test_score"]) == 2
