"""The network of the grid in plain Keras, for the contenders that fit it."""

from __future__ import annotations

from problem import MOMENTUM, RATE


def build(features: int, initializer: str, loss: str = "sparse_categorical_crossentropy"):
    import keras

    layer = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((features,)),
            layer(64, "relu", kernel_initializer=initializer),
            layer(64, "relu", kernel_initializer=initializer),
            layer(10, "softmax", kernel_initializer=initializer),
        ]
    )
    optimizer = keras.optimizers.SGD(RATE, momentum=MOMENTUM, nesterov=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model
