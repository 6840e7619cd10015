"""What a study definition holds of somebody's own code."""

from __future__ import annotations

import sys
from typing import Annotated

from pydantic import Field

from tuner.parameters.kinds import Definition

#: Names of the parts of a study's code; a metric's is `metric` and its name.
BUILD, SAMPLER, PRUNER, METRIC = "build", "sampler", "pruner", "metric"
#: Hexadecimal digits: a file is named by them.
Digits = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]


class CodePart(Definition):
    """One object.

    `what` is for people; `hash` is its `tuner.code.fingerprint`, by which a study is known.
    """

    what: str
    hash: Digits


class CodeSpec(Definition):
    """The file of a study's own code.

    Attributes:
        file: the SHA-256 of its bytes, by which it is named. The same code pickled twice may have
            other bytes, so that this is in no hash of a study.
        python: the version that it was pickled by, such as `3.12`: compiled code fits no other.
        parts: what is in it, by what it is for: `sampler`, `pruner`, `metric minimize:cost`.
    """

    file: Digits
    python: str
    parts: dict[str, CodePart] = Field(min_length=1)


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def has_part(spec: CodeSpec | None, part: str) -> bool:
    """Whether a study has code of somebody's own for this."""
    return spec is not None and part in spec.parts
