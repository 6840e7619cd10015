"""The one grid that every contender searches: 8 initializers, an MLP of 64-64, 5 folds.

Everybody trains SGD with Nesterov momentum on the same unshuffled stratified folds, inputs in
0..1; a contender that has no initializers (scikit-learn's MLPClassifier) searches 8 seeds instead.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

#: scikit-learn's and Keras's names of the guide's eight.
INITIALIZERS = [
    "random_uniform",
    "lecun_uniform",
    "random_normal",
    "zeros",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
]
RATE, MOMENTUM, FOLDS = 0.05, 0.9, 5


@dataclass(frozen=True)
class Problem:
    x: np.ndarray
    y: np.ndarray
    epochs: int
    batch: int


def load(name: str) -> Problem:
    """`digits` (1,797 rows, 20 epochs, batch 32), or the path of an MNIST .npz (60,000 rows, 3
    epochs, batch 128)."""
    if name == "digits":
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return Problem((x / 16).astype(np.float32), y.astype(np.int32), 20, 32)
    with np.load(name) as arrays:
        x = arrays["x_train"].reshape(len(arrays["x_train"]), -1)
        return Problem((x / 255).astype(np.float32), arrays["y_train"].astype(np.int32), 3, 128)


def main(search: Callable[[Problem], dict[str, float]], *modules: str) -> None:
    """Run a contender on the problem that the command line names; print its seconds and scores.

    `modules` are imported before the clock starts. `search` returns the mean accuracy over the
    folds for each candidate. Seconds are those of the search call alone; whoever started this
    process measures it as a whole.
    """
    for module in modules:
        import_module(module)
    problem = load(sys.argv[1])
    started = time.perf_counter()
    scores = search(problem)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "scores": scores}))


def table(search: object, key: str) -> dict[str, float]:
    """`{candidate: mean score}` of a fitted scikit-learn search."""
    results = search.cv_results_  # type: ignore[attr-defined]
    return {
        str(params[key]): float(score)
        for params, score in zip(results["params"], results["mean_test_score"], strict=True)
    }
