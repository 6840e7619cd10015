"""The storage a worker's Optuna study sees: its own trials in memory, the others as a snapshot.

Optuna writes every parameter, report and attribute in a transaction of its own, and its pruners
read all trials again after every epoch. Both cost more than an epoch of a small network. Here
what is written to a trial of the worker's own is kept until `flush`, which writes it at once, and
the other trials are read when a trial begins and then at most once in `REFRESH` seconds. Whoever
asks (`Trial`, samplers, pruners) sees the own trials with everything written to them; with one
worker nothing else changes, and every decision is the one that stock Optuna takes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from tuner.search.rungs import without_repeated_rungs
from tuner.search.tickets import fail, give_back, is_alone
from tuner.storage import records
from tuner.storage.backend import Backend, LostTrialError, Writes, ticket_key
from tuner.storage.retry import Retry, is_transient

#: Seconds for which the other trials are taken as read.
REFRESH = 1.0


def _passed_on(name: str) -> Callable[..., Any]:
    """A method that asks the storage itself, again if it does not answer."""

    def method(self: WorkerStorage, *args: Any) -> Any:
        return self.call(lambda: getattr(self._backend.storage, name)(*args))

    return method


class WorkerStorage(BaseStorage):
    """One worker's view of one study.

    Args:
        backend: the storage.
        study_id: the study.
        owner: who writes; see `tuner.storage.owner`.
        call: runs a step in the storage, again if it failed for a passing reason.

    Attributes:
        total: of the study's tickets; set by its user.
    """

    def __init__(self, backend: Backend, study_id: int, owner: str, call: Retry) -> None:
        self.total = 0
        self._backend = backend
        self._study_id = study_id
        self._owner = owner
        self.call = call
        self._own: dict[int, FrozenTrial] = {}  # by trial id
        self._writes: dict[int, Writes] = {}
        self._ended: FrozenTrial | None = None
        self._trials: list[FrozenTrial] = []
        self._read_at = float("-inf")

    # What the worker's loop uses.

    @property
    def own(self) -> list[int]:
        """Ids of the trials this worker runs, ascending; may be asked from any thread."""
        return sorted(self._own.copy())

    def snapshot(self, *, fresh: bool = False) -> list[FrozenTrial]:
        """All trials by number, the own ones as they are now."""
        if fresh or time.monotonic() - self._read_at > REFRESH:
            try:
                self._trials = self.call.once(lambda: self._backend.trials(self._study_id))
            except Exception as error:
                if not is_transient(error):
                    raise
                if not self._own:
                    self._trials = self.call(lambda: self._backend.trials(self._study_id))
                # A training goes on with what was read before.
            self._read_at = time.monotonic()
        return [self._own.get(trial._trial_id, trial) for trial in self._trials]

    def pop(self, trial_id: int) -> bool:
        """Make a waiting trial an own one; False if somebody else was quicker."""
        popped = self.call(lambda: self._backend.pop(trial_id, self._owner))
        if popped:
            # A handed-back trial brings parameters that the snapshot may not know.
            self._adopt(self.call(lambda: self._backend.storage.get_trial(trial_id)))
        return popped

    def claim(self, wanted: Mapping[int, Writes]) -> list[int]:
        """Pop several waiting trials in one step, and write what is `wanted` to each; the ids of
        those that are own ones now. None of them if another worker took the first."""
        claimed = self.call(lambda: self._backend.claim(wanted, self._owner))
        if claimed:
            for trial in self.snapshot(fresh=True):
                if trial._trial_id in claimed:
                    self._adopt(trial)
        return claimed

    def flush(self, trial_id: int) -> bool:
        """Write what was kept of an own trial; False if there was nothing. Tries once: what
        cannot be written for a passing reason stays for the next time. Raises
        `LostTrialError`."""
        if not self._writes.get(trial_id):
            return False
        writes = self._writes[trial_id]
        self.call.once(lambda: self._backend.write(trial_id, writes, self._owner))
        self._writes[trial_id] = Writes()
        return True

    def forget(self, trial_id: int) -> None:
        """The trial is no longer ours; what was kept for it is dropped."""
        self._own.pop(trial_id, None)
        self._writes.pop(trial_id, None)
        self._read_at = float("-inf")

    def put_back(self, trial_id: int, *, void: bool) -> None:
        """Let the ticket of an own trial that was not begun wait again; `void`: another trial
        stands for it now."""
        cause = records.DUPLICATE if void else records.HANDED_BACK
        step = partial(fail, settled=cause) if void else give_back
        with suppress(LostTrialError):
            self.call(lambda: step(self._backend, trial_id, self._owner, cause))
        self.forget(trial_id)

    # The life of an own trial.

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Ends it: the state is a finished one."""
        own = self._mine(trial_id)
        writes = replace(self._writes[trial_id], state=state, values=values)
        self.call(lambda: self._backend.write(trial_id, writes, self._owner))
        own.state, own.values = state, None if values is None else list(values)
        own.datetime_complete = datetime.now()
        self._backend.remember(own)
        self.forget(trial_id)
        self._ended = own
        return True

    def _adopt(self, trial: FrozenTrial) -> None:
        own = self._own[trial._trial_id] = _copy(trial)
        own.intermediate_values.clear()
        self._writes[trial._trial_id] = Writes()

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
        self._writes[trial_id].params[param_name] = (param_value_internal, distribution)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        self._mine(trial_id).intermediate_values[step] = intermediate_value
        self._writes[trial_id].reports[step] = intermediate_value

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._mine(trial_id).user_attrs[key] = value
        self._writes[trial_id].user_attrs[key] = value

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._mine(trial_id).system_attrs[key] = value
        self._writes[trial_id].system_attrs[key] = value

    def _mine(self, trial_id: int) -> FrozenTrial:
        if trial_id not in self._own:
            raise ValueError(f"trial id {trial_id} is not this worker's own")
        return self._own[trial_id]

    # Reading trials.

    def get_trial(self, trial_id: int) -> FrozenTrial:
        for known in (self._own.get(trial_id), self._ended):
            if known is not None and known._trial_id == trial_id:
                return _copy(known)
        return self.call(lambda: self._backend.storage.get_trial(trial_id))

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        trials = without_repeated_rungs(self.snapshot())
        if states is not None:
            trials = [trial for trial in trials if trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def waiting(self, *, alone: bool) -> Iterator[FrozenTrial]:
        """The trials that wait for a ticket of the total and are run alone, or are not."""
        return (
            trial
            for trial in self.snapshot()
            if trial.state == TrialState.WAITING
            and is_alone(trial) == alone
            and (key := ticket_key(trial)) is not None
            and key[0] < self.total
        )

    # Passed on.

    create_new_trial = _passed_on("create_new_trial")
    create_new_study = _passed_on("create_new_study")
    delete_study = _passed_on("delete_study")
    set_study_user_attr = _passed_on("set_study_user_attr")
    set_study_system_attr = _passed_on("set_study_system_attr")
    get_study_id_from_name = _passed_on("get_study_id_from_name")
    get_study_name_from_id = _passed_on("get_study_name_from_id")
    get_study_directions = _passed_on("get_study_directions")
    get_study_user_attrs = _passed_on("get_study_user_attrs")
    get_study_system_attrs = _passed_on("get_study_system_attrs")
    get_all_studies = _passed_on("get_all_studies")


def _copy(trial: FrozenTrial) -> FrozenTrial:
    """A trial whose mappings can be changed without the other's; values and distributions are
    shared, nobody changes those."""
    copied = copy.copy(trial)
    for name in ("params", "distributions", "user_attrs", "system_attrs", "intermediate_values"):
        setattr(copied, name, dict(getattr(trial, name)))
    return copied
