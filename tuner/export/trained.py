"""A trained network with what brings rows to its scale, and the trainer that made it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data import Dataset, Fold, Scaling, fit_scaling, fit_target_scaling
from tuner.data.scaling import ScalingKind, TargetScaling
from tuner.planning.plan import TrainingPlan

if TYPE_CHECKING:
    from tuner.training.own.network import OwnNetwork
    from tuner.training.own.plan import OwnPlan


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedNetwork:
    """A network as it was trained.

    Attributes:
        plan: what was trained.
        seed: of the network.
        scaling, target_scaling: fitted on its training rows; None: identity.
        weights: in the order of `Sequential.get_weights()`.
        network: somebody's own, trained; `plan.model` and `weights` are then of no use.
        temperature: what its logits are divided by; None: it was not calibrated.
    """

    plan: TrainingPlan
    seed: int
    scaling: Scaling | None
    target_scaling: TargetScaling | None
    weights: list[NDArray[np.float32]]
    network: OwnNetwork | None = None
    temperature: float | None = None


def trainer_on(dataset: Dataset, folds: Sequence[Fold], build: Any, **settings: Any) -> Any:
    """A `tuner.training.Trainer`, or an `OwnTrainer` if there is a `build`; `settings` are theirs.
    Imports TensorFlow."""
    from tuner.training import Trainer, set_threads
    from tuner.training.own import OwnTrainer

    # Whoever has used TensorFlow in this process before has settled its threads.
    with suppress(RuntimeError):
        set_threads()
    if build is None:
        return Trainer(dataset, folds, **settings)
    return OwnTrainer(build, dataset, folds, **settings)


def networks_of(
    trainer: Any,
    plan: TrainingPlan | OwnPlan,
    seeds: Sequence[int],
    weights: Sequence[list[NDArray[np.float32]]],
    dataset: Dataset,
    folds: Sequence[Fold],
    scaling: ScalingKind,
) -> list[TrainedNetwork]:
    """The networks that `trainer`, of `trainer_on`, has trained from `plan`, one a fold."""
    if isinstance(plan, TrainingPlan):
        training, own = plan, [None] * len(folds)
    else:
        training, own = plan.training, trainer.networks(plan, seeds)
        for network, values in zip(own, weights, strict=True):
            network.model.set_weights(values)
    return [
        TrainedNetwork(
            plan=training,
            seed=seed,
            scaling=fit_scaling(dataset, fold.train, scaling),
            target_scaling=fit_target_scaling(dataset, fold.train)
            if dataset.task == "regression" and (network is None or not network.own)
            else None,
            weights=values,
            network=network,
        )
        for seed, fold, values, network in zip(seeds, folds, weights, own, strict=True)
    ]
