"""`tuner` on tables that people have, beside scikit-learn's pipelines in the same folds.

    python -m bench.tables ../shared/data/tables > docs/tables.md

Ours is the best of 20 trials of the space `mlp_table` by the folds' mean, so it is somewhat
optimistic. scikit-learn's are untuned: the better of two scalers, for
the MLP also of all its epochs and of early stopping.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.machine import describe
from tuner.data import Dataset
from tuner.data.dataset import Fold
from tuner.spaces import load_space
from tuner.study.data import load_study_data, notes_on
from tuner.study.definition import StudyDefinition
from tuner.study.library import load_definition

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A file, its target, and what is asked of it."""

    file: str
    target: str
    metric: str
    more: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("titanic.csv", "Survived", "accuracy"),
    Case("california_housing.csv", "median_house_value", "r2"),
    Case("telco_churn.csv", "Churn", "roc_auc"),
    Case("adult_no_header.csv", "-1", "roc_auc"),
    Case("bank_semicolon.csv", "y", "accuracy"),
    Case("cleveland_question_marks.csv", "num", "accuracy"),
    Case("auto_mpg_gaps.csv", "mpg", "r2"),
    Case("german_credit_spaces.data", "CLASSIFICATION", "accuracy"),
    Case("banknote_no_header.csv", "-1", "accuracy"),
    Case("boston_fixed_width.data", "-1", "r2"),
    Case("horse_colic_no_header.csv", "24", "accuracy"),
    Case("ames.csv", "SalePrice", "r2"),
    Case("gdp_latin1.csv", "2015", "r2"),
    Case("iris_with_class_id.csv", "species", "accuracy", {"drop": ("species_id",)}),
    Case("mammography_imbalanced_no_header.csv", "-1", "roc_auc"),
    Case("wine_red_integer_quality.csv", "-1", "r2", {"task": "regression"}),
)


def definition_of(case: Case, folder: Path, space: str) -> StudyDefinition:
    uri = f"csv:{folder / case.file}"
    data = {"uri": uri, "target": case.target, **case.more}
    changes = {f"data.{name}": value for name, value in data.items()}
    changes["objective.metric"] = case.metric
    return load_definition("default", space=load_space(space)).override(changes)


@dataclass(frozen=True)
class Search:
    """What a search found; `scores`: the best trial's, one a fold."""

    scores: Scores
    params: dict[str, Any]
    diverged: int
    seconds: float


def search(definition: StudyDefinition, trials: int) -> Search:
    """As `tuner optimize` does it, with one worker, in this process."""
    from tuner.results import find_best
    from tuner.results.trials import trials_of
    from tuner.search import prepare_study, run_worker
    from tuner.storage import records, storage_at
    from tuner.study.stored import load_study

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/tables.db"
        made = prepare_study(definition, name="table", storage_url=url, trials=trials)
        run_worker(url, made.name, stop=lambda: False, on_event=lambda event: None)
        seconds = time.perf_counter() - began
        study = load_study(storage_at(url).open(create=False), made.name)
        causes = [trial.user_attrs.get(records.CAUSE) for trial in trials_of(study)]
        best = find_best(study)
    diverged = sum(records.diverged(cause) for cause in causes)
    if best is None:
        return Search(np.full(5, np.nan), {}, diverged, seconds)
    return Search(np.array(best.fold_scores), dict(best.params), diverged, seconds)


def raw_frame(dataset: Dataset, definition: StudyDefinition) -> pd.DataFrame:
    """The dataset's rows as the table has them."""
    from tuner.data.sources import Request, read_source

    assert dataset.encoding is not None
    data = definition.data
    asked = Request(target=data.target, drop=data.drop, encoding=dataset.encoding)
    columns = read_source(data.uri, asked).columns
    assert columns is not None
    return pd.DataFrame({name: values[:, 0] for name, values in columns.items()})


def references(
    dataset: Dataset, frame: pd.DataFrame, folds: tuple[Fold, ...], metric: str
) -> dict[str, Scores]:
    """`linear`, `MLP` and `trees` to their scores on each fold, each the best of its variants."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.metrics import get_scorer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import RobustScaler, StandardScaler

    numbers = dataset.task == "regression"
    y = dataset.y.reshape(-1)
    linear = Ridge() if numbers else LogisticRegression(max_iter=1000)
    perceptron = MLPRegressor if numbers else MLPClassifier
    trees = HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
    full, early = (
        perceptron(hidden_layer_sizes=(64, 64), early_stopping=stop, random_state=0)
        for stop in (False, True)
    )
    variants: dict[str, list[tuple[Any, Any]]] = {
        "linear": [(StandardScaler(), linear), (RobustScaler(), linear)],
        "MLP": [(StandardScaler(), full), (StandardScaler(), early), (RobustScaler(), early)],
        "trees": [(StandardScaler(), trees(random_state=0))],
    }
    scorer, scores = get_scorer(metric), {}
    for name, tried in variants.items():
        own = [make_pipeline(columns_of(dataset, scaler), model) for scaler, model in tried]
        found = [[_score(model, frame, y, fold, scorer) for fold in folds] for model in own]
        scores[name] = np.array(max(found, key=np.mean))
    return scores


def columns_of(dataset: Dataset, scaler: Any) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    assert dataset.encoding is not None
    columns = dataset.encoding.columns
    texts = [column.name for column in columns if column.kind == "category"]
    numbers = [column.name for column in columns if column.kind != "category"]
    filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), scaler)
    coded = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False
    )
    return ColumnTransformer([("numbers", filled, numbers), ("texts", coded, texts)])


def _score(model: Any, frame: pd.DataFrame, y: NDArray[Any], fold: Fold, scorer: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLP: not converged in its 200 epochs; unknown levels
        if y.dtype.kind == "f":  # as our regressions: the target at mean 0 and deviation 1
            from sklearn.compose import TransformedTargetRegressor
            from sklearn.preprocessing import StandardScaler

            model = TransformedTargetRegressor(model, transformer=StandardScaler())
        model.fit(frame.iloc[fold.train], y[fold.train])
        return float(scorer(model, frame.iloc[fold.validation], y[fold.validation]))


def spread(scores: Scores) -> str:
    return f"{scores.mean():.3f} ± {error_of(scores):.3f}"


def error_of(scores: Scores) -> float:
    """The standard error of the mean."""
    return float(scores.std(ddof=1) / np.sqrt(len(scores)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--space", default="mlp_table")
    parser.add_argument("--only", nargs="*", help="files by the beginnings of their names")
    args = parser.parse_args()
    cases = [case for case in CASES if (args.folder / case.file).exists()]
    if args.only:
        cases = [case for case in cases if case.file.startswith(tuple(args.only))]
    print(f"{describe()}; {args.space}, {args.trials} trials\n")
    head = "table, metric|rows x columns|tuner|linear|MLP|trees|tuner less MLP|diverged|seconds"
    print(f"| {head.replace('|', ' | ')} |\n|{'---|' * 9}", flush=True)
    notes = []
    for case in cases:
        definition = definition_of(case, args.folder, args.space)
        dataset, folds = load_study_data(definition)
        frame = raw_frame(dataset, definition)
        others = references(dataset, frame, folds, case.metric)
        ours = search(definition, args.trials)
        error = error_of(others["MLP"]) or error_of(ours.scores) or 1.0
        less = (ours.scores.mean() - others["MLP"].mean()) / error
        row = [
            f"{case.file}, {case.metric}",
            f"{dataset.rows} x {len(frame.columns)}",
            spread(ours.scores),
            *map(spread, others.values()),
            f"{less:+.1f} standard errors",
            f"{ours.diverged} of {args.trials}",
            f"{ours.seconds:.0f}",
        ]
        print(f"| {' | '.join(row)} |", flush=True)
        notes += [f"- {case.file}: {note}" for note in notes_on(dataset, definition)]
    print("\nWhat was said of the data:\n")
    print("\n".join(notes))


if __name__ == "__main__":
    main()
