"""Many small trials with Keras in one worker: what it holds, and what its replacement costs."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.search.events import Event, TrialDone, TrialStarted
from tuner.search.prepare import prepare_study
from tuner.spaces import load_space
from tuner.study.library import load_definition
from tuner.workers import WorkerLimits, run_search
from tuner.workers.interfaces import MakeTrainer
from tuner.workers.process import LocalEngine, WorkerProcess

#: The first trials, in which TensorFlow takes what it needs.
FIRST = 30
#: The share by which a worker may grow after them.
MOST_GROWTH = 0.05
#: Each trial has a network of a shape of its own, so that each is traced.
SHAPES = {"model.units": "{low: 8, high: 512, type: int}"}


@dataclass(frozen=True)
class Memory:
    """What `memory` saw.

    Attributes:
        held: resident bytes of the worker after each trial, by its lives.
        gaps: seconds from a replaced worker's last trial to its successor's first.
        done: trials that the storage has a result of.
    """

    held: tuple[tuple[int, ...], ...]
    gaps: tuple[float, ...]
    done: int
    seconds: float

    @property
    def settled(self) -> int:
        """Bytes after the `FIRST` trials of the first life."""
        return self.held[0][FIRST - 1]

    @property
    def growth(self) -> float:
        """The most that was held later in the first life, beyond `settled`, as a share."""
        return max(self.held[0][FIRST:]) / self.settled - 1.0

    @property
    def holds(self) -> bool:
        """Whether one worker did it all, and stayed as it was."""
        return [len(life) for life in self.held] == [self.done] and self.growth < MOST_GROWTH


@dataclass
class _Watch(LocalEngine):
    """Starts the worker, and looks at it after each of its trials."""

    held: list[list[int]] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    _worker: WorkerProcess | None = None
    _last: float = 0.0

    def start(
        self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits
    ) -> WorkerProcess:
        self.held.append([])
        self._worker = super().start(number, make_trainer, limits)
        return self._worker

    def event(self, event: Event) -> None:
        if isinstance(event, TrialStarted) and len(self.held) > 1 and not self.held[-1]:
            self.gaps.append(time.monotonic() - self._last)
        if isinstance(event, TrialDone) and self._worker is not None:
            self._last = time.monotonic()
            self.held[-1].append(self._worker.memory() or 0)

    def line(self, text: str) -> None:
        print(text)

    def tick(self) -> None:
        pass

    def close(self) -> None:
        pass


def memory(
    *,
    trials: int,
    space: str = "sgd_decay",
    settings: dict[str, Any] | None = None,
    epochs: int = 3,
    folds: int = 3,
    sampler: str = "tpe",
    limits: WorkerLimits | None = None,
) -> Memory:
    """Let one worker of a pool train `trials` trials on digits.

    Args:
        settings: of the space, as `--set` takes them.
        limits: when the worker is replaced; None: never.
    """
    chosen = load_space(space).override({"epochs": str(epochs), **(settings or {})})
    definition = load_definition("default", space=chosen)
    definition = definition.override({"folds.k": folds, "sampler": sampler})
    watch = _Watch()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'memory.db'}"
        run_search(
            lambda: prepare_study(definition, name="memory", storage_url=url, trials=trials),
            lambda study, workers: watch,
            workers=1,
            engine=watch,
            worker_limits=limits,
        )
        study = prepare_study(definition, name="memory", storage_url=url, trials=trials)
    held = tuple(tuple(life) for life in watch.held)
    return Memory(held, tuple(watch.gaps), study.done, time.monotonic() - began)
