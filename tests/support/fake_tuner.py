"""`tuner`, but trials train in no time and without data: `python fake_tuner.py optimize ...`.

The command line, the pool, the loop and the storage are the real ones. FAKE_EPOCH_SECONDS is how
long an epoch lasts; with FAKE_REFUSE no candidate can be trained; candidates with the initializer
FAKE_HANG hang in their second epoch, and with FAKE_HANG=data the data never arrive. With FAKE_GATE
no trial's first epoch ends before that file exists.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial

from tests.support.fake_trainer import FakeTrainer
from tuner.study.data import DataFacts
from tuner.study.definition import StudyDefinition


def make_trainer(definition: StudyDefinition) -> FakeTrainer:
    return FakeTrainer(
        folds=definition.folds.count,
        epoch_seconds=float(os.environ.get("FAKE_EPOCH_SECONDS", "0")),
        metrics=definition.all_metrics,
        refuse=lambda params: os.environ.get("FAKE_REFUSE"),
        fail=hang,
    )


def hang(params: Mapping[str, object], epoch: int) -> None:
    gate = os.environ.get("FAKE_GATE")
    while gate and epoch == 1 and not os.path.exists(gate):
        time.sleep(0.02)
    if epoch == 2 and params.get("initializer") == os.environ.get("FAKE_HANG", ""):
        time.sleep(600)


def describe(definition: StudyDefinition, loaded: object = None) -> DataFacts:
    if os.environ.get("FAKE_HANG") == "data":
        for _ in range(6000):  # a signal right before a sleep does not end it
            time.sleep(0.1)
    return DataFacts("fake", "multiclass", ("a note on the data",))


def main() -> None:
    from tuner import workers as pool
    from tuner.cli.main import main as tuner
    from tuner.search import finished

    pool.run_search = partial(pool.run_search, make_trainer=make_trainer)  # type: ignore[assignment]
    finished.describe_data = describe
    tuner()


if __name__ == "__main__":
    main()
