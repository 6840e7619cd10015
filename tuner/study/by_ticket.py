"""Optuna's sampler and pruner that count trials, counting tickets: who works on one, and how often
it is tried, changes nothing."""

import copy
import warnings
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import HyperbandPruner
from optuna.samplers import QMCSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from tuner.storage import records


class TicketHyperband(HyperbandPruner):
    """Optuna's Hyperband draws a trial's bracket by its number. Here the ticket counts: a trial
    that was interrupted, or failed, is tried again in the bracket it was in. Where nothing was
    tried twice, both are the same number."""

    def _get_bracket_id(self, study: Study, trial: FrozenTrial) -> int:
        ticket = records.recorded(trial, records.TICKET)
        if ticket not in (None, trial.number):
            trial = copy.copy(trial)
            trial.number = ticket
        return super()._get_bracket_id(study, trial)


class TicketQMCSampler(QMCSampler):
    """Ticket t gets point t of the sequence over all parameters of the space.

    Stock `QMCSampler` counts positions in a study attribute: read, then written, so that two
    workers may take the same point and a retried trial takes a new one; and it learns the space
    from the first trial, which it therefore draws at random.
    """

    def __init__(
        self, distributions: Mapping[str, BaseDistribution], ticket: int, **settings: Any
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(**settings, warn_independent_sampling=False)
        self._distributions = {n: d for n, d in distributions.items() if not d.single()}
        self._ticket = ticket

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return dict(self._distributions)

    def _find_sample_id(self, study: Study, search_space: dict[str, BaseDistribution]) -> int:
        return self._ticket
