"""The networks of folds as one: the mean of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.data import Dataset
from tuner.data.sources import Reading
from tuner.export.fold_networks import FoldNetworks
from tuner.export.network import build_network
from tuner.export.quiet import any_column_name
from tuner.export.refit import Refit
from tuner.export.scores import answers, network_rows
from tuner.export.table_model import network_inputs, table_columns
from tuner.export.temperature import Calibration

if TYPE_CHECKING:
    import keras

EnsembleKind = Literal["folds", "selection"]


@dataclass(frozen=True, eq=False)
class Member:
    """A trial's fold networks, which count alike, and `weight`, the trial's share of the answer."""

    trained: FoldNetworks
    weight: float


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Fold networks that answer as one.

    Attributes:
        kind: how they were chosen.
        members: their weights add up to 1.
        dataset, reading: what the study was made on, and how it was read.
        fold_scores: metric to the ensemble's scores on each fold's validation rows, by the networks
            that have not trained on them.
        elsewhere: of a selection, the scores on each fold of what the other folds alone choose;
            None if there are no others.
        single: the best trial alone, trained on all rows, if there are test rows to compare on.
        calibration: of all networks, if one was asked for.
    """

    kind: EnsembleKind
    members: tuple[Member, ...]
    dataset: Dataset
    reading: Reading
    fold_scores: dict[str, list[float]]
    elsewhere: dict[str, list[float]] | None
    single: Refit | None
    calibration: Calibration | None

    @property
    def best(self) -> FoldNetworks:
        """Of the best trial among the members."""
        return self.members[0].trained


class EnsembleNetworks:
    """The networks of an ensemble as Keras models, each built once."""

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble
        calibrated = ensemble.calibration
        temperature = None if calibrated is None else calibrated.temperature
        self._networks = [
            [
                build_network(
                    replace(own, temperature=temperature),
                    ensemble.dataset,
                    f"trial_{member.trained.trial}_fold_{number}",
                )
                for number, own in enumerate(member.trained.networks)
            ]
            for member in ensemble.members
        ]

    def model(self) -> keras.Model:
        """One model of Keras's own layers that takes raw rows `(rows, features)`, or the columns
        of a table as `build_table_model` does, and answers the weighted mean of the networks'
        probabilities, or values in their own unit, `(rows, outputs)`."""
        import keras

        dataset = self._ensemble.dataset
        if dataset.encoding is None:
            given: Any = keras.Input((dataset.features,), dtype="float32", name="features")
        else:
            columns = table_columns(dataset.encoding)
            given = columns.given
        means = []
        for member, networks in zip(self._ensemble.members, self._networks, strict=True):
            said = []
            for own, network in zip(member.trained.networks, networks, strict=True):
                rows = given
                if dataset.encoding is not None:
                    assert own.scaling is not None
                    rows = network_inputs(columns, own.scaling)
                said.append(network(rows))
            name = f"trial_{member.trained.trial}"
            mean = keras.layers.Average(name=f"{name}_mean")(said) if said[1:] else said[0]
            if len(self._networks) > 1:
                mean = keras.layers.Rescaling(member.weight, name=f"{name}_weight")(mean)
            means.append(mean)
        answer = keras.layers.Add(name="answer")(means) if means[1:] else means[0]
        with any_column_name():
            return keras.Model(given, answer, name="ensemble")

    def answers(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """What the model answers to rows `x` as a `Dataset` holds them."""
        dataset = self._ensemble.dataset
        total = np.zeros((len(x), dataset.outputs), np.float64)
        for member, networks in zip(self._ensemble.members, self._networks, strict=True):
            total += member.weight * np.mean(_said(member.trained, networks, dataset, x), axis=0)
        return total.astype(np.float32)


def _said(
    trained: FoldNetworks, networks: Sequence[keras.Model], dataset: Dataset, x: NDArray[Any]
) -> list[NDArray[np.float32]]:
    return [
        answers(network, network_rows(dataset, x, own.scaling))
        for own, network in zip(trained.networks, networks, strict=True)
    ]
