"""What a training in lockstep asks of the networks that it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuner.training.batches import EpochBatches, ValidationChunks
from tuner.training.kind import StackShape
from tuner.training.stack_data import StackData

if TYPE_CHECKING:
    from tuner.training.epoch import EpochResult
    from tuner.training.network import StackSettings


class StackLike(Protocol):
    """N networks that make an epoch together, in one call: `NetworkStack`, or `own.OwnStack`.

    Attributes:
        shape: of every network.
        model: what callbacks are given, a `tuner.training.callbacks.StackModel`.
    """

    shape: StackShape
    model: Any

    def run_epoch(
        self,
        data: StackData,
        batches: EpochBatches,
        rates: NDArray[np.float32],
        tables: StackSettings,
        chunks: tuple[Any, Any],
    ) -> EpochResult:
        """Train one epoch and validate; `rates` `(steps, N)`, `tables` from `ScheduledSettings`,
        `chunks` from `validation`."""

    @staticmethod
    def validation(chunks: ValidationChunks) -> tuple[Any, Any]:
        """`chunks` as tensors, made once a trial."""

    def get_weights(self) -> list[list[NDArray[np.float32]]]:
        """Each network's weights, ordered as plain Keras `get_weights()`."""

    def get_state(self) -> list[NDArray[Any]]:
        """All that a later epoch depends on, besides its number."""
