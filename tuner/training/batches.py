"""Which rows a stack trains on in which step, as numbers; and its validation rows in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Fold
from tuner.planning.seeds import epoch_order


@dataclass(frozen=True, eq=False)
class EpochBatches:
    """One epoch of N networks.

    Attributes:
        rows: `(steps, N, batch)` int32; row 0 stands in for padding. `(steps, 1, batch)` if
            all networks go over the same rows.
        counts: `(steps, N)` float32: how many rows of the batch are the network's own; 0 if
            it has none left in that step.
        full_steps: in the first `full_steps` steps every network has a full batch, so nothing
            is padded and nobody sits out.
    """

    rows: NDArray[np.int32]
    counts: NDArray[np.float32]
    full_steps: int


def same_rows(folds: Sequence[Fold], seeds: Sequence[int]) -> bool:
    """Whether networks with these folds and seeds go over the same rows in the same order."""
    return len(set(seeds)) == 1 and all(fold is folds[0] for fold in folds)


def steps_of(rows: int, batch_size: int) -> int:
    """Steps of an epoch: the last batch may be partial, as in Keras."""
    return -(-rows // batch_size)


class BatchPlan:
    """Cuts the training rows of N networks into batches, anew for each epoch.

    Args:
        train: each network's training rows.
        seeds: each network's seed; its order in epoch e depends on nothing else.
        batch_size: rows of a batch; more than a network has makes one batch of all it has.
        shared: all networks have the same rows and seed.
    """

    def __init__(
        self,
        train: Sequence[NDArray[np.int32]],
        seeds: Sequence[int],
        batch_size: int,
        shared: bool = False,
    ) -> None:
        self._train = train[:1] if shared else train
        self._seeds = seeds[:1] if shared else seeds
        most = max(len(rows) for rows in train)
        self.batch = min(batch_size, most)
        self.steps = [steps_of(len(rows), batch_size) for rows in train]
        self._counts = _counts(train, max(self.steps), self.batch)
        self._full_steps = min(len(rows) // self.batch for rows in train)

    def epoch(self, epoch: int) -> EpochBatches:
        """The batches of `epoch` (from 0)."""
        ordered = [
            rows[epoch_order(seed, epoch, len(rows))]
            for rows, seed in zip(self._train, self._seeds, strict=True)
        ]
        table = _cut(ordered, len(self._counts), self.batch)
        return EpochBatches(table, self._counts, self._full_steps)


#: Float32 values of the widest activation that one chunk of validation may hold: 4 MB, so that a
#: chunk's activations stay near the cache and memory stays small whatever the dataset.
CHUNK_VALUES = 1 << 20


@dataclass(frozen=True, eq=False)
class ValidationChunks:
    """Validation rows of N networks: `rows` `(chunks, N, size)` int32 (`(chunks, 1, size)` if
    they share them), `counts` `(chunks, N)` float32; padding is row 0 behind a network's own
    rows."""

    rows: NDArray[np.int32]
    counts: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        validation: Sequence[NDArray[np.int32]],
        width: int,
        shared: bool = False,
        values: int | None = None,
    ) -> ValidationChunks:
        """Cut so that `N x size x width` (the widest layer) stays within `values` (None:
        `CHUNK_VALUES`).

        `shared`: all networks have the same rows.
        """
        networks, most = len(validation), max(len(rows) for rows in validation)
        limit = max(16, (values or CHUNK_VALUES) // (networks * width))
        chunks = max(1, -(-most // limit))
        size = max(1, -(-most // chunks))
        held = validation[:1] if shared else validation
        return cls(_cut(held, chunks, size), _counts(validation, chunks, size))


def _cut(networks: Sequence[NDArray[np.int32]], parts: int, size: int) -> NDArray[np.int32]:
    """Each network's rows in `parts` of `size`, filled up with row 0: `(parts, N, size)`."""
    table = np.zeros((len(networks), parts * size), np.int32)
    for network, rows in enumerate(networks):
        table[network, : len(rows)] = rows
    shaped = table.reshape(len(networks), parts, size).transpose(1, 0, 2)
    return np.ascontiguousarray(shaped)


def _counts(networks: Sequence[NDArray[np.int32]], parts: int, size: int) -> NDArray[np.float32]:
    """How many rows of each part are a network's own: `(parts, N)`."""
    sizes = np.array([len(rows) for rows in networks])
    return np.clip(sizes - np.arange(parts)[:, None] * size, 0, size).astype(np.float32)
