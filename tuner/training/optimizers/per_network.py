"""What turns a Keras optimizer into N independent ones: settings as tensors `(N, 1, 1)`.

Keras's update rules are elementwise, so a scalar setting may be a tensor that broadcasts against
every stacked weight `(N, ...)`. What is not elementwise is replaced here: the iteration counter
(one a network: folds differ in their number of steps) and clipping by norm (of one network, not
of the stacked variable).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.optimizers import OPTIMIZERS
from tuner.training.kind import FusedUpdate


class StepRate(keras.optimizers.schedules.LearningRateSchedule):
    """The networks' learning rates at the present step, `(N, 1, 1)`, read from their tables."""

    def __init__(self) -> None:
        super().__init__()
        self.rate: Any = 0.0

    def __call__(self, step: Any) -> Any:
        return self.rate


class PerNetwork:
    """Mixin before a Keras optimizer class; `attach` first, then Keras's `build`.

    Attributes:
        networks: N.
        clip: `clipnorm`, `global_clipnorm`, `clipvalue` or None; one kind for the whole stack.
        fused: how one kernel updates a variable, if the networks are alike; else None.
        groups: of each variable the settings that its rate and its weight decay are multiplied
            by, names such as `learning_rate_factor.bias`.
    """

    networks: int
    clip: str | None
    fused: FusedUpdate | None
    groups: tuple[tuple[str, ...], ...]

    def attach(
        self,
        networks: int,
        clip: str | None,
        fused: FusedUpdate | None,
        groups: tuple[tuple[str, ...], ...],
    ) -> None:
        self.networks = networks
        self.clip = clip
        self.fused = fused
        self.groups = groups
        if hasattr(self, "momentum"):
            # Keras makes the variables of a momentum only if it is above 0; here it is data.
            self.momentum = 1.0
        shared_counter = self._iterations  # type: ignore[has-type]
        self._untrack_variable(shared_counter)  # type: ignore[attr-defined]
        self._iterations = keras.Variable(
            np.zeros((networks, 1, 1), np.int32), dtype="int32", trainable=False, name="iteration"
        )

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        """Take this step's settings and rates, tensors `(N, 1, 1)`; called while tracing."""
        for name, value in settings.items():
            if name not in BUILD_ONLY and "." not in name:
                setattr(self, name, value)
        self._learning_rate.rate = rate  # type: ignore[attr-defined]
        #: By a variable's group: its rate, what its update makes of it, its factor of weight decay.
        self._rates, self._terms, self._decays = {}, {}, {}
        for group in dict.fromkeys(self.groups):
            self._rates[group] = _times(rate, settings, group, "learning_rate_factor.")
            self._decays[group] = _times(1.0, settings, group, "weight_decay_factor.")
            self._terms[group] = self.terms(self._rates[group])

    def terms(self, rate: Any) -> Any:
        """What `update_step` needs of a rate `(N, 1, 1)`, worked out once for all variables."""
        return None

    def terms_of(self, variable: Any) -> Any:
        """The `terms` of the variable's own rate."""
        return self._terms[self._group_of(variable)]

    def rate_of(self, variable: Any) -> Any:
        """The variable's own rate, `(N, 1, 1)`."""
        return self._rates[self._group_of(variable)]

    def _group_of(self, variable: Any) -> tuple[str, ...]:
        return self.groups[self._get_variable_index(variable)]  # type: ignore[attr-defined]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras's, at the variable's own rate."""
        super().update_step(gradient, variable, self.rate_of(variable))  # type: ignore[misc]

    def _apply_weight_decay(self, variables: list[Any]) -> None:
        """Keras's `w = w - w * weight_decay * learning_rate`, at the variable's own rate."""
        if not any(self.groups):
            super()._apply_weight_decay(variables)  # type: ignore[misc]
            return
        if self.weight_decay is None:  # type: ignore[attr-defined]
            return
        for variable in variables:
            factor = self._decays[self._group_of(variable)]
            decay = self.weight_decay * factor  # type: ignore[attr-defined]
            variable.assign(variable - variable * decay * self.rate_of(variable))

    def initial_state(self, settings: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """What every optimizer variable holds before the first step, in Keras's order."""
        state = []
        for variable in self.variables:  # type: ignore[attr-defined]
            value = np.zeros(variable.shape, variable.dtype)
            if variable.path.rsplit("/", 1)[-1].endswith("accumulator"):
                value += settings["initial_accumulator_value"]
            elif variable is getattr(self, "_u_product", None):
                value += 1.0
            state.append(value)
        return state

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if self.clip is None:
            return grads
        limit = getattr(self, self.clip)
        if self.clip == "clipvalue":
            return [ops.clip(gradient, -limit, limit) for gradient in grads]
        squares = [ops.sum(ops.square(g), axis=(1, 2), keepdims=True) for g in grads]
        if self.clip == "global_clipnorm":
            squares = [sum(squares[1:], squares[0])] * len(grads)
        # limit / max(norm, limit), as Keras; a norm of 0 leaves a gradient of 0.
        return [
            g * (limit / ops.maximum(ops.sqrt(square), limit))
            for g, square in zip(grads, squares, strict=True)
        ]


def is_matrix(variable: Any) -> bool:
    """Whether a stacked variable is of two axes in plain Keras: rules that look at rows and columns
    are for these. A kernel with one input has the shape `(N, 1, out)`, as a bias has."""
    return bool(variable.name == "kernel")


def norm(values: Any) -> Any:
    """The Euclidean norm of each network's part of `values` `(N, ...)`: `(N, 1, 1)`."""
    return ops.sqrt(ops.sum(ops.square(values), axis=(1, 2), keepdims=True))


def remaining(decay: Any, iterations: Any) -> Any:
    """`1 - decay^t`, t being the present step from 1; `(N, 1, 1)`, float64.

    In float32 the last bit of a power depends on a network's place in the stack, and the bits of
    its weights with it.
    """
    step = ops.cast(iterations + 1, "float64")
    return 1.0 - ops.power(ops.cast(decay, "float64"), step)


#: Settings that Keras reads only when it creates its variables.
BUILD_ONLY = frozenset({"initial_accumulator_value"})


def build_optimizer(
    name: str,
    switches: tuple[tuple[str, float | bool], ...],
    clip: str | None,
    networks: int,
    variables: list[Any],
    fused: FusedUpdate | None = None,
    groups: tuple[tuple[str, ...], ...] = (),
) -> Any:
    """A built optimizer over stacked `variables`, its numeric settings still to come as data.

    Args:
        name: a key of `tuner.optimizers.OPTIMIZERS`.
        switches: constructor arguments that decide the graph (`amsgrad`, `ns_steps`).
        clip: the kind of clipping, or None.
        networks: N, the leading axis of every variable.
        fused: see `fused_update`.
        groups: see `PerNetwork`; empty: no variable has one.
    """
    optimizer = _stacked_class(name)(learning_rate=StepRate(), **dict(switches))
    optimizer.attach(networks, clip, fused, groups or ((),) * len(variables))
    optimizer.build(variables)
    optimizer.built = True
    return optimizer


def _times(number: Any, settings: Mapping[str, Any], group: tuple[str, ...], prefix: str) -> Any:
    for name in group:
        if name.startswith(prefix):
            number = number * settings[name]
    return number


@cache
def _stacked_class(name: str) -> type[Any]:
    """The optimizer's own class for a stack, or Keras's with nothing but the mixin."""
    described = OPTIMIZERS[name]
    if described.stacked:
        module, _, own = described.stacked.partition(":")
        found: type[Any] = getattr(import_module(module), own)
        return found
    stock = getattr(keras.optimizers, described.__name__)
    return type(f"Stacked{stock.__name__}", (PerNetwork, stock), {})
