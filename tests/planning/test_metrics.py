"""Metrics against scikit-learn's own scorers, which know directions and inputs themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.preprocessing import minmax_scale

from tuner.errors import DataError, PlanError
from tuner.planning import METRICS, check_metric, default_metric, metric_direction, metrics_for

#: Ours -> scikit-learn's scorer, by task where they differ.
SCORERS: dict[str, Any] = {
    "loss": "neg_log_loss",
    "accuracy": "accuracy",
    "mse": "neg_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "rmse": "neg_root_mean_squared_error",
    "r2": "r2",
    "f1_macro": "f1_macro",
    "precision_macro": "precision_macro",
    "recall_macro": "recall_macro",
    "balanced_accuracy": "balanced_accuracy",
    "roc_auc": {"binary": "roc_auc", "multiclass": "roc_auc_ovr", "multilabel": "roc_auc"},
    "log_loss": "neg_log_loss",
}


class Labels:
    """A multilabel classifier as scikit-learn's scorers expect one: one column a label."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.models = [LogisticRegression(max_iter=200).fit(x, column) for column in y.T]
        self.classes_ = [np.array([0, 1])] * y.shape[1]

    _estimator_type = "classifier"

    def fit(self) -> None: ...

    def __sklearn_tags__(self) -> Any:
        return self.models[0].__sklearn_tags__()

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.stack([model.predict(x) for model in self.models], axis=1)

    def predict_proba(self, x: np.ndarray) -> list[np.ndarray]:
        return [model.predict_proba(x) for model in self.models]


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[Any, np.ndarray, np.ndarray, np.ndarray]]:
    """By task: an estimator fitted on few rows, and x, y and our form of its predictions on the
    others. Few rows, so that no score is perfect."""
    made = {}
    x, y = load_breast_cancer(return_X_y=True)
    x = minmax_scale(x)[:, :6]
    model: Any = LogisticRegression().fit(x[:60], y[:60])
    made["binary"] = (model, x[60:], y[60:], model.predict_proba(x[60:])[:, 1])
    x, y = load_digits(return_X_y=True)
    x = x[:700] / 16
    model = LogisticRegression(max_iter=200).fit(x[:80], y[:80])
    made["multiclass"] = (model, x[80:], y[80:700], model.predict_proba(x[80:]))
    labels = np.stack([y[:700] % 2, y[:700] > 4], axis=1).astype(int)
    model = Labels(x[:80], labels[:80])
    probabilities = np.stack([p[:, 1] for p in model.predict_proba(x[80:])], axis=1)
    made["multilabel"] = (model, x[80:], labels[80:], probabilities)
    x, y = load_diabetes(return_X_y=True)
    y = np.stack([y, x[:, 3] * 1000 + y], axis=1)
    model = LinearRegression().fit(x[:100], y[:100])
    made["regression"] = (model, x[100:], y[100:], model.predict(x[100:]))
    return made


PREDICTIONS = [(name, task) for name, info in METRICS.items() for task in info.tasks if info.score]


@pytest.mark.parametrize(("name", "task"), PREDICTIONS)
def test_scores_are_those_of_scikit_learns_scorers(fitted, recwarn, name: str, task: str) -> None:
    model, x, y, predictions = fitted[task]
    scorer = get_scorer(SCORERS[name][task] if name == "roc_auc" else SCORERS[name])
    theirs = scorer(model, x, y) * scorer._sign
    ours = METRICS[name].compute(y, predictions)
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert 0 < abs(ours) != 1
    assert [str(w.message) for w in recwarn] == []


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_directions_are_those_of_scikit_learns_scorers(name: str) -> None:
    scorer = SCORERS[name]["binary"] if name == "roc_auc" else SCORERS[name]
    sign = get_scorer(scorer)._sign
    assert metric_direction(name) == ("maximize" if sign > 0 else "minimize")


def test_every_metric_without_a_scorer_has_its_direction() -> None:
    assert set(METRICS) - set(SCORERS) == {"hamming", "top_5_accuracy"}
    assert metric_direction("hamming") == "minimize"
    assert metric_direction("top_5_accuracy") == "maximize"


def test_shapes_that_mean_the_same_score_the_same(fitted) -> None:
    _, _, y, p = fitted["binary"]
    for name in ("f1_macro", "roc_auc", "log_loss"):
        assert METRICS[name].compute(y, p[:, None]) == METRICS[name].compute(y, p)
    _, _, y, p = fitted["regression"]
    one = METRICS["r2"].compute(y[:, :1], p[:, :1])
    assert one == METRICS["r2"].compute(y[:, 0], p[:, 0])


def test_float32_probabilities_score_as_float64_ones(fitted, recwarn) -> None:
    _, _, y, p = fitted["multiclass"]
    for name, info in METRICS.items():
        if info.score and "multiclass" in info.tasks:
            single = info.compute(y, p.astype(np.float32))
            assert single == pytest.approx(info.compute(y, p), rel=1e-5), name
    assert [str(w.message) for w in recwarn] == []


def test_a_class_that_no_row_has_counts_nowhere_and_warns_of_nothing(fitted, recwarn) -> None:
    _, _, y, p = fitted["multiclass"]
    some = y != 3
    y, p = y[some], p[some]
    assert METRICS["log_loss"].compute(y, p) > 0
    assert 0 < METRICS["balanced_accuracy"].compute(y, p) < 1
    assert 0 < METRICS["f1_macro"].compute(y, p) < 1
    assert [str(w.message) for w in recwarn] == []


def test_balanced_accuracy_is_of_the_classes_that_occur() -> None:
    p = np.eye(4)[[0, 3, 1, 1]]
    assert METRICS["balanced_accuracy"].compute(np.array([0, 0, 1, 1]), p) == 0.75


def test_roc_auc_without_a_class_is_an_error_that_says_which(fitted) -> None:
    _, _, y, p = fitted["multiclass"]
    with pytest.raises(DataError, match=r"rows of every class.*class number 3"):
        METRICS["roc_auc"].compute(y[y != 3], p[y != 3])
    with pytest.raises(DataError, match="class number 1"):
        METRICS["roc_auc"].compute(np.zeros(4, int), np.full(4, 0.5))
    with pytest.raises(DataError, match="class number 0"):
        METRICS["roc_auc"].compute(np.array([[1, 0], [1, 1]]), np.full((2, 2), 0.5))


def test_r2_of_one_row_is_an_error() -> None:
    with pytest.raises(DataError, match="r2 needs at least 2"):
        METRICS["r2"].compute(np.ones((1, 1)), np.ones((1, 1)))


def test_predictions_that_are_no_numbers_score_nan() -> None:
    assert np.isnan(METRICS["rmse"].compute(np.ones((2, 1)), np.array([[1.0], [np.nan]])))
    assert np.isnan(METRICS["log_loss"].compute(np.array([0, 1]), np.array([np.inf, 0.5])))


def test_sums_are_not_computed_from_predictions() -> None:
    with pytest.raises(ValueError, match="accuracy is summed over rows"):
        METRICS["accuracy"].compute(np.zeros(1), np.zeros(1))


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_the_default_metric_fits_its_task(task: Any) -> None:
    name = default_metric(task)
    assert name == ("r2" if task == "regression" else "accuracy")
    assert check_metric(name, task) is METRICS[name]
    assert metrics_for(task)[0] == "loss"


def test_unknown_and_unfitting_metrics_are_refused_with_those_that_fit() -> None:
    with pytest.raises(PlanError, match="unknown metric 'acuracy'; did you mean accuracy"):
        check_metric("acuracy", "binary")
    with pytest.raises(PlanError, match="unknown metric 'f2'"):
        metric_direction("f2")
    with pytest.raises(PlanError, match="'r2' is for regression tasks; this task is binary") as e:
        check_metric("r2", "binary")
    assert str(e.value).endswith(", ".join(metrics_for("binary")))
    assert "accuracy" not in metrics_for("regression")
