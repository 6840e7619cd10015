"""What a study is: space, data, folds, sampler, pruner and objective. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.study.definition import StudyDefinition as StudyDefinition
    from tuner.study.library import list_definitions as list_definitions
    from tuner.study.library import load_definition as load_definition
    from tuner.study.stored import delete_study as delete_study
    from tuner.study.stored import load_study as load_study
    from tuner.study.stored import read_definition as read_definition

_LAZY = {
    "StudyDefinition": "definition",
    "delete_study": "stored",
    "list_definitions": "library",
    "load_definition": "library",
    "load_study": "stored",
    "read_definition": "stored",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tuner.study' has no attribute {name!r}")
    return getattr(import_module(f"tuner.study.{_LAZY[name]}"), name)
