"""What was chosen of a study as a folder that Keras alone can use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data import fit_target_scaling
from tuner.data.scaling import TargetScaling
from tuner.export import folder
from tuner.export.card import model_card
from tuner.export.ensemble import Ensemble, EnsembleNetworks
from tuner.export.facts import preprocessing_of, settings_of
from tuner.export.network import build_network
from tuner.export.refit import Refit
from tuner.export.scores import loss_of, network_rows, predict, score
from tuner.export.table_model import build_table_model
from tuner.export.trained import TrainedNetwork
from tuner.planning.metrics import is_own_metric

if TYPE_CHECKING:
    import keras

    from tuner.data import Dataset


def write_export(
    found: Refit | Ensemble, out: Path, *, study: str, metrics: tuple[str, ...]
) -> dict[str, Any]:
    """Write a refitted network, or an ensemble, to `out`, scored once on the test rows if there are
    any.

    Args:
        found: of `tuner.export.refit_trial` or `tuner.export.fold_ensemble`.
        out: see `folder.check_target`; made in one go at the end.
        study: the study's name.
        metrics: scored on the test rows.

    Returns:
        What `settings.json` holds.

    Raises:
        UsageError: the place cannot be written.
    """
    data, network, single_test = found.dataset, None, None
    if isinstance(found, Ensemble):
        networks = EnsembleNetworks(found)
        model = networks.model()
        rows = np.arange(data.rows)
        targets = fit_target_scaling(data, rows) if data.task == "regression" else None
        test = _test_scores(networks.answers, found.best.networks[0], data, targets, metrics)
        if found.single is not None:
            single_test = refit_scores(found.single, build_models(found.single)[0], metrics)
    else:
        network, model = build_models(found)
        test = refit_scores(found, network, metrics)
    settings = settings_of(found, study, test, single_test)
    preprocessing = preprocessing_of(found)

    def fill(into: Path) -> None:
        model.save(into / folder.MODEL)
        if network is not None and network is not model:
            network.save(into / folder.NETWORK)
        (into / folder.ARCHITECTURE).write_text(model.to_json(), encoding="utf-8")
        model.save_weights(into / folder.WEIGHTS)
        folder.write_json(into / folder.SETTINGS, settings)
        folder.write_json(into / folder.PREPROCESSING, preprocessing)
        if data.classes is not None:
            folder.write_json(into / folder.CLASSES, list(data.classes))
        card = model_card(settings, preprocessing)
        (into / folder.CARD).write_text(card, encoding="utf-8")

    folder.write_folder(out, fill)
    return settings


def build_models(refit: Refit) -> tuple[keras.Model, keras.Model]:
    """The network of numbers, and the model that takes what the data hold: the columns of a table,
    else the network itself."""
    network, encoding = build_network(refit, refit.dataset), refit.dataset.encoding
    if encoding is None:
        return network, network
    assert refit.scaling is not None
    return network, build_table_model(encoding, refit.scaling, network)


def refit_scores(
    refit: Refit, network: keras.Model, metrics: tuple[str, ...]
) -> dict[str, float] | None:
    """Metric to the score on the test rows of the refit's data; None if there are none.

    Args:
        network: the first of `build_models`.
    """
    data = refit.dataset
    return _test_scores(
        lambda x: predict(network, network_rows(data, x, refit.scaling)),
        refit,
        data,
        refit.target_scaling,
        metrics,
    )


def _test_scores(
    answer: Callable[[NDArray[Any]], NDArray[np.float32]],
    trained: TrainedNetwork,
    data: Dataset,
    targets: TargetScaling | None,
    metrics: tuple[str, ...],
) -> dict[str, float] | None:
    """The scores of what `answer` says to the test rows; None without any. The loss is that which
    `trained` was trained by, of a regression at the scale of `targets`."""
    if data.x_test is None or data.y_test is None:
        return None
    tested = (data.task, data.y_test, answer(data.x_test))
    return {
        name: loss_of(trained.plan.loss, *tested, targets, log=data.target_log)
        if name == "loss"
        else score(name, *tested)
        for name in metrics
        # What a network was compiled with is its own.
        if name != "loss" or trained.network is None or not trained.network.own
        # The code of a metric of somebody's own is not loaded.
        if not is_own_metric(name)
    }
