"""What is trained: the guide's network, eight initializers, several learning rates, 5 folds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tuner.data import FoldSpec, load_dataset, make_folds
from tuner.data.dataset import Dataset, Fold
from tuner.planning import network_seed, plan_training
from tuner.planning.plan import TrainingPlan

INITIALIZERS = (
    "lecun_uniform",
    "glorot_uniform",
    "he_uniform",
    "glorot_normal",
    "he_normal",
    "random_uniform",
    "random_normal",
    "zeros",
)


@dataclass(frozen=True)
class Problem:
    """A data set cut into 5 folds, and candidates on it that share a stack.

    All candidates of a fold have the same seed, as scikit-learn's integer `random_state` gives
    them: they go over the same rows in the same order.
    """

    name: str
    uri: str
    batch: int
    epochs: int

    @cached_property
    def dataset(self) -> Dataset:
        return load_dataset(self.uri)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        return make_folds(self.dataset, FoldSpec(k=5))

    @property
    def seeds(self) -> list[int]:
        """One a fold."""
        return [network_seed(0, 0, fold) for fold in range(len(self.folds))]

    @property
    def features(self) -> NDArray[np.float32]:
        """All rows, scaled: `(rows, features)`."""
        return self.dataset.x.astype(np.float32) * np.float32(self.dataset.byte_scale)

    def plans(self, candidates: int) -> list[TrainingPlan]:
        """Candidate c has initializer c mod 8; each eight of them have one learning rate."""
        return [
            plan_training(
                {
                    "initializer": INITIALIZERS[c % len(INITIALIZERS)],
                    "optimizer": "sgd",
                    "optimizer.learning_rate": 0.05 / (1 + c // len(INITIALIZERS) / 100),
                    "optimizer.momentum": 0.9,
                    "optimizer.nesterov": True,
                    "model.dropout": 0.1,
                    "batch_size": self.batch,
                    "epochs": self.epochs,
                },
                features=self.dataset.features,
                outputs=self.dataset.outputs,
                task=self.dataset.task,
            )
            for c in range(candidates)
        ]


DIGITS = Problem("digits", "sklearn:digits", batch=32, epochs=10)


def mnist(path: str) -> Problem:
    """`path`: an .npz with x_train, y_train, x_test, y_test."""
    return Problem("mnist", f"npz:{path}", batch=128, epochs=4)
