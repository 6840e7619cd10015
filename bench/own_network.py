"""A small convolutional network of one's own on digits: five folds in one graph, and Keras's `fit`
fold by fold.

`python -m bench.own_network --repeats 5 --epochs 20`: whole trials take turns, building and tracing
included, as one trial of a search takes them. Also says how far the scores are apart.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from bench.machine import describe
from tuner.training import set_threads

set_threads()

import keras
import numpy as np

from tuner.data import FoldSpec, load_dataset, make_folds
from tuner.data.dataset import Dataset, Fold
from tuner.planning import epoch_order, network_seed
from tuner.training.own import OwnTrainer

RATE, BATCH = 0.001, 32


def build(params: dict[str, Any]) -> keras.Model:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(params["filters"], 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * params["filters"], 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter() - self._began)


class Fitted:
    """`fit`, a fold at a time; rows are shuffled by Keras."""

    def __init__(self, data: Dataset, folds: tuple[Fold, ...]) -> None:
        x = data.x.astype(np.float32) * np.float32(data.byte_scale)
        self._x, self._y, self._folds = x.reshape(-1, 8, 8, 1), data.y, folds

    def __call__(self, filters: int, epochs: int, seeds: list[int]) -> tuple[list[float], Any]:
        seconds, scores = [], []
        for fold, seed in zip(self._folds, seeds, strict=True):
            keras.utils.set_random_seed(seed)
            model, clock = build({"filters": filters}), Clock()
            history = model.fit(
                self._x[fold.train],
                self._y[fold.train],
                BATCH,
                epochs,
                verbose=0,
                validation_data=(self._x[fold.validation], self._y[fold.validation]),
                callbacks=[clock],
            )
            seconds += clock.seconds[1:]
            scores.append(history.history["val_accuracy"][-1])
        return seconds, np.array(scores)

    def in_order(self, filters: int, epochs: int, seeds: list[int]) -> Any:
        """Losses `(epochs, folds)` if the rows come in tuner's order."""
        losses = np.zeros((epochs, len(seeds)))
        for number, (fold, seed) in enumerate(zip(self._folds, seeds, strict=True)):
            keras.utils.set_random_seed(seed)
            model = build({"filters": filters})
            for epoch in range(epochs):
                rows = fold.train[epoch_order(seed, epoch, len(fold.train))]
                model.fit(self._x[rows], self._y[rows], BATCH, shuffle=False, verbose=0)
                held = (self._x[fold.validation], self._y[fold.validation])
                losses[epoch, number] = model.evaluate(*held, verbose=0)[0]
        return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--filters", type=int, default=16)
    args = parser.parse_args()
    machine = describe()
    data = load_dataset("sklearn:digits")
    folds = make_folds(data, FoldSpec())
    fitted, trainer = Fitted(data, folds), OwnTrainer(build, data, folds)
    params: dict[str, Any] = {"filters": args.filters, "epochs": args.epochs, "batch_size": BATCH}

    def trained(seeds: list[int]) -> Any:
        [scores] = trainer.train([trainer.plan(params)], [seeds])
        return scores

    seeds = [[network_seed(0, i, f) for f in range(len(folds))] for i in range(args.repeats + 1)]
    short = {"filters": args.filters, "epochs": 3, "batch_size": BATCH}
    [compared] = trainer.train([trainer.plan(short)], [seeds[-1]])
    apart = np.abs(compared.validation["loss"] - fitted.in_order(args.filters, 3, seeds[-1])).max()

    networks, ours, theirs, whole = len(folds), [], [], []
    for own in seeds[: args.repeats]:
        began = time.perf_counter()
        scores = trained(own)
        ended = time.perf_counter()
        seconds, accuracy = fitted(args.filters, args.epochs, own)
        took = time.perf_counter() - ended
        ours.append((ended - began, np.median(scores.epoch_seconds[1:]) / networks))
        theirs.append((took, statistics.median(seconds)))
        whole.append((scores.validation["accuracy"][-1].mean(), accuracy.mean()))
    print(f"{machine}\n")
    print(f"{networks} folds, {args.epochs} epochs, batch {BATCH}, {args.repeats} repeats\n")
    print("| contender | s a trial | s per network and epoch | accuracy |")
    print("|---|---|---|---|")
    for name, times, column in (("side by side", ours, 0), ("Keras fit, fold by fold", theirs, 1)):
        trial, epoch = np.median(times, axis=0)
        print(f"| {name} | {trial:.2f} | {epoch:.4f} | {np.mean(whole, axis=0)[column]:.3f} |")
    ratios = np.array(theirs) / np.array(ours)
    low, middle, high = (f(ratios, axis=0) for f in (np.min, np.median, np.max))
    print("\nfit against side by side, pair by pair (median, least, most):")
    for name, i in (("a whole trial", 0), ("an epoch", 1)):
        print(f"{name} {middle[i]:.2f} ({low[i]:.2f} to {high[i]:.2f})")
    print(f"validation losses after each of 3 epochs are at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
