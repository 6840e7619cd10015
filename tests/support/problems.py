"""A small problem that every training test shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuner.data.dataset import Dataset, Fold
from tuner.planning import TrainingPlan, network_seed, plan_training

FEATURES, CLASSES = 6, 3


def dataset(rows: int = 90, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, FEATURES)).astype(np.float32)
    y = (x @ rng.normal(size=(FEATURES, CLASSES))).argmax(1).astype(np.int32)
    return Dataset(
        "test", x, y, "multiclass", "0", classes=tuple(range(CLASSES)), image_shape=(1, FEATURES)
    )


def folds(*sizes: int, rows: int = 90) -> list[Fold]:
    """Folds with these numbers of training rows; the last 20 rows validate."""
    order = np.random.default_rng(1).permutation(rows - 20).astype(np.int32)
    last = np.arange(rows - 20, rows, dtype=np.int32)
    return [Fold(order[:size], last) for size in sizes]


def plan(**params: Any) -> TrainingPlan:
    """`optimizer__momentum=0.9` stands for the parameter `optimizer.momentum`."""
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(
        {"model.layers": 1, "model.units": 8, "batch_size": 16, "epochs": 3, **named},
        features=FEATURES,
        outputs=CLASSES,
        task="multiclass",
    )


def seeds(count: int) -> list[int]:
    return [network_seed(5, 0, fold) for fold in range(count)]
