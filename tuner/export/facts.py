"""What `settings.json` and `preprocessing.json` hold."""

from __future__ import annotations

import sys
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from tuner import __version__
from tuner.data import Dataset
from tuner.data.sources import Reading
from tuner.data.sources.base import READING
from tuner.export import folder
from tuner.export.ensemble import Ensemble
from tuner.export.refit import Refit
from tuner.export.trained import TrainedNetwork
from tuner.schedules import Schedule
from tuner.text import json_ready


def settings_of(
    found: Refit | Ensemble,
    study: str,
    test: dict[str, float] | None,
    single_test: dict[str, float] | None = None,
) -> dict[str, Any]:
    """`settings.json`. `test` are the scores on the test rows, `single_test` those of an ensemble's
    best trial alone, trained on all rows."""
    import keras
    import tensorflow as tf

    return {
        "format": folder.FORMAT,
        "version": folder.FORMAT_VERSION,
        "study": study,
        **(
            _ensemble_facts(found, single_test)
            if isinstance(found, Ensemble)
            else {
                "trial": found.trial,
                "params": found.params,
                "epochs": found.plan.epochs,
                "seed": found.seed,
                "plan": _plan_facts(found),
            }
        ),
        "data": _data_facts(found.dataset, found.reading),
        **(
            {}
            if found.calibration is None
            else {"calibration": {"method": "temperature", **found.calibration._asdict()}}
        ),
        "cross_validation": json_ready(found.fold_scores),
        "test": json_ready(test),
        "versions": {
            "tuner": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "python": ".".join(map(str, sys.version_info[:3])),
        },
    }


def _ensemble_facts(found: Ensemble, single_test: dict[str, float] | None) -> dict[str, Any]:
    best = found.best
    return {
        "trial": best.trial,
        "params": best.params,
        "ensemble": {
            "kind": found.kind,
            "elsewhere": json_ready(found.elsewhere),
            "members": [
                {
                    "trial": own.trained.trial,
                    "weight": own.weight,
                    "params": own.trained.params,
                    "epochs": own.trained.epochs,
                    "seeds": [network.seed for network in own.trained.networks],
                    "plan": _plan_facts(own.trained.networks[0]),
                }
                for own in found.members
            ],
            "single": {
                "trial": best.trial,
                "cross_validation": json_ready(best.scores),
                "test": json_ready(single_test),
            },
        },
    }


def _plan_facts(trained: TrainedNetwork) -> Any:
    plan = trained.plan
    return json_ready(
        asdict(plan)
        | {"schedule": _schedule_facts(plan.schedule)}
        | {"scheduled": {name: _schedule_facts(own) for name, own in plan.scheduled}}
        | ({} if trained.network is None else {"model": "own"})
    )


def _schedule_facts(schedule: Schedule) -> dict[str, Any]:
    """Its settings, and its name; so of one within it."""
    parts = {own.name: getattr(schedule, own.name) for own in fields(schedule)}
    return {"name": schedule.name} | {
        name: _schedule_facts(part) if isinstance(part, Schedule) else part
        for name, part in parts.items()
    }


def _data_facts(data: Dataset, reading: Reading) -> dict[str, Any]:
    return {
        "uri": data.uri,
        "hash": data.hash,
        "task": data.task,
        "rows": data.rows,
        "test_rows": 0 if data.x_test is None else len(data.x_test),
        "target_names": data.target_names,
        "reading": {name: getattr(reading, name) for name in READING},
    }


def preprocessing_of(found: Refit | Ensemble) -> dict[str, Any]:
    """`preprocessing.json`. Of an ensemble the scalings are those of its `networks`, each fitted on
    its own fold's training rows."""
    data = found.dataset
    log = ", then exp(answer) - 1" if data.target_log else ""
    facts: dict[str, Any] = {
        "features": data.features,
        "outputs": data.outputs,
        "feature_names": data.feature_names,
        "image_shape": data.image_shape,
        "byte_scale": data.byte_scale,
        "encoding": None if data.encoding is None else data.encoding.model_dump(mode="json"),
    }
    if isinstance(found, Refit):
        facts |= _scaling_facts(found, data)
    else:
        facts |= {"shift": None, "scale": None, "target_scaling": None}
        facts["networks"] = [
            {"trial": own.trained.trial, "fold": fold, **_scaling_facts(network, data)}
            for own in found.members
            for fold, network in enumerate(own.trained.networks)
        ]
    return {
        **facts,
        "target_log": data.target_log,
        "formula": "input = x * byte_scale * scale + shift; answer = output * std + mean"
        f"{log}; both are layers of the model",
    }


def _scaling_facts(trained: TrainedNetwork, data: Dataset) -> dict[str, Any]:
    scaling, targets = trained.scaling, trained.target_scaling
    table = {} if data.encoding is None or scaling is None else scaling._asdict()
    return {
        "shift": None if scaling is None else scaling.shift.tolist(),
        "scale": None if scaling is None else scaling.scale.tolist(),
        **{
            name: None if value is None else value.tolist()
            for name, value in table.items()
            if name in ("fill", "clip", "rare")
        },
        "target_scaling": None
        if targets is None
        else {"mean": targets[0].tolist(), "std": targets[1].tolist()},
    }
