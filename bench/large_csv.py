"""A csv of 1,000,000 rows x 30 columns, read, encoded and in folds, beside pandas's `read_csv`.

    python -m bench.large_csv --rows 1000000 --pairs 5

Pandas (pyarrow engine) and `load_dataset` with `make_folds` take turns in one process, on each of
the mixes of columns; then the steps of ours, and its memory in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.machine import describe

#: Columns of each kind, 29 and a target.
MIXES = {
    "mixed": {
        "float": 7, "float gaps": 3, "int": 6, "text": 7, "text gaps": 3, "date": 2, "yes": 1,
    },
    "numbers": {"float": 15, "float gaps": 5, "int": 9},
    "texts": {"float": 3, "int": 2, "text": 18, "text gaps": 4, "date": 1, "yes": 1},
}  # fmt: skip
#: Levels of the text columns, in turn.
LEVELS = (3, 5, 8, 12, 20, 40)


def columns(mix: str, rows: int) -> Iterator[tuple[str, Any]]:
    """Names and values, as pyarrow arrays or NumPy's."""
    import pyarrow as pa

    rng = np.random.default_rng(0)
    texts = 0
    for kind, number in MIXES[mix].items():
        for place in range(number):
            gaps = rng.random(rows) < 0.05 if kind.endswith("gaps") else None
            if kind.startswith("float"):
                values: Any = pa.array(rng.normal(10, 3, rows).round(4), mask=gaps)
            elif kind == "int":
                values = pa.array(rng.integers(0, 10 ** (1 + place), rows))
            elif kind == "date":
                start = np.datetime64("2015-01-01", "s")
                values = pa.array(start + rng.integers(0, 3000 * 86400, rows).astype("m8[s]"))
                values = values.cast(pa.date32()) if place else values
            else:
                names = ["no", "yes"]
                if kind.startswith("text"):
                    names = [f"level {i}" for i in range(LEVELS[texts % len(LEVELS)])]
                    texts += 1
                codes = pa.array(rng.integers(0, len(names), rows).astype(np.int32), mask=gaps)
                values = pa.DictionaryArray.from_arrays(codes, pa.array(names)).cast(pa.string())
            yield f"{kind} {place}", values
    yield "target", pa.array(np.where(rng.random(rows) < 0.3, "good", "bad"))


def write(mix: str, rows: int, file: Path) -> None:
    import pyarrow as pa
    from pyarrow import csv

    table = pa.table(dict(columns(mix, rows)))
    csv.write_csv(table, file, csv.WriteOptions(quoting_style="needed"))


def by_pandas(file: Path) -> Any:
    import pandas as pd

    return pd.read_csv(file, engine="pyarrow")


def by_tuner(file: Path) -> tuple[Any, Any]:
    from tuner.data import load_dataset, make_folds
    from tuner.data.folds import FoldSpec

    dataset = load_dataset(f"csv:{file}", target="target")
    return dataset, make_folds(dataset, FoldSpec(shuffle=True))


def seconds(call: Callable[[Path], Any], file: Path) -> tuple[float, float]:
    """By the clock, and of all cores."""
    began, busy = time.perf_counter(), time.process_time()
    call(file)
    return time.perf_counter() - began, time.process_time() - busy


def peak(file: Path, answer: Any) -> None:
    """Memory above what the libraries take, and of the encoded rows, in bytes; the hash."""
    import pyarrow.csv  # noqa: F401

    import tuner.data.load  # noqa: F401

    Path("/proc/self/clear_refs").write_text("5")  # VmHWM counts from here
    before = _status("VmRSS")
    dataset, _ = by_tuner(file)
    answer.put((_status("VmHWM") - before, dataset.x.nbytes, dataset.hash))


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--mixes", nargs="*", default=list(MIXES))
    args = parser.parse_args()
    print(f"{describe(('pandas', 'pyarrow', 'numpy', 'scikit-learn'))}\n")
    print("| mix | MB | pandas, s | tuner, s | ratio | of processor time | peak / encoded |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for mix in args.mixes:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "large.csv"
            write(mix, args.rows, file)
            by_pandas(file), by_tuner(file)
            pairs = [
                (*seconds(by_pandas, file), *seconds(by_tuner, file)) for _ in range(args.pairs)
            ]
            context = multiprocessing.get_context("spawn")
            answer = context.SimpleQueue()
            process = context.Process(target=peak, args=(file, answer))
            process.start()
            memory, encoded, digest = answer.get()
            process.join()
            size = file.stat().st_size / 1e6
        theirs, _, ours, _ = (median(side) for side in zip(*pairs, strict=True))
        clock = median(own / other for other, _, own, _ in pairs)
        busy = median(own / other for _, other, _, own in pairs)
        print(
            f"| {mix} ({digest}) | {size:.0f} | {theirs:.2f} | {ours:.2f} | {clock:.2f} | "
            f"{busy:.2f} | {memory / encoded:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
