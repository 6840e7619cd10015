"""What a study optimizes and what it asks of a trial besides, by the names of metrics."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from tuner.errors import unknown
from tuner.parameters.kinds import Definition
from tuner.planning.metrics import COSTS, METRICS, is_metric, metric_name


def _known_metric(name: str) -> str:
    name = metric_name(name)
    if not is_metric(name):
        raise ValueError(unknown("metric", name, METRICS))
    return name


def _known_measure(name: str) -> str:
    return name if name in COSTS else _known_metric(name)


MetricName = Annotated[str, AfterValidator(_known_metric)]
#: A metric, or what a trial costs: `parameters`, `seconds`.
Measure = Annotated[str, AfterValidator(_known_measure)]
Bound = Annotated[float, Field(allow_inf_nan=False)]


class ObjectiveSpec(Definition):
    """What is optimized.

    Attributes:
        metric: None: accuracy, or r2 for regression (`StudyDefinition.resolved` fills it in).
        others: objectives beside it, each in its own direction; then no trial is pruned.
    """

    metric: MetricName | None = None
    others: tuple[Measure, ...] = ()

    def resolved(self, metric: str) -> ObjectiveSpec:
        """With `metric` filled in, and each of the others once."""
        others = dict.fromkeys(own for own in self.others if own != metric)
        return ObjectiveSpec(metric=metric, others=tuple(others))
