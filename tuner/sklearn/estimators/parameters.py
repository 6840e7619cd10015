"""The constructor of both estimators: it stores what it is given and does nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator


class KerasMLPParameters(BaseEstimator):
    """What both estimators may be given; `fit` checks it. None leaves a setting to Keras (an
    optimizer's) or to the catalogue (a schedule's); `described()` has every one in words."""

    validation_fraction: float
    random_state: int | np.random.RandomState | None
    warm_start: bool
    verbose: bool

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64, 64),
        activation: str = "relu",
        *,
        dropout: float = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        l2: float = 0.0,
        initializer: str = "glorot_uniform",
        optimizer: str = "adam",
        learning_rate: float = 0.001,
        momentum: float | None = None,
        nesterov: bool | None = None,
        rho: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        amsgrad: bool | None = None,
        centered: bool | None = None,
        initial_accumulator_value: float | None = None,
        learning_rate_power: float | None = None,
        l1_regularization_strength: float | None = None,
        l2_regularization_strength: float | None = None,
        l2_shrinkage_regularization_strength: float | None = None,
        beta: float | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        schedule: str = "constant",
        decay_per: str | None = None,
        decay: float | None = None,
        drop: float | None = None,
        drop_every: int | None = None,
        boundaries: Sequence[float] | None = None,
        factors: Sequence[float] | None = None,
        power: float | None = None,
        end_rate: float | None = None,
        restart_every: int | None = None,
        restarts: int | None = None,
        cycle_mult: float | None = None,
        peak: float | None = None,
        warmup: int = 0,
        plateau_factor: float | None = None,
        plateau_patience: int | None = None,
        plateau_min_delta: float | None = None,
        plateau_min_rate: float | None = None,
        plateau_cooldown: int | None = None,
        batch_size: int = 32,
        epochs: int = 20,
        loss: str = "auto",
        label_smoothing: float = 0.0,
        delta: float | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        validation_fraction: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        given = dict(locals())
        del given["self"]
        self.__dict__.update(given)
