"""Numbers as fields of definitions: finite, and within a range that something can hold."""

from typing import Annotated

from pydantic import ConfigDict, Field

from tuner.limits import MOST, MOST_SECONDS, MOST_SEED

#: What every definition is: immutable, without unknown fields, its numbers finite.
STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

Whole = Annotated[int, Field(ge=0, le=MOST)]
Count = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]
Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS)]
