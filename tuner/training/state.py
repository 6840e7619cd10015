"""Where a training stands, as numbers: to go on from after its end, or from its middle.

A `TrainingState` becomes bytes as arrays in a NumPy archive, all else as JSON beside them.

Nothing is pickled, so reading runs no code of the file's; the archive's check sums tell a torn
or altered file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tuner.data.sources.npz import beyond_memory
from tuner.errors import TunerError

#: Version of the layout below.
FORMAT = 2

#: In the place of an array: its number in the archive.
_ARRAY = "array"


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


class SavedStateError(TunerError):
    """The bytes are no saved state, or not whole, or of another layout."""


@dataclass(frozen=True, eq=False)
class SavedState:
    """What is kept of a training that has not ended.

    Attributes:
        state: from `model.training_state()`.
        identity: of the training, as `tuner.training.identity` makes it.
        notes: what else its owner wants back: JSON.
    """

    state: TrainingState
    identity: Mapping[str, str]
    notes: Mapping[str, Any] = field(default_factory=dict)


def to_bytes(saved: SavedState) -> bytes:
    """`saved` as one archive, uncompressed (weights hardly shrink)."""
    if saved.state.run is None or saved.state.values is None:
        raise ValueError("a state is saved in the middle of a training; got one from its end")
    arrays: list[NDArray[Any]] = []

    def packed(part: Any) -> dict[str, Any]:
        """What JSON does not know: an array stands beside it, all else is a dataclass."""
        if isinstance(part, np.ndarray):
            arrays.append(part)
            return {_ARRAY: len(arrays) - 1}
        return vars(part)

    header = {
        "format": FORMAT,
        "identity": dict(saved.identity),
        "notes": dict(saved.notes),
        "state": json.dumps(saved.state, default=packed),
    }
    file = BytesIO()
    np.savez(file, *arrays, header=np.frombuffer(json.dumps(header).encode(), np.uint8))
    return file.getvalue()


def from_file(file: BinaryIO) -> SavedState:
    """The inverse of `to_bytes`; `file` can seek. Raises `SavedStateError`, OSError."""
    with _reading(file) as (header, arrays):

        def unpacked(part: dict[str, Any]) -> Any:
            return arrays[f"arr_{part[_ARRAY]}"] if _ARRAY in part else part

        state = json.loads(header["state"], object_hook=unpacked)
        run = state["run"]
        for own in run["networks"]:
            own["snapshots"] = {int(epoch): kept for epoch, kept in own["snapshots"].items()}
        networks = tuple(NetworkState(**own) for own in run["networks"])
        run = RunState(**{**run, "networks": networks})
        state = TrainingState(state["values"], state["epochs"], run)
        return SavedState(state, header["identity"], header["notes"])


def read_notes(file: BinaryIO) -> Mapping[str, Any]:
    """Only the notes of a saved state. Raises as `from_file`."""
    with _reading(file) as (header, _):
        notes: dict[str, Any] = header["notes"]
        return notes


@contextmanager
def _reading(file: BinaryIO) -> Iterator[tuple[dict[str, Any], Mapping[str, NDArray[Any]]]]:
    """The header and the arrays, each read when asked for; whatever goes wrong with what they
    hold is a `SavedStateError`."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            if reason := beyond_memory(arrays, arrays.files):
                raise SavedStateError(f"the file {reason}")
            header = json.loads(arrays["header"].tobytes())
            if header["format"] != FORMAT:
                raise SavedStateError(
                    f"a saved state has layout {FORMAT}; this one has {header['format']!r}"
                )
            yield header, arrays
    except (OSError, SavedStateError):
        raise
    except Exception as error:  # a foreign or torn file can make any reader stumble anywhere
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SavedStateError(f"the file is not a whole saved state ({text})") from error
