"""A study's own code: which objects a definition needs, and the definition with them loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.code import load
from tuner.code.spec import METRIC, PRUNER, SAMPLER
from tuner.planning.own_metric import OwnMetric
from tuner.study.by_object import CustomSampler
from tuner.study.definition import StudyDefinition
from tuner.study.pruners import CustomPruner

if TYPE_CHECKING:
    from tuner.data import Dataset
    from tuner.planning.metrics import MetricInfo


def metric_parts(metrics: Sequence[OwnMetric]) -> dict[str, OwnMetric]:
    """The parts of a study's code that these metrics are."""
    return {f"{METRIC} {metric.key}": metric for metric in metrics}


def with_code(
    definition: StudyDefinition, folder: Path, trusted: str | None, study: str
) -> StudyDefinition:
    """The definition with its own code loaded, for who trains; without code as it is.

    Args:
        folder: of the artifacts beside the storage.
        trusted: see `tuner.code.load`.

    Raises as `tuner.code.load`.
    """
    if definition.code is None:
        return definition
    return holding(definition, load(definition.code, folder, trusted, study))


def with_trusted_code(
    definition: StudyDefinition, folder: Path, study: str, *, trust: bool
) -> StudyDefinition:
    """As `with_code`; `trust`: whether somebody said that the code may be loaded."""
    trusted = definition.code.file if definition.code and trust else None
    return with_code(definition, folder, trusted, study)


def holding(definition: StudyDefinition, objects: Mapping[str, Any]) -> StudyDefinition:
    """The definition with the objects of its code."""
    update: dict[str, Any] = {}
    if isinstance(definition.sampler, CustomSampler):
        update["sampler"] = definition.sampler.holding(objects[SAMPLER])
    if isinstance(definition.pruner, CustomPruner):
        update["pruner"] = definition.pruner.holding(objects[PRUNER])
    return definition.model_copy(update=update).with_objects(objects)


def own_metrics(definition: StudyDefinition, dataset: Dataset) -> list[MetricInfo]:
    """The metrics of a definition that are in no table, as trainings ask for them."""
    return [
        metric.info(dataset.task, dataset.classes)
        for name in definition.all_metrics
        if (metric := definition.own(f"{METRIC} {name}")) is not None
    ]
