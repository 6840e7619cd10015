"""How a number enters a network as several values: the kinds of embeddings and their settings.

What computes them is `tuner.training.layers.embedding`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar

from tuner.parameters import ParameterInfo, setting, setting_as, settings_of

SIGMA = setting(0.1, "Standard deviation of the first frequencies.", above=0)
FREQUENCIES = setting(16, "Frequencies of each number.", low=1, high=10_000)
UNITS = setting(4, "Values that each number becomes.", low=2, high=10_000)


@dataclass(frozen=True)
class Embedding:
    """Numbers enter as they are.

    The docstring of a subclass is its line for people. Its fields are its settings, with the
    defaults of its source. A number x has frequencies c, phases b, a matrix W and a bias v of its
    own, and becomes

        activation(W cos(2 pi c x + b) + v)                      (phased)
        activation(W [cos(2 pi c x), sin(2 pi c x)] + v)         (not phased)

    Attributes:
        phased: whether there are phases; else a sine stands beside each cosine.
        activation: Keras's name for it.
        with_value: whether x itself is one of its values.
    """

    name: ClassVar[str] = "none"
    phased: ClassVar[bool]
    activation: ClassVar[str]
    with_value: ClassVar[bool]

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__.lower()
        dataclass(frozen=True)(cls)

    @classmethod
    def settings(cls) -> dict[str, ParameterInfo]:
        """Field -> the parameter that it is, whose default of None leaves the value to the kind."""
        infos = settings_of(cls, "embedding")
        return {name: replace(info, default=None) for name, info in infos.items()}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Setting -> the kind's own default."""
        return {own.name: own.default for own in fields(cls)}


class PLR(Embedding):
    """Sines and cosines, linear, ReLU (Gorishniy et al. 2022)."""

    # Defaults of the authors' package rtdl_num_embeddings.
    phased, activation, with_value = False, "relu", False
    sigma: float = setting_as(SIGMA, 0.01)
    frequencies: int = setting_as(FREQUENCIES, 48)
    units: int = setting_as(UNITS, 24)


class PBLD(Embedding):
    """Cosines with phases, linear, and the number itself (RealMLP, Holzmueller et al. 2024)."""

    phased, activation, with_value = True, "linear", True
    sigma: float = SIGMA
    frequencies: int = FREQUENCIES
    units: int = UNITS


#: Name in a space -> class.
EMBEDDINGS: Mapping[str, type[Embedding]] = MappingProxyType(
    {kind.name: kind for kind in (Embedding, PLR, PBLD)}
)
