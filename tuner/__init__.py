"""Hyperparameter search for Keras MLPs: cross-validated, pruned, resumable.

Public names are loaded when first used, so that `import tuner` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Space": "tuner.spaces",
    "load_space": "tuner.spaces",
    "Dataset": "tuner.data",
    "load_dataset": "tuner.data",
    "TrainingPlan": "tuner.planning",
    "plan_training": "tuner.planning",
    "Trainer": "tuner.training",
    "TunerError": "tuner.errors",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tuner' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
