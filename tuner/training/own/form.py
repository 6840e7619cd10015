"""Whether two networks have the same graph but for their variables: then they share one trace.

Tracing a network takes as long as several epochs of it. Only what Keras itself brings is known by
its configuration: a layer of somebody's own may hold numbers that no configuration tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from tuner.training.own.network import OwnNetwork

#: Layers that run somebody's own code.
_FOREIGN = frozenset({"Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"})


def form_of(network: OwnNetwork) -> str | None:
    """Equal for networks of equal graphs; None for one of which nobody can tell."""
    model = network.model
    try:
        parts = {"model": keras.saving.serialize_keras_object(model)}
        if network.own:
            parts["compile"] = model.get_compile_config()
        else:
            parts["model"].pop("compile_config", None)
        text = json.dumps(_unnamed(parts, _names(parts)), sort_keys=True)
    except Exception:  # what cannot be written down has no form
        return None
    known = all(
        module.split(".")[0] == "keras" and name not in _FOREIGN and registered in (None, name)
        for module, name, registered in _classes(parts)
    )
    variables = [[list(v.shape), v.dtype, v.trainable] for v in network.variables]
    return text + json.dumps(variables) if known else None


def _classes(config: Any) -> Iterator[tuple[str, str, str | None]]:
    """Module, name and registered name of every class that a configuration asks for."""
    if isinstance(config, Mapping):
        if "class_name" in config and config["class_name"] not in _PLAIN:
            name = str(config["class_name"])
            yield str(config.get("module")), name, config.get("registered_name")
        for value in config.values():
            yield from _classes(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _classes(value)


#: Keras's words for values that are no objects.
_PLAIN = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__"})


def _names(config: Any) -> dict[str, str]:
    """Each name of a layer, in the order in which they come, to its number: Keras counts the
    layers of a process."""
    found: dict[str, str] = {}

    def look(part: Any) -> None:
        if isinstance(part, Mapping):
            name = part.get("name")
            if isinstance(name, str):
                found.setdefault(name, f"#{len(found)}")
            for value in part.values():
                look(value)
        elif isinstance(part, list | tuple):
            for value in part:
                look(value)

    look(config)
    return found


def _unnamed(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part, Mapping):
        return {key: _unnamed(value, names) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_unnamed(value, names) for value in part]
    return names.get(part, part) if isinstance(part, str) else part
