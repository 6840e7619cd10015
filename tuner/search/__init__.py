"""Searching: tickets in a storage, and the workers' way through them. Loaded when first used."""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.search.loop import run_worker as run_worker
    from tuner.search.prepare import prepare_study as prepare_study
    from tuner.search.pruning_callback import PruningCallback as PruningCallback

__getattr__ = lazy(
    __name__,
    {"PruningCallback": "pruning_callback", "prepare_study": "prepare", "run_worker": "loop"},
)
