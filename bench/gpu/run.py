"""Seconds per network and epoch on a GPU: stacks of N networks, and Keras's own `fit`, by JAX.

    KERAS_BACKEND=jax python -m bench.gpu.run [--mnist FILE] [--networks 5 40 1000] [--keep FOLDER]

`JAX_PLATFORMS=cpu` runs the same on the processor. JAX is no dependency of tuner: install it
beside Keras. Times are medians over the epochs of a run after the first one, which compiles;
every epoch ends with the validation scores on the host, as Keras's `fit` has them. `--keep`
writes the first weights and the scores of 40 networks, for `bench.gpu.compare`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import jax
import numpy as np

from bench.gpu.problem import DIGITS, Problem, mnist
from bench.gpu.stack import JaxStack
from bench.machine import describe
from bench.stock import stock_keras

#: Networks of the stack whose scores are kept: every initializer on every fold.
COMPARED = 40


def run_stack(problem: Problem, networks: int, keep: Path | None) -> tuple[float, float, float]:
    """Seconds of the first epoch, seconds of a later one, the best candidate's accuracy."""
    stack = JaxStack(problem, networks // len(problem.folds))
    stack.reset()
    seconds = []
    for epoch in range(problem.epochs):
        started = time.perf_counter()
        accuracy = stack.train_epoch(epoch)
        seconds.append(time.perf_counter() - started)
    if keep is not None and networks == COMPARED:
        first = {f"first_{i}": value for i, value in enumerate(stack.first_weights)}
        keep.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(keep / f"{problem.name}.npz", accuracy=accuracy, **first)  # type: ignore[arg-type]
    return seconds[0], statistics.median(seconds[1:]), float(accuracy.mean(axis=0).max())


def table(title: str, problem: Problem, sizes: list[int], keep: Path | None) -> None:
    """Rows are printed as they come: a lent machine may be taken away."""
    print(f"\n{title}, {problem.epochs} epochs\n")
    print(
        "| contender | matrix products | first epoch, s | s an epoch | s per network and epoch "
        "| against fit | best |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    fits = {}
    for at_once in (False, True):
        timed = stock_keras(problem.dataset, problem.folds[0], problem.batch, 4, at_once)
        seconds, accuracy = timed()
        fits[at_once] = seconds
        name = "Keras fit, all steps in one execution" if at_once else "Keras fit"
        ratio = fits[False] / seconds
        print(
            f"| {name} | default | | {seconds:.3f} | {seconds:.6f} | {ratio:.1f} "
            f"| {accuracy:.4f} |",
            flush=True,
        )
    for precision in ("default", "highest"):
        for networks in sizes:
            with jax.default_matmul_precision(precision):
                first, later, best = run_stack(
                    problem, networks, keep if precision == "highest" else None
                )
            own = later / networks
            print(
                f"| stack, N = {networks} | {precision} | {first:.1f} | {later:.4f} | {own:.7f} "
                f"| {fits[False] / own:.0f} | {best:.4f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mnist", help="an .npz with x_train, y_train, x_test, y_test")
    parser.add_argument("--networks", type=int, nargs="+", default=[5, 40, 1000])
    parser.add_argument("--keep", type=Path, help="folder for weights and scores")
    arguments = parser.parse_args()
    print(describe(("jax", "keras", "scikit-learn")))
    print(", ".join(str(device.device_kind) for device in jax.devices()))
    table(
        "digits, 64-64-64-10, dropout 0.1, batch 32, SGD with Nesterov",
        DIGITS,
        arguments.networks,
        arguments.keep,
    )
    if arguments.mnist:
        table(
            "MNIST, 784-64-64-10, dropout 0.1, batch 128, 48,000 rows, SGD with Nesterov",
            mnist(arguments.mnist),
            arguments.networks,
            arguments.keep,
        )


if __name__ == "__main__":
    main()
