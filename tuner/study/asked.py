"""What somebody asks of a study, by flags or in Python, and the definition that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tuner.errors import UsageError, unknown
from tuner.planning.metrics import COSTS, metric_name
from tuner.spaces.library import load_space
from tuner.study.data import LoadedData
from tuner.study.data_spec import DataSpec
from tuner.study.library import load_definition, space_for

if TYPE_CHECKING:
    from tuner.spaces.space import Space
    from tuner.study.definition import StudyDefinition
    from tuner.study.pruners import Pruner
    from tuner.study.sampler import Sampler

#: Of the data whatever they are; the other fields belong to what is in them.
_ANY_DATA = ("uri", "columns", "scaling")


@dataclass(frozen=True)
class Asked:
    """In the words of the flags of `tuner optimize`; None and empty: not asked.

    Attributes:
        space: a name, a file, or a space itself.
        study: name or file of a definition, which the others change.
        data: a URI.
        rows: the fields of `DataSpec` that were given, without `uri`.
        metrics: the first is the objective.
        settings: parameter to YAML, see `Space.override`.
        at_most, at_least: metric or cost to its bound.
        try_first: points that are tried first, behind those of the definition.
        nested: outer folds, in each of which the search runs once more.
        timeout: seconds for one run.
    """

    space: str | Space | None = None
    study: str | None = None
    data: str | None = None
    rows: Mapping[str, Any] = field(default_factory=dict)
    folds: int | None = None
    folds_kind: str | None = None
    metrics: tuple[str, ...] = ()
    refit_metric: str | None = None
    sampler: str | Sampler | None = None
    pruner: str | Pruner | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    at_most: Mapping[str, Any] = field(default_factory=dict)
    at_least: Mapping[str, Any] = field(default_factory=dict)
    try_first: tuple[Mapping[str, Any], ...] = ()
    nested: int | None = None
    seed: int | None = None
    retries: int | None = None
    timeout: float | None = None

    @property
    def plain(self) -> bool:
        """Neither a space nor a study is named, so the data decide the space."""
        return self.space is None and self.study is None

    def definition(self) -> StudyDefinition:
        """The definition of `study` (without it the study around `space`, or around the space
        that fits the data), with what was asked for.

        Raises:
            UsageError: its subclasses, with the rule, the value and what is available.
        """
        space = load_space(self.space) if isinstance(self.space, str) else self.space
        if self.plain:
            space = self._fitting_space()
        definition = load_definition(self.study or "default", space=space)
        changes: dict[str, Any] = {}
        if self.settings:
            changes["space"] = definition.space.override(self.settings)
        changes |= self._data_changes(definition) | self._fold_changes(definition)
        changes |= self._metric_changes(definition) | self._method_changes(definition)
        changes |= {f"at_most.{name}": bound for name, bound in self.at_most.items()}
        changes |= {f"at_least.{name}": bound for name, bound in self.at_least.items()}
        if self.try_first:
            changes["try_first"] = [*definition.try_first, *self.try_first]
        changes |= _given(
            {name: getattr(self, name) for name in ("seed", "retries", "timeout", "nested")}
        )
        return definition.override(changes) if changes else definition

    def _fitting_space(self) -> Space:
        """Of the data that are named, or of the default study's."""
        assert self.loaded is not None
        return load_space(space_for(image=self.loaded.dataset.image_shape is not None))

    @cached_property
    def loaded(self) -> LoadedData | None:
        """The data that decide the space; None if a space or a study is named."""
        if not self.plain:
            return None
        definition = load_definition("default", space=load_space(space_for(image=False)))
        changes = self._data_changes(definition) | self._fold_changes(definition)
        definition = definition.override(changes | _given({"seed": self.seed}))
        return LoadedData.of(definition)

    def _data_changes(self, definition: StudyDefinition) -> dict[str, Any]:
        changes = {f"data.{name}": value for name, value in self.rows.items()}
        if self.data is None:
            return changes
        # Columns, a row limit or a task belonged to the other data.
        other = DataSpec.model_fields if self.data != definition.data.uri else {}
        defaults = {
            f"data.{name}": own.get_default(call_default_factory=True)
            for name, own in other.items()
            if name not in _ANY_DATA
        }
        return defaults | changes | {"data.uri": self.data}

    def _metric_changes(self, definition: StudyDefinition) -> dict[str, Any]:
        """The objective is `refit_metric`, else the first of `metrics`; the others are recorded,
        and costs are objectives."""
        asked = list(dict.fromkeys(map(metric_name, self.metrics)))
        names = [name for name in asked if name not in COSTS]
        costs = [name for name in asked if name in COSTS]
        others = {"objective.others": costs} if costs else {}
        if self.refit_metric is not None:
            chosen = metric_name(self.refit_metric)
            scored = filter(None, (definition.objective.metric, *definition.metrics))
            known = names or list(dict.fromkeys(scored))
            if chosen not in known:
                raise UsageError(
                    "--refit-metric names one of the metrics that are scored; "
                    + unknown("metric", chosen, known)
                )
            names = [chosen, *(name for name in known if name != chosen)]
        if not names:
            return others
        beside = {"metrics": names[1:]} if len(names) > 1 else {}
        return {"objective.metric": names[0]} | beside | others

    def _fold_changes(self, definition: StudyDefinition) -> dict[str, Any]:
        kind = self.folds_kind
        in_order = self.rows.get("time") is not None and self.rows.get("fold_column") is None
        if kind is None and in_order:
            kind = "time"
        if kind is None and self.folds is not None and definition.folds.kind == "holdout":
            kind = "auto"
        # The default study shuffles, which these kinds do by themselves or must not.
        shuffle = False if kind in ("repeated", "holdout", "time", "predefined") else None
        return _given({"folds.k": self.folds, "folds.kind": kind, "folds.shuffle": shuffle})

    def _method_changes(self, definition: StudyDefinition) -> dict[str, Any]:
        """Naming the definition's own sampler or pruner keeps its settings."""
        changes: dict[str, Any] = {}
        if self.sampler not in (None, definition.sampler.name):
            changes["sampler"] = self.sampler
        if self.pruner not in (None, definition.pruner.name):
            changes["pruner"] = self.pruner
        elif self.pruner is not None and "sampler" in changes:
            changes["pruner"] = definition.pruner.model_dump()  # named: the sampler does not choose
        return changes


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
