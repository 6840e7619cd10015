"""What people bring from elsewhere is answered with what to write here."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import signal
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from tuner.errors import TunerError
from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor, StackedGridSearchCV

X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.arange(30) % 3
SMALL: dict[str, Any] = {"hidden_layer_sizes": (4,), "epochs": 1, "random_state": 0}


@pytest.mark.parametrize(
    ("argument", "where"),
    [
        ({"epochs": 3}, r"fit\(\) has no argument epochs; .*KerasMLPClassifier\(epochs=\.\.\.\)"),
        ({"batch_size": 8}, r"batch_size; batch_size is a parameter of the constructor"),
        ({"verbose": 0}, r"verbose is a parameter of the constructor"),
        ({"class_weight": {0: 2}}, r"class_weight is a parameter of the constructor"),
        ({"validation_data": (X, Y)}, r"patience= .* holds out validation_fraction"),
        ({"validation_split": 0.1}, r"patience= .* holds out validation_fraction"),
        ({"callbacks": []}, r"set_callbacks\(\.\.\.\); patience="),
        ({"initial_epoch": 3}, r"warm_start=True"),
    ],
)
def test_arguments_of_keras_s_former_wrapper(argument: dict[str, Any], where: str) -> None:
    model = KerasMLPClassifier(**SMALL)
    with pytest.raises(TypeError, match=where):
        model.fit(X, Y, **argument)
    with pytest.raises(TypeError, match=where.replace("fit", "partial_fit")):
        model.partial_fit(X, Y, **argument)


def test_they_are_told_through_scikit_learn_s_tools_too() -> None:
    pipeline = make_pipeline(StandardScaler(), KerasMLPClassifier(**SMALL))
    with pytest.raises(TypeError, match="epochs is a parameter of the constructor"):
        pipeline.fit(X, Y, kerasmlpclassifier__epochs=3)
    for search in (GridSearchCV, StackedGridSearchCV):
        with pytest.raises((TypeError, ValueError), match="epochs is a parameter"):
            search(KerasMLPClassifier(**SMALL), {"l2": [0.0]}, cv=2).fit(X, Y, epochs=3)


@pytest.mark.parametrize("name", ["model", "build_fn"])
def test_a_function_that_builds_is_told_where_it_goes(name: str) -> None:
    with pytest.raises(TypeError, match=rf"no argument {name}; .*tuner\.optimize\(build"):
        KerasMLPRegressor(**{name: len})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword argument 'modle'"):
        KerasMLPRegressor(modle=None)  # type: ignore[call-arg]


def test_signatures_stay() -> None:
    assert list(inspect.signature(KerasMLPClassifier.fit).parameters) == [
        "self", "X", "y", "sample_weight",
    ]  # fmt: skip
    assert has_fit_parameter(KerasMLPRegressor(), "sample_weight")


def test_one_hot_targets_are_told_of() -> None:
    hot = np.eye(3)[Y]
    with pytest.warns(UserWarning, match=r"one-hot.* y\.argmax\(axis=1\)"):
        KerasMLPClassifier(**SMALL).fit(X, hot)
    rows, labels = make_multilabel_classification(40, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KerasMLPClassifier(**SMALL).fit(rows, labels)


def fit_in_a_fork(start: str) -> str:
    """What a fit says in a process begun so; killed after 20 s, then nothing."""
    context = multiprocessing.get_context(start)
    with context.Pool(1) as pool:
        try:
            return str(pool.apply_async(_fit).get(20))
        except multiprocessing.TimeoutError:
            return "hangs"


def _fit() -> str:
    try:
        return str(KerasMLPClassifier(**SMALL).fit(X, Y).n_iter_)
    except TunerError as error:
        return str(error)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on POSIX alone")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_after_tensorflow_ran_is_told_instead_of_hanging() -> None:
    KerasMLPClassifier(**SMALL).fit(X, Y)
    said = fit_in_a_fork("fork")
    assert "forked after it ran" in said
    assert "loky" in said
    # A fork of the fork, and predictions, which need no TensorFlow.
    fitted = KerasMLPClassifier(**SMALL).fit(X, Y)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os.write(writer, str(len(fitted.predict(X))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"30"
