"""A fit's epochs as tasks of scikit-learn's callbacks: `sklearn.callback.ProgressBar`,
`ScoringMonitor`, and what follows their protocol."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.targets import Targets
from tuner.sklearn.estimators.training import FitCallback, FitState, still_training


class EpochTasks(FitCallback):
    """Tells the estimator's callbacks of every epoch, and ends the training if one of them says so.

    They may look at the estimator as it would be if the training had ended there: `weights_` of
    that epoch, whether or not `patience` goes back to an earlier one in the end.

    Args:
        estimator: a `KerasMLP` that has callbacks; `end` is called when it is fitted.
        X, y, sample_weight: as `fit` got them.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        plan: TrainingPlan,
        targets: Targets,
    ) -> None:
        self._estimator = estimator
        self._plan = plan
        self._of_targets = targets
        weights = None if sample_weight is None else {"sample_weight": sample_weight}
        self._told = {"estimator": estimator, "X": X, "y": y, "metadata": weights}
        self._history: dict[str, list[float]] = {}
        self._fit = estimator._init_callback_context(max_subtasks=plan.epochs)
        self._fit.call_on_fit_task_begin(**self._told)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._told)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        for name in ("loss", "val_loss", "learning_rate"):
            if logs is not None and name in logs:
                self._history.setdefault(name, []).append(float(logs[name]))
        stop = self._epoch.call_on_fit_task_end(
            **self._told, reconstruction_attributes=lambda: self._fitted(epoch + 1)
        )
        if stop:
            self.model.stop_training = True

    def end(self) -> None:
        """The estimator is fitted."""
        self._fit.call_on_fit_task_end(**self._told, reconstruction_attributes={})

    def _fitted(self, epochs: int) -> dict[str, Any]:
        """The attributes of the estimator as it is after so many epochs."""
        (weights,) = self.model.network_weights()
        fitted = copy.copy(self._estimator)
        fitted.history_ = {}
        state = FitState(0, epochs=epochs, target_scaling=self.target_scaling)
        fitted.take(self._plan, self._of_targets, still_training(weights), state)
        fitted.history_ = {name: list(values) for name, values in self._history.items()}
        return dict(vars(fitted))
