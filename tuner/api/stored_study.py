"""What a stored study says in Python: its trials, the best of them, tables and curves."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from tuner.api.run import Place
from tuner.api.settings import whole
from tuner.api.words import told_in_python
from tuner.limits import MOST
from tuner.results import best_trial, curve_rows, results_table
from tuner.results.importances import importances
from tuner.results.nested import Nested, nested_of
from tuner.results.table import flat_rows
from tuner.storage import storage_at
from tuner.study.opening import reading
from tuner.study.stored import read_definition

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from tuner.results import BestTrial
    from tuner.results.ranking import Choice
    from tuner.study.definition import StudyDefinition


class StoredStudy:
    """A study to be read; `tuner.Study` also goes on with it.

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
    @told_in_python
    def definition(self) -> StudyDefinition:
        """Space, data, folds, sampler, pruner and objective. Raises `StorageError`."""
        with self._reading() as study:
            return read_definition(study)

    @property
    @told_in_python
    def best(self) -> BestTrial:
        """The best completed trial: its `number`, `value`, `params` and `fold_scores`.

        Raises `NoCompletedTrialError` if there is none, with the reasons.
        """
        with self._reading() as study:
            return best_trial(study)

    @told_in_python
    def choose(self, rule: Choice = "one-se") -> BestTrial:
        """The trial that a rule takes: `best`, or `one-se`, the simplest one whose mean score is at
        most one standard error worse than the best one's: fewest parameters of the network, then
        fewest epochs (Breiman et al. 1984). `model` and `export` take its `number`.

        Raises:
            NoCompletedTrialError: no trial is complete.
            UsageError: no such rule; of `one-se` several objectives, or one fold alone.
        """
        with self._reading() as study:
            return best_trial(study, rule)

    @property
    @told_in_python
    def nested(self) -> Nested | None:
        """The scores of the outer folds of `tuner.optimize(nested=K)`: `folds`, each with the trial
        that a rule chose, its promised (`inner`) and its `outer` score; `summary("best")` and
        `summary("one-se")` with their means, spread and gap. None if there are none yet."""
        with self._reading() as study:
            return nested_of(study)

    @told_in_python
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

    @told_in_python
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
            chosen = best_trial(study).number if number is None else trial_number(number)
            return pd.DataFrame(curve_rows(study, chosen)).set_index("epoch")

    @told_in_python
    def importances(self) -> dict[str, float]:
        """Optuna's importance of each parameter, of several objectives for the first one. Raises
        `UsageError` if the trials do not tell."""
        with self._reading() as study:
            return importances(study)


def trial_number(number: object) -> int:
    """A trial's number as somebody gave it. Raises `UsageError` if it is none."""
    return whole("number", number, 0, MOST)
