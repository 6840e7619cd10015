"""A study in one line for people, from what its definition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.planning.metrics import metric_direction
from tuner.study.by_object import CustomSampler
from tuner.text import counted

if TYPE_CHECKING:
    from tuner.data.folds import FoldSpec
    from tuner.study.definition import StudyDefinition


def with_total(definition: StudyDefinition, total: int) -> StudyDefinition:
    """A definition with so many trials. It is described by what it holds, unless it has a
    description of its own and the number is what it had."""
    kept = definition.description if total == definition.total_trials(None) else ""
    description = kept or describe(definition, total)
    return definition.model_copy(update={"trials": total, "description": description})


def describe(definition: StudyDefinition, total: int) -> str:
    """`40 trials of sgd_decay on sklearn:digits: tpe, median pruning, 5-fold cross-validation`,
    and the metric if the definition names one."""
    data, pruner, metric = definition.data, definition.pruner, definition.objective.metric
    search = definition.search
    rows = "" if data.limit is None else f"{data.limit} rows of "
    target = "" if data.target is None else f" (target {data.target})"
    kept = "" if data.test_share is None else f", {data.test_share:.3g} of the rows kept out"
    if data.outer is not None:
        kept += f", outer fold {data.outer.number} of {data.outer.folds.count} kept out"
    how = [
        definition.sampler.name,
        f"{pruner.name} pruning" if pruner.prunes else "nothing pruned",
        search["splits"].partition(",")[0] if search else _folds(definition.folds),
        *([] if metric is None else [f"by {' and '.join([metric, *definition.objective.others])}"]),
    ]
    return (
        f"{counted(total, 'trial')} of {definition.space.name} on {rows}{data.uri}{target}{kept}: "
        f"{', '.join(how)}"
    )


def _folds(folds: FoldSpec) -> str:
    if folds.kind == "holdout":
        return f"{folds.share:.3g} of the rows held out for validation"
    kind = {"stratified": "stratified ", "group": "grouped "}.get(folds.kind, "")
    times = f", {folds.repeats} times" if folds.kind == "repeated" else ""
    return f"{kind}{folds.k}-fold cross-validation{times}"


def searches(definition: StudyDefinition, total: int) -> tuple[str, ...]:
    """How often a nested study searches, in a line; none of another."""
    count = definition.nested
    if count is None:
        return ()
    return (
        f"nested: {count + 1} searches of {counted(total, 'trial')} each, "
        f"{(count + 1) * total} in all: on all rows, then in each of {count} outer folds",
    )


def goals(definition: StudyDefinition) -> tuple[str, ...]:
    """What follows from a grid, and from several objectives, of a resolved definition."""
    names, sampler, said = definition.objectives, definition.sampler, []
    if isinstance(sampler, CustomSampler) and sampler.points is not None:
        points = counted(sampler.points, "point")
        said.append(f"the grid of {sampler.type} has {points}, each of which is tried once")
    if len(names) == 1:
        return tuple(said)
    listed = ", ".join(f"{name} ({metric_direction(name)})" for name in names)
    rule = "Optuna prunes for one alone, so every trial trains to its end"
    return (*said, f"objectives: {listed}; {rule}")
