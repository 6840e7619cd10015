"""What a candidate of a user's own network trains as. No TensorFlow: `build` is not called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tuner.data.dataset import Dataset
from tuner.errors import PlanError
from tuner.parameters import Value
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.plan import SCHEDULED
from tuner.spaces.catalogue import CATALOGUE
from tuner.text import quoted

#: What `build` makes of the parameters is its own affair, also if they have the catalogue's names.
_OF_THE_NETWORK = (
    "model.", "initializer", "embedding", "learning_rate_factor.", "weight_decay_factor.",
)  # fmt: skip


@dataclass(frozen=True)
class OwnPlan:
    """One candidate.

    Attributes:
        params: all of them, sorted by name: what `build` is given.
        training: epochs, batch size and early stopping; of a model that `build` leaves uncompiled
            optimizer, loss and schedule too. Its `model` says how many values enter and leave.
        code: the hash of `build`.
        parameters: weights of one network; None: nobody asked.
    """

    params: tuple[tuple[str, Value], ...]
    training: TrainingPlan
    code: str
    parameters: int | None = field(default=None, metadata={"later": True})

    @property
    def epochs(self) -> int:
        return self.training.epochs


def plan_own(params: Mapping[str, Value], dataset: Dataset, code: str) -> OwnPlan:
    """The parameters of the catalogue that are not about the network, as for every other study.

    Raises PlanError for a value outside its limits, what else `plan_training` refuses, and for
    settings that follow a schedule: a compiled model's are numbers.
    """
    known = {
        name: value
        for name, value in params.items()
        if name in CATALOGUE and not name.startswith(_OF_THE_NETWORK)
    }
    training = plan_training(
        known, features=dataset.features, outputs=dataset.outputs, task=dataset.task
    )
    for name, _ in training.scheduled:
        raise PlanError(
            f"{SCHEDULED[name]} is for networks of parameters; got "
            f"{quoted(params[SCHEDULED[name]])} for one of your own, whose {name} stays as it is. "
            "Available: constant"
        )
    if training.averaging is not None:
        raise PlanError(
            f"weight_averaging is for networks of parameters; got {training.averaging.kind} for "
            "one of your own. Available: none"
        )
    return OwnPlan(tuple(sorted(params.items())), training, code)
