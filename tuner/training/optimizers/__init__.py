"""Keras's optimizers over a stack: every network with its own settings, rate and step count."""

from __future__ import annotations

from functools import cache
from pkgutil import resolve_name
from typing import Any

import keras

from tuner.optimizers import OPTIMIZERS
from tuner.training.optimizers.fused import FusedUpdate as FusedUpdate
from tuner.training.optimizers.fused import fused_update as fused_update
from tuner.training.optimizers.per_network import PerNetwork, StepRate


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
        name: a key of `tuner.optimizers.OPTIMIZERS`.
        switches: constructor arguments that decide the graph (`amsgrad`, `centered`).
        clip: the kind of clipping, or None.
        networks: N, the leading axis of every variable.
        fused: see `fused_update`.
    """
    optimizer = _stacked_class(name)(learning_rate=StepRate(), **dict(switches))
    optimizer.attach(networks, clip, fused)
    optimizer.build(variables)
    optimizer.built = True
    return optimizer


@cache
def _stacked_class(name: str) -> type[Any]:
    """The optimizer's own class for a stack, or Keras's with nothing but the mixin."""
    described = OPTIMIZERS[name]
    if described.stacked:
        found: type[Any] = resolve_name(described.stacked)
        return found
    stock = getattr(keras.optimizers, described.__name__)
    return type(f"Stacked{stock.__name__}", (PerNetwork, stock), {})
