"""The few whole steps a worker takes in a storage, each as one transaction if the storage has any.

`Backend` takes them through Optuna's public storage methods alone, so it works on every storage.
`RdbBackend` and `JournalBackend` take each in one transaction (one record of the journal), which
is both quicker and leaves no state in between for a crash to find.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tuner.storage import records


class LostTrialError(Exception):
    """The trial is no longer this worker's: another one took it over, or it was deleted."""


@dataclass
class Writes:
    """What is to be written to one trial. `params` are in Optuna's internal representation,
    `reports` are step to value; `state` ends it, with its `values`."""

    params: dict[str, tuple[float, BaseDistribution]] = field(default_factory=dict)
    user_attrs: dict[str, Any] = field(default_factory=dict)
    system_attrs: dict[str, Any] = field(default_factory=dict)
    reports: dict[int, float] = field(default_factory=dict)
    state: TrialState | None = None
    values: Sequence[float] | None = None

    def __bool__(self) -> bool:
        return self != Writes()


@dataclass(frozen=True)
class Beat:
    """A running trial's last heartbeat.

    Attributes:
        mark: changes with every beat; None if there was none yet.
        age: seconds since it by the storage's own clock; None if the storage has no clock.
    """

    mark: object
    age: float | None


def ticket_key(trial: FrozenTrial) -> tuple[int, int] | None:
    """(ticket, turn) of a trial: which piece of the budget it is, and how many trials tried it
    before. None for a trial that `tuner` did not make."""
    ticket = records.recorded(trial, records.TICKET)
    if ticket is None:
        return None
    return ticket, int(trial.system_attrs.get(records.TURN, 0))


class Backend:
    """Steps through Optuna's public methods; one process may die between any two of them, and
    `tuner.search.sweep` mends what it leaves."""

    #: True if each step is one transaction: a study is made together with its attributes, no
    #: ticket is queued twice, and a worker hands its trial back by making it WAITING again.
    atomic = False
    #: Seconds after which nobody writes a smaller total who has read one before ours was written.
    settles = 0.25

    def __init__(self, storage: BaseStorage) -> None:
        self.storage = storage

    def trials(self, study_id: int) -> list[FrozenTrial]:
        """All trials by number, as they are now. Not copies: do not change them."""
        return self.storage.get_all_trials(study_id, deepcopy=False)

    def remember(self, trial: FrozenTrial) -> None:
        """Take `trial`, which this process has just finished, as read. Nothing to do for a storage
        that holds all trials in memory."""

    def create_study(
        self, name: str, directions: Sequence[StudyDirection], user_attrs: Mapping[str, Any]
    ) -> int:
        """Raises `optuna.exceptions.DuplicatedStudyError`."""
        study_id = self.storage.create_new_study(directions, name)
        with self._together():
            for key, value in user_attrs.items():
                self.storage.set_study_user_attr(study_id, key, value)
        return study_id

    def set_total(self, study_id: int, total: int, *, lower: bool) -> int:
        """Store how many trials the study shall have; fewer than are stored only if `lower`.

        Returns what is stored then.
        """
        raised = False
        while True:
            stored = int(self.storage.get_study_system_attrs(study_id).get(records.STUDY_TOTAL, 0))
            if stored < total or (stored > total and lower):
                self.storage.set_study_system_attr(study_id, records.STUDY_TOTAL, total)
                raised = not lower
            elif raised:
                time.sleep(self.settles)
                raised = False
            else:
                return stored

    def add_trials(self, study_id: int, trials: Sequence[FrozenTrial]) -> int:
        """Create those of `trials` whose `ticket_key` no trial of the study has yet; how many."""
        there = {ticket_key(trial) for trial in self.trials(study_id)}
        missing = [trial for trial in trials if ticket_key(trial) not in there]
        with self._together():
            for trial in missing:
                self.storage.create_new_trial(study_id, template_trial=trial)
        return len(missing)

    def pop(self, trial_id: int, owner: str) -> bool:
        """Make a WAITING trial RUNNING and `owner`'s; False if somebody else was quicker."""
        return bool(self.claim({trial_id: Writes()}, owner))

    def claim(self, wanted: Mapping[int, Writes], owner: str) -> list[int]:
        """Pop several WAITING trials, by ascending id, and write what is `wanted` to each; the
        ids that are `owner`'s now. None of them if somebody else was quicker with the first.
        """
        claimed: list[int] = []
        for trial_id in sorted(wanted):
            try:
                popped = self.storage.set_trial_state_values(trial_id, TrialState.RUNNING)
            except (UpdateFinishedTrialError, KeyError):
                popped = False
            if popped:
                own = {records.WORKER: owner} | wanted[trial_id].system_attrs
                self.write(trial_id, replace(wanted[trial_id], system_attrs=own), owner)
                claimed.append(trial_id)
            elif not claimed:
                break
        return claimed

    def write(self, trial_id: int, writes: Writes, owner: str | None) -> None:
        """Write to a RUNNING trial, and beat its heart.

        Raises `LostTrialError` if it is finished already or not `owner`'s.
        """
        storage = self.storage
        try:
            with self._together():
                # First whose it is, last that it ended.
                for key, value in writes.system_attrs.items():
                    storage.set_trial_system_attr(trial_id, key, value)
                for name, (value, distribution) in writes.params.items():
                    storage.set_trial_param(trial_id, name, value, distribution)
                for step, report in writes.reports.items():
                    storage.set_trial_intermediate_value(trial_id, step, report)
                for key, value in writes.user_attrs.items():
                    storage.set_trial_user_attr(trial_id, key, value)
                beat = round(time.time(), 6)
                storage.set_trial_system_attr(trial_id, records.HEARTBEAT, beat)
                if writes.state is not None:
                    storage.set_trial_state_values(trial_id, writes.state, writes.values)
        except (UpdateFinishedTrialError, KeyError) as error:
            raise LostTrialError(str(error)) from error

    def beat(self, trial_id: int, owner: str) -> None:
        """Say that `owner` still works on the trial. Raises `LostTrialError`."""
        self.write(trial_id, Writes(), owner)

    def hand_back(self, trial_id: int, owner: str) -> None:
        """Make `owner`'s RUNNING trial WAITING again, without reports, its parameters kept: its
        next run repeats it. Only if `atomic`. Raises `LostTrialError`."""
        raise NotImplementedError

    def beats(self, study_id: int, running: Sequence[FrozenTrial]) -> dict[int, Beat]:
        """Trial id to last heartbeat, for the `running` trials just read by `trials`."""
        return {
            trial._trial_id: Beat(trial.system_attrs.get(records.HEARTBEAT), None)
            for trial in running
        }

    def _together(self) -> AbstractContextManager[None]:
        """What is written inside belongs to one step."""
        return nullcontext()
