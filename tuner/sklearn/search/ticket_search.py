"""A study over an estimator, made or found and worked on: in this process, or in others."""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any
from uuid import uuid4

import cloudpickle
import joblib
import optuna
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import TrialState

from tuner.errors import StudyConflictError, UsageError
from tuner.search.events import Event, TrialDone, WorkerWarning
from tuner.search.loop import run_worker
from tuner.search.prepare import PreparedStudy, prepare_study
from tuner.search.tickets import last_trials
from tuner.sklearn.search.estimator_trainer import EstimatorTrainer
from tuner.sklearn.search.search_task import SearchTask
from tuner.storage import StorageKind, storage_at
from tuner.storage.in_hand import InHand
from tuner.storage.quiet import quiet_optuna
from tuner.study.data import DataFacts
from tuner.study.definition import StudyDefinition
from tuner.study.stored import load_study, stored_fields


class SearchError(UsageError, ValueError):
    """A search that breaks a rule."""


class FitError(RuntimeError):
    """What a fit in another process raised, in words."""


@contextmanager
def value_errors() -> Iterator[None]:
    """What breaks a rule is a ValueError too."""
    try:
        yield
    except StudyConflictError as error:
        problem = str(error).rpartition("Available: ")[0]
        raise SearchError(
            f"{problem}Available: another study_name, or None for a study of its own (as the "
            "searches of a nested cross-validation need: each has other rows)"
        ) from error
    except ValueError:
        raise
    except UsageError as error:
        raise SearchError(str(error)) from error


@dataclass
class TicketSearch:
    """Works on a study.

    Args:
        task: what is searched over.
        definition: of as many trials as there are to be added.
        facts: of the task.
        place: of the study; None: nowhere, it is gone with its last reference.
        name: of the study; None: a new one's own.
        random_state: as the search was given it.
        jobs: processes; 1: this one.
        timeout: seconds, or None.
    """

    task: SearchTask
    definition: StudyDefinition
    facts: DataFacts
    place: str | BaseStorage | None
    name: str | None
    random_state: Any
    jobs: int
    timeout: float | None

    def run(self, trainer: EstimatorTrainer) -> optuna.Study:
        """The study, once its tickets have ended or the time is up; `trainer` is of this process.

        Raises:
            UsageError (its subclasses): another study has the name, or a rule is broken.
            StorageError: the storage cannot be used.
        """
        quiet_optuna()
        with tempfile.TemporaryDirectory(prefix="tuner-") as folder:
            place = self._place(folder)
            if self.jobs == 1:
                name = self._work_here(place, trainer, folder)
            else:
                name = self._work_in_processes(place, Path(folder))
            storage = place.open(create=False)
            if self.place is not None:
                return load_study(storage, name)
            if self.jobs == 1:
                return load_study(storage, name)
            kept = InMemoryStorage()
            optuna.copy_study(from_study_name=name, from_storage=storage, to_storage=kept)
            place.close(storage)
            return load_study(kept, name)

    def _place(self, folder: str) -> StorageKind:
        if isinstance(self.place, str):
            return storage_at(self.place)
        if self.jobs == 1:
            return InHand("the storage given", self.place or InMemoryStorage())
        if self.place is None:
            return storage_at(f"sqlite:///{folder}/search.db")
        raise UsageError(
            "processes share a storage by its URL; received n_jobs > 1 with an object of "
            f"{type(self.place).__name__}. Available: a URL, or n_jobs=1"
        )

    def _prepare(self, place: StorageKind) -> PreparedStudy:
        definition, name = self.definition, self.name
        if name is None:
            name = f"{definition.default_name()}-{uuid4().hex[:6]}"
        else:
            begun, seed = _found(place, name)
            changes: dict[str, Any] = {"trials": begun + (definition.trials or 0)}
            if seed is not None and not isinstance(self.random_state, Integral):
                changes["seed"] = seed
            definition = definition.model_copy(update=changes)
        study = prepare_study(
            definition,
            name=name,
            storage_url=place,
            trials=definition.total_trials(None),
            describe=lambda _: self.facts,
        )
        for line in study.notes:  # on points that something else enqueued
            warnings.warn(line, UserWarning, stacklevel=2)
        return study

    def _work_here(self, place: StorageKind, trainer: EstimatorTrainer, folder: str) -> str:
        deadline = None if self.timeout is None else time.time() + self.timeout
        study = self._prepare(place)
        run_worker(
            place,
            study.name,
            stop=lambda: trainer.error is not None,
            on_event=_warn,
            deadline=deadline,
            make_trainer=lambda _: trainer,
            artifacts=None if place.SHARED else folder,
        )
        if trainer.error is not None:
            raise trainer.error
        return study.name

    def _work_in_processes(self, place: StorageKind, folder: Path) -> str:
        from tuner.workers.search import run_search
        from tuner.workers.time_limit import TimeLimit

        limit = TimeLimit()
        limit.seconds = self.timeout
        raises = self.task.settings["error_score"] == "raise"
        end = run_search(
            lambda: self._prepare(place),
            lambda study, workers: _Watching(raises),
            workers=self.jobs,
            trials=self.definition.trials,
            limit=limit,
            make_trainer=stored_task(self.task, folder),
        )
        if end.pool.reason == "signal":
            raise KeyboardInterrupt
        return end.study.name


@dataclass(frozen=True)
class StoredTask:
    """Makes the trainer of a worker process, which reads the task from a file; its arrays are in
    memory once for all of them."""

    path: str

    def __call__(self, definition: StudyDefinition) -> EstimatorTrainer:
        small, X, y = joblib.load(self.path, mmap_mode="r")
        task: SearchTask = cloudpickle.loads(small)(X=X, y=y)
        if task.sampler is not None:
            task.sampler.reseed_rng()  # or all workers would draw the same
        return EstimatorTrainer(task)


def stored_task(task: SearchTask, folder: Path) -> StoredTask:
    """Write a task to a file in `folder`."""
    rest = {name: value for name, value in vars(task).items() if name not in ("X", "y")}
    path = folder / "task.joblib"
    joblib.dump((cloudpickle.dumps(partial(SearchTask, **rest)), task.X, task.y), path)
    return StoredTask(str(path))


def _found(place: StorageKind, name: str) -> tuple[int, int | None]:
    """How many tickets of the study have begun, and its seed; 0 and None if there is none yet, or
    it is not ours."""
    if place.absent:
        return 0, None
    storage = place.open()
    try:
        with place.errors(), suppress(UsageError):
            study = load_study(storage, name)
            fields = stored_fields(study.user_attrs, name)
            last = last_trials(study.get_trials(deepcopy=False))
            begun = [i for i, own in last.items() if own.state != TrialState.WAITING]
            return max(begun, default=-1) + 1, fields.get("seed")
        return 0, None
    finally:
        place.close(storage)


def _warn(event: Event) -> None:
    if isinstance(event, WorkerWarning):
        warnings.warn(event.text, UserWarning, stacklevel=2)


class _Watching:
    """Passes on what worker processes tell.

    Args:
        raises: whether a trial that fails ends the search.
    """

    def __init__(self, raises: bool) -> None:
        self._raises = raises

    def event(self, event: Event) -> None:
        _warn(event)
        if self._raises and isinstance(event, TrialDone) and event.state == "failed":
            raise FitError(f"trial {event.number} failed: {event.cause}")

    def line(self, text: str) -> None:
        print(text, file=sys.stderr)

    def tick(self) -> None: ...

    def close(self) -> None: ...
