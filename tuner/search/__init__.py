"""Searching: studies in a storage, tickets, workers. Everything is loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.search.definition import StudyDefinition as StudyDefinition
    from tuner.search.library import DefinitionEntry as DefinitionEntry
    from tuner.search.library import list_definitions as list_definitions
    from tuner.search.library import load_definition as load_definition
    from tuner.search.lifecycle import PreparedStudy as PreparedStudy
    from tuner.search.lifecycle import prepare_study as prepare_study
    from tuner.search.loop import run_worker as run_worker
    from tuner.search.pruners import PRUNERS as PRUNERS
    from tuner.search.pruning_callback import PruningCallback as PruningCallback
    from tuner.search.samplers import SAMPLERS as SAMPLERS
    from tuner.search.storage import default_storage_url as default_storage_url
    from tuner.search.storage import display_url as display_url
    from tuner.search.storage import open_storage as open_storage
    from tuner.search.storage import storage_errors as storage_errors
    from tuner.search.storage import storage_url as storage_url
    from tuner.search.stored import StudySummary as StudySummary
    from tuner.search.stored import delete_study as delete_study
    from tuner.search.stored import list_studies as list_studies
    from tuner.search.stored import load_study as load_study
    from tuner.search.stored import read_counts as read_counts
    from tuner.search.stored import read_definition as read_definition
    from tuner.search.tickets import TicketCounts as TicketCounts

_LAZY = {
    "DefinitionEntry": "library",
    "PRUNERS": "pruners",
    "PreparedStudy": "lifecycle",
    "PruningCallback": "pruning_callback",
    "SAMPLERS": "samplers",
    "StudyDefinition": "definition",
    "StudySummary": "stored",
    "TicketCounts": "tickets",
    "default_storage_url": "storage",
    "delete_study": "stored",
    "display_url": "storage",
    "list_definitions": "library",
    "list_studies": "stored",
    "load_definition": "library",
    "load_study": "stored",
    "open_storage": "storage",
    "prepare_study": "lifecycle",
    "read_counts": "stored",
    "read_definition": "stored",
    "run_worker": "loop",
    "storage_errors": "storage",
    "storage_url": "storage",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tuner.search' has no attribute {name!r}")
    return getattr(import_module(f"tuner.search.{_LAZY[name]}"), name)
