"""A study in Python: what it found, its model, and going on with it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.api.run import Place, run
from tuner.api.settings import RunSettings, known_keywords
from tuner.errors import UsageError
from tuner.progress import ProgressMode
from tuner.results import best_trial, curve_rows, results_table
from tuner.results.ranking import best_trials
from tuner.results.table import flat_rows
from tuner.search.finished import find_or_prepare
from tuner.storage import storage_at
from tuner.study.opening import reading
from tuner.study.stored import read_definition

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from tuner.results import BestTrial
    from tuner.study.definition import StudyDefinition


class Study:
    """A stored study, as `tuner.optimize` and `tuner.load` return it.

    It holds nothing but the names of the study and its storage: everything is read when it is
    asked for, also while others work on the study.

    Attributes:
        name: the study's name.
        storage: its storage's URL, a password as ***.
    """

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self._place = place

    @property
    def storage(self) -> str:
        return str(storage_at(self._place.storage))

    def _reading(self) -> AbstractContextManager[optuna.Study]:
        return reading(self.name, storage_at(self._place.storage))

    @property
    def definition(self) -> StudyDefinition:
        """Space, data, folds, sampler, pruner and objective. Raises `StorageError`."""
        with self._reading() as study:
            return read_definition(study)

    @property
    def best(self) -> BestTrial:
        """The best completed trial: its `number`, `value`, `params` and `fold_scores`.

        Raises `NoCompletedTrialError` if there is none, with the reasons.
        """
        with self._reading() as study:
            return best_trial(study)

    def table(self, *, attempts: bool = False) -> pd.DataFrame:
        """Every trial as a row, best first, with the columns of scikit-learn's `cv_results_`:
        `param_*`, `split*_test_score`, `mean_test_score`, `rank_test_score`; and `number`, `state`,
        `epochs_run`, `duration_s` and `cause`.

        Args:
            attempts: also trials that failed or were interrupted and tried again.
        """
        import pandas as pd

        with self._reading() as study:
            return pd.DataFrame(flat_rows(results_table(study, order="rank", attempts=attempts)))

    def curves(self, number: int | None = None) -> pd.DataFrame:
        """A row an epoch of a trial, None: of the best one: `learning_rate`, the metrics on
        training rows, and with `val_` on validation rows; means over the folds, then each fold's
        own, with `split0_` and so on in front. The index is `epoch`, from 1.

        Raises:
            UsageError: there is no such trial.
            NoCompletedTrialError: it has no epoch to show.
        """
        import pandas as pd

        with self._reading() as study:
            chosen = best_trial(study).number if number is None else number
            return pd.DataFrame(curve_rows(study, chosen)).set_index("epoch")

    def importances(self) -> dict[str, float]:
        """How much of the objective's variance each parameter explains, the most first: Optuna's
        `get_param_importances`.

        Raises `UsageError` if the trials do not tell.
        """
        from optuna.importance import get_param_importances

        with self._reading() as study:
            chosen = [trial.params for trial in best_trials(study)]
            if len(chosen) < 2 or not any(chosen):
                raise UsageError(
                    "importances need two or more complete trials whose parameters a sampler "
                    f"chose; study {self.name} has {len([own for own in chosen if own])}"
                )
            return get_param_importances(study)

    @known_keywords
    def optimize(
        self,
        *,
        trials: int | None = None,
        timeout: float | str | None = None,
        workers: int | None = None,
        heartbeat: float | None = None,
        grace: float | None = None,
        memory: int | str | None = None,
        trial_timeout: float | str | None = None,
        progress: ProgressMode = "auto",
    ) -> Study:
        """Go on with the study, as the command `tuner resume` does; returns itself.

        Args:
            trials: in all, from now on; None: as many as it shall have.
            timeout, workers, heartbeat, grace, memory, trial_timeout, progress: see
                `tuner.optimize`.

        Raises as `tuner.optimize`.
        """
        settings = RunSettings.of(
            "Study.optimize",
            trials=trials,
            timeout=timeout,
            workers=workers,
            heartbeat=heartbeat,
            grace=grace,
            memory=memory,
            trial_timeout=trial_timeout,
            progress=progress,
        )
        found = find_or_prepare(
            self.definition,
            name=self.name,
            storage_url=self._place.storage,
            trials=settings.trials,
        )
        run(found, self._place, settings, settings.timeout)
        return self

    def __repr__(self) -> str:
        return f"<tuner.Study {self.name} in {self.storage}>"


def load(name: str, storage: str | None = None, *, artifacts: str | Path | None = None) -> Study:
    """A stored study, whoever made it.

    Args:
        name: of the study.
        storage: its storage's URL; None: as on the command line, `TUNER_STORAGE` or
            `studies/tuner.db`.
        artifacts: folder of checkpoints.

    Raises:
        UsageError: there is no such study.
        StorageError: the storage does not exist or cannot be read.
    """
    place = Place.of(storage, artifacts)
    with reading(name, storage_at(place.storage)):
        return Study(name, place)
