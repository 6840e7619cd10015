"""Every network's hyperparameters as arrays, as a graph takes them. Needs Keras alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tuner.planning.plan import TrainingPlan
from tuner.training.kind import StackShape
from tuner.training.layers import DropoutClock


class StackSettings(NamedTuple):
    """Every hyperparameter of every network, `(N, 1, 1)` each, by name: those of the optimizer,
    those of the layers, those of the loss."""

    optimizer: dict[str, Any]
    layers: dict[str, Any]
    loss: dict[str, Any]

    @classmethod
    def of(
        cls, shape: StackShape, plans: Sequence[TrainingPlan], seeds: Sequence[int]
    ) -> StackSettings:
        """Of networks that train as `plans`, all of `shape`, from `seeds`; as arrays."""
        given = [dict(plan.optimizer.settings) for plan in plans]
        switches = dict(shape.switches)
        layers: dict[str, Any] = {}
        if shape.regularized:
            layers["l1"] = _column([plan.model.l1 for plan in plans])
            layers["l2"] = _column([plan.model.l2 for plan in plans])
        if shape.dropout:
            layers |= DropoutClock.settings(list(seeds), [plan.model.dropout for plan in plans])
        return cls(
            {n: _column([own[n] for own in given]) for n in given[0] if n not in switches},
            layers,
            {
                "label_smoothing": _column([plan.loss.label_smoothing for plan in plans]),
                "delta": _column([plan.loss.delta for plan in plans]),
            },
        )


def _column(values: list[Any]) -> Any:
    return np.array(values, np.float32).reshape(-1, 1, 1)
