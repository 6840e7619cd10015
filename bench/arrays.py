"""Arrays given from Python beside the same data of a URI: what workers hold, when they begin.

    python bench/arrays.py [ROWS] [COLUMNS] [WORKERS]

Searches take turns: of arrays, and of an npz file of the same. A worker's memory is its
`Pss`: a page that n processes share counts 1/n in each. A search begins when its first trial
begins, counted from the call.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import psutil

import tuner
from tuner.api import callbacks
from tuner.api.given_data import keep_data
from tuner.data import load_dataset
from tuner.search.events import TrialStarted

ROUNDS = 2
SPACE = {
    "optimizer": "sgd",
    "optimizer.learning_rate": tuner.log(1e-3, 1e-1),
    "model.units": 16,
    "batch_size": 4096,
    "epochs": 20,
}


class Watch:
    """Notes the first trial's begin, and after some epochs what the workers hold."""

    def __init__(self) -> None:
        self.began = time.time()
        self.first: float | None = None
        self.held: dict[str, list[int]] = {}
        self.epochs = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.epochs += 1
        if self.epochs == 40:
            for process in psutil.Process().children(recursive=True):
                if "spawn_main" in " ".join(process.cmdline()):
                    for name, size in rollup(process.pid).items():
                        self.held.setdefault(name, []).append(size)
                    for name, size in of_rows(process.pid).items():
                        self.held.setdefault(f"rows {name}", []).append(size)
            self.model.stop_training = True

    def set_model(self, model: callbacks.Calls) -> None:
        self.model = model
        event = model.event

        def noted(told, name):  # type: ignore[no-untyped-def]
            if isinstance(told, TrialStarted) and self.first is None:
                self.first = time.time() - self.began
            event(told, name)

        model.event = noted  # type: ignore[method-assign]


def rollup(pid: int) -> dict[str, int]:
    """Bytes by the names of /proc/PID/smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines}


def of_rows(pid: int) -> dict[str, int]:
    """The same of the mapped rows alone; nothing if none are mapped."""
    found: dict[str, int] = {}
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            inside = line.endswith("/X.npy")
        elif inside and name in ("Rss:", "Pss:", "Private_Dirty:"):
            found[name[:-1]] = found.get(name[:-1], 0) + (int(rest[0]) << 10)
    return found


def main() -> None:
    rows, columns, workers = [int(own) for own in sys.argv[1:]] + [100_000, 100, 4][
        len(sys.argv) - 1 :
    ]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=rows) > 0).astype(np.int64)
    print(f"{rows} x {columns} float32: {X.nbytes / 2**20:.0f} MB, {workers} workers")
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/a.npz", X=X, y=y)
        began = time.perf_counter()
        kept = keep_data(Path(folder), X, y).uri
        written = time.perf_counter()
        load_dataset(kept)
        read = time.perf_counter()
        load_dataset(f"npz:{folder}/a.npz")
        print(
            f"written in {written - began:.2f} s, loaded in {read - written:.2f} s, the npz file "
            f"in {time.perf_counter() - read:.2f} s"
        )
        begins: dict[str, list[float]] = {"arrays": [], "npz": []}
        for turn in range(ROUNDS):
            for kind in begins:
                watch = Watch()
                given = {"X": X, "y": y} if kind == "arrays" else {"data": f"npz:{folder}/a.npz"}
                tuner.optimize(
                    SPACE,
                    **given,  # type: ignore[arg-type]
                    folds=2,
                    trials=100,
                    workers=workers,
                    storage=f"{folder}/{kind}{turn}.db",
                    progress="none",
                    callbacks=watch,
                )
                begins[kind].append(watch.first)
                shown = {
                    name: f"{statistics.median(watch.held[name]) / 2**20:.0f}"
                    for name in ("Pss", "Pss_Anon", "Pss_File", "Rss")
                }
                if mapped := watch.held.get("rows Pss"):
                    dirty = sum(watch.held["rows Private_Dirty"]) / 2**20
                    shown["rows of all workers"] = f"{sum(mapped) / 2**20:.0f}, own {dirty:.0f}"
                print(f"{kind}: first trial after {watch.first:.1f} s, MB a worker {shown}")
    for kind, found in begins.items():
        print(f"{kind}: begins after {min(found):.1f} s at best, median {np.median(found):.1f} s")


if __name__ == "__main__":
    main()
