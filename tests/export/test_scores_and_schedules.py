from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn import metrics as sk

from tuner.errors import PlanError
from tuner.export.refit import FirstEpochs, RecordedRates
from tuner.export.scores import loss_of, score
from tuner.planning import LossPlan
from tuner.schedules import CosineSchedule, ExponentialSchedule

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 7, 80).astype(np.int32)
SOFTMAX = RNG.dirichlet(np.ones(7), 80).astype(np.float32)
BINARY = RNG.integers(0, 2, 80).astype(np.int32)
SIGMOID = RNG.uniform(size=(80, 1)).astype(np.float32)
LABELS = RNG.integers(0, 2, (80, 3)).astype(np.float32)
LABEL_ANSWERS = RNG.uniform(size=(80, 3)).astype(np.float32)
VALUES = RNG.normal(5, 3, (80, 2)).astype(np.float32)
VALUE_ANSWERS = VALUES + RNG.normal(size=(80, 2)).astype(np.float32)


SUMMING_TO_1 = SOFTMAX.astype(np.float64) / SOFTMAX.sum(axis=1, keepdims=True, dtype=np.float64)
BY_TASK = {
    "multiclass": (CLASSES, SOFTMAX, SOFTMAX.argmax(axis=1)),
    "binary": (BINARY, SIGMOID, SIGMOID[:, 0] > 0.5),
    "multilabel": (LABELS, LABEL_ANSWERS, LABEL_ANSWERS > 0.5),
    "regression": (VALUES, VALUE_ANSWERS, VALUE_ANSWERS),
}


@pytest.mark.parametrize(
    ("metric", "task", "theirs"),
    [
        ("accuracy", "multiclass", sk.accuracy_score),
        ("hamming", "multiclass", sk.hamming_loss),
        ("accuracy", "binary", sk.accuracy_score),
        ("hamming", "binary", sk.hamming_loss),
        ("accuracy", "multilabel", sk.accuracy_score),
        ("hamming", "multilabel", sk.hamming_loss),
        ("mse", "regression", sk.mean_squared_error),
        ("mse", "multiclass", lambda y, _: sk.mean_squared_error(np.eye(7)[y], SOFTMAX)),
        ("mae", "binary", lambda y, _: sk.mean_absolute_error(y, SIGMOID)),
        ("mae", "regression", sk.mean_absolute_error),
        ("r2", "regression", sk.r2_score),
        ("top_5_accuracy", "multiclass", lambda y, _: sk.top_k_accuracy_score(y, SOFTMAX, k=5)),
        ("log_loss", "multiclass", lambda y, _: sk.log_loss(y, SUMMING_TO_1)),
        ("roc_auc", "binary", lambda y, _: sk.roc_auc_score(y, SIGMOID[:, 0])),
    ],
)
def test_scores_are_scikit_learns(metric, task, theirs):
    y, answers, decided = BY_TASK[task]
    assert score(metric, task, y, answers) == pytest.approx(theirs(y, decided), rel=1e-5)


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(PlanError, match="this task is multiclass"):
        score("r2", "multiclass", CLASSES, SOFTMAX)


@pytest.mark.parametrize(
    ("plan", "task", "y", "answers", "expected"),
    [
        (
            LossPlan("sparse_categorical_crossentropy"),
            "multiclass",
            CLASSES,
            SOFTMAX,
            lambda: -np.log(SOFTMAX[np.arange(80), CLASSES]).mean(),
        ),
        (
            LossPlan("categorical_crossentropy", label_smoothing=0.1),
            "multiclass",
            CLASSES,
            SOFTMAX,
            lambda: -((0.9 * np.eye(7)[CLASSES] + 0.1 / 7) * np.log(SOFTMAX)).sum(1).mean(),
        ),
        (
            LossPlan("binary_crossentropy"),
            "binary",
            BINARY,
            SIGMOID,
            lambda: sk.log_loss(BINARY, SIGMOID[:, 0].astype(float)),
        ),
        (
            LossPlan("mean_squared_error"),
            "multiclass",
            CLASSES,
            SOFTMAX,
            lambda: ((np.eye(7)[CLASSES] - SOFTMAX) ** 2).mean(),
        ),
    ],
)
def test_losses_are_their_formulas(plan, task, y, answers, expected):
    assert loss_of(plan, task, y, answers) == pytest.approx(expected(), rel=1e-5)


def test_a_regressions_loss_is_that_of_scaled_targets():
    mean, std = VALUES.mean(axis=0), VALUES.std(axis=0)
    expected = keras.losses.Huber(delta=0.5)((VALUES - mean) / std, (VALUE_ANSWERS - mean) / std)
    found = loss_of(LossPlan("huber", delta=0.5), "regression", VALUES, VALUE_ANSWERS, (mean, std))
    assert found == pytest.approx(float(expected), rel=1e-6)


def test_the_first_epochs_of_a_schedule_are_not_squeezed():
    cosine = CosineSchedule(0.1)
    whole = cosine.rates(7, 40)
    np.testing.assert_array_equal(FirstEpochs(0.1, cosine, 40).rates(7, 12), whole[: 7 * 12])
    # More epochs than the search had cannot happen, but would not end in an empty table.
    longer = FirstEpochs(0.1, ExponentialSchedule(0.1, decay=0.01), 5).rates(2, 6)
    assert longer.shape == (12,)


def test_recorded_rates_are_repeated_epoch_by_epoch():
    rates = RecordedRates(0.1, (0.1, 0.05)).rates(3, 4)
    np.testing.assert_allclose(rates, [0.1] * 3 + [0.05] * 9)
    assert rates.dtype == np.float32
