"""In what two study definitions differ, a line each."""

import json
from collections.abc import Mapping
from typing import Any


def told_apart(given: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """One line for every field in which `given` differs from `stored`, both as JSON has them."""
    mine, theirs = _flat(given), _flat(stored)
    # Another sampler or pruner says enough; its settings have nothing to be compared with.
    other = [
        f"{part}."
        for part in ("sampler", "pruner")
        if mine[f"{part}.name"] != theirs[f"{part}.name"]
    ]
    return [
        f"{key}: stored {theirs.get(key, 'nothing')}, given {mine.get(key, 'nothing')}"
        for key in dict.fromkeys([*theirs, *mine])
        if mine.get(key) != theirs.get(key)
        and (key.endswith(".name") or not key.startswith(tuple(other)))
    ]


def _flat(fields: Mapping[str, Any]) -> dict[str, str]:
    """Dotted field names to values as JSON."""
    flat: dict[str, str] = {}

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value and not prefix.startswith("space.params."):
            for key, item in value.items():
                add(f"{prefix}.{key}" if prefix else key, item)
        elif prefix != "code":  # there is none
            flat[prefix] = json.dumps(value)

    add("", fields)
    for name in ("space.name", "space.version", "space.description"):
        flat.pop(name, None)
    return flat
