"""The network of an exported folder: read by Keras, after a look at what it is."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.data.sources.unpacked import UNREADABLE
from tuner.export import folder
from tuner.export.contents import Preprocessing, broken
from tuner.export.quiet import any_column_name
from tuner.files import too_large, unreadable
from tuner.text import quoted, said

if TYPE_CHECKING:
    import keras

_CONFIG = "config.json"
_NETWORKS = ("Sequential", "Functional")
#: What networks of a space are made of, and such layers of Keras as people's own networks have that
#: only compute; whatever else a file names may run code when it is read.
_LAYERS = {
    *("InputLayer", "Rescaling", "Dense", "BatchNormalization", "Activation", "Dropout"),
    *("EinsumDense", "StringLookup", "Reshape", "Flatten", "Permute", "RepeatVector", "Embedding"),
    *(f"{kind}{n}D" for kind in ("Conv", "MaxPooling", "AveragePooling") for n in (1, 2, 3)),
    *(f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
    *(f"{kind}{n}D" for kind in ("SpatialDropout", "ZeroPadding", "UpSampling") for n in (1, 2, 3)),
    *("SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D"),
    *("Conv2DTranspose", "LayerNormalization", "GroupNormalization", "UnitNormalization"),
    *("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "GaussianNoise", "GaussianDropout"),
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
    *("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "Bidirectional"),
    *("MultiHeadAttention", "Attention", "ActivityRegularization"),
}
_KNOWN: dict[str, set[str] | None] = {
    "keras": {"Sequential", "DTypePolicy"},
    "keras.src.models.functional": {"Functional"},
    "keras.src.ops.core": {"Cast"},
    "keras.src.ops.nn": {"OneHot"},
    "keras.src.ops.numpy": None,
    "None": {"__keras_tensor__", "__numpy__", "__slice__"},
    "keras.layers": _LAYERS,
    "keras.initializers": None,
    "keras.regularizers": None,
    "keras.optimizers": None,
    "keras.optimizers.schedules": None,
    "keras.losses": None,
    "keras.metrics": None,
}


def load_network(place: Path, facts: Preprocessing) -> keras.Model:
    """The network, which takes rows of `facts.features` and answers `facts.outputs` values.

    Raises `UsageError` if its file is torn, or none that an export writes: Keras itself is only
    given what holds the layers of an export.
    """
    if reason := unreadable(place / folder.MODEL) or _strange(place / folder.MODEL):
        raise broken(place, folder.MODEL, reason)
    import keras

    try:
        with any_column_name():
            model = keras.saving.load_model(place / folder.MODEL, compile=False)
        shapes = (_input_shape(model), tuple(model.output_shape))
        finite = all(np.isfinite(weight).all() for weight in model.get_weights())
    except Exception as error:  # a file that was changed makes Keras stumble anywhere
        raise broken(place, folder.MODEL, f"cannot be loaded: {said(error)}") from error
    expected: Any = (None, facts.features)
    if facts.encoding is not None:
        expected = {column.name: (None, 1) for column in facts.encoding.columns}
    if shapes != (expected, (None, facts.outputs)):
        reason = (
            f"takes {quoted(shapes[0])} and answers {quoted(shapes[1])}; {folder.PREPROCESSING} "
            f"says {facts.features} features and {facts.outputs} outputs"
        )
        raise broken(place, folder.MODEL, reason)
    if not finite:
        raise broken(place, folder.MODEL, "holds weights that are NaN or infinite")
    return model


def _input_shape(model: keras.Model) -> Any:
    """A shape, or that of each column by name."""
    import keras

    if isinstance(model, keras.Sequential):
        return tuple(model.input_shape)
    if not isinstance(model.input, dict):
        return tuple(model.input.shape)
    return {name: tuple(own.shape) for name, own in model.input.items()}


def _strange(file: Path) -> str | None:
    """Why a file is no network of an export, as the end of a sentence; None if it may be one."""
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if reason := too_large(unpacked):
                return f"{reason}, once unpacked"
            damaged = archive.testzip()
            if damaged is not None:
                return f"is torn: {damaged} in it is not as it was written"
            config = json.loads(archive.read(_CONFIG))
    except (*UNREADABLE, KeyError, ValueError, RecursionError) as error:
        return f"is torn, or none of Keras ({said(error)})"
    if not isinstance(config, dict) or config.get("class_name") not in _NETWORKS:
        return f"is another network than tuner export writes, which is a {' or '.join(_NETWORKS)}"
    for module, name in _classes(config):
        known = _KNOWN.get(module, set())
        if known is not None and name not in known:
            return (
                f"holds {quoted(f'{module}.{name}')}, which may run code: it is not loaded. What "
                "is loaded are Keras's own layers that only compute, such as Dense, Conv2D, LSTM"
            )
    return None


def _classes(config: Any) -> Iterator[tuple[str, str]]:
    """The module and the name of every class that a configuration asks for."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield str(config.get("module")), str(config["class_name"])
        for value in config.values():
            yield from _classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _classes(value)
