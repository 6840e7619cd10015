"""Running a search from Python: it ends as on the command line, and what it ends with is kept."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.api.callbacks import Calls
from tuner.api.settings import RunSettings, text
from tuner.api.words import in_python
from tuner.errors import TunerError
from tuner.export.outer_scores import search_outer
from tuner.progress import make_progress
from tuner.progress.begin import begun
from tuner.results import find_best, no_completed_trial, publish
from tuner.results.nested import outer_left
from tuner.search.tickets import read_counts
from tuner.storage import storage_at
from tuner.storage.file_kind import FileKind
from tuner.study.opening import reading
from tuner.study.stored import load_study
from tuner.text import printable
from tuner.workers import Interrupted, SearchEnd, TimeLimit, available_cores, run_search
from tuner.workers.caps import caps
from tuner.workers.pool import PoolEnd

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy
    from tuner.workers import Display


@dataclass(frozen=True)
class Place:
    """Where a study is kept, wherever the program goes: the storage's URL, and the folder of its
    checkpoints, None for the default one."""

    storage: str
    artifacts: str | None = None

    @classmethod
    def of(cls, storage: str | Path | None, artifacts: str | Path | None) -> Place:
        """Paths made absolute. Raises `UsageError` for a storage of no known form."""
        kind, folder = storage_at(text("storage", storage)), text("artifacts", artifacts)
        url = f"{kind.PREFIX}{kind.named.absolute()}" if isinstance(kind, FileKind) else kind.url
        return cls(url, None if folder is None else str(Path(folder).absolute()))

    @property
    def folder(self) -> Path:
        """Of checkpoints and own code."""
        return storage_at(self.storage).artifacts_folder(self.artifacts)

    @property
    def data(self) -> Path:
        """The folder of data that came from Python."""
        return storage_at(self.storage).data_folder(self.artifacts)


def tell(text: str) -> None:
    """Print a line to stderr."""
    print(fit(text), file=sys.stderr, flush=True)


def fit(text: str) -> str:
    return printable(text, keep="\n\t")


def run(
    found: PreparedStudy | Callable[[], PreparedStudy],
    place: Place,
    settings: RunSettings,
    seconds: float | None,
    calls: Calls,
    began: float | None = None,
    *,
    stored: Callable[[], object] = lambda: None,
    trust_code: bool = False,
) -> str:
    """Search, and return the study's name. An interruption ends it at the next epoch, and says so.

    Args:
        seconds: it may take; None: any.
        calls: called meanwhile.
        began: when these seconds began, since 1970.
        stored: called once the study is.
        trust_code: see `tuner.workers.search.run_search`.

    Raises:
        KeyboardInterrupt: an interruption before there was a study.
        TunerError: what stops the search.
        Exception: what a callback raised, after the search has ended.
    """
    limit, made = TimeLimit(began or time.time()), list["PreparedStudy"]()
    limit.seconds = seconds

    def search(prepare: Callable[[], PreparedStudy], outer: int | None = None) -> SearchEnd:
        def prepared() -> PreparedStudy:
            made.append(prepare())
            stored()
            return made[-1]

        def display(study: PreparedStudy, count: int) -> Display:
            shown = make_progress(settings.progress, begun(study, count, limit)[0], tell, fit)
            for note in study.notes if settings.progress != "none" and outer is None else ():
                shown.line(in_python(note))
            return calls.around(shown, study.name)

        trials = settings.trials if outer is None else None
        asked, most = settings.workers, trials or sys.maxsize
        workers = None if asked is None and settings.ray else min(asked or available_cores(), most)
        engine = settings.on_ray().engine(place.storage, workers)
        here = workers if engine is None else None
        worker_limits, trial_limits = caps(here, settings.memory, settings.trial_timeout)
        return run_search(
            prepared,
            display,
            workers=workers,
            trials=trials,
            engine=engine,
            limit=limit,
            worker_limits=worker_limits,
            trial_limits=trial_limits,
            heartbeat=settings.heartbeat,
            grace=settings.grace,
            artifacts=place.artifacts,
            every_epoch=calls.every_epoch,
            stop=lambda: calls.stop_training,
            trust_code=trust_code,
        )

    if not callable(found):
        stored()
    try:
        if callable(found):
            ended = search(found)
        elif found.definition.nested:
            ended = SearchEnd(found, PoolEnd("done"), ran=False)
        else:
            return found.name
        if ended.study.definition.nested:
            said = tell if settings.progress != "none" else _silent
            ended = search_outer(ended, search, said, place.folder, trust_code=trust_code)
    except Interrupted as stop:
        if stop.signal != signal.SIGINT:
            signal.raise_signal(stop.signal)
        if not made:
            raise KeyboardInterrupt from None
        tell(f"interrupted before the first trial began; study.optimize() goes on: {made[0].name}")
        return made[0].name
    _report(ended, place)
    if calls.error is not None:
        raise calls.error
    return ended.study.name


def _silent(text: str) -> None:
    pass


def _report(ended: SearchEnd, place: Place) -> None:
    """Say what ended the search early, and keep what the dashboard shows of it."""
    name, storage = ended.study.name, storage_at(place.storage)
    with reading(name, storage) as study:
        counts, best = read_counts(study), find_best(study)
        none = no_completed_trial(study) if best is None else None
    left = counts.total - counts.done
    if nested := ended.study.definition.nested:
        with storage.open_read_only() as opened:
            left += outer_left(opened, name, nested, counts.total)
    if ended.ran:
        with suppress(TunerError):
            publish(load_study(storage.open(create=False), name))
    rest = f"with {left} trials to go; study.optimize() goes on: {name}"
    stopped = ended.pool.signal
    if stopped is not None:
        tell(f"ended by {stopped.name} {rest}")
        if stopped != signal.SIGINT:
            signal.raise_signal(stopped)
    elif ended.pool.reason == "stopped":
        tell(f"ended by a callback {rest}")
    elif ended.pool.reason == "deadline" and left:
        tell(f"time is up {rest}")
    elif none is not None:
        tell(in_python(f"warning: {none}"))
