"""`tuner.studies` and `tuner.load`: what a storage holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tuner.api.run import Place
from tuner.api.settings import known_keywords, text
from tuner.api.study import Study
from tuner.errors import UsageError
from tuner.results.studies import list_studies, summary_row
from tuner.storage import storage_at
from tuner.study.opening import reading

if TYPE_CHECKING:
    import pandas as pd


@known_keywords
def studies(storage: str | Path | None = None) -> pd.DataFrame:
    """The studies of a storage, one a row: `study`, `space`, `data`, `sampler`, `metric`, the
    number of trials by state, `best_value` and `begun`; none if the default storage is not there.

    Args:
        storage: its URL; None: as on the command line, `TUNER_STORAGE` or `studies/tuner.db`.

    Raises:
        StorageError: it does not exist or cannot be read.
    """
    import pandas as pd

    place = storage_at(text("storage", storage))
    if storage is None and place.absent:
        return pd.DataFrame()
    with place.open_read_only() as opened:
        found = [] if opened is None else list_studies(opened)
    return pd.DataFrame([summary_row(own) for own in found])


@known_keywords
def load(
    name: str,
    storage: str | Path | None = None,
    *,
    artifacts: str | Path | None = None,
    trust_code: bool = False,
) -> Study:
    """A stored study, whoever made it.

    Args:
        name: of the study.
        storage: its storage's URL; None: as on the command line, `TUNER_STORAGE` or
            `studies/tuner.db`.
        artifacts: folder of checkpoints.
        trust_code: the study may run code of somebody's own that came with it, which can do
            anything.

    Raises:
        UsageError: there is no such study.
        StorageError: the storage does not exist or cannot be read.
    """
    place, named = Place.of(storage, artifacts), text("name", name)
    if named is None:
        raise UsageError("name= names a study; received none. Available: tuner.studies()")
    with reading(named, storage_at(place.storage)):
        return Study(named, place, trust_code=trust_code)
