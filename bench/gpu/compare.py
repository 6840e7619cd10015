"""Are the scores that JAX found those of TensorFlow? From the same first weights, rows and masks.

    python -m bench.gpu.compare FOLDER [--mnist FILE]

`FOLDER` is what `python -m bench.gpu.run --keep FOLDER` wrote, on whatever machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuner.training import Trainer, TrainingState, set_threads

set_threads()

import numpy as np
from numpy.typing import NDArray

from bench.gpu.problem import DIGITS, Problem, mnist


def accuracies(problem: Problem, first: list[NDArray[Any]]) -> NDArray[np.float64]:
    """`(F, C)` after the last epoch, by the trainer; `first` `(F, C, ...)` each."""
    folds, candidates = first[0].shape[:2]
    # Network c * folds + f of the trainer is fold f of candidate c.
    values = [v.swapaxes(0, 1).reshape(candidates * folds, *v.shape[2:]) for v in first]
    trainer = Trainer(problem.dataset, problem.folds)
    plans, seeds = problem.plans(candidates), [problem.seeds] * candidates
    before = TrainingState()
    trainer.train(plans, seeds, state=before)
    assert before.values is not None
    optimizer = [np.zeros_like(value) for value in before.values[len(values) :]]
    state = TrainingState([*values, *optimizer])
    scores = trainer.train(plans, seeds, state=state)
    return np.stack([own.validation["accuracy"][-1] for own in scores], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mnist", help="an .npz with x_train, y_train, x_test, y_test")
    arguments = parser.parse_args()
    print("| data | validation rows | rows of difference: mean | most | networks alike |")
    print("|---|---|---|---|---|")
    for problem in (DIGITS, *([mnist(arguments.mnist)] if arguments.mnist else [])):
        with np.load(arguments.folder / f"{problem.name}.npz") as kept:
            weights = [kept[f"first_{i}"] for i in range(len(kept.files) - 1)]
            by_jax = kept["accuracy"]
        rows = np.array([len(fold.validation) for fold in problem.folds])[:, None]
        apart = np.rint(np.abs(accuracies(problem, weights) - by_jax) * rows)
        print(
            f"| {problem.name} | {rows.max()} | {apart.mean():.2f} | {apart.max():.0f} "
            f"| {np.mean(apart == 0):.0%} |"
        )


if __name__ == "__main__":
    main()
