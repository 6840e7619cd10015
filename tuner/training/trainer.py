"""The trainer: data resident, every candidate's folds in one stack."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tuner.data.dataset import Dataset, Fold
from tuner.data.scaling import ScalingKind, TargetScaling, fit_target_scaling
from tuner.planning.metrics import MetricInfo
from tuner.planning.plan import TrainingPlan
from tuner.training.batches import same_rows
from tuner.training.class_weight import class_weights
from tuner.training.identity import training_identity
from tuner.training.initial_weights import first_rows
from tuner.training.kind import StackKind, StackShape
from tuner.training.lockstep import Lockstep
from tuner.training.scores import TrialScores, measures_of
from tuner.training.stack import NetworkStack
from tuner.training.stack_cache import STACKS
from tuner.training.stack_data import StackData, unused_weights_stay
from tuner.training.state import TrainingState


class Trainer:
    """Trains candidates on one dataset and its folds, the folds of a candidate in lockstep.

    Args:
        dataset: its search rows stay in memory once, whatever the number of networks.
        folds: one network a fold.
        scaling: of inputs, fitted on each fold's training rows only.
        metrics: scores taken after every epoch besides the loss, names of
            `tuner.planning.METRICS`.
        objective: the metric that early stopping and the plateau schedule watch; taken too.
        sample_weight: `(rows,)`, factors of the rows' losses in training, as in Keras; None: 1.
        target_scalings: a regression's (mean, std) of the targets, each `(outputs,)`, per fold;
            None: fitted on each fold's training rows. What is used is an attribute.
        inputs: those of the features that networks see, as `tuner.training.stack_data.used_inputs`
            finds them; None: all. Every plan must be one whose `unused_weights_stay`.
        own_metrics: those of `metrics` and `objective` that are in no table.

    Raises:
        UsageError: a metric that does not exist or does not fit the task.
    """

    def __init__(
        self,
        dataset: Dataset,
        folds: Sequence[Fold],
        *,
        scaling: ScalingKind = "auto",
        metrics: Sequence[str] = ("accuracy",),
        objective: str = "accuracy",
        sample_weight: NDArray[np.floating] | None = None,
        target_scalings: Sequence[TargetScaling] | None = None,
        inputs: NDArray[np.intp] | None = None,
        own_metrics: Sequence[MetricInfo] = (),
    ) -> None:
        self.dataset = dataset
        self._scaling = scaling
        self._inputs = inputs
        self._sample_weight = (
            None if sample_weight is None else np.asarray(sample_weight, np.float32)
        )
        self.folds = tuple(folds)
        names = [name for name in dict.fromkeys([*metrics, objective]) if name != "loss"]
        self._measures, self._metrics = measures_of(names, objective, dataset.task, own_metrics)
        if dataset.task == "regression" and target_scalings is None:
            target_scalings = [fit_target_scaling(dataset, fold.train) for fold in self.folds]
        self.target_scalings = target_scalings
        self._data = StackData.of(
            dataset, self.folds, scaling, target_scalings, sample_weight, inputs
        )

    def on_folds(self, numbers: Sequence[int]) -> Trainer:
        """A trainer of the numbered ones of these folds, on the same rows in memory."""
        part = copy.copy(self)
        part.folds = tuple(self.folds[number] for number in numbers)
        part._data = self._data.of_networks(numbers)
        if self.target_scalings is not None:
            part.target_scalings = [self.target_scalings[number] for number in numbers]
        return part

    def train(
        self,
        plans: Sequence[TrainingPlan],
        seeds: Sequence[Sequence[int]],
        *,
        callbacks: Sequence[Any] = (),
        weights: bool = False,
        state: TrainingState | None = None,
        snapshots: Sequence[Collection[int]] | None = None,
    ) -> list[TrialScores]:
        """Train `plans` on all folds in one stack of `len(plans) x folds` networks; for a single
        candidate: `[scores] = trainer.train([plan], [seeds])`.

        The scores are those of separate trainings. `plans` share their `StackShape` and batch
        size; all else may differ. A candidate of fewer epochs ends after its own last one.

        Args:
            seeds: for each plan the `tuner.planning.network_seed` of each fold; the same seeds
                give the same scores to the last bit on one machine.
            callbacks: `EpochCallback` or `keras.callbacks.Callback` objects. `logs` at the end of
                an epoch are means over the networks: `loss`, the metrics, both with `val_`,
                `learning_rate`; each network's own are in `self.model.network_logs`, where
                network `c * folds + f` is fold f of candidate c. Setting
                `self.model.stop_training` ends the training; folds that had not ended by
                themselves are `interrupted`. What else `self.model` tells: `StackModel`.
            weights: return each network's weights too.
            state: where an earlier training of these plans' shape ended; go on from there, and
                leave there where this one ends. A `TrainingState()` begins anew. One from the
                middle of a training goes on with the next epoch of that one, which must have
                been of these plans, seeds, `weights`, snapshots and data: its scores are then
                those of a training that was never interrupted, to the last bit.
            snapshots: for each plan the epochs (1-based) after which its weights are kept
                besides: `TrialScores.until` then gives what a training that long gives.

        Raises:
            ValueError: plans that cannot share a stack, or seeds that do not fit.
        """
        shapes = {(StackShape.of(plan, self.dataset.task), plan.batch_size) for plan in plans}
        if len(shapes) != 1:
            raise ValueError(f"plans of one stack share shape and batch size; got {shapes}")
        if self._inputs is not None and not all(map(unused_weights_stay, plans)):
            raise ValueError("a plan that moves weights without a gradient sees all inputs")
        if [len(own) for own in seeds] != [len(self.folds)] * len(plans):
            raise ValueError(f"one seed a fold ({len(self.folds)}) for each plan; got {seeds}")
        folds = self.folds * len(plans)
        networks = [plan for plan in plans for _ in self.folds]
        own_seeds = [seed for own in seeds for seed in own]
        data = self._data.tiled(len(plans))
        by_class = class_weights(networks, folds, self.dataset, self._sample_weight)
        if by_class is not None:
            data = data._replace(class_weight=tf.constant(by_class))
        one_input = same_rows(folds, own_seeds)
        kind = StackKind.of(
            networks, self.folds, self.dataset.task, self._measures, self._inputs, one_input
        )
        # A trace also depends on the form of the data: its dtypes, and which scalings there are.
        form = tuple(None if part is None else (part.dtype, part.shape[1:]) for part in data)
        with STACKS.borrow((kind, form), lambda trace: NetworkStack(kind, trace)) as stack:
            rows = first_rows(networks[0].model, folds, own_seeds, data)
            stack.reset(networks, own_seeds, self._inputs, rows)
            if state is not None and state.values is not None:
                stack.set_state(state.values)
            lockstep = Lockstep(
                stack,
                networks,
                folds,
                own_seeds,
                len(plans),
                data,
                self.dataset.y,
                self._measures,
                weights,
                [own for own in snapshots or [()] * len(plans) for _ in self.folds],
                self._metrics,
            )
            before = 0 if state is None else state.epochs
            if state is not None and state.run is not None:
                lockstep.restore(state.run)
                before -= state.run.epochs
            lockstep.run(callbacks, first_epoch=before)
            if state is not None:
                state.values = stack.get_state()
                state.epochs = before + len(lockstep.epoch_seconds)
                state.run = None
        scores = TrialScores.of(lockstep.run_state(), weights)
        return [
            scores.of_folds(slice(i, i + len(self.folds)))
            for i in range(0, len(networks), len(self.folds))
        ]

    def identity(
        self,
        plans: Sequence[TrainingPlan],
        seeds: Sequence[Sequence[int]],
        *,
        weights: bool = False,
        snapshots: Sequence[Collection[int]] | None = None,
    ) -> dict[str, str]:
        """What a training must agree in with another to go on from its state; arguments as of
        `train`. See `tuner.training.identity`."""
        return training_identity(
            {
                "plans": plans,
                "seeds": seeds,
                "data": [
                    self.dataset.hash,
                    self.dataset.task,
                    self._scaling,
                    self._sample_weight,
                    self.target_scalings,
                    self._inputs,
                    *(["log"] if self.dataset.target_log else []),
                ],
                "folds": self.folds,
                "scores": [self._measures, weights, snapshots],
            }
        )
