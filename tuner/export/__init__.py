"""A trial as a model: refitted on all rows, written as plain Keras, read back to predict.

Everything here is loaded when first used: it imports Keras.
"""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.export.export import write_export as write_export
    from tuner.export.model import load_export as load_export
    from tuner.export.refit import chosen_trial as chosen_trial
    from tuner.export.refit import refit_trial as refit_trial
    from tuner.export.refit import study_dataset as study_dataset
    from tuner.export.wanted import Wanted as Wanted
    from tuner.export.wanted import train_wanted as train_wanted

_HOMES = {
    "write_export": "export",
    "load_export": "model",
    "chosen_trial": "refit",
    "refit_trial": "refit",
    "study_dataset": "refit",
    "Wanted": "wanted",
    "train_wanted": "wanted",
}

__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)
