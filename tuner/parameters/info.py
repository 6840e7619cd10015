"""What is known of one parameter: its kind, its default and the values it can take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Scalar = str | int | float | bool | None
#: A fixed value: a scalar, or a list if `ParameterInfo.many`.
Value = Scalar | list[int] | list[float]
Kind = Literal["float", "int", "bool", "category"]
#: More hidden layers than this are a slip of the pen.
MOST_LAYERS = 100


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter that may stand in a space.

    Attributes:
        name: dotted name: the key in space files, in Optuna and in `--set`.
        kind: what a single value is.
        default: what holds if a space leaves the parameter out. None: Keras's own default.
        help: one line for people.
        low, high: inclusive bounds of a number; None: no bound.
        above, below: exclusive bounds of a number.
        choices: the names of a category.
        aliases: further names of a category, each with the choice it stands for.
        many: the value is a list of such numbers, and can only be fixed.
        widths: besides a number, text such as `64-32` (one whole number per layer, at most
            `MOST_LAYERS`) is allowed.
        only_with: the parameter does something only while each parameter named here has one of
            these values, and is left out of a trial otherwise.
        own: of an open space, and not of the catalogue; who reads it checks its values.
    """

    name: str
    kind: Kind
    default: Scalar
    help: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    many: bool = False
    widths: bool = False
    only_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Choices and aliases: every name a category can be given by."""
        return (*self.choices, *self.aliases)

    @property
    def section(self) -> str:
        """The part of the name before the dot: what the parameter is a setting of."""
        return self.name.split(".")[0]

    @property
    def bounds(self) -> str:
        """The bounds in words, e.g. `above 0, at most 1`; empty without any."""
        parts = (
            ("at least", self.low),
            ("above", self.above),
            ("at most", self.high),
            ("below", self.below),
        )
        return ", ".join(
            f"{words} {bound if isinstance(bound, int) else format(bound, 'g')}"
            for words, bound in parts
            if bound is not None
        )

    @property
    def rule(self) -> str:
        """What a single value must be, in words: `a whole number at least 1`."""
        if self.own and self.kind == "category":
            return "text, a number, true, false or null"
        noun = {"int": "a whole number", "float": "a number", "bool": "true or false"}
        return f"{noun.get(self.kind, 'one of ' + ', '.join(self.names))} {self.bounds}".strip()

    def contains(self, number: float) -> bool:
        """Whether a number lies within the bounds."""
        return (
            (self.low is None or number >= self.low)
            and (self.above is None or number > self.above)
            and (self.high is None or number <= self.high)
            and (self.below is None or number < self.below)
        )
