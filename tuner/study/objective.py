"""What a study optimizes, by the names of metrics."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from tuner.errors import unknown
from tuner.parameters.kinds import Definition
from tuner.planning.metrics import METRICS, is_metric, metric_name


def _known_metric(name: str) -> str:
    name = metric_name(name)
    if not is_metric(name):
        raise ValueError(unknown("metric", name, METRICS))
    return name


MetricName = Annotated[str, AfterValidator(_known_metric)]


class ObjectiveSpec(Definition):
    """`metric` None: accuracy, or r2 for regression (`StudyDefinition.resolved` fills it in)."""

    metric: MetricName | None = None
