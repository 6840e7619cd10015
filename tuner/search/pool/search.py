"""A whole search: start workers, prepare the study, work, hand back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from tuner.search.pool.hand_back import HandBack
from tuner.search.pool.local import LocalEngine
from tuner.search.pool.messages import Limits, Task
from tuner.search.pool.pool import PoolOutcome, Watcher, WorkerPool
from tuner.search.pool.signals import SignalWatch
from tuner.search.pool.worker import Engine, MakeTrainer

if TYPE_CHECKING:
    from tuner.search.lifecycle import PreparedStudy


class Display(Watcher, Protocol):
    """A watcher that is closed at the end."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Work:
    """What a search is about.

    Attributes:
        study: made or found, its tickets queued.
        deadline: seconds since 1970, or None.
        patience: seconds after the deadline in which an epoch may still end.
    """

    study: PreparedStudy
    deadline: float | None = None
    patience: float = 5.0


@dataclass(frozen=True)
class SearchOutcome:
    """How a search ended. `ran` is false where there was nothing to do."""

    study: PreparedStudy
    pool: PoolOutcome
    ran: bool


def run_search(
    prepare: Callable[[], Work],
    display: Callable[[Work, int], Display],
    *,
    workers: int | None = None,
    trials: int | None = None,
    engine: Engine | None = None,
    limits: Limits | None = None,
    heartbeat: float | None = None,
    grace: float | None = None,
    artifacts: str | None = None,
    make_trainer: MakeTrainer | None = None,
) -> SearchOutcome:
    """Work on a study with `workers` workers until its tickets are settled, its deadline passes,
    or a signal comes.

    The workers start to import while `prepare` runs; what it raises ends them at once.

    Args:
        prepare: makes or finds the study.
        display: from the work and the number of workers to what shows the progress.
        workers: at most; fewer where fewer trials are left. None: as many as `engine` has room for.
        trials: how many there are at most, where that is known before `prepare`.
        engine: where they run; None: as processes of this machine.
        limits: when a worker is replaced by a fresh one.
        heartbeat, grace, artifacts: see `tuner.search.loop.run_worker`.
        make_trainer: see there; picklable.

    Raises:
        Interrupted: a signal came before the work began.
        TunerError: of `prepare`; or what stopped all workers.
    """
    place = engine or LocalEngine()
    start = partial(place.start, make_trainer=make_trainer, limits=limits or Limits())
    with (
        SignalWatch() as watch,
        place,
        WorkerPool(min(workers or place.room(), trials or sys.maxsize), start) as pool,
    ):
        work = prepare()
        study = work.study
        left = study.total - study.done
        if left <= 0:
            return SearchOutcome(study, PoolOutcome("done"), ran=False)
        workers = min(pool.workers, left)
        pool.keep(workers)
        watch.hold()
        shown = display(work, workers)
        hand_back = HandBack(study.storage_url, study.name)
        try:
            task = Task(study.storage_url, study.name, work.deadline, heartbeat, grace, artifacts)
            outcome = pool.run(task, watch, shown, hand_back, patience=work.patience)
        finally:
            pool.kill("the search ended early")
            hand_back.close()
            shown.close()
            for problem in hand_back.problems:
                shown.line(f"warning: {problem}")
    return SearchOutcome(study, outcome, ran=True)


def deadline_of(started: float, timeout: float | None) -> tuple[float | None, float]:
    """Deadline (seconds since 1970) and patience of a search that shall last `timeout` seconds
    from `started`: killed processes and the final report fit into 5 % or 5 s, whichever is more.
    """
    if timeout is None:
        return None, 0.0
    return started + timeout, max(5.0, 0.05 * timeout) - 2.0
