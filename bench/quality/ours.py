"""`tuner` as a contender: a space's defaults alone, and a search in it; both trained again on all
training rows, as `tuner export` does. One worker of one thread, in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.quality.runs import Answer
from bench.quality.tables import Table
from tuner.api.given_data import keep_data
from tuner.export.scores import predict
from tuner.study.asked import Asked

#: Before a class's number, so that nobody takes the target for a number.
_CLASS = "class "


def searched(rows: Table, X: pd.DataFrame, space: str, trials: int, **more: Any) -> Answer:
    """The best of `trials` trials of a space; `more`: fields of `Asked`."""
    from tuner.export.export import build_models
    from tuner.export.refit import refit_trial
    from tuner.results import best_trial, find_trial
    from tuner.search import prepare_study, run_worker
    from tuner.storage import storage_at
    from tuner.study.data import load_study_data
    from tuner.study.stored import load_study

    numbers = rows.task == "regression"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/quality.db"
        y = rows.y if numbers else np.char.mod(f"{_CLASS}%d", rows.y)
        data = keep_data(Path(folder), rows.X, y)
        asked = Asked(
            space=space,
            data=data.uri,
            # Also of whole numbers.
            rows={"target": data.target} | ({"task": "regression"} if numbers else {}),
            metrics=("r2" if numbers else "accuracy",),
            **more,
        )
        definition = asked.definition()
        made = prepare_study(definition, name="quality", storage_url=url, trials=trials)
        run_worker(url, made.name, stop=lambda: False, on_event=lambda event: None)
        study = load_study(storage_at(url).open(create=False), made.name)
        best = best_trial(study)
        refit = refit_trial(study, find_trial(study, best.number), load_study_data(definition)[0])
        _, model = build_models(refit)
        found = predict(model, {str(name): own.to_numpy() for name, own in X.items()})
    inner = np.asarray(best.fold_scores)
    return Answer(
        found[:, 0] if numbers else _by_class(found, refit.dataset.classes),
        promised=float(best.value),
        promised_error=float(inner.std(ddof=1) / np.sqrt(len(inner))),
        settings={"space": space, "trials": trials, "params": dict(best.params)},
    )


def _by_class(found: NDArray[Any], classes: Sequence[Any]) -> NDArray[Any]:
    """Probabilities `(rows, classes)` in the order of the table's class numbers."""
    if found.shape[1] == 1:
        found = np.hstack([1 - found, found])
    numbers = [int(str(label).removeprefix(_CLASS)) for label in classes]
    return found[:, np.argsort(numbers)]
