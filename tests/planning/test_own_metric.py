"""Metrics of one's own, beside scikit-learn's own answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.metrics import get_scorer, make_scorer

from tuner.errors import PlanError, UsageError
from tuner.planning.metrics import check_metric, metric_direction
from tuner.planning.own_metric import metric

RNG = np.random.default_rng(0)
Y2, P2 = np.array([0, 1, 1, 0, 1, 0]), np.array([0.2, 0.7, 0.4, 0.6, 0.9, 0.1])
Y3 = np.array([0, 1, 2, 2, 1, 0])
P3 = RNG.dirichlet(np.ones(3), 6)


def cost(y_true: Any, y_pred: Any) -> float:
    return float(np.abs(y_true - y_pred).sum())


def score(own: Any, y: Any, p: Any, task: Any = "binary", classes: Any = None) -> float:
    return own.info(task, classes).compute(y, p)


def test_a_function_of_predictions():
    own = metric(cost, direction="minimize")
    assert own.key == "minimize:cost"
    assert metric_direction(own.key) == own.info("binary", None).direction == "minimize"
    assert score(own, Y2, P2) == pytest.approx(np.abs(Y2 - P2).sum())
    values = np.array([[1.0], [2.0]], np.float32)
    assert score(own, values, values + 1, "regression") == 2
    assert metric(own) is own


def test_a_direction_as_an_attribute(monkeypatch):
    monkeypatch.setattr(cost, "direction", "maximize", raising=False)
    assert metric(cost).key == "maximize:cost"
    assert metric(cost, direction="minimize", name="other").key == "minimize:other"


def test_scorers_are_given_what_they_ask_for():
    classes = ("no", "yes")
    labels = np.array(classes)[Y2]
    f1 = metric(make_scorer(metrics.f1_score, pos_label="yes"))
    assert f1.key == "maximize:f1_score"
    decided = np.where(P2 > 0.5, "yes", "no")
    expected = metrics.f1_score(labels, decided, pos_label="yes")
    assert score(f1, Y2, P2, classes=classes) == pytest.approx(expected)
    auc = metric(get_scorer("roc_auc"))
    assert score(auc, Y2, P2, classes=classes) == pytest.approx(metrics.roc_auc_score(Y2, P2))
    many = metric(make_scorer(metrics.top_k_accuracy_score, k=2, response_method="predict_proba"))
    assert score(many, Y3, P3, "multiclass") == metrics.top_k_accuracy_score(Y3, P3, k=2)
    several, answers = np.stack([Y2, 1 - Y2], 1), np.stack([P2, P2], 1)
    hamming = metric(make_scorer(metrics.hamming_loss, greater_is_better=False))
    assert hamming.key == "minimize:hamming_loss"
    assert score(hamming, several, answers, "multilabel") == pytest.approx(
        metrics.hamming_loss(several, answers > 0.5)
    )


def test_names_of_scikit_learn():
    own = metric("neg_median_absolute_error")
    assert own.key == "minimize:median_absolute_error"
    y = np.arange(4.0)
    assert score(own, y, y + np.arange(1, 5), "regression") == 2.5
    with pytest.raises(UsageError, match="unknown metric 'acuracy'; did you mean accuracy"):
        metric("acuracy")


def test_a_callable_of_an_estimator():
    def own(estimator: Any, X: Any, y: Any) -> float:
        return float((estimator.predict(X) == y).mean())

    assert metric(own).key == "maximize:own"
    assert score(metric(own), Y3, P3, "multiclass", ("a", "b", "c")) == np.mean(P3.argmax(1) == Y3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (cost, "'cost' has no direction. Available: tuner.metric"),
        (lambda y, p: 0.0, "'lambda' has no direction"),
        (3, "is a function .* received 3"),
        (DummyClassifier, "no direction"),
    ],
)
def test_what_is_no_metric(given, message):
    with pytest.raises(UsageError, match=message):
        metric(given)
    with pytest.raises(UsageError, match="direction 'up'"):
        metric(cost, direction="up")
    with pytest.raises(UsageError, match=r"name is one to 60 letters.*received 'a b'"):
        metric(cost, direction="minimize", name="a b")


@pytest.mark.parametrize("answer", [math.nan, math.inf, None, "x", [1, 2]])
def test_an_answer_that_is_no_number(answer):
    with pytest.raises(PlanError, match=r"a metric gives a finite number; odd gave .* for 6 rows"):
        score(metric(lambda y, p: answer, direction="minimize", name="odd"), Y2, P2)


def test_an_error_is_told_with_its_cause():
    def broken(y: Any, p: Any) -> float:
        raise KeyError("column")

    with pytest.raises(PlanError, match="broken failed on 6 rows: KeyError: 'column'"):
        score(metric(broken, direction="minimize"), Y2, P2)


def test_predictions_that_are_not_finite_are_the_networks_fault():
    assert math.isnan(score(metric(cost, direction="minimize"), Y2, P2 * math.nan))


def test_a_name_alone_is_no_metric():
    with pytest.raises(PlanError, match="comes with its code; 'minimize:cost' has none here"):
        check_metric("minimize:cost", "binary")
