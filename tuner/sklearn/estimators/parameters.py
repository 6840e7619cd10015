"""The constructor of both estimators: it stores what it is given and does nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator


class KerasMLPParameters(BaseEstimator):
    """What both estimators may be given; `fit` checks it. None leaves a setting to Keras (an
    optimizer's) or to the catalogue (a schedule's); `described()` has every one in words."""

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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.l2 = l2
        self.initializer = initializer
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.rho = rho
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        self.centered = centered
        self.initial_accumulator_value = initial_accumulator_value
        self.learning_rate_power = learning_rate_power
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.schedule = schedule
        self.decay_per = decay_per
        self.decay = decay
        self.drop = drop
        self.drop_every = drop_every
        self.boundaries = boundaries
        self.factors = factors
        self.power = power
        self.end_rate = end_rate
        self.restart_every = restart_every
        self.restarts = restarts
        self.cycle_mult = cycle_mult
        self.peak = peak
        self.warmup = warmup
        self.plateau_factor = plateau_factor
        self.plateau_patience = plateau_patience
        self.plateau_min_delta = plateau_min_delta
        self.plateau_min_rate = plateau_min_rate
        self.plateau_cooldown = plateau_cooldown
        self.batch_size = batch_size
        self.epochs = epochs
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.delta = delta
        self.patience = patience
        self.min_delta = min_delta
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
