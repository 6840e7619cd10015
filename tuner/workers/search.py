"""A whole search: start workers, prepare the study, work, hand back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tuner.workers.hand_back import HandBack
from tuner.workers.interfaces import Display, Engine, MakeTrainer, Task
from tuner.workers.limits import TrialLimits
from tuner.workers.parent_signals import SignalWatch
from tuner.workers.pool import PoolEnd, WorkerPool
from tuner.workers.process import LocalEngine
from tuner.workers.recycling import WorkerLimits
from tuner.workers.time_limit import TimeLimit

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy


@dataclass(frozen=True)
class SearchEnd:
    """How a search ended. `ran` is false if there was nothing to do."""

    study: PreparedStudy
    pool: PoolEnd
    ran: bool


def run_search(
    prepare: Callable[[], PreparedStudy],
    display: Callable[[PreparedStudy, int], Display],
    *,
    workers: int | None = None,
    trials: int | None = None,
    engine: Engine | None = None,
    limit: TimeLimit | None = None,
    worker_limits: WorkerLimits | None = None,
    trial_limits: TrialLimits | None = None,
    heartbeat: float | None = None,
    grace: float | None = None,
    artifacts: str | None = None,
    make_trainer: MakeTrainer | None = None,
    every_epoch: bool = False,
    stop: Callable[[], bool] = lambda: False,
    trust_code: bool = False,
) -> SearchEnd:
    """Work on a study with `workers` workers until its tickets are settled, the time is up, or a
    signal comes.

    The workers start to import while `prepare` runs; what it raises ends them at once.

    Args:
        prepare: makes or finds the study, its tickets queued; may set the limit's seconds.
        display: from the study and the number of workers to what shows the progress.
        workers: at most; fewer if fewer trials are left. None: as many as `engine` takes.
        trials: how many there are at most, if that is known before `prepare`.
        engine: where they run; None: as processes of this machine.
        limit: when to end; None: when all is done.
        worker_limits: when a worker is replaced by a fresh one.
        trial_limits: what a trial may take.
        heartbeat, grace, artifacts: see `tuner.search.loop.run_worker`.
        make_trainer: see there; picklable.
        every_epoch: the display is told of each.
        stop: asked several times a second; true ends the search at the next epoch.
        trust_code: workers may run the study's own code, see `tuner.code`.

    Raises:
        Interrupted: a signal came before the work began.
        TunerError: of `prepare`; or what stopped all workers.
    """
    engine, limit = engine or LocalEngine(), limit or TimeLimit()
    start = partial(engine.start, make_trainer=make_trainer, limits=worker_limits or WorkerLimits())
    with SignalWatch() as signals, engine:
        size = min(workers or engine.capacity(), trials or sys.maxsize)
        with WorkerPool(size, start, trial_limits) as pool:
            study = prepare()
            from tuner.code import trusted_file
            from tuner.storage import storage_at  # takes Optuna, as what follows

            folder = storage_at(study.storage_url).artifacts_folder(artifacts)
            code = trusted_file(study.definition.code, folder, study.name, trust=trust_code)
            left = study.total - study.done
            if left <= 0:
                return SearchEnd(study, PoolEnd("done"), ran=False)
            pool.keep(min(size, left))
            signals.hold()
            shown = display(study, pool.size)
            from tuner.workers.lost_trials import hand_back_trials  # takes Optuna

            hand_back = HandBack(partial(hand_back_trials, study.storage_url, study.name))
            task = Task(
                study.storage_url,
                study.name,
                limit.deadline,
                heartbeat,
                grace,
                artifacts,
                every_epoch,
                code,
            )
            try:
                end = pool.run(task, signals, shown, hand_back, patience=limit.patience, stop=stop)
            finally:
                pool.kill("the search ended early")
                hand_back.close(limit.report_at)
                shown.close()
                for problem in hand_back.problems:
                    shown.line(f"warning: {problem}")
    return SearchEnd(study, end, ran=True)
