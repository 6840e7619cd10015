"""Giving back the trials of a process that is known to be dead, without waiting for its grace."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING

from tuner.errors import TunerError

if TYPE_CHECKING:
    from tuner.search.storage.backend import Backend

#: Seconds to go on trying when the storage does not answer: any worker's sweep finds the trials
#: of dead processes too, only later.
PATIENCE = 5.0


def hand_back_trials(
    storage_url: str, study_name: str, process: str, cause: str, *, blameless: bool
) -> list[int]:
    """Let the tickets of all trials that a process left RUNNING wait again.

    Args:
        process: as `tuner.search.owner.process_name` names it, on whatever machine.
        cause: stored with each of them.
        blameless: the process was ended by us, so that it costs no attempt. Otherwise the trial
            may have killed it: it counts as failed and is tried again as often as the study's
            definition allows.

    Returns:
        Numbers of the trials, ascending.

    Raises:
        StorageError: the storage does not answer.
    """
    from optuna.trial import TrialState

    from tuner.search import records
    from tuner.search.owner import is_of
    from tuner.search.storage import open_storage, storage_errors
    from tuner.search.storage.backend import LostTrialError
    from tuner.search.storage.choosing import backend_of
    from tuner.search.storage.retry import Retry
    from tuner.search.stored import load_study, read_definition, read_total
    from tuner.search.tickets import requeue

    storage = open_storage(storage_url, create=False)
    backend = backend_of(storage)
    call = Retry(patience=PATIENCE)
    found: list[int] = []
    with storage_errors(storage_url):
        study = call(lambda: load_study(storage, study_name))
        study_id = study._study_id
        for trial in call(lambda: backend.trials(study_id)):
            owner = str(trial.system_attrs.get(records.WORKER, ""))
            if trial.state != TrialState.RUNNING or not is_of(owner, process):
                continue
            end = partial(_end, backend, trial._trial_id, owner, cause, blameless)
            try:
                call(end)
            except LostTrialError:
                continue  # another worker's sweep was quicker
            found.append(trial.number)
        if found:
            trials = call(lambda: backend.trials(study_id))
            total = read_total(storage, study_id)
            retries = read_definition(study).retries
            call(lambda: requeue(backend, study_id, trials, total=total, retries=retries))
    return found


def _end(backend: Backend, trial_id: int, owner: str, cause: str, blameless: bool) -> None:
    """Make the RUNNING trial of a dead owner wait, or fail so that its ticket waits."""
    from optuna.trial import TrialState

    from tuner.search import records
    from tuner.search.storage.backend import Writes

    if blameless and backend.hands_back_in_place:
        backend.hand_back(trial_id, owner)
        return
    settled = {records.SETTLED: records.HANDED_BACK} if blameless else {}
    writes = Writes(user_attrs={records.CAUSE: cause}, system_attrs=settled)
    backend.write(trial_id, writes, owner, state=TrialState.FAIL)


class HandBack:
    """Hands trials back from a thread of its own, so that a storage that does not answer holds
    up nobody who reads the workers' pipes.

    Attributes:
        problems: one line for each process whose trials could not be handed back (after `close`).
    """

    def __init__(self, storage_url: str, study_name: str) -> None:
        self.problems: list[str] = []
        self._study = (storage_url, study_name)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hand-back")
        self._jobs: list[Future[list[int]]] = []

    def __call__(self, process: str, cause: str, blameless: bool) -> None:
        self._jobs.append(
            self._thread.submit(hand_back_trials, *self._study, process, cause, blameless=blameless)
        )

    def close(self) -> None:
        """Wait until all is done."""
        wait(self._jobs)
        self._thread.shutdown()
        for job in self._jobs:
            error = job.exception()
            if isinstance(error, TunerError):
                self.problems.append(
                    f"a trial is still marked as running, and will be taken up again by the next "
                    f"worker: {error}"
                )
            elif error is not None:
                raise error
