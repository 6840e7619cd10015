"""Finding trials that nobody works on any more, and queueing what has to be tried again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from optuna.trial import FrozenTrial, TrialState

from tuner.search.heartbeat import BeatWatch
from tuner.search.tickets import fail, requeue
from tuner.storage import records
from tuner.storage.backend import Backend, LostTrialError, ticket_key
from tuner.storage.retry import Retry, is_transient


class Sweeper:
    """Looks after a study's trials, as every worker does between its own.

    Failing a stale trial and queueing its follower are two writes. The second is not the
    consequence of the first: every sweep queues whatever failed trial lacks a follower.

    Args:
        retries: how often a ticket is tried again.
        grace, interval: seconds, see `BeatWatch`.
        every: seconds between two looks at other workers' heartbeats.

    Attributes:
        changed: whether the last `sweep` wrote anything: the trials are to be read again.
    """

    changed = False

    def __init__(
        self,
        backend: Backend,
        study_id: int,
        call: Retry,
        *,
        retries: int,
        grace: float,
        interval: float,
        every: float,
    ) -> None:
        self._backend = backend
        self._study_id = study_id
        self._call = call
        self._retries = retries
        self._watch = BeatWatch(grace, interval, lambda: call.outages)
        self._every = every
        self._looked_at = float("-inf")

    def sweep(self, trials: Sequence[FrozenTrial], total: int) -> list[str]:
        """Mend what `trials` (all of the study, just read) show to be broken; one line for every
        stale trial that was failed here."""
        told: list[str] = []
        if time.monotonic() - self._looked_at >= self._every:
            self._looked_at = time.monotonic()
            told = self._fail_stale(trials)
            if told:
                trials = self._call(lambda: self._backend.trials(self._study_id))
        self.changed = self.requeue(trials, total) > 0 or bool(told)
        return told

    def requeue(self, trials: Sequence[FrozenTrial], total: int) -> int:
        """Queue the followers that `trials` lack; how many."""
        backend, study_id, retries = self._backend, self._study_id, self._retries
        return self._call(lambda: requeue(backend, study_id, trials, total=total, retries=retries))

    def _fail_stale(self, trials: Sequence[FrozenTrial]) -> list[str]:
        running = [t for t in trials if t.state == TrialState.RUNNING and ticket_key(t) is not None]
        beats = self._call(lambda: self._backend.beats(self._study_id, running))
        told = []
        for trial_id, cause in self._watch.stale(running, beats).items():
            trial = next(trial for trial in running if trial._trial_id == trial_id)
            owner = trial.system_attrs.get(records.WORKER)
            try:
                self._call.once(partial(fail, self._backend, trial_id, owner, cause))
            except LostTrialError:
                continue  # it ended, or another sweep was quicker
            except Exception as error:
                if not is_transient(error):
                    raise
                break  # tried once: when the storage is back, its worker may beat again
            told.append(f"trial {trial.number}: {cause}")
        return told
