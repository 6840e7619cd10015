"""What fold networks answer to the rows that they have not trained on, and what that scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tuner.data import Dataset, Fold
from tuner.errors import UsageError
from tuner.export.fold_networks import FoldNetworks
from tuner.export.network import build_network
from tuner.export.scores import answers, loss_of, network_rows, score
from tuner.export.selection import Counts
from tuner.export.trained import TrainedNetwork
from tuner.planning.metrics import MetricInfo

if TYPE_CHECKING:
    import keras


def out_of_fold(
    trained: FoldNetworks, dataset: Dataset, folds: Sequence[Fold], *, logits: bool = False
) -> list[NDArray[np.float32]]:
    """Per fold `(validation rows, outputs)`: its network's probabilities, or values in their own
    unit; `logits`: the sums before the softmax or sigmoid."""
    said = []
    for own, fold in zip(trained.networks, folds, strict=True):
        network = _logits(own, dataset) if logits else build_network(own, dataset)
        said.append(
            answers(network, network_rows(dataset, dataset.x[fold.validation], own.scaling))
        )
    return said


def _logits(own: TrainedNetwork, dataset: Dataset) -> keras.Model:
    import keras

    network = build_network(replace(own, temperature=1.0), dataset)
    return keras.Model(network.inputs[0], network.get_layer("temperature").input)


class OutOfFold:
    """The out-of-fold scores of means over trials.

    Args:
        trained: of each trial, the best first.
        own: metrics of somebody's own.
    """

    def __init__(
        self,
        trained: Sequence[FoldNetworks],
        dataset: Dataset,
        folds: Sequence[Fold],
        own: Sequence[MetricInfo],
    ) -> None:
        self._dataset = dataset
        self._folds = folds
        self._best = trained[0].networks
        self._own = {info.name: info for info in own}
        each = [out_of_fold(member, dataset, folds) for member in trained]
        #: Per fold `(trials, rows, outputs)`.
        self._said = [np.stack(own) for own in zip(*each, strict=True)]
        self.scores = cache(self._scores)

    def knows(self, metric: str) -> bool:
        """Whether predictions have this metric: not the loss of a network that `build` compiled,
        which is its own."""
        network = self._best[0].network
        return metric != "loss" or network is None or not network.own

    def _scores(self, metric: str, counts: Counts) -> list[float]:
        """Each fold's `metric` of the mean over the trials, each as often as it counts. The loss is
        that of the best trial's plan.

        Raises:
            UsageError: the loss of a network that `build` compiled.
        """
        if not self.knows(metric):
            raise UsageError(
                "an ensemble is chosen by its predictions; the loss that a network was compiled "
                "with is its own. Available: --ensemble folds, or a study with another --metric"
            )
        shares = np.asarray(counts, np.float32) / sum(counts)
        return [
            self._score(metric, number, np.tensordot(shares, said, 1))
            for number, said in enumerate(self._said)
        ]

    def _score(self, metric: str, number: int, said: NDArray[np.float32]) -> float:
        data, network = self._dataset, self._best[number]
        y = data.y[self._folds[number].validation]
        if metric in self._own:
            return self._own[metric].compute(y, said)
        if metric != "loss":
            return score(metric, data.task, y, said)
        scaling = network.target_scaling
        return loss_of(network.plan.loss, data.task, y, said, scaling, log=data.target_log)
