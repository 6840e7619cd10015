"""A search space: the parameters of a trial, which of them vary, and between what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_serializer,
)

from tuner.errors import SpaceError, unknown
from tuner.parameters import ParameterInfo, Value, show, word
from tuner.parameters.kinds import STRICT
from tuner.spaces import candidates
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.conditions import Activity, Condition, find_activity
from tuner.spaces.explain import Problem, to_validation_error
from tuner.spaces.override import blamed, overridden
from tuner.spaces.parameter import Parameter
from tuner.spaces.read import Open, checked_parameters
from tuner.spaces.yaml_file import raise_problems, validate_data, validated

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution


T = TypeVar("T")


class Space(BaseModel):
    """What a trial is made of. Immutable; equal if name and contents are.

    Attributes:
        name: what the space is called: the file's name without its ending.
        version: of the file format.
        description: one line for people.
        open: True: `params` may have names that are not of the catalogue, such as `step__C`,
            for somebody's own code; "own": none of the names is of the catalogue.
        params: every parameter in file order. A parameter of the catalogue that is not here
            has its default.
        regression: parameters that a regression has instead, or besides: see `for_task`.

    Raises pydantic's ValidationError when made directly, and SpaceError from `from_dict`,
    `load_space` and `override`.
    """

    model_config = STRICT

    name: str = "space"
    version: Literal[1] = 1
    description: str = ""
    open: Open = False
    params: dict[str, Parameter] = Field(min_length=1)
    regression: dict[str, Parameter] = Field(default_factory=dict)

    @field_validator("params", mode="plain")
    @classmethod
    def _read(cls, data: Any, info: ValidationInfo) -> dict[str, Parameter]:
        if not isinstance(data, Mapping) or not data:
            text = f"must hold at least one parameter with its value; got {show(data)}"
            raise to_validation_error("Space", [Problem((), text)], data)
        params, problems = checked_parameters(data, {}, info.data.get("open", False))
        if problems:
            raise to_validation_error("Space", problems, data)
        return params

    @field_validator("regression", mode="plain")
    @classmethod
    def _read_regression(cls, data: Any, info: ValidationInfo) -> dict[str, Parameter]:
        if not isinstance(data, Mapping):
            text = f"must be parameters with their values; got {show(data)}"
            raise to_validation_error("Space", [Problem((), text)], data)
        around, open = info.data.get("params", {}), info.data.get("open", False)
        params, problems = checked_parameters(data, around, open)
        if problems:
            raise to_validation_error("Space", problems, data)
        return params

    @field_serializer("params", "regression")
    def _write(self, params: dict[str, Parameter]) -> dict[str, Any]:
        return {name: parameter.to_data() for name, parameter in params.items()}

    @model_serializer(mode="wrap")
    def _write_used(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {n: part for n, part in data.items() if n not in ("open", "regression") or part}

    @cached_property
    def _activity(self) -> Activity:
        return find_activity(self.params)[0]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The space that `to_dict` wrote. Raises SpaceError with one line for each problem."""
        return validated(dict(data), cls, f"space {data.get('name', '')}".strip(), SpaceError)

    def to_dict(self) -> dict[str, Any]:
        """The contents of a space file and the name, JSON-able: `from_dict` reads it back."""
        return self.model_dump(mode="json")

    def override(self, settings: Mapping[str, str]) -> Space:
        """This space with parameters set anew, as `--set name=value` does.

        Each value is YAML 1.2: a fixed value, a form such as `{low: 1, high: 3}`, or `null`,
        which takes the parameter out. See `tuner.spaces.override`. The description says what it no
        longer speaks of. What `regression` sets of the same parameters, or cannot set beside
        them, it no longer does. Raises SpaceError.
        """
        params = overridden(self.params, settings, self.open)
        about = self.description
        if about and settings:
            about += f" ({', '.join(settings)} set anew)"
        data = {"name": self.name, "description": about, "open": self.open, "params": params}
        space, problems = validate_data(data, type(self), f"space {self.name}")
        raise_problems([blamed(problem, settings) for problem in problems], SpaceError)
        assert space is not None
        kept: dict[str, Parameter] = {}
        for name, parameter in self.regression.items():
            more = {**kept, name: parameter}
            if name in settings:
                continue
            if not checked_parameters(more, space.params, self.open)[1]:
                kept = more
        return space.model_copy(update={"regression": kept})

    def for_task(self, task: str) -> Space:
        """This space as `task` searches it, with no `regression` of its own: that is in `params`
        then (those of the same names in their place, others last), or gone."""
        if not self.regression:
            return self
        params = {**self.params, **(self.regression if task == "regression" else {})}
        about = self.description
        return Space(name=self.name, description=about, open=self.open, params=params)

    def info(self, name: str) -> ParameterInfo:
        """What is known of a parameter of this space: the catalogue's, or what its form says."""
        return self.params[name].info

    @property
    def conditions(self) -> dict[str, tuple[Condition, ...]]:
        """What has to hold for a parameter to be active; always active ones have no entry."""
        return dict(self._activity.conditions)

    def possible(self, condition: Condition) -> list[Value]:
        """The values that a condition allows and its parent can take here, in the catalogue's
        or the file's order."""
        parent = self.params.get(condition.parent)
        if parent is None:
            return [CATALOGUE[condition.parent].default]
        return [value for value in condition.allowed if parent.takes(value)]

    def fixed(self) -> dict[str, Value]:
        """The fixed values that are part of every trial."""
        return {
            name: parameter.points()[0]  # type: ignore[index]
            for name, parameter in self.params.items()
            if not parameter.varies and name not in self._activity.conditions
        }

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distribution of every varying parameter, conditional ones included."""
        return {
            name: distribution
            for name, parameter in self.params.items()
            if (distribution := parameter.to_optuna()) is not None
        }

    def suggest(self, trial: Trial) -> dict[str, Value]:
        """Ask a trial for every active varying parameter, in the order of `Activity`.

        Returns all active parameters in file order, the fixed ones included.
        """
        values: dict[str, Value] = {}
        for name in self._activity.order:
            if self._activity.active(name, values):
                values[name] = self.params[name].suggest(trial, name)
        return self._in_file_order(values)

    def complete(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """A candidate of a grid or of random draws with the fixed values added.

        `values` needs exactly the active varying parameters (fixed ones may be repeated); numpy
        scalars become Python's. Raises SpaceError for one that is missing, inactive, unknown, or
        has a value that it cannot take.
        """
        complete: dict[str, Value] = {}
        for name in self._activity.order:
            if not self._activity.active(name, complete):
                if name in values:
                    needs = " and ".join(
                        f"{c.parent} to be {', '.join(word(value) for value in c.allowed)}"
                        for c in self._activity.conditions[name]
                    )
                    raise SpaceError(f"candidate: {name} is not active; it needs {needs}")
                continue
            parameter = self.params[name]
            if name not in values:
                if parameter.varies:
                    raise SpaceError(f"candidate: {name} is required; got {', '.join(values)}")
                complete[name] = parameter.points()[0]  # type: ignore[index]
                continue
            try:
                fit = parameter.fit(values[name])
            except ValueError as error:
                raise SpaceError(f"candidate: {name} {error}") from None
            if not parameter.takes(fit):
                raise SpaceError(
                    f"candidate: {name} must be one of {parameter.describe()}; got {show(fit)}"
                )
            complete[name] = fit
        for name in values:
            if name not in self.params:
                raise SpaceError(f"candidate: {unknown('parameter', name, self.params)}")
        return self._in_file_order(complete)

    def grid(self) -> list[dict[str, list[Value]]]:
        """The grid as scikit-learn's ParameterGrid takes it. See `tuner.spaces.candidates`."""
        return self._listed(candidates.grid)

    def random(self) -> list[dict[str, Any]]:
        """The space as ParameterSampler takes it. See `tuner.spaces.candidates`."""
        return self._listed(candidates.random)

    def size(self) -> int | None:
        """The number of points of the whole grid; None if it is not finite."""
        return self._listed(candidates.size)

    def _listed(self, way: Callable[[Activity], T]) -> T:
        try:
            return way(self._activity)
        except SpaceError as error:
            raise SpaceError(f"space {self.name}: {error}") from None

    def _in_file_order(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: values[name] for name in self.params if name in values}
