"""What both estimators share: reading rows, training, and answering by the trained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from tuner.planning.layers import Dense
from tuner.planning.network import by_layer, layers_of
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.columns import FittedColumns
from tuner.sklearn.estimators.epochs import EpochTasks
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.sklearn.estimators.forward import forward
from tuner.sklearn.estimators.parameters import KerasMLPParameters
from tuner.sklearn.estimators.plan import plan_of
from tuner.sklearn.estimators.rows import read_rows
from tuner.sklearn.estimators.targets import Targets
from tuner.sklearn.estimators.training import (
    FitState,
    draw_seed,
    epoch_lines,
    fold_of,
    one_epoch,
    row_weights,
    train,
)
from tuner.training.kind import StackShape
from tuner.training.scores import TrialScores

if TYPE_CHECKING:
    import keras

#: What weights and optimizer variables depend on: it must stay for a training to go on.
_OF_MODEL = (
    "features", "outputs", "units", "batch_norm", "embedding", "skip_connections",
    "parametrization", "front_scale", "parametric_activation",
)  # fmt: skip
_OF_SHAPE = ("task", "optimizer", "switches", "weight_averaging")


class KerasMLP(CallbackSupportMixin, KerasMLPParameters):
    """The estimator without its targets; see the two subclasses."""

    n_features_in_: int
    plan_: TrainingPlan
    weights_: list[NDArray[np.float32]]
    history_: dict[str, list[float]]
    n_outputs_: int
    is_categorical_: NDArray[np.bool_]
    columns_: FittedColumns | None

    def read(self, X: Any, y: Any, *, reset: bool, classes: Any = None) -> tuple[Any, Targets]:
        """Checked rows `(rows, features)` and encoded targets; with `reset` the estimator takes
        its `n_features_in_`, `feature_names_in_` (and `classes_`) from them.

        Raises ValueError as scikit-learn's estimators do.
        """
        raise NotImplementedError

    def take(
        self, plan: TrainingPlan, targets: Targets, scores: TrialScores, state: FitState
    ) -> None:
        """Become the fitted estimator of a training, after `read`.

        Args:
            scores: of one fold (the estimator's own), with its weights.
            state: where the training ended. Without `values` the estimator predicts, but
                cannot go on training.
        """
        assert scores.weights is not None
        (self.weights_,) = scores.weights
        self.plan_ = plan
        self.n_outputs_ = targets.outputs
        self._targets = Targets(targets.task, targets.y[:0], targets.classes, targets.flat)
        self._state = state
        self._model: keras.Model | None = None
        curves = {"loss": scores.train["loss"], "learning_rate": scores.learning_rate}
        if not np.isnan(scores.validation["loss"]).all():
            curves["val_loss"] = scores.validation["loss"]
        for name, values in curves.items():
            self.history_.setdefault(name, []).extend(values[:, 0].tolist())

    def _train(
        self, X: Any, y: Any, sample_weight: Any, *, partial: bool = False, classes: Any = None
    ) -> None:
        """All epochs, or a `partial` fit's one on all rows; from where the last training ended if
        that is asked for."""
        goes_on = (partial or bool(self.warm_start)) and hasattr(self, "weights_")
        x, targets = self.read(X, y, reset=not goes_on, classes=classes)
        plan = plan_of(
            self,
            features=x.shape[1],
            outputs=targets.outputs,
            task=targets.task,
            classes=targets.classes,
            numbers=None if self.columns_ is None else self.columns_.encoding.numbers,
        )
        if goes_on:
            self._check_same_network(plan, targets)
        state = self._state if goes_on else FitState(draw_seed(self.random_state))
        if partial:
            plan = one_epoch(plan, state.epochs)
        fold = fold_of(plan, targets, self.validation_fraction, state.seed)
        weight = row_weights(sample_weight, x)
        if weight is not None and not partial:
            self._check_weights(weight, targets)
        told = hasattr(self, "_skl_callbacks") and not partial
        tasks = EpochTasks(self, X, y, sample_weight, plan, targets) if told else None
        scores, state = train(
            plan,
            x,
            targets,
            fold,
            sample_weight=weight,
            state=state,
            callbacks=epoch_lines(bool(self.verbose), [fold]),
            tasks=tasks,
        )
        if not goes_on:
            self.history_ = {}
        self.take(plan, targets, scores, state)
        if tasks is not None:
            tasks.end()

    def _check_weights(self, weight: NDArray[np.float32], targets: Targets) -> None:
        """Refuse weights that leave nothing to learn."""

    def _check_same_network(self, plan: TrainingPlan, targets: Targets) -> None:
        """A training that goes on needs the network that it began with."""
        if self._state.values is None:
            raise EstimatorError(
                "a training goes on from the optimizer's state, and this network, which a search "
                "trained, has none; call fit without warm_start"
            )
        shapes = StackShape.of(self.plan_, self._targets.task), StackShape.of(plan, targets.task)
        for names, before, now in (
            (_OF_MODEL, self.plan_.model, plan.model),
            (_OF_SHAPE, *shapes),
        ):
            for name in names:
                if getattr(now, name) != getattr(before, name):
                    raise EstimatorError(
                        f"a training goes on with the network that it began with; {name} was "
                        f"{getattr(before, name)!r}, got {getattr(now, name)!r}. Call fit "
                        "without warm_start to begin anew"
                    )

    def _answers(self, X: Any) -> NDArray[np.float64]:
        """The last layer's sums for new rows, `(rows, outputs)`."""
        check_is_fitted(self)
        return forward(self.plan_.model, self.weights_, read_rows(self, X, reset=False))

    @property
    def model_(self) -> keras.Model:
        """The trained network as a plain `keras.Sequential`, built when first asked for: rows to
        probabilities `(rows, outputs)` (of `classes_[1]` if there are two classes) or
        values. With `categorical_features` a `keras.Model` that takes a dict of the columns,
        `(rows, 1)` each: numbers with NaN at gaps, dates as days since 1970-01-01, text."""
        check_is_fitted(self)
        if self._model is None:
            from tuner.export.sequential import build_sequential

            network = build_sequential(
                self.plan_.model,
                self.weights_,
                task=self._targets.task,
                target_scaling=self._state.target_scaling,
            )
            if self.columns_ is not None:
                from tuner.export.table_model import build_table_model

                columns = self.columns_
                network = build_table_model(columns.encoding, columns.scaling, network)
            self._model = network
        return self._model

    @property
    def coefs_(self) -> list[NDArray[np.float32]]:
        """Each layer's kernel, `(inputs, units)`."""
        return self._of_dense("kernel")

    @property
    def intercepts_(self) -> list[NDArray[np.float32]]:
        """Each layer's bias, `(units,)`."""
        return self._of_dense("bias")

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss of every epoch."""
        check_is_fitted(self)
        return self.history_["loss"]

    @property
    def n_iter_(self) -> int:
        """Epochs trained, those before a warm start included."""
        return len(self.loss_curve_)

    @property
    def n_layers_(self) -> int:
        """Layers, input and output included, as scikit-learn's MLPs count them."""
        check_is_fitted(self)
        return len(self.plan_.model.units) + 2

    @property
    def out_activation_(self) -> str:
        """Activation of the last layer."""
        check_is_fitted(self)
        from tuner.export.sequential import OUTPUT_ACTIVATION

        return OUTPUT_ACTIVATION[self._targets.task]

    @property
    def input_names_(self) -> list[str]:
        """What each row of `coefs_[0]` is for: X's columns, those of a category as
        `column=level`, a gap's mark as `column missing`."""
        check_is_fitted(self)
        if self.columns_ is not None:
            return list(self.columns_.encoding.outputs)
        names = getattr(self, "feature_names_in_", None)
        return [f"x{i}" for i in range(self.n_features_in_)] if names is None else names.tolist()

    def _of_dense(self, name: str) -> list[NDArray[np.float32]]:
        check_is_fitted(self)
        return [
            value
            for layer, values in by_layer(layers_of(self.plan_.model), self.weights_)
            if isinstance(layer, Dense)
            for weight, value in zip(layer.weights, values, strict=True)
            if weight.name == name
        ]

    def __getstate__(self) -> dict[str, Any]:
        """Without the Keras model, which is built again from the weights."""
        state = dict(super().__getstate__())
        if "_model" in state:
            state["_model"] = None
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        table = self.categorical_features is not None
        tags.input_tags.allow_nan = tags.input_tags.categorical = table
        return tags
