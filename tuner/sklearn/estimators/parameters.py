"""The estimators' constructor: the only place that knows both kinds of names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from tuner.optimizers import OPTIMIZERS
from tuner.parameters import ParameterInfo
from tuner.schedules import SCHEDULES
from tuner.sklearn.estimators.former import OF_THE_CONSTRUCTOR, hints
from tuner.spaces.catalogue import CATALOGUE

#: Catalogue names whose last part would be taken twice or say too little by itself.
_RENAMED = {
    "learning_rate_factor.bias": "bias_learning_rate_factor",
    "learning_rate_factor.first_layer": "first_layer_learning_rate_factor",
    "learning_rate_factor.front_scale": "front_scale_learning_rate_factor",
    "learning_rate_factor.activation": "activation_learning_rate_factor",
    "learning_rate_factor.embedding": "embedding_learning_rate_factor",
    "weight_decay_factor.bias": "bias_weight_decay_factor",
    "schedule.per": "decay_per",
    "schedule.every": "drop_every",
    "schedule.factor": "plateau_factor",
    "schedule.patience": "plateau_patience",
    "schedule.min_delta": "plateau_min_delta",
    "schedule.min_rate": "plateau_min_rate",
    "schedule.cooldown": "plateau_cooldown",
    "embedding.sigma": "embedding_sigma",
    "embedding.frequencies": "embedding_frequencies",
    "embedding.units": "embedding_units",
}
#: `hidden_layer_sizes` says both.
SIZES = ("model.layers", "model.units")


def _of_another_package(info: ParameterInfo) -> bool:
    """Whether only schedules or optimizers of other packages have this setting."""
    kinds = {"optimizer": OPTIMIZERS.own, "schedule": SCHEDULES.own}
    tied = info.only_with.get(info.section, ())
    return bool(tied) and not set(tied) & set(kinds.get(info.section, tied))


#: Constructor parameter -> catalogue name: all of the catalogue but the sizes of layers. The
#: constructor is written out, and has no settings of other packages.
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        _RENAMED.get(name, name.split(".")[-1]): name
        for name, info in CATALOGUE.items()
        if name not in SIZES and not _of_another_package(info)
    }
)
#: The inverse.
FLAT = {dotted: flat for flat, dotted in PARAMETERS.items()}


class KerasMLPParameters(BaseEstimator):
    """What both estimators may be given, stored as it is; `fit` checks it. None leaves a setting to
    Keras (an optimizer's) or to its kind (a schedule's, an embedding's); `described()` has all in
    words."""

    validation_fraction: float
    categorical_features: str | Sequence[str | int | bool] | None
    random_state: int | np.random.RandomState | None
    warm_start: bool
    verbose: bool

    @hints(OF_THE_CONSTRUCTOR)
    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64, 64),
        activation: str = "relu",
        *,
        dropout: float = 0.0,
        dropout_schedule: str = "constant",
        batch_norm: bool = False,
        skip_connections: bool = False,
        parametrization: str = "standard",
        bias_initializer: str = "zeros",
        front_scale: bool = False,
        parametric_activation: bool = False,
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
        beta_2_decay: float | None = None,
        epsilon_1: float | None = None,
        epsilon_2: float | None = None,
        clip_threshold: float | None = None,
        adam_beta_1: float | None = None,
        adam_beta_2: float | None = None,
        adam_weight_decay: float | None = None,
        adam_lr_ratio: float | None = None,
        ns_steps: int | None = None,
        muon_a: float | None = None,
        muon_b: float | None = None,
        muon_c: float | None = None,
        rms_rate: float | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        weight_decay_schedule: str = "constant",
        bias_learning_rate_factor: float = 1.0,
        first_layer_learning_rate_factor: float = 1.0,
        front_scale_learning_rate_factor: float = 1.0,
        activation_learning_rate_factor: float = 1.0,
        embedding_learning_rate_factor: float = 1.0,
        bias_weight_decay_factor: float = 1.0,
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
        embedding: str = "none",
        embedding_sigma: float | None = None,
        embedding_frequencies: int | None = None,
        embedding_units: int | None = None,
        batch_size: int = 32,
        epochs: int = 20,
        loss: str = "auto",
        label_smoothing: float = 0.0,
        label_smoothing_schedule: str = "constant",
        class_weight: str | Mapping[Any, float] | None = None,
        delta: float | None = None,
        weight_averaging: str = "none",
        ema_momentum: float | None = None,
        ema_overwrite_frequency: int | None = None,
        swa_start: float | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        restore_best_weights: bool | None = None,
        validation_fraction: float = 0.1,
        categorical_features: str | Sequence[str | int | bool] | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        given = dict(locals())
        del given["self"]
        self.__dict__.update(given)


#: Parameters that must not be None, and their defaults: those whose default is not None.
NEEDED: Mapping[str, Any] = MappingProxyType(
    {
        name: own.default
        for name, own in inspect.signature(KerasMLPParameters).parameters.items()
        if own.default is not None
    }
)
