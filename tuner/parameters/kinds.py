"""Numbers as fields of definitions: finite, and within a range that something can hold."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from tuner.limits import MOST, MOST_SECONDS, MOST_SEED
from tuner.text import read_time

#: What every definition is: immutable, without unknown fields, its numbers finite.
STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

Whole = Annotated[int, Field(ge=0, le=MOST)]
Count = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]
Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS)]


def text_as(read: Callable[[str], Any]) -> BeforeValidator:
    """Of a number that may be written as text with its unit."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


#: Seconds, or as 90s, 10m or 2h.
Time = Annotated[Seconds, text_as(read_time)]


class Definition(BaseModel):
    """What is written in a definition: `STRICT`, and `true` is no number."""

    model_config = STRICT

    @field_validator("*", mode="wrap")
    @classmethod
    def _truth_is_no_number(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        held = handler(value)
        if isinstance(value, bool) and not isinstance(held, bool):
            noun = "a whole number" if isinstance(held, int) else "a number"
            raise ValueError(f"must be {noun}; got {str(value).lower()}")
        return held
