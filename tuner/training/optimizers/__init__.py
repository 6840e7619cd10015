"""Keras's optimizers over a stack: every network with its own settings, rate and step count."""

from tuner.training.optimizers.per_network import PerNetwork as PerNetwork
from tuner.training.optimizers.per_network import build_optimizer as build_optimizer
