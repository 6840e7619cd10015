"""The study as a worker's samplers and pruner see it."""

from __future__ import annotations

from functools import partial
from typing import Any

from optuna import Study, Trial
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from tuner.search.worker_storage import WorkerStorage
from tuner.spaces.catalogue import CATALOGUE
from tuner.study.by_object import CustomSampler
from tuner.study.definition import StudyDefinition
from tuner.study.pruners import max_epochs


class WorkerStudy(Study):
    """The study as the samplers and the pruner of a worker see it.

    Args:
        sampler, pruner: Optuna's objects in place of the definition's.

    Attributes:
        exhausted: such a sampler has nothing left to draw.
    """

    exhausted = False

    def __init__(
        self,
        name: str,
        storage: WorkerStorage,
        definition: StudyDefinition,
        sampler: BaseSampler | None = None,
        pruner: BasePruner | None = None,
    ) -> None:
        self._given, self._custom = sampler, isinstance(definition.sampler, CustomSampler)
        self._build = partial(definition.sampler.build, definition.space, seed=definition.seed)
        pruner = pruner or definition.pruner.build(most_epochs(definition))
        super().__init__(name, storage, sampler=sampler or self._build(ticket=0), pruner=pruner)

    def trial(self, trial_id: int, ticket: int) -> Trial:
        """A trial of the worker's own, with a sampler of its own.

        Stock samplers keep one random stream for the life of a process: a resumed study would
        begin with the draws it began with before, and what a trial draws would depend on which
        worker ran how many trials before it.
        """
        self.sampler = self._given or self._build(ticket=ticket)
        self._thread_local.cached_all_trials = None  # as `ask` does
        return Trial(self, trial_id)

    def stop(self) -> None:
        """For samplers that find nothing left to draw. The definition's own ones have as many
        tickets as points, and these say when to end."""
        self.exhausted = self._given is not None or self._custom


def most_epochs(definition: StudyDefinition) -> int:
    """The most epochs that a trial of the study may train."""
    parameter = definition.space.params.get("epochs")
    points: Any = None if parameter is None else parameter.points()
    return max_epochs(definition.space, points[0] if points else CATALOGUE["epochs"].default)
