"""Networks of a user's own, and the same training by plain Keras: a model a fold, `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

from tuner.data.dataset import Dataset, Fold
from tuner.planning import epoch_order

ROWS = 97


def digits(rows: int = ROWS) -> Dataset:
    """The first images of scikit-learn's digits."""
    bunch = load_digits()
    x = bunch.images[:rows].reshape(rows, 64).astype(np.uint8)
    y = bunch.target[:rows].astype(np.int32)
    return Dataset(
        "digits", x, y, "multiclass", "0", classes=tuple(range(10)), byte_scale=1 / 16,
        image_shape=(8, 8),
    )  # fmt: skip


def ragged_folds(rows: int = ROWS) -> list[Fold]:
    """With batches of 32: 2 full steps; 2 and 1 row; 2 and 15."""
    order = np.random.default_rng(0).permutation(rows).astype(np.int32)
    return [Fold(np.sort(order[:n]), np.sort(order[n:])) for n in (64, 65, 79)]


def convolutional(params: dict[str, Any]) -> keras.Model:
    """With all that remembers something: batch normalization, dropout, a penalty."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(params.get("filters", 4), 3, kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )
    if params.get("compiled"):
        rate = keras.optimizers.schedules.CosineDecay(0.01, 8)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(rate, momentum=0.9), loss)
    return model


def fitted(
    build: Callable[[dict[str, Any]], keras.Model],
    params: dict[str, Any],
    seed: int,
    x: np.ndarray,
    y: np.ndarray,
    fold: Fold,
    *,
    epochs: int,
    batch_size: int,
    **compiled: Any,
) -> tuple[keras.Model, dict[str, list[float]]]:
    """The model that Keras's `fit` trains on the fold, and its history; `compiled`: optimizer and
    loss of a model that `build` leaves uncompiled."""
    keras.utils.set_random_seed(seed)
    model = build(params)
    if compiled:
        model.compile(**{name: make() for name, make in compiled.items()})
    model.run_eagerly = True
    history: dict[str, list[float]] = {}
    for epoch in range(epochs):
        rows = fold.train[epoch_order(seed, epoch, len(fold.train))]
        done = model.fit(
            x[rows], y[rows], batch_size, shuffle=False, verbose=0,
            validation_data=(x[fold.validation], y[fold.validation]),
        )  # fmt: skip
        for name, values in done.history.items():
            history.setdefault(name, []).extend(values)
    return model, history
