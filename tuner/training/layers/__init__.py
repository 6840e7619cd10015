"""Keras layers for N networks at once: weights `(N, ...)`, activations `(N, batch, features)`."""

from tuner.training.layers.batch_norm import StackedBatchNormalization as StackedBatchNormalization
from tuner.training.layers.dense import StackedDense as StackedDense
from tuner.training.layers.dropout import DropoutClock as DropoutClock
from tuner.training.layers.dropout import StackedDropout as StackedDropout
