"""`tuner.studies`: what a storage holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.results.studies import list_studies, summary_row
from tuner.storage import storage_at

if TYPE_CHECKING:
    import pandas as pd


def studies(storage: str | None = None) -> pd.DataFrame:
    """The studies of a storage, one a row: `study`, `space`, `data`, `sampler`, `metric`, the
    number of trials by state, `best_value` and `begun`; none if the default storage is not there.

    Args:
        storage: its URL; None: as on the command line, `TUNER_STORAGE` or `studies/tuner.db`.

    Raises:
        StorageError: it does not exist or cannot be read.
    """
    import pandas as pd

    place = storage_at(storage)
    if storage is None and place.absent:
        return pd.DataFrame()
    with place.open_read_only() as opened:
        found = [] if opened is None else list_studies(opened)
    return pd.DataFrame([summary_row(own) for own in found])
