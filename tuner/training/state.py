"""Where a training stands, as numbers: to go on from after its end, or from its middle.

Knows no TensorFlow: whoever keeps a state reads and writes it without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class NetworkState:
    """One network in the middle of a training.

    Attributes:
        progress: what `NetworkProgress` has counted: whether it still trains, its status, early
            stopping's best score and wait. Numbers and text.
        rates: the same of its learning rates; empty if they follow from a table.
        weights: its weights at the epoch it is scored by, if they are kept.
        snapshots: epoch (1-based) to its weights then.
    """

    progress: dict[str, Any]
    rates: dict[str, Any]
    weights: list[NDArray[np.float32]] | None = None
    snapshots: Mapping[int, list[NDArray[np.float32]]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class RunState:
    """What the networks of a training have gone through in the epochs it has run.

    Attributes:
        train, validation: metric to scores `(epochs, N)` float64; NaN if a network had ended.
        learning_rate: `(epochs, N)`, the rate of each epoch's last step.
        epoch_seconds: `(epochs,)`.
        networks: the N networks.
    """

    train: dict[str, NDArray[np.float64]]
    validation: dict[str, NDArray[np.float64]]
    learning_rate: NDArray[np.float64]
    epoch_seconds: NDArray[np.float64]
    networks: tuple[NetworkState, ...]

    @property
    def epochs(self) -> int:
        return len(self.epoch_seconds)


@dataclass
class TrainingState:
    """Where a training stands, to go on from: warm starts and checkpoints.

    Attributes:
        values: weights and optimizer variables of the stack (batch normalization's statistics
            and each network's step counter, which dropout draws by, are among them); None before
            the first training.
        epochs: how many epochs led there. Batch orders go on from them.
        run: what has happened in a training that has not ended, which then goes on as if nothing
            had been; None: the next one begins with its first epoch, its schedule anew.
    """

    values: list[NDArray[Any]] | None = None
    epochs: int = 0
    run: RunState | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = list(self.values or ())
        if self.run is not None:
            run = self.run
            arrays += [*run.train.values(), *run.validation.values(), run.learning_rate]
            for network in run.networks:
                for weights in (network.weights or (), *network.snapshots.values()):
                    arrays += weights
        return sum(array.nbytes for array in arrays)
