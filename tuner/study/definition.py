"""What a study is: space, data, folds, sampler, pruner, objective, seed; and its budget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from tuner.code.spec import METRIC, CodeSpec, has_part
from tuner.data.dataset import Task
from tuner.data.folds import FoldSpec
from tuner.errors import DefinitionError, SpaceError
from tuner.limits import MOST_FOLDS, MOST_RETRIES, MOST_TRIALS
from tuner.parameters.kinds import Definition, Seed, Time
from tuner.planning.losses import plan_loss
from tuner.planning.metrics import COSTS, check_metric, default_metric, metric_direction
from tuner.spaces.points import Point, fitted_points
from tuner.spaces.space import Space
from tuner.spaces.yaml_file import validated
from tuner.study.data_spec import DataSpec
from tuner.study.differences import told_apart
from tuner.study.objective import Bound, Measure, MetricName, ObjectiveSpec
from tuner.study.pruners import AnyPruner, Median, NoPruner
from tuner.study.sampler import Candidate
from tuner.study.samplers import SAMPLERS, AnySampler, Tpe

#: Fields that change neither a trial nor its score, so that a study can go on with others.
BUDGET = ("version", "name", "description", "trials", "timeout", "retries", "try_first", "nested")
_NOT_IN_HASH: dict[str, Any] = {
    **dict.fromkeys(BUDGET, True),
    "data": {"columns"},
    "code": {"file", "python"},
}


class StudyDefinition(Definition):
    """A study. Immutable.

    Attributes:
        name: the file's name without its ending; part of nothing.
        description: one line for people; empty: see
            `tuner.study.description`.
        space: what may vary. In a file: a space's name, its path, or its contents.
        data, folds, sampler, pruner, objective: see their classes.
        metrics: scored beside the objective.
        at_most, at_least: metric (or cost) to the bound that a trial has to keep to be counted.
        trials: how many in all; None: the whole grid, or 40 if the space is sampled.
        timeout: seconds for one run of `tuner optimize`; in a file also as 90s, 10m or 2h.
        seed: decides samplers, initial weights, the order of rows and dropout.
        retries: how often a trial that fails is tried again.
        try_first: points that are tried before all others, each some parameters of the space with
            their values; the sampler chooses the others. They count among the trials.
        nested: in how many outer folds the search runs once more, see `tuner.study.nested`.
        search: of a search over a scikit-learn estimator, whose rows no data source has: what it is
            of, each part in a few words.
        code: objects of somebody's own program, such as a metric: see `tuner.code`.
    """

    version: Literal[1] = 1
    name: str = ""
    description: str = ""
    space: Space
    data: DataSpec = DataSpec()
    folds: FoldSpec = FoldSpec()
    sampler: AnySampler = Tpe()
    pruner: AnyPruner = Median()
    objective: ObjectiveSpec = ObjectiveSpec()
    metrics: tuple[MetricName, ...] = ()
    at_most: dict[Measure, Bound] = Field(default_factory=dict)
    at_least: dict[Measure, Bound] = Field(default_factory=dict)
    trials: int | None = Field(default=None, ge=1, le=MOST_TRIALS)
    timeout: Time | None = None
    seed: Seed = 0
    retries: int = Field(default=2, ge=0, le=MOST_RETRIES)
    try_first: tuple[Point, ...] = Field(default=(), max_length=MOST_TRIALS)
    nested: int | None = Field(default=None, ge=2, le=MOST_FOLDS)
    search: dict[str, str] = Field(default_factory=dict)
    code: CodeSpec | None = None
    #: What `code` names, once it is loaded: see `tuner.study.own_code`.
    _objects: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _parts_fit(self) -> StudyDefinition:
        if self.data.time and not self.data.fold_column and self.folds.kind != "time":
            rule = "data.time needs folds that keep its order, folds.kind time or data.fold_column"
            raise ValueError(f"{rule}; received folds.kind {self.folds.kind}")
        if self.objective.others and not self.sampler.several:
            able = ", ".join(name for name, kind in SAMPLERS.items() if kind.several)
            rule = "several objectives need a sampler that takes them"
            raise ValueError(f"{rule}; received {self.sampler.name}. Available: {able}")
        if not self.space.regression:  # else the task decides what the space is
            try:
                fitted_points(self.space, self.try_first)
            except SpaceError as error:
                raise ValueError(str(error)) from None
        return self

    def to_json(self) -> str:
        """All fields as JSON text; `definition_of` makes a definition of them again."""
        absent = {name for name in ("search", "code", "nested") if not getattr(self, name)}
        return json.dumps(self.model_dump(mode="json", exclude=absent), separators=(",", ":"))

    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all that decides a trial or its score.

        Not in it: `BUDGET`, `data.columns`, names, descriptions, and fields that have their
        defaults (so that a field added later changes no hash). The order of the parameters is in
        it, since samplers draw in that order.
        """
        content = self.model_dump(mode="json", exclude=_NOT_IN_HASH, exclude_defaults=True)
        params = self.space.model_dump(mode="json")["params"]
        content["space"] = list(params.items())
        if self.space.open:
            content["open"] = self.space.open
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def with_objects(self, objects: Mapping[str, Any]) -> StudyDefinition:
        made = self.model_copy()
        made._objects = dict(objects)
        return made

    def own(self, part: str) -> Any:
        """What `code` names so, once it is loaded; None if nothing."""
        return self._objects.get(part)

    def default_name(self) -> str:
        """The name of the study that this definition makes if none is given."""
        return f"{self.space.name}-{self.hash()[:8]}"

    def differences(self, stored: StudyDefinition) -> list[str]:
        """One line for every field outside `BUDGET` in which this differs from `stored`."""
        given, held = (own.model_dump(mode="json", exclude=_NOT_IN_HASH) for own in (self, stored))
        return told_apart(given, held)

    def override(self, changes: Mapping[str, Any]) -> StudyDefinition:
        """This definition with fields set anew, as the command line's flags do.

        Keys are dotted (`data.uri`, `folds.k`, `objective.metric`, `sampler`, `space`); a bare
        name sets a sampler or pruner with its defaults. Another sampler brings what goes with
        it, unless `changes` says otherwise: one that goes through the whole space has no number
        of trials of its own; ready candidates are not pruned, and their folds are scikit-learn's
        own, rows in order. A description stays as long as nothing changes that it could speak
        of: trials, and what decides a trial or its score.

        Raises `DefinitionError` with one line for each problem.
        """
        data = {**self.model_dump(exclude={"space"}), "space": self.space}
        changes = dict(changes)
        sampler = changes.get("sampler", changes.get("sampler.name"))
        name = sampler.get("name") if isinstance(sampler, Mapping) else sampler
        kind = SAMPLERS.get(str(name or self.sampler.name))
        if kind is not None and kind.name != self.sampler.name:
            for key, value in kind.brings().items():
                changes.setdefault(key, value)
        for key, value in changes.items():
            *parents, last = key.split(".")
            inner = data
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = value
        made = definition_of(data, "study definition")
        if "description" in changes or (made.trials, made.hash()) == (self.trials, self.hash()):
            return made
        return made.model_copy(update={"description": ""})

    def total_trials(self, asked: int | None) -> int:
        """How many trials the study has in all; raises as `Sampler.total`, and `DefinitionError`
        for more than a storage can wait with."""
        total = self.sampler.total(self.space, self.trials, asked)
        if total > MOST_TRIALS:
            raise DefinitionError(
                f"a study may have at most {MOST_TRIALS} trials, which wait in the storage; "
                f"{self.sampler.name} makes {total} of the space {self.space.name}. Available: "
                "fewer (--trials N), or a space of fewer points"
            )
        return total

    def candidates(self, total: int, queued: Sequence[Mapping[str, Any]] = ()) -> list[Candidate]:
        """Of a sampler that is `ready`: see `Sampler.candidates`."""
        return self.sampler.candidates(
            self.space, seed=self.seed, total=total, queued=queued, first=self.try_first
        )

    def resolved(self, task: Task) -> StudyDefinition:
        """This definition for a task: its objective's metric filled in, its space the task's.

        Raises `PlanError` for a metric that does not fit the task, and for a loss that no trial
        could be trained with, `SpaceError` for a point that does not fit the space.
        """
        metric = self.objective.metric or default_metric(task)
        objective = self.objective.resolved(metric)
        asked = [*objective.others, *self.at_most, *self.at_least]
        scored = [name for name in asked if name not in (metric, *COSTS)]
        for name in (metric, *self.metrics, *scored):
            own = has_part(self.code, f"{METRIC} {name}")
            if not own and not self.search:  # whose scores are scikit-learn's matter
                check_metric(name, task)
        space = self.space.for_task(task)
        fixed = space.fixed()
        if self.code is None:
            loss, weight = fixed.get("loss", "auto"), str(fixed.get("loss.class_weight", "none"))
            plan_loss(loss, smoothing=0, delta=None, task=task, class_weight=weight)
        changes = {
            "objective": objective,
            "metrics": tuple(dict.fromkeys([*self.metrics, *scored])),
            "space": space,
            "pruner": NoPruner() if objective.others else self.pruner,  # Optuna's compare one
            "try_first": fitted_points(space, self.try_first),
        }
        return self.model_copy(update=changes)

    @property
    def metric(self) -> str:
        """The objective of a resolved definition."""
        assert self.objective.metric is not None, "resolve the definition first"
        return self.objective.metric

    @property
    def objectives(self) -> tuple[str, ...]:
        """All that is optimized, the metric first."""
        return (self.metric, *self.objective.others)

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        return metric_direction(self.metric)

    @property
    def all_metrics(self) -> tuple[str, ...]:
        """The objective, then what is scored beside it, each once."""
        return tuple(dict.fromkeys([self.metric, *self.metrics]))


def definition_of(data: Mapping[str, Any], source: str) -> StudyDefinition:
    """The definition in `data`. Raises `DefinitionError` naming `source`, field, rule, value."""
    return validated(data, StudyDefinition, source, DefinitionError)
