"""An exported model read back, and its answers to new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data import Rows, Task, load_rows
from tuner.data.rows import Part
from tuner.data.sources import source_of
from tuner.errors import DataError
from tuner.export.contents import Preprocessing, Settings, read_contents
from tuner.export.network_file import load_network
from tuner.export.scores import decide, score
from tuner.planning.metrics import METRICS
from tuner.text import rounded

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """The contents of an exported folder; see `docs/export.md`."""

    path: Path
    settings: Settings
    preprocessing: Preprocessing
    classes: tuple[Any, ...] | None

    @cached_property
    def keras_model(self) -> keras.Model:
        """The network, loaded when first used. Raises UsageError if its file is broken."""
        return load_network(self.path, self.preprocessing)

    @property
    def task(self) -> Task:
        return self.settings.data.task


def load_export(path: Path) -> ExportedModel:
    """Read an exported folder.

    Raises:
        UsageError: `path` is none, or it is of a later layout, or a file of it is broken (that
            of the network when it is first used).
    """
    return ExportedModel(path, *read_contents(path))


def rows_for(
    model: ExportedModel,
    uri: str,
    *,
    target: str | None = None,
    part: Part = "all",
    keep: Sequence[str] = (),
) -> Rows:
    """The rows of `uri` as the model takes them: raw, before any scaling.

    Args:
        target: the column(s) of the true values; without it those that the model was trained
            on, if the data have them.
        keep: further columns whose values are wanted.

    Raises:
        DataError: see `tuner.data.load_rows`.
    """
    facts = model.preprocessing
    trained = model.settings.data.target_names

    load = partial(
        load_rows,
        uri,
        features=facts.features,
        task=model.task,
        classes=model.classes,
        byte_scale=facts.byte_scale,
        encoding=facts.encoding,
        feature_names=facts.feature_names,
        part=part,
        reading=model.settings.data.reading,
        keep=keep,
    )

    if target is None and trained and source_of(uri)[0].is_table:
        try:
            rows = load(target=",".join(trained))
        except DataError as error:
            # New rows need no target; anything else that is wrong is wrong the second time too.
            if "unknown target column" not in str(error):
                raise
            rows = load(target=None)
    else:
        rows = load(target=target)
    if isinstance(rows.x, Mapping):
        return rows
    # `load_rows` has multiplied bytes by the factor that is the model's own first layer.
    return replace(rows, x=rows.x / np.float32(facts.byte_scale))


def prediction_rows(
    model: ExportedModel,
    answers: NDArray[np.float32],
    y: NDArray[Any] | None = None,
    kept: Mapping[str, list[Any]] | None = None,
) -> list[dict[str, Any]]:
    """One row an input row: `row` (from 0), `predicted`, `actual` if `y` is given, and
    `probability_CLASS` for each class.

    `predicted` is a class, the list of a row's labels (multilabel), a value, or, if a
    regression has several targets, one `predicted_NAME` each. `kept`, values a row by name, comes
    last.
    """
    rows = _answer_rows(model, answers, y)
    for number, row in enumerate(rows):
        row.update({name: values[number] for name, values in (kept or {}).items()})
    return rows


def _answer_rows(
    model: ExportedModel, answers: NDArray[np.float32], y: NDArray[Any] | None
) -> list[dict[str, Any]]:
    if model.task == "regression":
        return _value_rows(model, answers, y)
    assert model.classes is not None
    classes = model.classes
    decided = decide(model.task, answers)
    if model.task == "binary":
        answers = np.concatenate([1.0 - answers, answers], axis=1)
    columns = [f"probability_{name}" for name in classes]
    rows = []
    for number, probabilities in enumerate(answers.tolist()):
        row = {"row": number, "predicted": _labels(classes, decided[number])}
        if y is not None:
            row["actual"] = _labels(classes, y[number])
        rows.append(row | dict(zip(columns, map(rounded, probabilities), strict=True)))
    return rows


def model_scores(
    model: ExportedModel, answers: NDArray[np.float32], y: NDArray[Any]
) -> dict[str, float]:
    """The metrics that the study took, on these rows; those that the rows leave undefined (one
    class only, say) are left out."""
    scores = {}
    for name in model.settings.cross_validation:
        if name == "loss" or name not in METRICS or model.task not in METRICS[name].tasks:
            continue
        try:
            scores[name] = score(name, model.task, y, answers)
        except DataError:
            continue
    return scores


def _value_rows(
    model: ExportedModel, answers: NDArray[np.float32], y: NDArray[Any] | None
) -> list[dict[str, Any]]:
    outputs = answers.shape[1]
    names = model.settings.data.target_names or [str(i) for i in range(outputs)]
    endings = [""] if outputs == 1 else [f"_{name}" for name in names]
    rows = []
    for number, values in enumerate(answers.tolist()):
        row: dict[str, Any] = {"row": number}
        for column, (ending, value) in enumerate(zip(endings, values, strict=True)):
            row[f"predicted{ending}"] = rounded(value)
            if y is not None:
                row[f"actual{ending}"] = rounded(float(y[number, column]))
        rows.append(row)
    return rows


def _labels(classes: tuple[Any, ...], decided: Any) -> Any:
    """A class by its number, or the list of the labels that are set."""
    if np.ndim(decided) == 0:
        return classes[int(decided)]
    return [name for name, there in zip(classes, decided, strict=True) if there]
