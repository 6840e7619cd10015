"""One estimator's training: one network on all rows, through the trainer of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from tuner.data.dataset import Fold
from tuner.data.scaling import TargetScaling
from tuner.planning.plan import TrainingPlan
from tuner.planning.seeds import network_seed
from tuner.schedules import Rates, Schedule
from tuner.sklearn.estimators.errors import DivergedError, EstimatorError
from tuner.sklearn.estimators.plan import plain
from tuner.sklearn.estimators.targets import Targets, to_dataset
from tuner.text import quoted
from tuner.training.callbacks import EpochCallback
from tuner.training.scores import TrialScores
from tuner.training.state import TrainingState
from tuner.training.threads import settle_threads


@dataclass(frozen=True, eq=False)
class FitState:
    """Where an estimator's training has come to, to go on from.

    Attributes:
        seed: of its network.
        values: weights and optimizer variables, as `TrainingState`; None before the first epoch.
        epochs: how many led there.
        target_scaling: mean and standard deviation that the targets are trained with.
    """

    seed: int
    values: list[NDArray[Any]] | None = None
    epochs: int = 0
    target_scaling: TargetScaling | None = None


class LaterEpoch(Schedule):
    """One epoch of `inner` as it runs over `total` epochs: the one numbered `first` (from 0)."""

    name = "later_epoch"

    inner: Schedule
    first: int
    total: int

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        rates = self.inner.rates(steps_per_epoch, max(self.total, self.first + epochs))
        return rates[self.first * steps_per_epoch :][: epochs * steps_per_epoch]


class FitCallback(EpochCallback):
    """Of one estimator's training, before which `target_scaling` is set."""

    target_scaling: TargetScaling | None = None


class EpochLines(EpochCallback):
    """Prints `Epoch 3/20: loss 0.1234, val_loss 0.2345, learning_rate 0.001`."""

    def __init__(self, validated: bool) -> None:
        self._names = ["loss", *["val_loss"] * validated, "learning_rate"]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        assert self.params is not None
        logs = logs or {}
        values = ", ".join(f"{name} {logs[name]:.4g}" for name in self._names)
        print(f"Epoch {epoch + 1}/{self.params['epochs']}: {values}", flush=True)


def epoch_lines(verbose: bool, folds: Sequence[Fold]) -> list[EpochCallback]:
    """What a training on `folds` is watched by."""
    return [EpochLines(any(len(fold.validation) for fold in folds))] if verbose else []


def draw_seed(random_state: Any) -> int:
    """The network's seed: an integer's own, or one from a 32-bit number drawn from the
    `RandomState` (NumPy's global one for None). Raises ValueError for anything else."""
    if not isinstance(random_state, Integral):
        random_state = check_random_state(random_state).randint(0, 1 << 32, dtype=np.uint64)
    if random_state < 0:
        raise EstimatorError(f"random_state must not be negative; got {random_state}")
    return network_seed(int(random_state), 0, 0)


def fold_of(plan: TrainingPlan, targets: Targets, fraction: object, seed: int) -> Fold:
    """All rows for training; a `fraction` of them held out if the plan watches a score.

    Held out by class for classes, by `train_test_split` with the network's seed.

    Raises:
        ValueError: a fraction outside its limits, too few rows of a class.
    """
    rows = np.arange(len(targets.y), dtype=np.int32)
    if not plan.watches:
        return Fold(train=rows, validation=np.zeros(0, np.int32))
    fraction = plain(fraction)
    if not isinstance(fraction, float) or not 0 < fraction < 1:
        raise EstimatorError(
            f"validation_fraction must be a number above 0, below 1; got {quoted(fraction)}"
        )
    from sklearn.model_selection import train_test_split

    by_class = targets.task in ("binary", "multiclass")
    train, validation = train_test_split(
        rows,
        test_size=fraction,
        random_state=seed,
        stratify=targets.y if by_class else None,
    )
    return Fold(train=train, validation=validation)


def row_weights(sample_weight: Any, x: NDArray[Any]) -> NDArray[np.float32] | None:
    """`(rows,)` factors of the rows' losses; None for None, which is 1 everywhere.

    Raises ValueError for another shape, for negative weights, and if all are 0.
    """
    if sample_weight is None:
        return None
    weight: NDArray[np.float32] = _check_sample_weight(sample_weight, x, dtype=np.float32)
    if (weight < 0).any():
        raise EstimatorError(
            f"sample_weight must not be negative; got {weight.min():g} as the smallest"
        )
    if not weight.any():
        raise EstimatorError("sample_weight must have a value above 0; got all zero weights")
    return weight


def one_epoch(plan: TrainingPlan, done: int) -> TrainingPlan:
    """The plan's epoch number `done` (from 0) by itself, for a partial fit.

    Raises EstimatorError if the plan watches held-out rows, counts the rows of all classes or
    averages over a share of the epochs: a partial fit has not got them.
    """
    if plan.loss.class_weight == "balanced":
        raise EstimatorError(
            "partial_fit sees a part of the rows at a time; got class_weight='balanced', which "
            "counts all of them. Available: a dict, by compute_class_weight of "
            "sklearn.utils.class_weight"
        )
    if plan.watches:
        raise EstimatorError(
            "partial_fit holds no rows out; got patience, restore_best_weights or "
            "schedule='plateau', which watch the loss on such rows. Available: fit"
        )

    if plan.averaging is not None and plan.averaging.kind == "swa":
        raise EstimatorError(
            "partial_fit makes one epoch at a time; got weight_averaging='swa', which begins after "
            "a share of all. Available: weight_averaging='ema', or fit"
        )

    def later(schedule: Schedule) -> Schedule:
        return LaterEpoch(schedule.learning_rate, schedule, done, plan.epochs)

    scheduled = tuple((name, later(schedule)) for name, schedule in plan.scheduled)
    return replace(plan, epochs=1, schedule=later(plan.schedule), scheduled=scheduled)


def train(
    plan: TrainingPlan,
    x: NDArray[Any],
    targets: Targets,
    fold: Fold,
    *,
    sample_weight: NDArray[np.float32] | None,
    state: FitState,
    callbacks: Sequence[EpochCallback],
    tasks: FitCallback | None = None,
) -> tuple[TrialScores, FitState]:
    """Train the network of `state` on `fold.train` as planned.

    Args:
        tasks: what scikit-learn's callbacks are told by.

    Raises DivergedError if the loss became NaN or infinite.
    """
    settle_threads()
    from tuner.training import Trainer

    dataset = to_dataset(x, targets)
    trainer = Trainer(
        dataset,
        [fold],
        scaling="none",
        metrics=(),
        objective="loss",
        sample_weight=sample_weight,
        # A training that goes on keeps its first scaling, since the weights answer in it.
        target_scalings=None if state.target_scaling is None else [state.target_scaling],
    )
    scaling = None if trainer.target_scalings is None else trainer.target_scalings[0]
    if tasks is not None:
        tasks.target_scaling = scaling
        callbacks = [*callbacks, tasks]
    own = TrainingState(state.values, state.epochs)
    [scores] = trainer.train(
        [plan],
        [[state.seed]],
        callbacks=callbacks,
        weights=True,
        state=own,
    )
    check_finite(plan, scores)
    return scores, FitState(state.seed, own.values, own.epochs, scaling)


def still_training(weights: Sequence[NDArray[np.float32]]) -> TrialScores:
    """Scores of a network that still trains: weights, and no curves."""
    nothing = np.zeros((0, 1))
    return TrialScores(
        train={"loss": nothing},
        validation={"loss": nothing},
        learning_rate=nothing,
        epoch_seconds=np.zeros(0),
        score_epoch=np.zeros(1, np.int64),
        status=("interrupted",),
        weights=[list(weights)],
    )


def check_finite(plan: TrainingPlan, scores: TrialScores, fold: int = 0) -> None:
    """Raise DivergedError if the network of `fold` diverged."""
    if scores.status[fold] == "diverged":
        raise DivergedError(
            f"the training must not diverge; its loss was not finite after epoch "
            f"{scores.score_epoch[fold]} of {plan.epochs}. A lower learning_rate, clipnorm or "
            "scaled inputs may help"
        )
