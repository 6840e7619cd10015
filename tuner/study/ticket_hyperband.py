"""Hyperband whose brackets belong to tickets."""

from __future__ import annotations

import copy

from optuna.pruners import HyperbandPruner
from optuna.study import Study
from optuna.trial import FrozenTrial

from tuner.storage import records


class TicketHyperband(HyperbandPruner):
    """Optuna's Hyperband draws a trial's bracket by its number. Here the ticket counts: a trial
    that was interrupted, or failed, is tried again in the bracket it was in. Where nothing was
    tried twice, both are the same number."""

    def _get_bracket_id(self, study: Study, trial: FrozenTrial) -> int:
        ticket = trial.user_attrs.get(records.TICKET, trial.number)
        if ticket != trial.number:
            trial = copy.copy(trial)
            trial.number = ticket
        return super()._get_bracket_id(study, trial)
