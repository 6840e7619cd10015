"""Parameters that are fixed, or one of listed values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tuner.parameters.info import ParameterInfo, Scalar, Value
from tuner.parameters.values import fit_scalar, fit_value, mixture
from tuner.parameters.words import show, word
from tuner.spaces.explain import Fault
from tuner.spaces.parameter import MOST_POINTS, Item, Parameter

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution


class Fixed(Parameter):
    """`name: value`, or `name: {value: ..., when: ...}`."""

    varies: ClassVar[bool] = False
    value: Any

    def faults(self, info: ParameterInfo) -> list[Fault]:
        try:
            fit_value(info, self.value)
        except ValueError as error:
            return [Fault((), str(error))]
        return []

    def fitted(self, info: ParameterInfo) -> Fixed:
        return self.model_copy(update={"value": fit_value(info, self.value)})

    def data(self) -> dict[str, Any]:
        return {"value": self.value}

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

    def faults(self, info: ParameterInfo) -> list[Fault]:
        items = self.items()
        if info.many:
            return self.no_numbers(info, "choices")
        if not items:
            return [Fault((self.key,), "must hold at least one value; got an empty list")]
        if len(items) > MOST_POINTS:
            return [Fault((self.key,), f"must hold at most {MOST_POINTS}; got {len(items)}")]
        mixed = mixture(items)
        if mixed is not None:
            hint = "; write numbers in quotes too" if info.widths else ""
            text = f"must be of one kind; got a mixture of {mixed}{hint}"
            return [Fault((self.key,), text)]
        faults = []
        seen: dict[tuple[str, Scalar], Scalar] = {}
        for position, item in enumerate(items):
            loc = (self.key, position)
            try:
                fit = fit_scalar(info, item)
            except ValueError as error:
                faults.append(Fault(loc, str(error)))
                continue
            known = info.aliases.get(fit, fit) if isinstance(fit, str) else fit
            identity = (type(known).__name__, known)
            if identity in seen:
                first = seen[identity]
                same = "" if first == item else f", which is the same as {show(first)}"
                faults.append(Fault(loc, f"must not be given twice; got {show(item)}{same}"))
            seen.setdefault(identity, item)
        return faults

    def fitted(self, info: ParameterInfo) -> Listed:
        return self.model_copy(
            update={self.key: tuple(fit_scalar(info, item) for item in self.items())}
        )

    def data(self) -> dict[str, Any]:
        return {self.key: list(self.items())}

    def points(self) -> Sequence[Value]:
        return self.items()

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
