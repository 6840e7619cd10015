"""One network at a time by Keras's own `fit`: what the benchmarks of a step compare with."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import keras
import numpy as np

from tuner.data.dataset import Dataset, Fold

Timed = Callable[[], tuple[float, float]]  # -> seconds per network and epoch, accuracy


def stock_keras(dataset: Dataset, fold: Fold, batch: int, epochs: int, at_once: bool) -> Timed:
    scale = np.float32(dataset.byte_scale)
    x, y = dataset.x[fold.train].astype(np.float32) * scale, dataset.y[fold.train]
    xv, yv = dataset.x[fold.validation].astype(np.float32) * scale, dataset.y[fold.validation]
    steps = -(-len(x) // batch) if at_once else 1
    model = keras.Sequential(
        [
            keras.Input((dataset.features,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(dataset.outputs),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps,
    )
    first = model.get_weights()

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            seconds.append(time.perf_counter() - self.started)

    seconds: list[float] = []

    def run() -> tuple[float, float]:
        seconds.clear()
        model.set_weights(first)
        history = model.fit(
            x,
            y,
            batch_size=batch,
            epochs=epochs,
            validation_data=(xv, yv),
            verbose=0,
            callbacks=[Clock()],
        )
        return statistics.median(seconds[1:] or seconds), history.history["val_accuracy"][-1]

    run()
    return run
