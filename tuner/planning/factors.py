"""Factors of the rate and of weight decay for groups of a network's weights.

A weight's rate is the network's rate times the factors of the groups that it belongs to.
"""

from collections.abc import Mapping
from typing import Any

from tuner.planning.network import layers_of
from tuner.planning.plan import ModelPlan, OptimizerPlan


def plan_factors(
    values: Mapping[str, Any], model: ModelPlan, optimizer: OptimizerPlan
) -> tuple[tuple[str, float], ...]:
    """Those of the `values` that do something in a network of `model`; see `OptimizerPlan`."""
    groups = {
        group for layer in layers_of(model) for weight in layer.weights for group in weight.groups
    }
    acting = ["learning_rate_factor"]
    if optimizer.setting("weight_decay"):
        acting.append("weight_decay_factor")
    named = [f"{factor}.{group}" for factor in acting for group in sorted(groups)]
    return tuple((name, values[name]) for name in named if values.get(name, 1.0) != 1.0)
