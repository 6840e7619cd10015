"""A trial as a model: refitted on all rows, written as plain Keras, read back to predict.

Everything here is loaded when first used: it imports Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.export.export import write_export as write_export
    from tuner.export.folder import check_target as check_target
    from tuner.export.model import ExportedModel as ExportedModel
    from tuner.export.model import answer as answer
    from tuner.export.model import load_export as load_export
    from tuner.export.model import model_scores as model_scores
    from tuner.export.model import prediction_rows as prediction_rows
    from tuner.export.model import rows_for as rows_for
    from tuner.export.refit import Refit as Refit
    from tuner.export.refit import chosen_trial as chosen_trial
    from tuner.export.refit import refit_trial as refit_trial
    from tuner.export.refit import study_dataset as study_dataset
    from tuner.export.sequential import build_sequential as build_sequential

_HOMES = {
    "write_export": "export",
    "check_target": "folder",
    "ExportedModel": "model",
    "answer": "model",
    "load_export": "model",
    "model_scores": "model",
    "prediction_rows": "model",
    "rows_for": "model",
    "Refit": "refit",
    "chosen_trial": "refit",
    "refit_trial": "refit",
    "study_dataset": "refit",
    "build_sequential": "sequential",
}

__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)
