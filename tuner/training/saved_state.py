"""A `TrainingState` as bytes and back: arrays in a NumPy archive, all else as JSON beside them.

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

from tuner.errors import TunerError
from tuner.training.state import NetworkState, RunState, TrainingState

#: Version of the layout below.
FORMAT = 1

_HEADER = "header"


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
    state, run = saved.state, saved.state.run
    if run is None or state.values is None:
        raise ValueError("a state is saved in the middle of a training; got one from its end")
    arrays = {f"values/{i}": value for i, value in enumerate(state.values)}
    arrays |= {f"train/{name}": curve for name, curve in run.train.items()}
    arrays |= {f"validation/{name}": curve for name, curve in run.validation.items()}
    arrays |= {"learning_rate": run.learning_rate, "epoch_seconds": run.epoch_seconds}
    networks = []
    for number, network in enumerate(run.networks):
        kept = {} if network.weights is None else {"weights": network.weights}
        kept |= {str(epoch): weights for epoch, weights in network.snapshots.items()}
        for name, weights in kept.items():
            arrays |= {f"networks/{number}/{name}/{i}": v for i, v in enumerate(weights)}
        networks.append(
            {
                "progress": network.progress,
                "rates": network.rates,
                "kept": {name: len(weights) for name, weights in kept.items()},
            }
        )
    header = {
        "format": FORMAT,
        "identity": dict(saved.identity),
        "notes": dict(saved.notes),
        "epochs": state.epochs,
        "values": len(state.values),
        "train": list(run.train),
        "validation": list(run.validation),
        "networks": networks,
    }
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    file = BytesIO()
    np.savez(file, **{_HEADER: text, **arrays})  # type: ignore[arg-type]
    return file.getvalue()


def from_file(file: BinaryIO) -> SavedState:
    """The inverse of `to_bytes`; `file` can seek. Raises `SavedStateError`, OSError."""
    with _reading(file) as (header, arrays):
        networks = tuple(
            _network(arrays, number, kept) for number, kept in enumerate(header["networks"])
        )
        run = RunState(
            train={name: arrays[f"train/{name}"] for name in header["train"]},
            validation={name: arrays[f"validation/{name}"] for name in header["validation"]},
            learning_rate=arrays["learning_rate"],
            epoch_seconds=arrays["epoch_seconds"],
            networks=networks,
        )
        values = [arrays[f"values/{i}"] for i in range(header["values"])]
        state = TrainingState(values, int(header["epochs"]), run)
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
            header = json.loads(arrays[_HEADER].tobytes())
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


def _network(
    arrays: Mapping[str, NDArray[Any]], number: int, kept: Mapping[str, Any]
) -> NetworkState:
    def weights(name: str) -> list[NDArray[np.float32]]:
        return [arrays[f"networks/{number}/{name}/{i}"] for i in range(kept["kept"][name])]

    return NetworkState(
        progress=kept["progress"],
        rates=kept["rates"],
        weights=weights("weights") if "weights" in kept["kept"] else None,
        snapshots={int(name): weights(name) for name in kept["kept"] if name != "weights"},
    )
