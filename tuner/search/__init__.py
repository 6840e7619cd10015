"""Searching: tickets in a storage, and the workers' way through them. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.search.loop import run_worker as run_worker
    from tuner.search.prepare import PreparedStudy as PreparedStudy
    from tuner.search.prepare import prepare_study as prepare_study
    from tuner.search.pruning_callback import PruningCallback as PruningCallback

_LAZY = {
    "PreparedStudy": "prepare",
    "PruningCallback": "pruning_callback",
    "prepare_study": "prepare",
    "run_worker": "loop",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tuner.search' has no attribute {name!r}")
    return getattr(import_module(f"tuner.search.{_LAZY[name]}"), name)
