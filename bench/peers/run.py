"""The guide's grid by everybody: seconds in the search call, as a whole process, and memory.

    python bench/peers/run.py [--data digits|PATH.npz] [--repeats 1] [contender ...]

Needs the extra `bench` (SciKeras, KerasTuner). Each contender is a script of this folder and runs
as its own process, in turn; memory is the largest sum over its processes, sampled 10 times a
second. Scores stand beside the seconds, so that a fast wrong answer shows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from machine import describe

CONTENDERS = {
    "tuner_stacked": "tuner StackedGridSearchCV, 2 threads",
    "sklearn_mlp_grid": "GridSearchCV + MLPClassifier, 2 processes",
    "scikeras_grid": "GridSearchCV + SciKeras, 2 processes",
    "keras_wrapper_grid": "GridSearchCV + keras SKLearnClassifier, 2 processes",
    "keras_tuner_grid": "KerasTuner GridSearch, 1 process",
    "optuna_fit": "Optuna + fit per fold, 2 processes",
}


def run(contender: str, data: str) -> dict:
    """One run: seconds of the call and of the process, peak MB, scores."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(FOLDER / f"{contender}.py"), data],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            family = [watched, *watched.children(recursive=True)]
            # Shared pages (libraries) count once a process: the same for every contender.
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)
    assert process.stdout is not None
    lines = process.stdout.read().strip().splitlines()
    if process.returncode or not lines:
        raise RuntimeError(f"{contender} failed with exit code {process.returncode}")
    result = json.loads(lines[-1])
    return {**result, "process": time.perf_counter() - started, "peak": peak / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("contenders", nargs="*", default=list(CONTENDERS))
    parser.add_argument("--data", default="digits")
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    print(describe())
    print(f"\n{Path(arguments.data).stem}: 8 candidates x 5 folds, {arguments.repeats} repeats\n")
    print(
        "| contender | call s | process s | call ratio | process ratio | peak MB | best | worst |"
    )
    print("|---|---|---|---|---|---|---|---|")
    taken: dict[str, list[dict]] = {name: [] for name in arguments.contenders}
    for _ in range(arguments.repeats):
        for name in taken:
            taken[name].append(run(name, arguments.data))
    first = next(iter(taken.values()))
    for name, results in taken.items():
        call = statistics.median(own["seconds"] for own in results)
        whole = statistics.median(own["process"] for own in results)
        ratios = [
            statistics.median(
                own[key] / base[key] for own, base in zip(results, first, strict=True)
            )
            for key in ("seconds", "process")
        ]
        scores = results[-1]["scores"]
        best, worst = max(scores, key=scores.get), min(scores, key=scores.get)
        print(
            f"| {CONTENDERS[name]} | {call:.2f} | {whole:.2f} | {ratios[0]:.1f} | {ratios[1]:.1f} "
            f"| {max(own['peak'] for own in results):.0f} | {best} {scores[best]:.4f} "
            f"| {worst} {scores[worst]:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
