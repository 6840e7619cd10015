"""Giving back the trials of a process that is known to be dead, without waiting for its grace."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from optuna.trial import FrozenTrial, TrialState

from tuner.errors import UsageError
from tuner.search.tickets import fail, give_back, is_alone, last_trials, requeue
from tuner.storage import records, storage_at
from tuner.storage.backend import Backend, LostTrialError
from tuner.storage.owner import is_of
from tuner.storage.retry import Retry
from tuner.study.stored import load_study, read_definition, read_total
from tuner.workers.hand_back import Fault, WorkerDeath

#: Seconds to go on trying when the storage does not answer: any worker's sweep finds the trials
#: of dead processes too, only later.
PATIENCE = 5.0


def hand_back_trials(storage_url: str, study_name: str, loss: WorkerDeath) -> list[int]:
    """Let the tickets of all trials that a process left RUNNING wait again.

    If it is nobody's fault that costs no attempt. A trial of an unknown cause counts as failed
    and is tried again as often as the study's definition allows. One at fault is tried once more,
    alone, and then never again, nor any other with its parameters.

    Returns:
        Numbers of the trials, ascending; none if the study was deleted meanwhile.

    Raises:
        StorageError: the storage does not answer.
    """
    place = storage_at(storage_url)
    backend = place.backend(create=False)
    storage = backend.storage
    call = Retry(patience=PATIENCE, storage=place)
    found: list[int] = []
    with place.errors(), ExitStack() as at_end:
        at_end.callback(place.close, storage)
        try:
            study = call(lambda: load_study(storage, study_name))
        except UsageError:
            return []
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
    swept = {
        records.recorded(trial, records.TICKET)
        for trial in trials
        if trial.number in at_fault
        and trial.state == TrialState.FAIL
        and records.SETTLED not in trial.system_attrs
    }
    for ticket, trial in last_trials(trials).items():
        if ticket in swept and trial.state == TrialState.WAITING and not is_alone(trial):
            backend.storage.set_trial_system_attr(trial._trial_id, records.ALONE, True)
