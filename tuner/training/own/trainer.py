"""The trainer of a user's own network: the folds of a candidate in one graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import tensorflow as tf

from tuner.data.dataset import Dataset, Fold
from tuner.data.scaling import ScalingKind, fit_target_scaling
from tuner.parameters import Value
from tuner.planning.metrics import MetricInfo
from tuner.training.callbacks import EpochCallback
from tuner.training.class_weight import class_weights
from tuner.training.grouping import Stacking
from tuner.training.identity import training_identity
from tuner.training.kind import StackShape
from tuner.training.lockstep import Lockstep
from tuner.training.own.compiling import with_own_rates
from tuner.training.own.network import Build, OwnNetwork, built_network
from tuner.training.own.plan import OwnPlan, plan_own
from tuner.training.own.stack import OwnStack
from tuner.training.scores import TrialScores, measures_of
from tuner.training.stack_data import StackData
from tuner.training.state import TrainingState


class OwnTrainer:
    """Trains the networks that `build(params)` makes, a candidate's folds side by side.

    Args:
        build: from a candidate's parameters to a `keras.Model` of one input and one output. It is
            called once for each fold after `keras.utils.set_random_seed` of the fold's seed. A
            model that it compiles brings its own optimizer, rate and loss.
        code: its hash: a training goes on only from states of the same.
        counting: plans say how many weights a network has, for which one is built.
        dataset, folds, scaling, metrics, objective, own_metrics: as of `tuner.training.Trainer`.

    Raises:
        UsageError: a metric that does not exist or does not fit the task.
    """

    def __init__(
        self,
        build: Build,
        dataset: Dataset,
        folds: Sequence[Fold],
        *,
        code: str = "",
        scaling: ScalingKind = "auto",
        metrics: Sequence[str] = ("accuracy",),
        objective: str = "accuracy",
        own_metrics: Sequence[MetricInfo] = (),
        counting: bool = False,
    ) -> None:
        self.folds = len(folds)
        self.data_hash = dataset.hash
        self._build = build
        self._code = code
        self._counting = counting
        self._dataset = dataset
        self._folds = tuple(folds)
        self._scaling = scaling
        names = [name for name in dict.fromkeys([*metrics, objective]) if name != "loss"]
        self._measures, self._metrics = measures_of(names, objective, dataset.task, own_metrics)
        regression = dataset.task == "regression"
        targets = [fit_target_scaling(dataset, f.train) for f in folds] if regression else None
        self._data = StackData.of(dataset, folds, scaling, targets, None, None)

    def plan(self, params: Mapping[str, Value]) -> OwnPlan:
        """Raises `PlanError` for training parameters that cannot train; what is wrong with the
        network itself is a `PlanError` of `train`, or of this if weights are counted."""
        plan = plan_own(params, self._dataset, self._code)
        if not self._counting:
            return plan
        [network] = self.networks(plan, [0])
        return replace(plan, parameters=network.model.count_params())

    def require(self, params: Mapping[str, Value]) -> None:
        """Raise `PlanError` if the network of these parameters cannot train on the data."""
        self.networks(self.plan(params), [0])

    def stacking(self, plan: OwnPlan) -> Stacking:
        """Each candidate alone: its networks may be of any form."""
        return Stacking(kind=plan, training=None, most=1)

    def identity(self, plans: Sequence[OwnPlan], seeds: Sequence[Sequence[int]]) -> dict[str, str]:
        """What a training must agree in with another to go on from its state."""
        data = self._dataset
        return training_identity(
            {
                "plans": plans,
                "seeds": seeds,
                "data": [data.hash, data.task, self._scaling, data.target_log],
                "folds": self._folds,
                "scores": [self._measures],
            }
        )

    def train(
        self,
        plans: Sequence[OwnPlan],
        seeds: Sequence[Sequence[int]],
        *,
        callbacks: Sequence[EpochCallback] = (),
        weights: bool = False,
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        """Train one plan on all folds; arguments and result as of `tuner.training.Trainer.train`.

        Raises:
            PlanError: the network of the plan does not fit; see `built_network`.
        """
        [plan], [own_seeds] = plans, seeds
        dataset, training = self._dataset, plan.training
        networks = self.networks(plan, own_seeds)
        data = self._data
        if networks[0].own:
            training = with_own_rates(training, networks[0].model.optimizer)
            data = data._replace(target_mean=None, target_std=None)
        each = [training] * self.folds
        by_class = None if networks[0].own else class_weights(each, self._folds, dataset)
        if by_class is not None:
            data = data._replace(class_weight=tf.constant(by_class))
        shape = replace(StackShape.of(training, dataset.task), width=networks[0].width)
        stack = OwnStack(networks, shape, self._measures)
        if state is not None and state.values is not None:
            stack.set_state(state.values)
        lockstep = Lockstep(
            stack, each, self._folds, own_seeds, 1, data, dataset.y, self._measures, weights,
            [()] * self.folds, self._metrics,
        )  # fmt: skip
        stack.running = lambda: [own.running for own in lockstep.progress]
        before = 0 if state is None else state.epochs
        if state is not None and state.run is not None:
            lockstep.restore(state.run)
            before -= state.run.epochs
        lockstep.run(callbacks, first_epoch=before)
        return [TrialScores.of(lockstep.run_state(), weights)]

    def networks(self, plan: OwnPlan, seeds: Sequence[int]) -> list[OwnNetwork]:
        """One from each seed, before training. Raises `PlanError`, see `built_network`."""
        params, task, image = dict(plan.params), self._dataset.task, self._dataset.image_shape
        return [
            built_network(self._build, params, seed, plan.training, task, image) for seed in seeds
        ]
