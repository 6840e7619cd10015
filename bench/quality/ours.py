"""`tuner` as a contender: the defaults of a space, or a search in it, in this process by one worker
of one thread; each way to turn it into a model is an answer of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.quality.runs import Answer
from bench.quality.tables import Table
from tuner.api.fitted import Fitted
from tuner.api.given_data import keep_data
from tuner.export.ensemble import EnsembleKind
from tuner.export.scores import predict
from tuner.export.wanted import Wanted
from tuner.results import BestTrial, best_trial
from tuner.results.ranking import Choice
from tuner.search import prepare_study, run_worker
from tuner.storage import storage_at
from tuner.study.asked import Asked
from tuner.study.stored import load_study

#: Before a class's number, so that nobody takes the target for a number.
_CLASS = "class "
#: Behind a contender's name: the rule that chooses the trial, and the ensemble; None: the trial
#: trained once more on all training rows.
WAYS: tuple[tuple[str, Choice, EnsembleKind | None], ...] = (
    ("", "best", None),
    ("-one-se", "one-se", None),
    ("-folds", "best", "folds"),
    ("-selection", "best", "selection"),
)


def searched(rows: Table, X: pd.DataFrame, space: str, trials: int) -> Iterator[tuple[str, Answer]]:
    """What `trials` trials of a space lead to, in each of `WAYS`. The one trial of the defaults is
    no choice."""
    numbers, began = rows.task == "regression", time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/quality.db"
        y = rows.y if numbers else np.char.mod(f"{_CLASS}%d", rows.y)
        data = keep_data(Path(folder), rows.X, y)
        definition = Asked(
            space=space,
            data=data.uri,
            # Also of whole numbers.
            rows={"target": data.target} | ({"task": "regression"} if numbers else {}),
            metrics=("r2" if numbers else "accuracy",),
        ).definition()
        made = prepare_study(definition, name="quality", storage_url=url, trials=trials)
        run_worker(url, made.name, stop=lambda: False, on_event=lambda event: None)
        study = load_study(storage_at(url).open(create=False), made.name)
        spent = time.perf_counter() - began
        for name, choose, ensemble in WAYS:
            if trials == 1 and (choose != "best" or ensemble == "selection"):
                continue
            began, best = time.perf_counter(), best_trial(study, choose)
            wanted = Wanted(choose=choose, ensemble=ensemble)
            fitted = Fitted.of(study, wanted, Path(folder), trust_code=False)
            # Columns that it does not use would be taken for others.
            used = {name: X[name].to_numpy() for name in fitted.model.input}
            found = predict(fitted.model, used)
            seconds = spent + time.perf_counter() - began
            classes = fitted.found.dataset.classes
            answer = found[:, 0] if numbers else _by_class(found, classes)
            settings = {"space": space, "trials": trials, "params": dict(best.params)}
            yield name, Answer(answer, seconds, *_promise(best), settings)


def _promise(best: BestTrial) -> tuple[float, float]:
    """The mean score over the inner folds, and its standard error."""
    inner = np.asarray(best.fold_scores)
    return float(inner.mean()), float(inner.std(ddof=1) / np.sqrt(len(inner)))


def _by_class(found: NDArray[Any], classes: Sequence[Any]) -> NDArray[Any]:
    """Probabilities `(rows, classes)` in the order of the table's class numbers."""
    if found.shape[1] == 1:
        found = np.hstack([1 - found, found])
    numbers = [int(str(label).removeprefix(_CLASS)) for label in classes]
    return found[:, np.argsort(numbers)]
