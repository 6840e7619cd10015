"""Which metric a stored study optimizes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tuner.storage import records

if TYPE_CHECKING:
    from optuna.study import Study


def objective_metric(study: Study) -> str:
    """The metric's name, as the study's definition says; `objective` for a study that `tuner`
    did not make."""
    text = study.user_attrs.get(records.STUDY_DEFINITION)
    if not isinstance(text, str):
        return "objective"
    metric = json.loads(text).get("objective", {}).get("metric")
    if metric is not None:
        return str(metric)
    from tuner.planning.metrics import default_metric

    return default_metric(study.user_attrs[records.STUDY_TASK])
