"""A whole search: start workers, prepare the study, work, hand back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tuner.workers.guard import Caps
from tuner.workers.hand_back import HandBack
from tuner.workers.local import LocalEngine
from tuner.workers.messages import Limits, Task
from tuner.workers.pool import PoolOutcome, WorkerPool
from tuner.workers.signals import SignalWatch
from tuner.workers.time_limit import TimeLimit
from tuner.workers.watcher import Display
from tuner.workers.worker import Engine, MakeTrainer

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy


@dataclass(frozen=True)
class SearchOutcome:
    """How a search ended. `ran` is false where there was nothing to do."""

    study: PreparedStudy
    pool: PoolOutcome
    ran: bool


def run_search(
    prepare: Callable[[], PreparedStudy],
    display: Callable[[PreparedStudy, int], Display],
    *,
    workers: int | None = None,
    trials: int | None = None,
    engine: Engine | None = None,
    limit: TimeLimit | None = None,
    limits: Limits | None = None,
    caps: Caps | None = None,
    heartbeat: float | None = None,
    grace: float | None = None,
    artifacts: str | None = None,
    make_trainer: MakeTrainer | None = None,
) -> SearchOutcome:
    """Work on a study with `workers` workers until its tickets are settled, the time is up, or a
    signal comes.

    The workers start to import while `prepare` runs; what it raises ends them at once.

    Args:
        prepare: makes or finds the study, its tickets queued; may set the limit's seconds.
        display: from the study and the number of workers to what shows the progress.
        workers: at most; fewer where fewer trials are left. None: as many as `engine` has room for.
        trials: how many there are at most, where that is known before `prepare`.
        engine: where they run; None: as processes of this machine.
        limit: when to end; None: when all is done.
        limits: when a worker is replaced by a fresh one.
        caps: what a trial may take.
        heartbeat, grace, artifacts: see `tuner.search.loop.run_worker`.
        make_trainer: see there; picklable.

    Raises:
        Interrupted: a signal came before the work began.
        TunerError: of `prepare`; or what stopped all workers.
    """
    place = engine or LocalEngine()
    limit = limit or TimeLimit()
    start = partial(place.start, make_trainer=make_trainer, limits=limits or Limits())
    with (
        SignalWatch() as watch,
        place,
        WorkerPool(min(workers or place.room(), trials or sys.maxsize), start, caps) as pool,
    ):
        study = prepare()
        left = study.total - study.done
        if left <= 0:
            return SearchOutcome(study, PoolOutcome("done"), ran=False)
        workers = min(pool.workers, left)
        pool.keep(workers)
        watch.hold()
        shown = display(study, workers)
        hand_back = HandBack(study.storage_url, study.name)
        try:
            task = Task(study.storage_url, study.name, limit.deadline, heartbeat, grace, artifacts)
            outcome = pool.run(task, watch, shown, hand_back, patience=limit.patience)
        finally:
            pool.kill("the search ended early")
            hand_back.close(limit.report_at)
            shown.close()
            for problem in hand_back.problems:
                shown.line(f"warning: {problem}")
    return SearchOutcome(study, outcome, ran=True)
