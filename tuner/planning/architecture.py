"""The MLP of a plan: widths, activation, initializer, regularisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.errors import PlanError
from tuner.parameters import checked
from tuner.planning.plan import ModelPlan
from tuner.spaces.catalogue import CATALOGUE


def plan_model(values: Mapping[str, Any], *, features: int, outputs: int) -> ModelPlan:
    """The MLP that `values` (every catalogue name to its value) describe.

    Every initializer suits a dense kernel of any shape: on one that is not square, `identity` has
    ones on its main diagonal and `orthogonal` has orthonormal rows or columns.

    Units and layers are checked here, the others have been. Raises PlanError.
    """
    for what, size in (("features", features), ("outputs", outputs)):
        if size < 1:
            raise PlanError(f"data must have at least 1 of its {what}; got {size}")
    return ModelPlan(
        features=int(features),
        outputs=int(outputs),
        units=plan_units(values["model.units"], values["model.layers"]),
        activation=values["model.activation"],
        # Keras's `Constant()` has the value 0, and `get("constant")` fails for want of a value.
        initializer="zeros" if values["initializer"] == "constant" else values["initializer"],
        dropout=values["model.dropout"],
        batch_norm=values["model.batch_norm"],
        l1=values["model.l1"],
        l2=values["model.l2"],
    )


def plan_units(units: object, layers: object) -> tuple[int, ...]:
    """The widths of the hidden layers.

    `units` is one width for all `layers`, or a text such as "64-32" that gives each layer its
    own; then `layers` is None. Raises PlanError.
    """
    if not isinstance(units, str):
        return (_whole("model.units", units),) * _whole("model.layers", layers)
    widths = [part.strip() for part in units.split("-")]
    if not all(part.isdecimal() and int(part) >= 1 for part in widths):
        raise PlanError(
            "model.units must be a whole number at least 1, or such numbers joined by '-' "
            f"(64-32: a layer of 64, then one of 32); got {units!r}"
        )
    if layers is not None:
        raise PlanError(
            "model.layers must be left out if model.units gives each layer its width; "
            f"got model.units: {units!r} and model.layers: {layers!r}"
        )
    return tuple(int(part) for part in widths)


def _whole(name: str, value: object) -> int:
    whole: int = checked(CATALOGUE[name], value)
    return whole
