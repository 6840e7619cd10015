"""The searches of nested cross-validation: a study's own, once more in each outer fold."""

from __future__ import annotations

from tuner.code.spec import BUILD, has_part
from tuner.data.folds import FoldSpec
from tuner.errors import DefinitionError
from tuner.planning.metrics import is_own_metric
from tuner.study.data_spec import OuterFold
from tuner.study.definition import StudyDefinition


def outer_name(study: str, number: int) -> str:
    """The name of the study that searches in outer fold `number` of `study`."""
    return f"{study}-outer{number}"


def outer_folds(folds: FoldSpec, count: int) -> FoldSpec:
    """So many folds of the kind of the inner ones, shuffled by the same seed if they are; repeated
    folds and a holdout, which leave rows in several test parts or in none, become shuffled folds,
    with groups or classes if the data have them."""
    if folds.kind in ("repeated", "holdout"):
        return FoldSpec(kind="auto", k=count, shuffle=True, seed=folds.seed)
    return folds.model_copy(update={"k": count})


def outer_definitions(definition: StudyDefinition) -> tuple[StudyDefinition, ...]:
    """By outer fold: the same search on that fold's training rows, its other rows as test rows.
    None if the study is not nested."""
    count = definition.nested or 0
    made = []
    for number in range(count):
        outer = OuterFold(folds=outer_folds(definition.folds, count), number=number)
        data = definition.data.model_copy(update={"outer": outer})
        changes = {"data": data, "nested": None, "description": ""}
        made.append(definition.model_copy(update=changes))
    return tuple(made)


def require_scored(definition: StudyDefinition) -> None:
    """Raises `DefinitionError` for a nested study whose metric no test rows are scored by."""
    metric = definition.objective.metric
    if definition.nested is None or metric is None:
        return
    if is_own_metric(metric) or (metric == "loss" and has_part(definition.code, BUILD)):
        raise DefinitionError(
            "the test rows of outer folds are scored by a metric of tuner's; received nested with "
            f"the objective {metric}. Available: a metric such as accuracy or r2, or a search that "
            "is not nested"
        )
