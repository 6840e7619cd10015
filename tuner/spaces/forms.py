"""Parameters that are fixed, or one of listed values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator

from tuner.parameters import (
    Kind,
    ParameterInfo,
    Scalar,
    Value,
    fit_scalar,
    fit_value,
    mixture,
    own_kind,
    plain,
    show,
    word,
)
from tuner.spaces.explain import MOST_PROBLEMS, Problem
from tuner.spaces.parameter import MOST_POINTS, Item, Parameter, Varying

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution


def _plain(value: object) -> object:
    return [plain(item) for item in value] if isinstance(value, list | tuple) else plain(value)


class Fixed(Parameter):
    """`name: value`, or `name: {value: ..., when: ...}`."""

    varies: ClassVar[bool] = False
    value: Annotated[Any, BeforeValidator(_plain)]

    def problems(self, info: ParameterInfo) -> list[Problem]:
        try:
            fit_value(info, self.value)
        except ValueError as error:
            return [Problem((), str(error))]
        return []

    def own_kind(self) -> Kind:
        return own_kind(self.value if isinstance(self.value, list | tuple) else [self.value])

    def fits(self, info: ParameterInfo) -> dict[str, Any]:
        return {"value": fit_value(info, self.value)}

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


class Listed(Varying):
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
        mixed = None if info.own else mixture(items)
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
                fit = item if info.own else fit_scalar(info, item)
            except ValueError as error:
                problems.append(Problem(loc, str(error)))
                continue
            known = info.aliases.get(fit, fit) if isinstance(fit, str) else fit
            # Optuna finds a choice by ==, by which 1 is 1.0 and true.
            identity = ("" if info.own else type(known).__name__, known)
            if identity in seen:
                first = seen[identity]
                same = "" if show(first) == show(item) else f", which is the same as {show(first)}"
                problems.append(Problem(loc, f"must not be given twice; got {show(item)}{same}"))
            seen.setdefault(identity, item)
        return problems

    def own_kind(self) -> Kind:
        return own_kind(self.items())

    def fits(self, info: ParameterInfo) -> dict[str, Any]:
        return {} if info.own else {self.key: tuple(fit_scalar(info, i) for i in self.items())}

    def fit(self, value: object) -> Value:
        for item in self.items() if self.info.own else ():
            if item == plain(value):
                return item  # 1 may be given for 1.0
        return super().fit(value)

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
