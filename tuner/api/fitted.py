"""A trained model of a study, kept in memory: its Keras model, and answers to new rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.api.given_data import features_of, frame_of
from tuner.data.rows import number_rows
from tuner.data.sources import RawData, Request
from tuner.data.sources.frames import plain_table
from tuner.data.sources.table import from_table
from tuner.errors import UsageError
from tuner.export.ensemble import Ensemble, EnsembleNetworks
from tuner.export.export import build_models
from tuner.export.refit import Refit
from tuner.export.scores import decide, predict
from tuner.export.wanted import Wanted, train_wanted
from tuner.study.own_code import with_trusted_code
from tuner.study.stored import read_definition

if TYPE_CHECKING:
    import keras
    import optuna

    from tuner.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Fitted:
    """Attributes: `model` takes raw rows, of a table a dict of its columns."""

    found: Refit | Ensemble
    model: keras.Model

    @classmethod
    def of(cls, study: optuna.Study, wanted: Wanted, folder: Path, *, trust_code: bool) -> Fitted:
        """Raises as `train_wanted` and `with_trusted_code`.

        Args:
            folder: of the artifacts beside the storage.
            trust_code: the study's own code may run.
        """
        definition = with_trusted_code(
            read_definition(study), folder, study.study_name, trust=trust_code
        )
        found = train_wanted(study, definition, wanted)
        if isinstance(found, Ensemble):
            return cls(found, EnsembleNetworks(found).model())
        return cls(found, build_models(found)[1])

    def predict(self, X: Any) -> NDArray[Any]:
        """A label a row, `(rows, labels)` of 0 and 1 for several labels, or the values of a
        regression, `(rows,)` or `(rows, targets)`.

        Args:
            X: rows as those searched on, without the target.

        Raises:
            DataError: rows that the model does not take.
        """
        data = self.found.dataset
        answers = predict(self.model, _rows(data, X))
        if data.task == "regression":
            return answers[:, 0] if answers.shape[1] == 1 else answers
        decided = decide(data.task, answers)
        return decided if data.task == "multilabel" else np.asarray(data.classes)[decided]


def _rows(data: Dataset, X: Any) -> Any:
    """`X` as the model takes it."""
    frame = frame_of(X)
    if data.encoding is not None:
        if frame is None:
            raise UsageError(
                "the model takes the columns of a table; received an array. Available: a DataFrame "
                f"of the columns {', '.join(column.name for column in data.encoding.columns)}"
            )
        asked = Request(need_target=False, encoding=data.encoding)
        return from_table(plain_table(frame, "X"), asked, source="X").columns
    if frame is not None and data.feature_names is not None:
        X = frame[list(data.feature_names)]
    raw = RawData(x=features_of(X), y=None)
    # `number_rows` multiplies bytes by the factor that is the model's own first layer.
    return number_rows(raw, "X", data.features, data.byte_scale) / np.float32(data.byte_scale)
