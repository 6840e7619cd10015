"""The storage a worker's Optuna study sees: its own trial in memory, the others as a snapshot.

Optuna writes every parameter, report and attribute in a transaction of its own, and its pruners
read all trials again after every epoch. Both cost more than an epoch of a small network. Here
what is written to the worker's own trial is kept until `flush`, which writes it at once, and the
other trials are read when a trial begins and then at most once in `refresh` seconds. Whoever asks
(`Trial`, samplers, pruners) sees the own trial with everything it wrote; with one worker nothing
else changes, and every decision is the one that stock Optuna takes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any, TypeVar

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from tuner.search.rungs import without_repeated_rungs
from tuner.search.tickets import is_alone
from tuner.storage import records
from tuner.storage.backend import Backend, Writes
from tuner.storage.retry import is_transient

Result = TypeVar("Result")


class QueueEmptyError(Exception):
    """No ticket waits: `Study.ask` would make a trial that is in nobody's budget."""


class WorkerStorage(BaseStorage):
    """One worker's view of one study.

    Args:
        backend: the storage.
        study_id: the study.
        owner: who writes; see `tuner.storage.owner`.
        call: runs a step in the storage, again where it failed for a passing reason.
        refresh: seconds for which the other trials are taken as read.

    Attributes:
        total: of the study's tickets; set by its user.
        alone: whether the next trial to pop is one that is run alone; set by its user.
    """

    def __init__(
        self,
        backend: Backend,
        study_id: int,
        owner: str,
        call: Callable[[Callable[[], Any]], Any],
        *,
        refresh: float = 1.0,
    ) -> None:
        self.total = 0
        self.alone = False
        self._backend = backend
        self._study_id = study_id
        self._owner = owner
        self._call = call
        self._refresh = refresh
        self._own: FrozenTrial | None = None
        self._ended: FrozenTrial | None = None
        self._writes = Writes()
        self._trials: list[FrozenTrial] = []
        self._read_at = float("-inf")

    # What the worker's loop uses.

    @property
    def own(self) -> FrozenTrial | None:
        """The trial this worker runs."""
        return self._own

    def snapshot(self, *, fresh: bool = False) -> list[FrozenTrial]:
        """All trials by number, the own one as it is now."""
        if fresh or time.monotonic() - self._read_at > self._refresh:
            try:
                self._trials = self._backend.trials(self._study_id)
            except Exception as error:
                if not is_transient(error):
                    raise
                if self._own is None:
                    self._trials = self._call(lambda: self._backend.trials(self._study_id))
                # A training goes on with what was read before.
            self._read_at = time.monotonic()
        if self._own is None:
            return list(self._trials)
        own = self._own
        return [own if trial._trial_id == own._trial_id else trial for trial in self._trials]

    def flush(self) -> bool:
        """Write what was kept; False where there was nothing. Tries once: what cannot be written
        for a passing reason stays for the next time. Raises `LostTrialError`."""
        if self._own is None or not self._writes:
            return False
        self._backend.write(self._own._trial_id, self._writes, self._owner)
        self._writes = Writes()
        return True

    def forget(self) -> None:
        """The own trial is no longer ours; what was kept for it is dropped."""
        self._own, self._writes = None, Writes()
        self._read_at = float("-inf")

    # The life of the own trial.

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        raise QueueEmptyError

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """RUNNING pops a waiting trial, which becomes the own one; a finished state ends it."""
        if state == TrialState.RUNNING:
            if not self._call(lambda: self._backend.pop(trial_id, self._owner)):
                return False
            # A handed-back trial brings parameters that the snapshot may not know.
            trial = self._call(lambda: self._backend.storage.get_trial(trial_id))
            self._own, self._writes = _copy(trial), Writes()
            self._own.intermediate_values.clear()
            return True
        own = self._mine(trial_id)
        writes = self._writes
        self._call(
            lambda: self._backend.write(trial_id, writes, self._owner, state=state, values=values)
        )
        own.state, own.values = state, None if values is None else list(values)
        own.datetime_complete = datetime.now()
        self._backend.remember(own)
        self.forget()
        self._ended = own
        return True

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        own = self._mine(trial_id)
        own.params[param_name] = distribution.to_external_repr(param_value_internal)
        own.distributions[param_name] = distribution
        self._writes.params[param_name] = (param_value_internal, distribution)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        self._mine(trial_id).intermediate_values[step] = intermediate_value
        self._writes.reports[step] = intermediate_value

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._mine(trial_id).user_attrs[key] = value
        self._writes.user_attrs[key] = value

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._mine(trial_id).system_attrs[key] = value
        self._writes.system_attrs[key] = value

    def _mine(self, trial_id: int) -> FrozenTrial:
        if self._own is None or self._own._trial_id != trial_id:
            raise ValueError(f"trial id {trial_id} is not this worker's own")
        return self._own

    # Reading trials.

    def get_trial(self, trial_id: int) -> FrozenTrial:
        for known in (self._own, self._ended):
            if known is not None and known._trial_id == trial_id:
                return _copy(known)
        return self._call(lambda: self._backend.storage.get_trial(trial_id))

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """For `(WAITING,)`, which is how `Study.ask` looks for a trial to pop, only those whose
        ticket belongs to the study's total and that are run alone, or not, as `alone` says."""
        trials = without_repeated_rungs(self.snapshot())
        if states is not None:
            trials = [trial for trial in trials if trial.state in states]
        if states == (TrialState.WAITING,):
            trials = [
                trial
                for trial in trials
                if trial.user_attrs.get(records.TICKET, self.total) < self.total
                and is_alone(trial) == self.alone
            ]
        return copy.deepcopy(trials) if deepcopy else trials

    def waits(self, *, alone: bool) -> bool:
        """Whether a trial waits that is run alone, or one that is not."""
        return any(
            trial.state == TrialState.WAITING
            and is_alone(trial) == alone
            and trial.user_attrs.get(records.TICKET, self.total) < self.total
            for trial in self.snapshot()
        )

    # The study: passed on.

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        return self._backend.storage.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self._backend.storage.delete_study(study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._call(lambda: self._backend.storage.set_study_user_attr(study_id, key, value))

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._call(lambda: self._backend.storage.set_study_system_attr(study_id, key, value))

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._call(lambda: self._backend.storage.get_study_id_from_name(study_name))

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._call(lambda: self._backend.storage.get_study_name_from_id(study_id))

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._call(lambda: self._backend.storage.get_study_directions(study_id))

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._call(lambda: self._backend.storage.get_study_user_attrs(study_id))

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._call(lambda: self._backend.storage.get_study_system_attrs(study_id))

    def get_all_studies(self) -> list[FrozenStudy]:
        return self._call(self._backend.storage.get_all_studies)


def _copy(trial: FrozenTrial) -> FrozenTrial:
    """A trial whose mappings can be changed without the other's; values and distributions are
    shared, nobody changes those."""
    copied = copy.copy(trial)
    copied.params = dict(trial.params)
    copied.distributions = dict(trial.distributions)
    copied.user_attrs = dict(trial.user_attrs)
    copied.system_attrs = dict(trial.system_attrs)
    copied.intermediate_values = dict(trial.intermediate_values)
    return copied
