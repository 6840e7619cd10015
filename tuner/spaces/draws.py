"""Parameters drawn from a distribution of `scipy.stats`, under scipy's names for its arguments.

`--sampler sklearn-random` draws from exactly these. Optuna's samplers take from them what an
Optuna distribution can hold: the two ends, whether the scale is logarithmic, and whether the
numbers are whole. Distributions without ends (`norm`, `lognorm`, `expon`) are therefore cut to
low .. high, both of which have to be given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tuner.parameters import Kind, ParameterInfo, Value, fit_scalar, word
from tuner.spaces.explain import Problem
from tuner.spaces.parameter import Number, Varying

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class Exp:
    """`exp` of what a frozen distribution of scipy draws, rounded if `whole`, at least `low` and
    at most `high`.

    It has the one method that scikit-learn's ParameterSampler asks of a distribution: `rvs`.
    """

    logarithm: Any
    low: float
    high: float
    whole: bool = False

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """One number if `size` is None, else an array of that shape: int64 or float64."""
        import numpy as np

        drawn = np.exp(self.logarithm.rvs(size=size or 1, random_state=random_state))
        if self.whole:
            drawn = np.rint(drawn).astype(np.int64)
        # The ends themselves may be missed by a rounding of exp(log(x)).
        inside = np.clip(drawn, self.low, self.high)
        return inside[0].item() if size is None else inside


class Draw(Varying):
    """`{distribution: name, ...}`; the subclasses name the arguments."""

    #: Which parameters it can draw for.
    kind: ClassVar[Literal["int", "float"]] = "float"
    #: Arguments that must be above 0.
    positive: ClassVar[tuple[str, ...]] = ("scale",)
    #: The arguments that are the two ends, the first below the second; None: `loc` is the lower
    #: one, `scale` the width.
    limits: ClassVar[tuple[str, str] | None] = None
    #: Whether Optuna's samplers see a logarithmic scale.
    log: ClassVar[bool] = False

    distribution: str

    def frozen(self, stats: Any) -> Any:
        """What ParameterSampler draws from, made by scipy's module `stats`."""
        arguments = self.model_dump(exclude={"when", "default", "distribution"})
        return getattr(stats, self.distribution)(**arguments)

    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that can be drawn."""
        if self.limits is None:
            return float(self.loc), float(self.loc + self.scale)  # type: ignore[attr-defined]
        return float(getattr(self, self.limits[0])), float(getattr(self, self.limits[1]))

    def problems(self, info: ParameterInfo) -> list[Problem]:
        name = self.distribution
        if info.many or info.kind not in ("int", "float"):
            return self.no_numbers(info, "distribution")
        if info.kind != self.kind:
            noun = {"int": "a whole number", "float": "a number with fractions"}[info.kind]
            names = ", ".join(key for key, form in DRAWS.items() if form.kind == info.kind)
            return [Problem(("distribution",), f"must draw {noun} ({names}); got {name}")]
        problems = [
            Problem((key,), f"must be above 0; got {getattr(self, key)}")
            for key in self.positive
            if getattr(self, key) <= 0
        ]
        if self.limits is not None:
            (first, low), (second, high) = ((key, getattr(self, key)) for key in self.limits)
            if low >= high:
                text = f"{first} must be below {second}; got {first} {low}, {second} {high}"
                problems.append(Problem((), text))
        if not problems:
            low, high = self.ends()
            if not (info.contains(low) and info.contains(high)):
                text = f"must be {info.bounds}; {name} draws from {word(low)} to {word(high)}"
                return [Problem((), text)]
            for end in (low, high):
                try:
                    fit_scalar(info, end)
                except ValueError as error:
                    return [Problem((), f"{error}; {name} draws from {word(low)} to {word(high)}")]
        return problems

    def own_kind(self) -> Kind:
        return self.kind

    def fits(self, info: ParameterInfo) -> dict[str, Any]:
        return {}

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
        arguments = [
            f"{key}={value}"
            for key, value in given.items()
            if key not in ("distribution", "default")
        ]
        return f"{self.distribution}({', '.join(arguments)})"


class Uniform(Draw):
    distribution: Literal["uniform"]
    loc: Number = 0
    scale: Number = 1


class LogUniform(Draw):
    positive = ("a",)
    limits = ("a", "b")
    log = True
    distribution: Literal["loguniform"]
    a: Number
    b: Number


class RandInt(Draw):
    """Whole numbers from low to high - 1, as in scipy."""

    kind = "int"
    positive = ()
    limits = ("low", "high")
    distribution: Literal["randint"]
    low: Number
    high: Number

    def problems(self, info: ParameterInfo) -> list[Problem]:
        whole = [
            Problem((key,), f"must be a whole number; got {getattr(self, key)}")
            for key in ("low", "high")
            if getattr(self, key) != int(getattr(self, key))
        ]
        return whole or super().problems(info)

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
        return Exp(stats.truncnorm(low, high, mean, self.s), float(self.low), float(self.high))


class Expon(CutDraw):
    distribution: Literal["expon"]
    scale: Number = 1

    def problems(self, info: ParameterInfo) -> list[Problem]:
        if self.low < 0:
            return [Problem(("low",), f"must be at least 0, where expon begins; got {self.low}")]
        return super().problems(info)

    def frozen(self, stats: Any) -> Any:
        # Without memory: cut at low, it is the same distribution begun at low.
        return stats.truncexpon((self.high - self.low) / self.scale, self.low, self.scale)


_FORMS: list[type[Draw]] = [Uniform, LogUniform, RandInt, Norm, LogNorm, Expon, Beta]
#: By scipy's name.
DRAWS: dict[str, type[Draw]] = {form.__name__.lower(): form for form in _FORMS}
