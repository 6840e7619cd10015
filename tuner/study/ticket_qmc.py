"""Optuna's QMCSampler with the ticket as the position in the sequence."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, QMCSampler
from optuna.study import Study
from optuna.trial import FrozenTrial


class TicketQMCSampler(QMCSampler):
    """Ticket t gets point t of the sequence over all parameters of the space.

    Stock `QMCSampler` counts positions in a study attribute: read, then written, so that two
    workers may take the same point and a retried trial takes a new one; and it learns the space
    from the first trial, which it therefore draws at random.
    """

    def __init__(
        self,
        distributions: Mapping[str, BaseDistribution],
        *,
        ticket: int,
        qmc_type: str,
        scramble: bool,
        seed: int,
        independent_sampler: BaseSampler,
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(
                qmc_type=qmc_type,
                scramble=scramble,
                seed=seed,
                independent_sampler=independent_sampler,
                warn_independent_sampling=False,
            )
        self._distributions = {
            name: distribution
            for name, distribution in distributions.items()
            if not distribution.single()
        }
        self._ticket = ticket

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return dict(self._distributions)

    def _find_sample_id(self, study: Study, search_space: dict[str, BaseDistribution]) -> int:
        return self._ticket
