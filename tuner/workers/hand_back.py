"""Giving back the trials of a process that is known to be dead, without waiting for its grace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal

from tuner.errors import TunerError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from tuner.storage.backend import Backend

#: Seconds to go on trying when the storage does not answer: any worker's sweep finds the trials
#: of dead processes too, only later.
PATIENCE = 5.0

#: What a worker's end says of the trials it held. `nobody`: nothing, they wait as before.
#: `unknown`: they may be the cause, and have had an attempt. `trial`: they broke a limit.
Fault = Literal["nobody", "unknown", "trial"]


@dataclass(frozen=True)
class Loss:
    """The end of a worker that may have held trials.

    Attributes:
        process: the worker's, as `tuner.storage.owner.process_name` names it.
        cause: for people; stored with the trials.
        trials: numbers of those that are at `fault`; None: whichever it held. For others of the
            worker's trials it is nobody's.
    """

    process: str
    cause: str
    fault: Fault
    trials: frozenset[int] | None = None


#: Gives back the trials of a worker that ended; what it returns tells whether it has.
GiveBack = Callable[[Loss], Callable[[], bool]]


def hand_back_trials(storage_url: str, study_name: str, loss: Loss) -> list[int]:
    """Let the tickets of all trials that a process left RUNNING wait again.

    If it is nobody's fault that costs no attempt. A trial of an unknown cause counts as failed
    and is tried again as often as the study's definition allows. One at fault is tried once more,
    alone, and then never again, nor any other with its parameters.

    Returns:
        Numbers of the trials, ascending.

    Raises:
        StorageError: the storage does not answer.
    """
    from optuna.trial import TrialState

    from tuner.search.tickets import requeue
    from tuner.storage import records, storage_at
    from tuner.storage.backend import LostTrialError
    from tuner.storage.owner import is_of
    from tuner.storage.retry import Retry
    from tuner.study.stored import load_study, read_definition, read_total

    place = storage_at(storage_url)
    backend = place.backend(create=False)
    storage = backend.storage
    call = Retry(patience=PATIENCE)
    found: list[int] = []
    with place.errors():
        study = call(lambda: load_study(storage, study_name))
        study_id = study._study_id
        for trial in call(lambda: backend.trials(study_id)):
            owner = str(trial.system_attrs.get(records.WORKER, ""))
            if trial.state != TrialState.RUNNING or not is_of(owner, loss.process):
                continue
            at_fault = loss.trials is None or trial.number in loss.trials
            fault = loss.fault if at_fault else "nobody"
            try:
                call(partial(_end, backend, trial, owner, loss.cause, fault))
            except LostTrialError:
                continue  # another worker's sweep was quicker
            found.append(trial.number)
        trials = call(lambda: backend.trials(study_id))
        if found:
            total = read_total(storage, study_id)
            retries = read_definition(study).retries
            call(lambda: requeue(backend, study_id, trials, total=total, retries=retries))
        if loss.fault == "trial" and loss.trials is not None:
            call(lambda: _mark_followers(backend, trials, loss.trials or frozenset()))
    return found


def _end(backend: Backend, trial: FrozenTrial, owner: str, cause: str, fault: Fault) -> None:
    """Make the RUNNING trial of a dead owner wait, or fail so that its ticket waits."""
    from tuner.search.tickets import fail, give_back, is_alone
    from tuner.storage import records

    if fault == "nobody":
        give_back(backend, trial._trial_id, owner, cause)
    elif fault == "trial" and is_alone(trial):
        again = f"{cause}, also when it was tried alone"
        fail(backend, trial._trial_id, owner, again, records.AVOIDED)
    else:
        settled = records.KILLED if fault == "trial" else None
        fail(backend, trial._trial_id, owner, cause, settled)


def _mark_followers(backend: Backend, trials: list[FrozenTrial], at_fault: frozenset[int]) -> None:
    """If another worker's sweep found a dead process's trials before us, it could not know what
    they died of: let those that still wait to be tried again be tried alone."""
    from optuna.trial import TrialState

    from tuner.search.tickets import is_alone, last_trials
    from tuner.storage import records

    swept = {
        trial.user_attrs.get(records.TICKET)
        for trial in trials
        if trial.number in at_fault
        and trial.state == TrialState.FAIL
        and records.SETTLED not in trial.system_attrs
    }
    for ticket, trial in last_trials(trials).items():
        if ticket in swept and trial.state == TrialState.WAITING and not is_alone(trial):
            backend.storage.set_trial_system_attr(trial._trial_id, records.ALONE, True)


class HandBack:
    """Hands trials back from a thread of its own, so that a storage that does not answer holds
    up nobody who reads the workers' pipes, nor the end of the program.

    Attributes:
        problems: one line for each process whose trials could not be handed back (after `close`).
    """

    def __init__(self, storage_url: str, study_name: str) -> None:
        self.problems: list[str] = []
        self._study = (storage_url, study_name)
        self._waiting: SimpleQueue[tuple[Loss, Future[list[int]]] | None] = SimpleQueue()
        self._given: list[Future[list[int]]] = []
        self._thread = threading.Thread(target=self._run, name="hand-back", daemon=True)
        self._thread.start()

    def __call__(self, loss: Loss) -> Callable[[], bool]:
        """What is returned tells whether it is done, one way or the other."""
        result: Future[list[int]] = Future()
        self._given.append(result)
        self._waiting.put((loss, result))
        return result.done

    def close(self, until: float | None = None) -> None:
        """Wait until all is done, or until that time (seconds since 1970)."""
        self._waiting.put(None)
        self._thread.join(None if until is None else max(0.0, until - time.time()))
        for result in self._given:
            error = result.exception() if result.done() else TunerError("the time was up")
            if error is None:
                continue
            if not isinstance(error, TunerError):
                raise error
            self.problems.append(
                f"a trial is still marked as running, and will be taken up again by the next "
                f"worker: {error}"
            )

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            loss, result = job
            try:
                result.set_result(hand_back_trials(*self._study, loss))
            except BaseException as error:
                result.set_exception(error)
