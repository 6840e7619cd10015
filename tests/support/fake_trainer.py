"""A trainer without TensorFlow: instant, deterministic, driven by the same callbacks."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuner.errors import PlanError
from tuner.parameters import Value
from tuner.planning.metrics import METRICS
from tuner.training.callbacks import EpochCallback, start
from tuner.training.grouping import Stacking
from tuner.training.identity import training_identity
from tuner.training.scores import FoldStatus, NetworkLogs, TrialScores
from tuner.training.state import NetworkState, RunState, TrainingState


@dataclass(frozen=True)
class FakePlan:
    """What `FakeTrainer.plan` makes of a candidate's parameters."""

    params: tuple[tuple[str, Value], ...]
    epochs: int


class FakeModel:
    """What callbacks get as `self.model`; `means` are those of the present epoch."""

    def __init__(
        self, training_state: Callable[[], TrainingState] = lambda: TrainingState()
    ) -> None:
        self.stop_training = False
        self.training_state = training_state
        self.means: dict[str, list[float]] = {}
        self.network_logs = NetworkLogs(0, {}, {})

    def fold_means(self, metric: str) -> list[float]:
        return self.means[metric]


class FakeTrainer:
    """Curves that rise to a plateau whose height follows from the parameters alone.

    With u the candidate's quality in 0..1 (1 minus the distance of `optimizer.learning_rate` from
    0.1 in decades / 4, or a hash of the parameters if there is no learning rate), the
    validation accuracy of fold f after epoch e is
    ``u * (1 - exp(-e / 3)) + 0.01 * noise(seed of f, e)``, clipped to 0..1, and the loss is
    ``1 - accuracy``. Train scores are 0.02 better, and missing for metrics that are not summed
    while training. Metrics other than loss copy the accuracy.

    Args:
        folds: how many folds a candidate has.
        epoch_seconds: sleep of an epoch; 0 does not sleep.
        metrics: names of the score curves beside `loss`.
        diverge: a candidate for which it is true diverges in fold 1 at epoch 2.
        refuse: text for a candidate that cannot be planned (raises `PlanError`), or None.
        fail: called before each epoch with (params, epoch from 1); may raise, exit or kill.
        most: trainings of one stack, see `Stacking`.

    A training that goes on from a state takes over the scores in it as they are.

    Attributes:
        stacks: the plans of each `train`, in order.
        begun: how many epochs each training found done, in order.
    """

    def __init__(
        self,
        folds: int = 3,
        *,
        epoch_seconds: float = 0.0,
        metrics: Sequence[str] = ("accuracy",),
        data_hash: str = "fake",
        diverge: Callable[[Mapping[str, Value]], bool] | None = None,
        refuse: Callable[[Mapping[str, Value]], str | None] | None = None,
        fail: Callable[[Mapping[str, Value], int], None] | None = None,
        most: int = 4,
    ) -> None:
        self.folds = folds
        self.data_hash = data_hash
        self._epoch_seconds = epoch_seconds
        self._metrics = tuple(metrics)
        self._diverge = diverge
        self._refuse = refuse
        self._fail = fail
        self._most = most
        self.stacks: list[list[FakePlan]] = []
        self.begun: list[int] = []

    def plan(self, params: Mapping[str, Value]) -> FakePlan:
        reason = self._refuse(params) if self._refuse else None
        if reason:
            raise PlanError(reason)
        epochs = params.get("epochs", 5)
        assert isinstance(epochs, int)
        return FakePlan(tuple(sorted(params.items())), epochs)

    def identity(self, plans: Sequence[FakePlan], seeds: Sequence[Sequence[int]]) -> dict[str, str]:
        return training_identity({"plans": plans, "seeds": seeds, "data": self.data_hash})

    def train(
        self,
        plans: Sequence[FakePlan],
        seeds: Sequence[Sequence[int]],
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        self.stacks.append(list(plans))
        params = [dict(plan.params) for plan in plans]
        longest = max(plan.epochs for plan in plans)
        whole = np.full((longest, len(plans) * self.folds), np.nan)
        curves = [whole[: p.epochs, i * self.folds :][:, : self.folds] for i, p in enumerate(plans)]
        for curve, own, plan_seeds in zip(curves, params, seeds, strict=True):
            curve[:] = self._accuracy(own, len(curve), plan_seeds)
        broken = [bool(self._diverge and self._diverge(own)) for own in params]
        for curve, diverges in zip(curves, broken, strict=True):
            if diverges:
                curve[1:, min(1, self.folds - 1)] = np.nan
        run = done = self._begin(whole, state)
        model = FakeModel(lambda: self._state(whole[:run]))
        start(callbacks, model, epochs=longest)  # type: ignore[arg-type]
        for run in range(done + 1, longest + 1):
            for own, plan in zip(params, plans, strict=True):
                if self._fail and run <= plan.epochs:
                    self._fail(own, run)
            if self._epoch_seconds:
                time.sleep(self._epoch_seconds)
            model.means = self._means([curve[run - 1 : run] for curve in curves])
            # Those that have ended have NaN.
            now = whole[run - 1]
            scores_now = {"loss": 1.0 - now, **dict.fromkeys(self._metrics, now)}
            model.network_logs = NetworkLogs(run - 1, {}, scores_now)
            logs = {f"val_{name}": float(np.mean(own)) for name, own in model.means.items()}
            for callback in callbacks:
                callback.on_epoch_end(run - 1, logs)
            if model.stop_training:
                break
        for callback in callbacks:
            callback.on_train_end()
        scores = []
        for plan, curve, diverges in zip(plans, curves, broken, strict=True):
            status: list[FoldStatus] = ["completed" if run >= plan.epochs else "interrupted"]
            status *= self.folds
            if diverges and run > 1:
                status[min(1, self.folds - 1)] = "diverged"
            scores.append(self._scores(curve[:run], tuple(status)))
        return scores

    def stacking(self, plan: FakePlan) -> Stacking:
        """Candidates of one batch size and optimizer stack; those with a learning rate, whose
        curves do not depend on the epochs, share a training."""
        params = dict(plan.params)
        kind = tuple(params.get(name) for name in ("batch_size", "optimizer"))
        rest = tuple(item for item in plan.params if item[0] != "epochs")
        alone = "optimizer.learning_rate" not in params
        return Stacking(kind, None if alone else rest, self._most)

    def _begin(self, accuracy: Any, state: TrainingState | None) -> int:
        """How many epochs are done; their scores as they were saved."""
        done = 0
        if state is not None and state.values is not None:
            [saved] = state.values
            done = len(saved)
            accuracy[:done] = saved
        self.begun.append(done)
        return done

    def _state(self, accuracy: Any) -> TrainingState:
        """After the epochs of `accuracy` `(epochs, networks)`."""
        epochs, networks = accuracy.shape
        scores = {"loss": 1.0 - accuracy, **dict.fromkeys(self._metrics, accuracy.copy())}
        run = RunState(
            train=scores,
            validation=scores,
            learning_rate=np.full((epochs, networks), 0.1),
            epoch_seconds=np.full(epochs, self._epoch_seconds),
            networks=tuple(NetworkState({}, {}) for _ in range(networks)),
        )
        return TrainingState([accuracy.copy()], epochs, run)

    def _accuracy(self, params: Mapping[str, Value], epochs: int, seeds: Sequence[int]) -> Any:
        rate = params.get("optimizer.learning_rate")
        if isinstance(rate, int | float) and not isinstance(rate, bool):
            quality = max(0.0, 1.0 - abs(math.log10(float(rate)) + 1.0) / 4.0)
        else:
            text = json.dumps(dict(params), sort_keys=True).encode()
            quality = int.from_bytes(hashlib.sha256(text).digest()[:4], "little") / 2**32
        rise = quality * (1.0 - np.exp(-np.arange(1, epochs + 1) / 3.0))
        noise = np.stack(
            [np.random.default_rng(seed).uniform(-1, 1, epochs) for seed in seeds], axis=1
        )
        return np.clip(rise[:, None] + 0.01 * noise, 0.0, 1.0)

    def _means(self, epoch: Sequence[Any]) -> dict[str, list[float]]:
        """By metric the mean of each plan's `(1, folds)` accuracy; NaN if it is `(0, folds)`."""
        means = [float(own[0].mean()) if len(own) else math.nan for own in epoch]
        return {"loss": [1.0 - mean for mean in means], **dict.fromkeys(self._metrics, means)}

    def _scores(self, accuracy: Any, status: tuple[FoldStatus, ...]) -> TrialScores:
        run = len(accuracy)
        ends = [
            1 + int(np.argmax(np.isnan(accuracy[:, fold]))) if own == "diverged" else run
            for fold, own in enumerate(status)
        ]
        validation = {"loss": 1.0 - accuracy, **dict.fromkeys(self._metrics, accuracy)}
        return TrialScores(
            train={
                name: curve + 0.02
                for name, curve in validation.items()
                if name not in METRICS or METRICS[name].score is None
            },
            validation=validation,
            learning_rate=np.full((run, self.folds), 0.1),
            epoch_seconds=np.full(run, self._epoch_seconds),
            score_epoch=np.array(ends),
            status=status,
        )
