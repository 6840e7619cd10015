"""Which parameters decide: Optuna's importances."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tuner.errors import UsageError
from tuner.results.ranking import best_trials

if TYPE_CHECKING:
    import optuna


def importances(study: optuna.Study) -> dict[str, float]:
    """Optuna's importance of each parameter, of several objectives for the first one.

    Raises:
        UsageError: the trials do not tell.
    """
    from optuna.importance import get_param_importances
    from optuna.study import StudyDirection

    chosen = [trial.params for trial in best_trials(study)]
    if len(chosen) < 2 or not any(chosen):
        raise UsageError(
            "importances need two or more complete trials whose parameters a sampler chose; study "
            f"{study.study_name} has {len([own for own in chosen if own])}"
        )
    if len(study.directions) == 1:
        return get_param_importances(study)
    # Optuna asks what makes a target small, and warns that it does.
    sign = -1 if study.directions[0] == StudyDirection.MAXIMIZE else 1
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*low `target` values", category=UserWarning)
        return get_param_importances(study, target=lambda trial: sign * float(trial.values[0]))
