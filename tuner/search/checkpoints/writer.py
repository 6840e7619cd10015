"""The callback that writes checkpoints, and when it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from tuner.search.checkpoints.checkpoints import Checkpoint
from tuner.training.callbacks import EpochCallback

#: Seconds before a training's first checkpoint, and between two: shorter ones are quicker
#: repeated than looked after.
EVERY = 3.0
#: The share of a training's time that writing may take.
SHARE = 0.05


class CheckpointWriter(EpochCallback):
    """Saves the training's state if that is due. It comes after the callback that may end the
    training.

    Args:
        checkpoint: of this training.
        notes: what to save besides.
        leaving: whether a training that was just ended is to go on another time.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        notes: Callable[[], Mapping[str, Any]],
        leaving: Callable[[], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checkpoint = checkpoint
        self._notes = notes
        self._leaving = leaving
        self._now = now
        self._began = self._last = now()
        self._cost = 0.0
        self._refused = False

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self._began = self._last = self._now()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        model = self.model
        leaving = model.stop_training and self._leaving()
        last = self.params is not None and epoch + 1 == self.params.get("epochs")
        if self._refused or last or (model.stop_training and not leaving):
            return  # it ends here
        if not self.due(leaving=leaving):
            return
        began, state = self._now(), model.training_state()
        self._refused = state is None or not self._checkpoint.save(state, self._notes())
        self._last = self._now()
        self._cost = self._last - began

    def due(self, *, leaving: bool) -> bool:
        """Whether to write after the epoch that just ended; `leaving`: the training ends here,
        to go on another time. It may depend on the time, as scores do not depend on it."""
        now = self._now()
        if leaving:  # what was resumed has been going for longer than this attempt
            return bool(self._checkpoint.resumed) or now - self._began >= EVERY
        return now - self._last >= max(EVERY, self._cost / SHARE)
