"""Parameters that are numbers between two ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from tuner.parameters import Kind, ParameterInfo, Value, fit_scalar, own_kind, word
from tuner.spaces.explain import Problem
from tuner.spaces.parameter import Number, Varying

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

#: A step that leaves more values than this is a slip of the pen.
MOST_STEPS = 10**9


class Range(Varying):
    """`{low, high, log, step, type}`: numbers from low to high, both included.

    `type` follows from the parameter and need not be written; whole numbers have step 1 unless
    another is given.
    """

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None
    type: Literal["int", "float"] | None = None

    def problems(self, info: ParameterInfo) -> list[Problem]:
        if info.many or info.kind not in ("int", "float"):
            return self.no_numbers(info, "range")
        problems = []
        if self.type not in (None, info.kind):
            problems.append(Problem(("type",), f"must be {info.kind}; got {self.type}"))
        for end in ("low", "high"):
            try:
                fit_scalar(info, getattr(self, end))
            except ValueError as error:
                problems.append(Problem((end,), str(error)))
        if self.low > self.high:
            problems.append(
                Problem((), f"low must not be above high; got low {self.low}, high {self.high}")
            )
        if self.log and self.low <= 0:
            problems.append(Problem(("log",), f"log needs low above 0; got low {self.low}"))
        if self.step is not None:
            problems += self._step_problems(info, self.step)
        return problems

    def _step_problems(self, info: ParameterInfo, step: float) -> list[Problem]:
        if self.log:
            return [Problem(("step",), f"log and step exclude each other; got step {step}")]
        if step <= 0:
            return [Problem(("step",), f"must be above 0; got {step}")]
        if info.kind == "int" and step != int(step):
            return [Problem(("step",), f"must be a whole number; got {step}")]
        width = Decimal(str(self.high)) - Decimal(str(self.low))
        if width / Decimal(str(step)) > MOST_STEPS:
            return [Problem(("step",), f"must leave at most {MOST_STEPS} values; got {step}")]
        left_over = width % Decimal(str(step))
        if width > 0 and left_over != 0:
            last = Decimal(str(self.high)) - left_over
            return [
                Problem(
                    ("step",),
                    f"must divide high - low evenly; got {step} from {self.low} to {self.high}, "
                    f"where the last value would be {last}",
                )
            ]
        return []

    def own_kind(self) -> Kind:
        numbers = [self.low, self.high] + ([] if self.step is None else [self.step])
        return self.type or ("int" if own_kind(numbers) == "int" else "float")

    def fits(self, info: ParameterInfo) -> dict[str, Any]:
        number = int if info.kind == "int" else float
        step = None if self.step is None else number(self.step)
        ends = {"low": number(self.low), "high": number(self.high)}
        return {**ends, "step": step, "type": info.kind}

    def points(self) -> Sequence[Value] | None:
        if self.low == self.high:
            return [self.low]
        if self.type == "int":
            return range(int(self.low), int(self.high) + 1, int(self.step or 1))
        if self.step is None:
            return None
        low, step = Decimal(str(self.low)), Decimal(str(self.step))
        count = int((Decimal(str(self.high)) - low) / step) + 1
        # In decimals, because 0.1 + 2 * 0.1 is not 0.3 in binary fractions.
        return _Steps(low, step, count)

    def takes(self, value: Value) -> bool:
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        step = self.step or (1 if self.type == "int" else None)
        # Values that a computation made may be off by their last digits.
        return step is None or abs((steps := (value - self.low) / step) - round(steps)) < 1e-8

    def to_optuna(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.type == "int":
            step = int(self.step or 1)
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=step)
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def to_sklearn(self) -> Any:
        from scipy import stats

        from tuner.spaces.draws import Exp

        points = self.points()
        if self.type == "int" and points is not None and len(points) > 1:
            if self.log:
                # As Optuna samples its logarithmic integers: round(exp(U)), with U uniform on
                # log(low - 0.5) .. log(high + 0.5).
                low, high = int(self.low), int(self.high)
                start = math.log(low - 0.5)
                return Exp(
                    stats.uniform(start, math.log(high + 0.5) - start), low, high, whole=True
                )
            if self.step in (None, 1):
                return stats.randint(int(self.low), int(self.high) + 1)
        if points is not None:
            return list(points)
        if self.log:
            return stats.loguniform(self.low, self.high)
        return stats.uniform(self.low, self.high - self.low)

    def describe(self) -> str:
        words = f"{word(self.low)} .. {word(self.high)}"
        if self.log:
            words += ", log"
        return words if self.step is None else f"{words}, step {word(self.step)}"


class _Steps(Sequence[Value]):
    """low, low + step, ...: as many as `length`, made when they are asked for."""

    def __init__(self, low: Decimal, step: Decimal, length: int) -> None:
        self.low, self.step, self.length = low, step, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.length))]
        if not -self.length <= index < self.length:
            raise IndexError(index)
        return float(self.low + (index % self.length) * self.step)
