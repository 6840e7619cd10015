"""Search a convolutional network of one's own on the digits; its folds train side by side.

Any single-input Keras model will do. What `build` leaves uncompiled is compiled from the space's
`optimizer.*`, `loss` and `schedule`.
"""

from typing import Any

import keras
from sklearn.datasets import load_digits

import tuner


def build(params: dict[str, Any]) -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(params["filters"], 3, activation=params["activation"]),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )


if __name__ == "__main__":
    digits = load_digits()
    study = tuner.optimize(
        build,
        digits.images,
        digits.target,
        space={
            "filters": tuner.values(8, 16),
            "activation": tuner.choices("relu", "tanh"),
            "optimizer.learning_rate": tuner.log(1e-3, 1e-1),
            "epochs": 6,
        },
        folds=3,
        trials=4,
        storage="sqlite:///own_network.db",
        progress="none",
    )
    print(f"best: {study.best.params}")
    print(f"accuracy {study.best.value:.2f}")
    print(f"of the first three: {study.predict(digits.images[:3])}")
    study.model().save("own_network.keras")
