"""A line an epoch for `verbose`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner.data.dataset import Fold
from tuner.training.callbacks import EpochCallback


class EpochLines(EpochCallback):
    """Prints `Epoch 3/20: loss 0.1234, val_loss 0.2345, learning_rate 0.001`."""

    def __init__(self, validated: bool) -> None:
        self._names = ["loss", *["val_loss"] * validated, "learning_rate"]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        assert self.params is not None
        logs = logs or {}
        values = ", ".join(f"{name} {logs[name]:.4g}" for name in self._names)
        print(f"Epoch {epoch + 1}/{self.params['epochs']}: {values}", flush=True)


def epoch_lines(verbose: bool, folds: Sequence[Fold]) -> list[EpochCallback]:
    """What a training on `folds` is watched by."""
    return [EpochLines(any(len(fold.validation) for fold in folds))] if verbose else []
