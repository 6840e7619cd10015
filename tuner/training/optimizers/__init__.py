"""Keras's optimizers over a stack: every network with its own settings, rate and step count."""

from tuner.training.optimizers.factory import build_optimizer as build_optimizer
from tuner.training.optimizers.fused import FusedUpdate as FusedUpdate
from tuner.training.optimizers.fused import fused_update as fused_update
from tuner.training.optimizers.per_network import PerNetwork as PerNetwork
