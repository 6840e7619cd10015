"""Samplers and pruners as a study definition names them: `sampler: {name: tpe, ...}`."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import (
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from tuner.parameters.kinds import Definition
from tuner.registry import Registry, summary
from tuner.spaces.explain import problems_of, to_validation_error


class Named(Definition):
    """A class whose name is written in a definition and whose fields are its settings there.

    Attributes:
        name: by which it is registered; it is written with the settings, and not one of them.
    """

    name: ClassVar[str]

    @model_serializer(mode="wrap")
    def _with_name(self, settings: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"name": self.name, **settings(self)}

    @classmethod
    def summary(cls) -> str:
        """What it is, for people, in one line."""
        return summary(cls)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """Its settings with their defaults; None for one that must be given."""
        return {
            name: None if field.is_required() else field.default
            for name, field in cls.model_fields.items()
        }


AnyNamed = TypeVar("AnyNamed", bound=Named)


def by_name(
    registry: Callable[[], Registry[type[AnyNamed]]], custom: type[AnyNamed]
) -> Callable[[object], object]:
    """A pydantic validator: a name, or a mapping that holds one, to an object of that class.

    A bare name stands for the defaults. Problems with settings are told with the fields of the
    class that was named.

    Args:
        custom: stands for an object of Optuna's that came with the study's code.
    """

    def choose(data: object) -> object:
        given = {"name": data} if isinstance(data, str) else data
        if not isinstance(given, Mapping):
            return data
        if given.get("name") is None:
            raise ValueError(f"name is required. Available: {', '.join(registry())}")
        kinds = registry()
        kind = custom if given["name"] == custom.name else kinds.get(str(given["name"]))
        if kind is None:
            raise ValueError(kinds.unknown(given.get("name")))
        settings = {key: value for key, value in given.items() if key != "name"}
        try:
            return kind.model_validate(settings)
        except ValidationError as error:
            raise to_validation_error(kind.name, problems_of(error, kind), settings) from None

    return choose
