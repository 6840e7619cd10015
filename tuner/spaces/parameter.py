"""What every form of a parameter can do: a fixed value, a range, a list, a draw."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr

from tuner.parameters import Kind, ParameterInfo, Scalar, Value, fit_value, plain, show
from tuner.parameters.kinds import STRICT
from tuner.spaces.explain import Problem

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution

#: Grids of more points than this for one parameter are refused: they are a slip of the pen.
MOST_POINTS = 100_000


def _scalar(value: object) -> object:
    value = plain(value)
    if value is not None and not isinstance(value, str | int | float | bool):
        raise ValueError(f"must be one value; got {show(value)}")
    return value


def _number(value: object) -> object:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number; got {show(value)}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # of whole numbers that no float is near to
        finite = False
    if not finite:
        raise ValueError(f"must be finite; got {show(value)}")
    return value


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


#: A number as it stands in the file: whole ones stay whole.
Number = Annotated[int | float, BeforeValidator(_number)]
Item = Annotated[Scalar, BeforeValidator(_scalar)]
#: `when`: the parameter that decides, and the values with which this one is active.
When = dict[str, Annotated[tuple[Item, ...], BeforeValidator(_several)]]


class Parameter(BaseModel, ABC):
    """One parameter of a space, in one of its forms. Immutable."""

    model_config = STRICT

    #: False for a fixed value.
    varies: ClassVar[bool] = True

    when: When = Field(default_factory=dict)
    _info: ParameterInfo = PrivateAttr()

    @property
    def info(self) -> ParameterInfo:
        """What it is a value of; of a parameter that was read."""
        return self._info

    @abstractmethod
    def own_kind(self) -> Kind:
        """What its values are if no catalogue says so."""

    @abstractmethod
    def problems(self, info: ParameterInfo) -> list[Problem]:
        """Every rule of the catalogue and of this form that is broken."""

    def fitted(self, info: ParameterInfo) -> Self:
        """The same with its values brought to the parameter's kind. Only without problems."""
        made = self.model_copy(update=self.fits(info))
        made._info = info
        return made

    @abstractmethod
    def fits(self, info: ParameterInfo) -> dict[str, Any]:
        """The fields that `fitted` sets."""

    def with_default(self) -> Self:
        """The same with its `default` of its kind, if it has one. Raises ValueError."""
        return self

    def fit(self, value: object) -> Value:
        """`value` in the parameter's kind. Raises ValueError with the rule and the value."""
        return fit_value(self.info, plain(value))

    def data(self) -> dict[str, Any]:
        """The mapping of a space file that makes this parameter, without `when` and what follows
        from the parameter."""
        return self.model_dump(mode="json", exclude={"when", "type"}, exclude_defaults=True)

    @abstractmethod
    def points(self) -> Sequence[Value] | None:
        """The values it can take, in grid order; None if they are not finite."""

    def takes(self, value: Value) -> bool:
        """Whether it can take this value (of the parameter's kind)."""
        return value in (self.points() or ())

    @abstractmethod
    def to_optuna(self) -> BaseDistribution | None:
        """For Optuna's samplers; None for a fixed value."""

    def to_sklearn(self) -> Any:
        """For scikit-learn's ParameterSampler: a list, or something with `rvs`."""
        return list(self.points() or ())

    @abstractmethod
    def describe(self) -> str:
        """The range or the values in a few words."""

    def no_numbers(self, info: ParameterInfo, form: str) -> list[Problem]:
        """The problem of a form that `info` cannot have, being no single number."""
        if info.many:
            return [Problem((), f"must be a fixed list of numbers; got {show(self.data())}")]
        return [Problem((), f"has no {form}: it is {info.rule}; write {{choices: [...]}}")]

    def to_data(self) -> Any:
        """The part of a space file that makes this parameter (JSON-able)."""
        when = {
            parent: list(values) if len(values) != 1 else values[0]
            for parent, values in self.when.items()
        }
        return {**self.data(), "when": when} if when else self.data()

    def suggest(self, trial: Trial, name: str) -> Value:
        """Ask a trial for a value."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        kind: Any = self.to_optuna()
        if isinstance(kind, CategoricalDistribution):
            return trial.suggest_categorical(name, kind.choices)
        suggest = trial.suggest_int if isinstance(kind, IntDistribution) else trial.suggest_float
        return suggest(name, kind.low, kind.high, step=kind.step, log=kind.log)


class Varying(Parameter):
    """A parameter of several values; `default`: the one that is tried first, null: any."""

    default: Item = None

    def with_default(self) -> Self:
        if self.default is None:
            return self
        fit = self.fit(self.default)
        if not self.takes(fit):
            raise ValueError(f"must be one of {self.describe()}; got {show(fit)}")
        return self.model_copy(update={"default": fit})
