"""C candidates x F folds in one JAX program: an epoch is one call, a step is traced once.

The model is `tuner.training.network.StackedNetwork`, the update `tuner.training.optimizers`: the
same objects that TensorFlow trains. `jax.vmap` goes over folds, whose candidates share their rows
(the first layer is one product of the rows with all kernels side by side), `jax.lax.scan` over
steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import keras
import numpy as np
from jax import numpy as jnp
from numpy.typing import NDArray

from bench.gpu.problem import Problem
from tuner.training.batches import BatchPlan, ValidationChunks
from tuner.training.initial_weights import drawn_weights, stacked_weights
from tuner.training.kind import StackShape
from tuner.training.network import StackedNetwork, StackSettings
from tuner.training.optimizers import build_optimizer

#: Float32 values of the widest activation in one chunk of validation, all networks together.
CHUNK_VALUES = 1 << 28


class Values(NamedTuple):
    """All that a step moves: weights, batch normalization's statistics, the optimizer's own."""

    trainable: list[Any]
    non_trainable: list[Any]
    optimizer: list[Any]


class JaxStack:
    """Owns the networks' values on the device; arrays are `(F, C, ...)`.

    Folds must have equal numbers of steps: nobody sits one out.
    """

    def __init__(self, problem: Problem, candidates: int) -> None:
        self.problem, self.candidates = problem, candidates
        plans = problem.plans(candidates)
        self.shape = StackShape.of(plans[0], problem.dataset.task)
        self.network = StackedNetwork(self.shape, candidates, one_input=True)
        self.model = self.network.model
        self.optimizer = build_optimizer(
            self.shape.optimizer,
            self.shape.switches,
            self.shape.clip,
            candidates,
            self.model.trainable_variables,
        )
        by_fold = [
            StackSettings.of(self.shape, plans, [seed] * candidates) for seed in problem.seeds
        ]
        self.settings = {name: jnp.asarray(v) for name, v in by_fold[0].optimizer.items()}
        self.layers = {
            name: np.stack([own.layers[name] for own in by_fold]) for name in by_fold[0].layers
        }
        rates = [plan.schedule.rates(1, 1)[0] for plan in plans]
        self.rates = jnp.asarray(rates, jnp.float32).reshape(-1, 1, 1)
        models = [plan.model for plan in plans]
        stacks = [
            stacked_weights(drawn_weights(models, [seed] * candidates)) for seed in problem.seeds
        ]
        #: `(F, C, ...)` each, in Keras's order.
        self.first_weights = [np.stack(values) for values in zip(*stacks, strict=True)]
        self.batches = BatchPlan([f.train for f in problem.folds], problem.seeds, problem.batch)
        if len(set(self.batches.steps)) > 1:
            raise ValueError(f"folds of one number of steps; got {self.batches.steps}")
        self._x = jnp.asarray(problem.features)
        self._y = jnp.asarray(problem.dataset.y)
        chunks = ValidationChunks.of(
            [fold.validation for fold in problem.folds],
            candidates * self.shape.width,
            values=CHUNK_VALUES,
        )
        self._chunks = chunks.rows, chunks.counts
        self._train = jax.jit(self._train_epoch, donate_argnums=0)
        self._validate = jax.jit(self._validate_all)

    def reset(self) -> None:
        """Begin anew, from the same first weights."""
        # Without batch normalization every weight is trainable.
        optimizer = self.optimizer.initial_state(self.settings)
        folds = len(self.problem.folds)
        self.values = Values(
            [jnp.asarray(value) for value in self.first_weights],
            [],
            [jnp.asarray(np.repeat(value[None], folds, 0)) for value in optimizer],
        )

    def train_epoch(self, epoch: int) -> NDArray[np.float64]:
        """One epoch (from 0) of all networks; validation accuracy of each, `(F, C)`."""
        batches = self.batches.epoch(epoch)
        self.values = self._train(self.values, batches.rows, batches.counts)
        right = np.asarray(self._validate(self.values, *self._chunks), np.float64)
        return right / np.array([len(fold.validation) for fold in self.problem.folds])[:, None]

    def _train_epoch(self, values: Values, rows: Any, counts: Any) -> Values:
        """`rows` `(steps, F, batch)`, `counts` `(steps, F)`."""

        def step(values: Values, batch: Any) -> tuple[Values, None]:
            own_rows, own_counts = batch
            x, y = self._x[own_rows], self._y[own_rows]
            return jax.vmap(self._step)(values, x, y, own_counts, self.layers), None

        return jax.lax.scan(step, values, (rows, counts))[0]

    def _step(self, values: Values, x: Any, y: Any, count: Any, layers: Any) -> Values:
        """One fold: `x` `(batch, features)`, `y` `(batch,)`, `layers` `(C, 1, 1)` each."""
        # The optimizer counts the steps, one counter a network.
        names = [variable.name for variable in self.optimizer.variables]
        self.network.use(layers, values.optimizer[names.index("iteration")])
        self.optimizer.use(self.settings, self.rates)
        own = (jnp.arange(len(y)) < count).astype(jnp.float32)

        def loss(trainable: list[Any]) -> tuple[Any, list[Any]]:
            outputs, moved = self.model.stateless_call(
                trainable, values.non_trainable, x[None], training=True
            )
            losses = keras.losses.sparse_categorical_crossentropy(
                jnp.broadcast_to(y, outputs.shape[:2]), outputs, from_logits=True
            )
            return jnp.sum(losses * own) / count, moved

        gradients, moved = jax.grad(loss, has_aux=True)(values.trainable)
        trainable, optimizer = self.optimizer.stateless_apply(
            values.optimizer, gradients, values.trainable
        )
        return Values(trainable, moved, optimizer)

    def _validate_all(self, values: Values, rows: Any, counts: Any) -> Any:
        """Right answers of each network, `(F, C)`."""

        def chunk(taken: Any) -> Any:
            own_rows, own_counts = taken

            def fold(values: Values, x: Any, y: Any, count: Any) -> Any:
                outputs, _ = self.model.stateless_call(
                    values.trainable, values.non_trainable, x[None], training=False
                )
                right = jnp.argmax(outputs, axis=-1) == y
                return jnp.sum(right & (jnp.arange(len(y)) < count), axis=1)

            return jax.vmap(fold)(values, self._x[own_rows], self._y[own_rows], own_counts)

        return jnp.sum(jax.lax.map(chunk, (rows, counts)), axis=0)
