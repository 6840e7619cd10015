"""Keras layers for N networks at once: weights `(N, ...)`, activations `(N, batch, features)`."""

from collections.abc import Mapping
from types import MappingProxyType

from tuner.planning import layers
from tuner.training.layers.activation import StackedActivation
from tuner.training.layers.batch_norm import StackedBatchNormalization
from tuner.training.layers.dense import StackedDense
from tuner.training.layers.dropout import DropoutClock as DropoutClock
from tuner.training.layers.dropout import StackedDropout
from tuner.training.layers.embedding import StackedEmbedding
from tuner.training.layers.parametric_activation import StackedParametricActivation
from tuner.training.layers.scale import StackedScale
from tuner.training.layers.shortcut import StackedShortcut
from tuner.training.layers.stacked import InStack as InStack
from tuner.training.layers.stacked import StackedLayer

#: A kind of layer to its form in a stack.
STACKED: Mapping[type[layers.Layer], type[StackedLayer]] = MappingProxyType(
    {
        layers.Dense: StackedDense,
        layers.BatchNormalization: StackedBatchNormalization,
        layers.Activation: StackedActivation,
        layers.ParametricActivation: StackedParametricActivation,
        layers.Scale: StackedScale,
        layers.Dropout: StackedDropout,
        layers.NumericalEmbedding: StackedEmbedding,
        layers.Shortcut: StackedShortcut,
    }
)
