"""From work to seconds: at a stated rate, or at this machine's, measured for a few seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tuner.forecast.work import Stack, Work
from tuner.search.trainer import EpochCallback, TrainerLike

#: Seconds that `calibrate` measures, once the graph is traced.
PATIENCE = 3.0


@dataclass(frozen=True)
class Speed:
    """How fast one worker (one thread) trains: a step takes `step` seconds and one more for each
    `rate` multiply-adds.

    Attributes:
        trace: seconds before the first step of each kind of stack, once a worker.
        start: seconds before the first trial, for importing TensorFlow.
        trial: seconds that sampler and storage take for each trial.
        measured: on this machine.
    """

    step: float
    rate: float
    trace: float
    start: float
    trial: float
    measured: bool

    def stack(self, stack: Stack) -> float:
        """Seconds of a stack's training, its trace left out."""
        return stack.steps * self.step + stack.multiply_adds / self.rate

    def seconds(self, work: Work, workers: int) -> float:
        """Seconds of the whole command with so many workers, were no trial pruned.

        A stack is trained by one worker; the last one to end may be the longest.
        """
        times = [self.stack(stack) for stack in work.stacks]
        workers = max(1, min(workers, work.stack_count))
        kinds = len({stack.kind for stack in work.stacks})
        traces = self.trace * min(kinds, math.ceil(work.stack_count / workers))
        total = sum(times) * work.share + self.trial * work.trials
        return self.start + traces + max(total / workers, *times)


#: Between an idle machine (0.06 ms, 4e10 to 8e10 a second) and a busy one (0.2 ms, 1e10 to
#: 2.5e10), one thread of a 2-core AMD EPYC: networks of 64-64-64-10 in stacks of 5 and 40, and of
#: 784-64-64-10.
REFERENCE = Speed(step=1.5e-4, rate=2e10, trace=0.5, start=6.0, trial=0.02, measured=False)


def typical(work: Work) -> Stack:
    """The stack of the median time."""
    ordered = sorted(work.stacks, key=REFERENCE.stack)
    return ordered[len(ordered) // 2]


def calibrate(
    trainer: TrainerLike,
    stack: Stack,
    *,
    folds: int,
    patience: float = PATIENCE,
    now: Callable[[], float] = time.perf_counter,
) -> Speed:
    """The speed of this process: trains `stack` for at most `patience` seconds after an epoch in
    which the graph is traced, and scales `REFERENCE` by what it took."""
    seeds = [list(range(folds)) for _ in stack.plans]
    began = now()
    trainer.train(stack.plans, seeds, callbacks=[_Until(began, now)])
    first = now() - began

    began = now()
    watch = _Until(began + patience, now)
    trainer.train(stack.plans, seeds, callbacks=[watch])
    each = (now() - began) / watch.epochs
    factor = each / (REFERENCE.stack(stack) / stack.epochs)
    return replace(
        REFERENCE,
        step=REFERENCE.step * factor,
        rate=REFERENCE.rate / factor,
        trace=max(0.0, first - each),
        measured=True,
    )


class _Until(EpochCallback):
    """Ends a training after the epoch in which `now` has passed `end`."""

    def __init__(self, end: float, now: Callable[[], float]) -> None:
        self.epochs = 0
        self._end = end
        self._now = now

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.epochs = epoch + 1
        self.model.stop_training = self._now() >= self._end
