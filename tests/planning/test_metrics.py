"""Metrics against scikit-learn's own scorers, which know directions and inputs themselves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import average_precision_score, get_scorer, make_scorer
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
    "rmsle": "neg_root_mean_squared_log_error",
    "f1": "f1",
    "precision": "precision",
    "recall": "recall",
    "f1_macro": "f1_macro",
    "precision_macro": "precision_macro",
    "recall_macro": "recall_macro",
    "balanced_accuracy": "balanced_accuracy",
    "matthews_corrcoef": "matthews_corrcoef",
    "average_precision": "average_precision",
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
    model: Any = LogisticRegression(C=10).fit(x[:60], y[:60])
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
    y = np.stack([y, x[:, 3] * 1000 + y + 200], axis=1)
    model = LinearRegression().fit(x[:100], y[:100])
    made["regression"] = (model, x[100:], y[100:], model.predict(x[100:]))
    return made


PREDICTIONS = [(name, task) for name, info in METRICS.items() for task in info.tasks if info.score]


@pytest.mark.parametrize(("name", "task"), PREDICTIONS)
def test_scores_are_those_of_scikit_learns_scorers(fitted, recwarn, name: str, task: str) -> None:
    model, x, y, predictions = fitted[task]
    scorer = get_scorer(SCORERS[name][task] if name == "roc_auc" else SCORERS[name])
    if (name, task) == ("average_precision", "multiclass"):  # sums rank otherwise than shares
        scorer = make_scorer(average_precision_score, response_method="predict_proba")
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


def drawn(task: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions and predicted classes of few rows; the higher the seed, the more
    one-sided both: no row of a class, none predicted as one."""
    rng = np.random.default_rng(seed)
    rows, classes = int(rng.integers(1, 30)), int(rng.integers(3, 6))
    rare = 0.6 ** (seed % 9)
    if task == "multiclass":
        share = np.r_[1, np.full(classes - 1, rare)]
        y = rng.choice(classes, rows, p=share / share.sum())
        p = rng.dirichlet(share * 2 + 0.01, rows)
        return y, p, p.argmax(axis=1)
    shape = (rows,) if task == "binary" else (rows, classes)
    y, p = (rng.random(shape) < rare).astype(int), rng.random(shape) * min(1, 2 * rare)
    return y, p, (p > 0.5).astype(int)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_scores_of_one_sided_rows_are_scikit_learns_without_its_warnings(task: Any) -> None:
    one_sided = 0
    for seed in range(60):
        y, p, decided = drawn(task, seed)
        one_sided += len(np.unique(y)) == 1 or len(np.unique(decided)) == 1
        theirs: dict[str, Any] = {
            "average_precision": average_precision_score(
                y if p.ndim == 1 or y.ndim == 2 else np.eye(p.shape[1])[y], p
            )
        }
        for average in ("binary", "macro"):
            for name in ("f1", "precision", "recall"):
                if average == "macro" or task == "binary":
                    ours = name if average == "binary" else f"{name}_macro"
                    score = getattr(metrics, f"{name}_score")
                    theirs[ours] = score(y, decided, average=average, zero_division=0)
        if task != "multilabel":
            theirs["matthews_corrcoef"] = metrics.matthews_corrcoef(y, decided)
        for name, expected in theirs.items():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                got = METRICS[name].compute(y, p)
            assert got == pytest.approx(expected, abs=1e-12), (name, seed)
    assert one_sided > 5 or task == "multilabel"


def test_rmsle_counts_a_prediction_below_zero_as_zero() -> None:
    y, p = np.array([0.0, 3.0, 8.0]), np.array([-5.0, 2.0, 9.0])
    expected = metrics.root_mean_squared_log_error(y, [0.0, 2.0, 9.0])
    assert METRICS["rmsle"].compute(y, p) == pytest.approx(expected)
    assert METRICS["rmsle"].compute(y - 0.5, p) > 0
    for lowest in (-1.0, -7.0):
        with pytest.raises(DataError, match=rf"rmsle needs targets above -1; got {lowest:g}"):
            METRICS["rmsle"].compute(np.array([lowest, 1.0]), np.ones(2))


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_a_metric_of_the_positive_class_names_the_one_over_classes(name: str, task: Any) -> None:
    with pytest.raises(PlanError, match=rf"{name!r} is for binary tasks; .*{name}_macro is "):
        check_metric(name, task)


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
