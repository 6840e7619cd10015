"""A study in Python: what it found, its model, and going on with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.api.callbacks import Calls
from tuner.api.run import Place, run
from tuner.api.settings import RunSettings, file_path, known_keywords, whole
from tuner.api.stored_study import StoredStudy, trial_number
from tuner.api.words import told_in_python
from tuner.code import trusted_file
from tuner.limits import MOST_TRIALS
from tuner.progress import ProgressMode
from tuner.search.finished import find_or_prepare
from tuner.storage import storage_at

if TYPE_CHECKING:
    import keras
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from tuner.api.fitted import Fitted
    from tuner.api.served import Served
    from tuner.export.ensemble import EnsembleKind
    from tuner.export.wanted import CalibrationKind, Wanted


class Study(StoredStudy):
    """A stored study, as `tuner.optimize` and `tuner.load` return it.

    It holds nothing but the names of the study and its storage: everything is read when it is
    asked for, also while others work on the study.

    Attributes:
        name: the study's name.
        storage: its storage's URL, a password as ***.
    """

    def __init__(self, name: str, place: Place, *, trust_code: bool = False) -> None:
        super().__init__(name, place)
        self._trust_code = trust_code
        self._fitted: dict[tuple[Wanted, tuple[int, ...]], Fitted] = {}

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
        ray: str | None = None,
        ray_cpus: float | None = None,
        ray_gpus: float | None = None,
        progress: ProgressMode = "auto",
        callbacks: Any = (),
    ) -> Study:
        """Go on with the study, as the command `tuner resume` does; returns itself.

        Args:
            trials: in all, from now on; None: as many as it shall have.
            timeout and the others: see `tuner.optimize`.

        Raises as `tuner.optimize`.
        """
        settings = RunSettings.of(
            "Study.optimize", trials=trials, timeout=timeout, workers=workers, heartbeat=heartbeat,
            grace=grace, memory=memory, trial_timeout=trial_timeout, progress=progress,
            ray=ray, ray_cpus=ray_cpus, ray_gpus=ray_gpus,
        )  # fmt: skip
        calls = Calls(callbacks, self._place.storage)
        url, trials, definition = self._place.storage, settings.trials, self.definition
        trust = self._trust_code
        trusted_file(definition.code, self._place.folder, self.name, trust=trust)
        found = find_or_prepare(definition, name=self.name, storage_url=url, trials=trials)
        run(found, self._place, settings, settings.timeout, calls, trust_code=trust)
        return self

    @told_in_python
    def model(
        self,
        number: int | None = None,
        *,
        ensemble: EnsembleKind | None = None,
        ensemble_trials: int = 10,
        calibrate: CalibrationKind | None = None,
    ) -> keras.Model:
        """The best trial, or trial `number`, trained on all rows, as a plain Keras model: it takes
        raw rows, or of a table a dict of its columns. Trained once, then kept.

        Args:
            ensemble: "folds": instead the mean of the trial's fold networks, trained again;
                "selection": of those of several trials, chosen by ensemble selection.
            ensemble_trials: the best ones that a selection chooses among.
            calibrate: "temperature": divides the logits by the temperature of the least log loss
                on rows that the folds' networks have not trained on.

        Raises:
            NoCompletedTrialError: no trial is complete.
            UsageError: there is no such trial, it is not complete, or what is asked for does not
                suit the study.
            DataError: the rows cannot be loaded, or are others by now.
        """
        return self._fit(number, ensemble, ensemble_trials, calibrate).model

    @told_in_python
    def predict(self, X: ArrayLike | pd.DataFrame) -> NDArray[Any]:
        """What the best trial, trained on all rows, answers to rows as those searched on.

        Args:
            X: `(rows, columns)`, images, or a DataFrame, without the target.

        Returns and raises as `tuner.api.fitted.Fitted.predict`: a label a row, or values.
        """
        return self._fit(None).predict(X)

    @told_in_python
    def export(
        self,
        folder: str | Path,
        number: int | None = None,
        *,
        ensemble: EnsembleKind | None = None,
        ensemble_trials: int = 10,
        calibrate: CalibrationKind | None = None,
        force: bool = False,
    ) -> Path:
        """Write the best trial, or trial `number`, trained on all rows, as `tuner export` does:
        plain Keras, its settings, and MODEL.md, which says how to use it without tuner.

        Args:
            folder: to make; it must be new or empty.
            ensemble, ensemble_trials, calibrate: as of `model`.
            force: replace an earlier export.

        Raises `UsageError` for a folder that cannot be made, and as `model`.
        """
        from tuner.export.export import write_export
        from tuner.export.folder import check_target

        out = file_path("folder", folder)
        check_target(out, force=force)
        metrics = self.definition.all_metrics
        found = self._fit(number, ensemble, ensemble_trials, calibrate).found
        write_export(found, out, study=self.name, metrics=metrics)
        return out

    @told_in_python
    def report(self, path: str | Path) -> Path:
        """Write a page that needs no other file: the answer, every trial, the definition.

        Raises `UsageError` if the file cannot be written.
        """
        from tuner.api.page import write_page

        out = file_path("path", path)
        with self._reading() as study:
            write_page(study, out)
        return out

    @told_in_python
    def serve(self, port: int = 0) -> Served:
        """optuna-dashboard of this study on this machine, read-only, while the program goes on:
        `url` of what is returned, until its `close` or the program's end.

        Args:
            port: 0: any free one.

        Raises `TunerError` if the port is in use.
        """
        from tuner.api.served import Served

        with self._reading() as study:
            number = study._study_id
        return Served(storage_at(self._place.storage), number, whole("port", port, 0, 65_535))

    def _fit(
        self,
        number: int | None,
        ensemble: EnsembleKind | None = None,
        ensemble_trials: int = 10,
        calibrate: CalibrationKind | None = None,
    ) -> Fitted:
        from tuner.api.fitted import Fitted
        from tuner.export.wanted import Wanted

        most = whole("ensemble_trials", ensemble_trials, 2, MOST_TRIALS)
        trial = None if number is None else trial_number(number)
        wanted = Wanted(trial, "best", ensemble, most, calibrate)
        with self._reading() as study:
            key = (wanted, tuple(own.number for own in wanted.trials_of(study)))
            if key not in self._fitted:
                folder, trust = self._place.folder, self._trust_code
                self._fitted[key] = Fitted.of(study, wanted, folder, trust_code=trust)
        return self._fitted[key]

    @told_in_python
    def _repr_html_(self) -> str:
        from tuner.api.page import study_html

        with self._reading() as study:
            return study_html(study)

    def __repr__(self) -> str:
        return f"<tuner.Study {self.name} in {self.storage}>"
