"""Seconds per network and epoch: the stack against its size N, stock Keras `fit`, scikit-learn.

    python -m bench.step [--repeats 7] [--mnist ../shared/data/mnist.npz]

One process, one thread; within a repeat all contenders take turns, so that noise hits all alike.
Medians over the repeats, and each contender's ratio to the stack of 5. The accuracies beside them
show that all train the same thing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings

os.environ["OMP_NUM_THREADS"] = "1"

from tuner.training import set_threads

set_threads()

import numpy as np

from bench.machine import describe
from bench.stock import Timed, stock_keras
from tuner.data import FoldSpec, load_dataset, make_folds
from tuner.data.dataset import Dataset, Fold
from tuner.planning import network_seed, plan_training
from tuner.training import Trainer, kind


def stack(
    dataset: Dataset,
    folds: tuple[Fold, ...],
    candidates: int,
    batch: int,
    epochs: int,
    by_xla: bool = False,
) -> Timed:
    trainer = Trainer(dataset, folds)
    plan = plan_training(
        {
            "optimizer": "sgd",
            "optimizer.learning_rate": 0.05,
            "optimizer.momentum": 0.9,
            "optimizer.nesterov": True,
            "batch_size": batch,
            "epochs": epochs,
        },
        features=dataset.features,
        outputs=dataset.outputs,
        task=dataset.task,
    )
    seeds = [[network_seed(0, c, f) for f in range(len(folds))] for c in range(candidates)]

    def run() -> tuple[float, float]:
        # The rule would compile longer trainings than a benchmark has patience for.
        kind.COMPILED_STEPS = 0 if by_xla else 10**9
        scores = trainer.train([plan] * candidates, seeds)
        networks = candidates * len(folds)
        accuracy = float(np.mean([own.fold_scores("accuracy").mean() for own in scores]))
        return float(np.median(scores[0].epoch_seconds)) / networks, accuracy

    run()  # traces
    return run


def scikit_learn(dataset: Dataset, fold: Fold, batch: int, epochs: int) -> Timed:
    from sklearn.neural_network import MLPClassifier

    scale = np.float32(dataset.byte_scale)
    x, y = dataset.x[fold.train].astype(np.float32) * scale, dataset.y[fold.train]
    xv, yv = dataset.x[fold.validation].astype(np.float32) * scale, dataset.y[fold.validation]

    def run() -> tuple[float, float]:
        model = MLPClassifier(
            (64, 64),
            solver="sgd",
            learning_rate_init=0.05,
            momentum=0.9,
            nesterovs_momentum=True,
            batch_size=batch,
            max_iter=epochs,
            tol=0.0,
            n_iter_no_change=10**6,
            alpha=0.0,
            random_state=0,
        )
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(x, y)
        return (time.perf_counter() - started) / epochs, float(model.score(xv, yv))

    return run


def table(title: str, contenders: dict[str, Timed], repeats: int, against: str) -> None:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            taken[name].append(run())
    base = [seconds for seconds, _ in taken[against]]
    print(f"\n{title}, {repeats} repeats\n")
    print("| contender | s per network and epoch | least | ratio to the stack of 5 | accuracy |")
    print("|---|---|---|---|---|")
    for name, results in taken.items():
        seconds = [own for own, _ in results]
        ratios = [own / b for own, b in zip(seconds, base, strict=True)]
        print(
            f"| {name} | {statistics.median(seconds):.5f} | {min(seconds):.5f} "
            f"| {statistics.median(ratios):.2f} | {results[-1][1]:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--mnist", help="an .npz with x_train, y_train, x_test, y_test")
    arguments = parser.parse_args()
    print(describe())
    dataset = load_dataset("sklearn:digits")
    folds = make_folds(dataset, FoldSpec(k=5))
    one = make_folds(dataset, FoldSpec(kind="holdout", share=0.2))
    contenders: dict[str, Timed] = {
        f"stack, N = {n}": stack(dataset, folds if n > 1 else one, max(1, n // 5), 32, 20)
        for n in (1, 5, 10, 20, 40, 80)
    }
    contenders |= {
        f"stack, N = {n}, by XLA": stack(
            dataset, folds if n > 1 else one, max(1, n // 5), 32, 20, by_xla=True
        )
        for n in (1, 5, 40)
    }
    contenders |= {
        "Keras fit, one at a time": stock_keras(dataset, folds[0], 32, 10, at_once=False),
        "Keras fit, all steps in one execution": stock_keras(
            dataset, folds[0], 32, 10, at_once=True
        ),
        "scikit-learn MLPClassifier": scikit_learn(dataset, folds[0], 32, 20),
    }
    table(
        "digits, 64-64-64-10, batch 32, SGD with Nesterov",
        contenders,
        arguments.repeats,
        "stack, N = 5",
    )
    if arguments.mnist:
        mnist = load_dataset(f"npz:{arguments.mnist}")
        folds = make_folds(mnist, FoldSpec(k=5))
        table(
            "MNIST, 784-64-64-10, batch 128, 48,000 rows, SGD with Nesterov",
            {
                "stack, N = 5": stack(mnist, folds, 1, 128, 2),
                "stack, N = 5, by XLA": stack(mnist, folds, 1, 128, 2, by_xla=True),
                "Keras fit, one at a time": stock_keras(mnist, folds[0], 128, 2, at_once=False),
                "Keras fit, all steps in one execution": stock_keras(
                    mnist, folds[0], 128, 2, at_once=True
                ),
                "scikit-learn MLPClassifier": scikit_learn(mnist, folds[0], 128, 1),
            },
            max(1, arguments.repeats // 3),
            "stack, N = 5",
        )


if __name__ == "__main__":
    main()
