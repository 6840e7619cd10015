"""What the median pruner saves: `sgd_decay`, 40 trials, pruned and unpruned, over several seeds.

    python bench/pruning.py [--seeds 3] [--space sgd_decay] [--pruner median] [--trials 40]

Each pair is the same study (same seed, one worker, so that it repeats exactly) run by the command
line, once with the pruner and once with `none`. Epochs are those of all trials together; a folds'
epoch counts once, as folds advance together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe

TUNER = [sys.executable, "-m", "tuner.cli.main"]


def study(arguments: argparse.Namespace, seed: int, pruner: str, folder: Path) -> dict[str, float]:
    """Run one study; returns its epochs, its best value and the seconds of the whole command."""
    storage = f"sqlite:///{folder / pruner}-{seed}.db"
    started = time.perf_counter()
    done = subprocess.run(
        [
            *TUNER,
            *("optimize", "--space", arguments.space, "--trials", str(arguments.trials)),
            *("--pruner", pruner, "--seed", str(seed), "--workers", "1"),
            *("--storage", storage, "--progress", "none", "--format", "json"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started
    summary = json.loads(done.stdout)
    listed = subprocess.run(
        [*TUNER, "results", summary["study"], "--storage", storage, "--format", "json"],
        check=True,
        capture_output=True,
        text=True,
    )
    trials = json.loads(listed.stdout)
    return {
        "epochs": sum(trial["epochs_run"] or 0 for trial in trials),
        "best": summary["best"]["value"],
        "pruned": summary["trials"]["pruned"],
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--space", default="sgd_decay")
    parser.add_argument("--pruner", default="median")
    parser.add_argument("--trials", type=int, default=40)
    arguments = parser.parse_args()
    print(describe())
    print(f"\n{arguments.space}, {arguments.trials} trials, pruner {arguments.pruner}\n")
    print(
        "| seed | epochs pruned | unpruned | saved | pruned trials | best pruned | unpruned | s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    saved, lost = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            with_, without = (
                study(arguments, seed, pruner, Path(folder))
                for pruner in (arguments.pruner, "none")
            )
            saved.append(1 - with_["epochs"] / without["epochs"])
            lost.append(without["best"] - with_["best"])
            print(
                f"| {seed} | {with_['epochs']} | {without['epochs']} | {saved[-1]:.0%} "
                f"| {with_['pruned']} | {with_['best']:.4f} | {without['best']:.4f} "
                f"| {with_['seconds']:.0f} / {without['seconds']:.0f} |",
                flush=True,
            )
    print(
        f"\nmedian saved {statistics.median(saved):.0%}; "
        f"best value lost: median {statistics.median(lost):.4f}, most {max(lost):.4f}"
    )


if __name__ == "__main__":
    main()
