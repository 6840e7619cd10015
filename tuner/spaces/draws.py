"""Parameters drawn from a distribution of `scipy.stats`, under scipy's names for its arguments.

`--sampler sklearn-random` draws from exactly these. Optuna's samplers take from them what an
Optuna distribution can hold: the two ends, whether the scale is logarithmic, and whether the
numbers are whole. Distributions without ends (`norm`, `lognorm`, `expon`) are therefore cut to
low .. high, both of which have to be given.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tuner.parameters import ParameterInfo, Value
from tuner.parameters.words import word
from tuner.spaces.distributions import ExpOf
from tuner.spaces.explain import Fault
from tuner.spaces.parameter import Number, Parameter

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


class Draw(Parameter):
    """`{distribution: name, ...}`; the subclasses name the arguments."""

    #: Which parameters it can draw for.
    kind: ClassVar[Literal["int", "float"]] = "float"
    #: Arguments that must be above 0.
    positive: ClassVar[tuple[str, ...]] = ("scale",)
    #: The arguments that are the two ends, the first below the second.
    limits: ClassVar[tuple[str, str] | None] = None
    #: Whether Optuna's samplers see a logarithmic scale.
    log: ClassVar[bool] = False

    distribution: str

    @abstractmethod
    def frozen(self, stats: Any) -> Any:
        """What ParameterSampler draws from, made by scipy's module `stats`."""

    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that can be drawn."""
        assert self.limits is not None
        return float(getattr(self, self.limits[0])), float(getattr(self, self.limits[1]))

    def faults(self, info: ParameterInfo) -> list[Fault]:
        name = self.distribution
        if info.many or info.kind not in ("int", "float"):
            return self.no_numbers(info, "distribution")
        if info.kind != self.kind:
            noun = {"int": "a whole number", "float": "a number with fractions"}[info.kind]
            names = ", ".join(key for key, form in DRAWS.items() if form.kind == info.kind)
            return [Fault(("distribution",), f"must draw {noun} ({names}); got {name}")]
        faults = [
            Fault((key,), f"must be above 0; got {getattr(self, key)}")
            for key in self.positive
            if getattr(self, key) <= 0
        ]
        if self.limits is not None:
            (first, low), (second, high) = ((key, getattr(self, key)) for key in self.limits)
            if low >= high:
                text = f"{first} must be below {second}; got {first} {low}, {second} {high}"
                faults.append(Fault((), text))
        if not faults:
            low, high = self.ends()
            if not (info.contains(low) and info.contains(high)):
                text = f"must be {info.bounds}; {name} draws from {word(low)} to {word(high)}"
                faults.append(Fault((), text))
        return faults

    def fitted(self, info: ParameterInfo) -> Draw:
        return self

    def data(self) -> dict[str, Any]:
        return self.model_dump(exclude={"when"}, exclude_defaults=True)

    def points(self) -> Sequence[Value] | None:
        return None

    def takes(self, value: Value) -> bool:
        low, high = self.ends()
        return isinstance(value, int | float) and low <= value <= high

    def to_optuna(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution, IntDistribution

        low, high = self.ends()
        if self.kind == "int":
            return IntDistribution(int(low), int(high))
        return FloatDistribution(low, high, log=self.log)

    def to_sklearn(self) -> Any:
        from scipy import stats

        return self.frozen(stats)

    def describe(self) -> str:
        given = self.data()
        arguments = [f"{key}={value}" for key, value in given.items() if key != "distribution"]
        return f"{self.distribution}({', '.join(arguments)})"


class Uniform(Draw):
    distribution: Literal["uniform"]
    loc: Number = 0
    scale: Number = 1

    def ends(self) -> tuple[float, float]:
        return float(self.loc), float(self.loc + self.scale)

    def frozen(self, stats: Any) -> Any:
        return stats.uniform(self.loc, self.scale)


class LogUniform(Draw):
    positive = ("a",)
    limits = ("a", "b")
    log = True
    distribution: Literal["loguniform"]
    a: Number
    b: Number

    def frozen(self, stats: Any) -> Any:
        return stats.loguniform(self.a, self.b)


class RandInt(Draw):
    """Whole numbers from low to high - 1, as in scipy."""

    kind = "int"
    positive = ()
    limits = ("low", "high")
    distribution: Literal["randint"]
    low: Number
    high: Number

    def faults(self, info: ParameterInfo) -> list[Fault]:
        whole = [
            Fault((key,), f"must be a whole number; got {getattr(self, key)}")
            for key in ("low", "high")
            if getattr(self, key) != int(getattr(self, key))
        ]
        return whole or super().faults(info)

    def ends(self) -> tuple[float, float]:
        return int(self.low), int(self.high) - 1

    def points(self) -> Sequence[Value]:
        return range(int(self.low), int(self.high))

    def frozen(self, stats: Any) -> Any:
        return stats.randint(int(self.low), int(self.high))


class Beta(Draw):
    positive = ("a", "b", "scale")
    distribution: Literal["beta"]
    a: Number
    b: Number
    loc: Number = 0
    scale: Number = 1

    def ends(self) -> tuple[float, float]:
        return float(self.loc), float(self.loc + self.scale)

    def frozen(self, stats: Any) -> Any:
        return stats.beta(self.a, self.b, self.loc, self.scale)


class CutDraw(Draw):
    """A distribution without ends, cut to low .. high (what lies outside is not drawn)."""

    limits = ("low", "high")
    low: Number
    high: Number


class Norm(CutDraw):
    distribution: Literal["norm"]
    loc: Number = 0
    scale: Number = 1

    def frozen(self, stats: Any) -> Any:
        low, high = (self.low - self.loc) / self.scale, (self.high - self.loc) / self.scale
        return stats.truncnorm(low, high, self.loc, self.scale)


class LogNorm(CutDraw):
    """exp(X) for X normal with mean log(scale) and standard deviation s."""

    positive = ("s", "scale", "low")
    log = True
    distribution: Literal["lognorm"]
    s: Number
    scale: Number = 1

    def frozen(self, stats: Any) -> Any:
        mean = math.log(self.scale)
        low, high = (math.log(self.low) - mean) / self.s, (math.log(self.high) - mean) / self.s
        return ExpOf(stats.truncnorm(low, high, mean, self.s), float(self.low), float(self.high))


class Expon(CutDraw):
    distribution: Literal["expon"]
    scale: Number = 1

    def faults(self, info: ParameterInfo) -> list[Fault]:
        if self.low < 0:
            return [Fault(("low",), f"must be at least 0, where expon begins; got {self.low}")]
        return super().faults(info)

    def frozen(self, stats: Any) -> Any:
        # Without memory: cut at low, it is the same distribution begun at low.
        return stats.truncexpon((self.high - self.low) / self.scale, self.low, self.scale)


_FORMS: list[type[Draw]] = [Uniform, LogUniform, RandInt, Norm, LogNorm, Expon, Beta]
#: By scipy's name.
DRAWS: dict[str, type[Draw]] = {form.__name__.lower(): form for form in _FORMS}
