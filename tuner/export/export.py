"""A study's best trial as a folder that Keras alone can use."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner import __version__
from tuner.data.sources.base import READING
from tuner.export import folder
from tuner.export.card import model_card
from tuner.export.own_model import build_own_model
from tuner.export.refit import Refit
from tuner.export.scores import loss_of, predict, score
from tuner.export.sequential import build_sequential
from tuner.export.table_model import build_table_model
from tuner.planning.metrics import is_own_metric
from tuner.text import json_ready

if TYPE_CHECKING:
    import keras


def write_export(
    refit: Refit, out: Path, *, study: str, metrics: tuple[str, ...]
) -> dict[str, Any]:
    """Write the refitted network to `out`, scored once on the test rows if there are any.

    Args:
        refit: of `tuner.export.refit_trial`.
        out: see `folder.check_target`; made in one go at the end.
        study: the study's name.
        metrics: scored on the test rows.

    Returns:
        What `settings.json` holds.

    Raises:
        UsageError: the place cannot be written.
    """
    data, scaling, encoding = refit.dataset, refit.scaling, refit.dataset.encoding
    network, model = build_models(refit)
    test = None
    if data.x_test is not None and data.y_test is not None:
        x_test = data.x_test
        if encoding is not None and scaling is not None:
            x_test = encoding.inputs(x_test.astype(np.float32, copy=False), scaling)
        tested = (data.task, data.y_test, predict(network, x_test))
        test = {
            name: loss_of(refit.plan.loss, *tested, refit.target_scaling, log=data.target_log)
            if name == "loss"
            else score(name, *tested)
            for name in metrics
            # What a network was compiled with is its own.
            if name != "loss" or refit.network is None or not refit.network.own
            # The code of a metric of somebody's own is not loaded.
            if not is_own_metric(name)
        }
    settings = _settings(refit, study, test)
    preprocessing = _preprocessing(refit)

    def fill(into: Path) -> None:
        model.save(into / folder.MODEL)
        if network is not model:
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
    data, scaling, encoding = refit.dataset, refit.scaling, refit.dataset.encoding
    shift = None if scaling is None or encoding is not None else scaling.shift
    scale = None if scaling is None or encoding is not None else scaling.scale
    if refit.network is not None:
        network = build_own_model(
            refit.network, data, shift=shift, scale=scale, target_scaling=refit.target_scaling
        )
    else:
        network = build_sequential(
            refit.plan.model,
            refit.weights,
            task=data.task,
            byte_scale=data.byte_scale,
            shift=shift,
            scale=scale,
            target_scaling=refit.target_scaling,
            target_log=data.target_log,
        )
    if encoding is None:
        return network, network
    assert scaling is not None
    return network, build_table_model(encoding, scaling, network)


def _settings(refit: Refit, study: str, test: dict[str, float] | None) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    data, schedule = refit.dataset, refit.plan.schedule
    return {
        "format": folder.FORMAT,
        "version": folder.FORMAT_VERSION,
        "study": study,
        "trial": refit.trial,
        "params": refit.params,
        "epochs": refit.plan.epochs,
        "seed": refit.seed,
        "plan": json_ready(
            asdict(refit.plan)
            | {"schedule": {"name": schedule.name, **asdict(schedule)}}
            | ({} if refit.network is None else {"model": "own"})
        ),
        "data": {
            "uri": data.uri,
            "hash": data.hash,
            "task": data.task,
            "rows": data.rows,
            "test_rows": 0 if data.x_test is None else len(data.x_test),
            "target_names": data.target_names,
            "reading": {name: getattr(refit.reading, name) for name in READING},
        },
        "cross_validation": json_ready(refit.fold_scores),
        "test": json_ready(test),
        "versions": {
            "tuner": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "python": ".".join(map(str, sys.version_info[:3])),
        },
    }


def _preprocessing(refit: Refit) -> dict[str, Any]:
    data, scaling = refit.dataset, refit.scaling
    targets, log = refit.target_scaling, data.target_log
    return {
        "features": data.features,
        "outputs": data.outputs,
        "feature_names": data.feature_names,
        "image_shape": data.image_shape,
        "byte_scale": data.byte_scale,
        "encoding": None if data.encoding is None else data.encoding.model_dump(mode="json"),
        "shift": None if scaling is None else scaling.shift.tolist(),
        "scale": None if scaling is None else scaling.scale.tolist(),
        **(
            {}
            if data.encoding is None or scaling is None
            else {
                name: None if value is None else value.tolist()
                for name, value in scaling._asdict().items()
                if name in ("fill", "clip", "rare")
            }
        ),
        "target_scaling": None
        if targets is None
        else {"mean": targets[0].tolist(), "std": targets[1].tolist()},
        "target_log": log,
        "formula": "input = x * byte_scale * scale + shift; answer = output * std + mean"
        f"{', then exp(answer) - 1' if log else ''}; "
        "both are layers of the model",
    }
