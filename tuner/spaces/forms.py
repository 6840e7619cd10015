"""Parameters that are fixed, or one of listed values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tuner.parameters import (
    ParameterInfo,
    Scalar,
    Value,
    fit_scalar,
    fit_value,
    mixture,
    show,
    word,
)
from tuner.spaces.explain import MOST_PROBLEMS, Problem
from tuner.spaces.parameter import MOST_POINTS, Item, Parameter

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution


class Fixed(Parameter):
    """`name: value`, or `name: {value: ..., when: ...}`."""

    varies: ClassVar[bool] = False
    value: Any

    def problems(self, info: ParameterInfo) -> list[Problem]:
        try:
            fit_value(info, self.value)
        except ValueError as error:
            return [Problem((), str(error))]
        return []

    def fitted(self, info: ParameterInfo) -> Fixed:
        return self.model_copy(update={"value": fit_value(info, self.value)})

    def to_data(self) -> Any:
        return super().to_data() if self.when else self.value

    def points(self) -> Sequence[Value]:
        return [self.value]

    def to_optuna(self) -> None:
        return None

    def suggest(self, trial: Trial, name: str) -> Value:
        return self.value

    def describe(self) -> str:
        return word(self.value)


class Listed(Parameter):
    """A list of values, in order."""

    key: ClassVar[str]

    def items(self) -> tuple[Scalar, ...]:
        items: tuple[Scalar, ...] = getattr(self, self.key)
        return items

    def problems(self, info: ParameterInfo) -> list[Problem]:
        items = self.items()
        if info.many:
            return self.no_numbers(info, "choices")
        if not items:
            return [Problem((self.key,), "must hold at least one value; got an empty list")]
        if len(items) > MOST_POINTS:
            return [Problem((self.key,), f"must hold at most {MOST_POINTS}; got {len(items)}")]
        mixed = mixture(items)
        if mixed is not None:
            hint = "; write numbers in quotes too" if info.widths else ""
            text = f"must be of one kind; got a mixture of {mixed}{hint}"
            return [Problem((self.key,), text)]
        problems: list[Problem] = []
        seen: dict[tuple[str, Scalar], Scalar] = {}
        for position, item in enumerate(items):
            if len(problems) == MOST_PROBLEMS:
                break
            loc = (self.key, position)
            try:
                fit = fit_scalar(info, item)
            except ValueError as error:
                problems.append(Problem(loc, str(error)))
                continue
            known = info.aliases.get(fit, fit) if isinstance(fit, str) else fit
            identity = (type(known).__name__, known)
            if identity in seen:
                first = seen[identity]
                same = "" if first == item else f", which is the same as {show(first)}"
                problems.append(Problem(loc, f"must not be given twice; got {show(item)}{same}"))
            seen.setdefault(identity, item)
        return problems

    def fitted(self, info: ParameterInfo) -> Listed:
        return self.model_copy(
            update={self.key: tuple(fit_scalar(info, item) for item in self.items())}
        )

    points = items

    def to_optuna(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.items())

    def describe(self) -> str:
        return ", ".join(word(item) for item in self.items())


class Choices(Listed):
    """`{choices: [...]}`: one of these, in no particular order."""

    key = "choices"
    choices: tuple[Item, ...]


class Values(Listed):
    """`{values: [...]}`: an ordered grid; Optuna's samplers choose one of them."""

    key = "values"
    values: tuple[Item, ...]
