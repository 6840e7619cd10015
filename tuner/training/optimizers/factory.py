"""From an optimizer's name and its fixed switches to a Keras optimizer over a stack."""

from __future__ import annotations

from typing import Any

import keras

from tuner.training.optimizers.adam import StackedAdam, StackedAdamW
from tuner.training.optimizers.fused import FusedUpdate
from tuner.training.optimizers.nadam import StackedNadam
from tuner.training.optimizers.per_network import PerNetwork, StepRate
from tuner.training.optimizers.rmsprop import StackedRMSprop
from tuner.training.optimizers.sgd import StackedSGD

#: Keras classes whose update rule needs no change at all.
_STOCK = {
    "adadelta": keras.optimizers.Adadelta,
    "adagrad": keras.optimizers.Adagrad,
    "adamax": keras.optimizers.Adamax,
    "ftrl": keras.optimizers.Ftrl,
    "lion": keras.optimizers.Lion,
}

OPTIMIZERS: dict[str, type[Any]] = {
    "adam": StackedAdam,
    "adamw": StackedAdamW,
    "nadam": StackedNadam,
    "rmsprop": StackedRMSprop,
    "sgd": StackedSGD,
    **{
        name: type(f"Stacked{stock.__name__}", (PerNetwork, stock), {})
        for name, stock in _STOCK.items()
    },
}


def build_optimizer(
    name: str,
    switches: tuple[tuple[str, bool], ...],
    clip: str | None,
    networks: int,
    variables: list[Any],
    fused: FusedUpdate | None = None,
) -> Any:
    """A built optimizer over stacked `variables`, its numeric settings still to come as data.

    Args:
        name: a key of `OPTIMIZERS`.
        switches: constructor arguments that decide the graph (`amsgrad`, `centered`).
        clip: the kind of clipping, or None.
        networks: N, the leading axis of every variable.
        fused: see `fused_update`.
    """
    optimizer = OPTIMIZERS[name](learning_rate=StepRate(), **dict(switches))
    optimizer.attach(networks, clip, fused)
    optimizer.build(variables)
    optimizer.built = True
    return optimizer
