"""Hyperparameter search for Keras MLPs: cross-validated, pruned, resumable.

Public names are loaded when first used, so that `import tuner` stays light.
"""

from __future__ import annotations

from tuner.lazy import lazy

__version__ = "0.1.0"

_PUBLIC = {
    "optimize": "api.optimize",
    "load": "api.studies",
    "studies": "api.studies",
    "Study": "api.study",
    "log": "api.spaces",
    "choices": "api.spaces",
    "values": "api.spaces",
    "when": "api.spaces",
    "metric": "planning.own_metric",
    "Space": "spaces",
    "load_space": "spaces",
    "Dataset": "data",
    "load_dataset": "data",
    "TrainingPlan": "planning",
    "plan_training": "planning",
    "Trainer": "training",
    "TunerError": "errors",
}

__all__ = ["__version__", *_PUBLIC]
__getattr__ = lazy(__name__, _PUBLIC)


def __dir__() -> list[str]:
    return sorted(__all__)
