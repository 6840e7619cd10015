"""What two trainings must agree in for one to go on from the other's state."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from tuner import __version__

#: Their versions decide the last bits of a score.
_LIBRARIES = ("keras", "tensorflow")


def training_identity(parts: Mapping[str, object]) -> dict[str, str]:
    """The versions of everything that trains, and a hash of each of `parts`: plans, seeds, data.

    Parts are dataclasses, arrays, sequences, mappings, numbers and text. Equal values give equal
    hashes, whether they are Python's numbers or NumPy's, in this process or another.
    """
    hashes = {name: _hash(part) for name, part in parts.items()}
    return {"tuner": __version__, **_library_versions(), **hashes}


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """In words, what differs between two identities; empty if nothing does."""
    names = dict.fromkeys([*wanted, *found])
    versions = {"tuner", *_LIBRARIES}
    return [
        f"{name} {found.get(name, 'none')} instead of {wanted.get(name, 'none')}"
        if name in versions
        else f"other {name}"
        for name in names
        if wanted.get(name) != found.get(name)
    ]


@cache
def _library_versions() -> dict[str, str]:
    """Read from the installed packages: importing them takes seconds."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _hash(part: object) -> str:
    text = json.dumps(_plain(part), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(part: Any) -> Any:
    """As JSON holds it, with what JSON would lose: classes, and the types of arrays."""
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        fields = {
            field.name: value
            for field in dataclasses.fields(part)
            for value in [getattr(part, field.name)]
            # What hashed before the field was there goes on to hash as it did.
            if not (field.metadata.get("later") and value == field.default)
        }
        return [type(part).__name__, _plain(fields)]
    if isinstance(part, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()
        return [str(part.dtype), list(part.shape), content]
    if isinstance(part, np.generic):
        return part.item()
    if isinstance(part, Mapping):
        return {str(name): _plain(value) for name, value in part.items()}
    if isinstance(part, list | tuple | set | frozenset | range):
        values = sorted(part) if isinstance(part, set | frozenset) else part
        return [_plain(value) for value in values]
    return part
