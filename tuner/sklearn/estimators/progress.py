"""A line an epoch for `verbose`. Imports Keras: loaded by a verbose fit only."""

from __future__ import annotations

import keras


class EpochLines(keras.callbacks.Callback):
    """Prints `Epoch 3/20: loss 0.1234, val_loss 0.2345, learning_rate 0.001`."""

    def __init__(self, validated: bool) -> None:
        super().__init__()
        self._names = ["loss", "val_loss", "learning_rate"]
        if not validated:
            self._names.remove("val_loss")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        values = ", ".join(f"{name} {logs[name]:.4g}" for name in self._names)
        print(f"Epoch {epoch + 1}/{self.params['epochs']}: {values}", flush=True)
