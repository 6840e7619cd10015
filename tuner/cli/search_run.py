"""Running a search from the command line, and what is said at its end."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import click

from tuner.cli.output import columns_of, emit
from tuner.cli.results import open_study, reading
from tuner.errors import NoCompletedTrialError, UsageError

if TYPE_CHECKING:
    from optuna.study import Study

    from tuner.cli.ray_flags import RayFlags
    from tuner.search.cluster import RayEngine
    from tuner.search.pool import Display, SearchOutcome, Work
    from tuner.search.progress import ProgressMode, SearchState


@dataclass(frozen=True)
class RunFlags:
    """How to run, whatever the study: see `tuner optimize --help`."""

    storage: str | None
    workers: int | None
    heartbeat: float | None
    grace: float | None
    memory: str | None
    progress: str
    artifacts: str | None
    ray: RayFlags | None = None
    began: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Finished:
    """A search that ended, and what this process saw of it."""

    outcome: SearchOutcome
    state: SearchState | None


def run(
    flags: RunFlags, prepare: Callable[[], Work], *, trials: int | None, cores: bool = True
) -> Finished | int:
    """Search; an exit code where a signal came before anything had begun.

    Args:
        prepare: see `run_search`.
        trials: how many there are at most, where that is known before `prepare`.
        cores: without `--workers` use all cores, else one.
    """
    from tuner.search.pool import Interrupted, Limits, available_cores, run_search
    from tuner.search.storage import storage_url

    engine: RayEngine | None = None
    workers = flags.workers
    if flags.ray is None:
        workers = workers or (available_cores() if cores else 1)
        if trials is not None:
            workers = min(workers, trials)
        limits = Limits(memory=_memory(flags.memory, workers))
        beginning = f"preparing the study, starting {workers} workers"
    else:
        if trials is not None and workers is not None:
            workers = min(workers, trials)
        limits = Limits(memory=None if flags.memory is None else _memory(flags.memory, 1))
        engine = flags.ray.engine(storage_url(flags.storage), workers)
        beginning = f"preparing the study, starting workers on Ray ({flags.ray.address})"
    seen: list[SearchState] = []
    hint = _Hint(beginning, flags.progress)

    def display(work: Work, count: int) -> Display:
        from tuner.search.progress import make_progress

        seen.append(_state(work, count, flags.began))
        hint.erase()
        return make_progress(cast("ProgressMode", flags.progress), seen[0])

    try:
        with hint:
            outcome = run_search(
                prepare,
                display,
                workers=workers,
                trials=trials,
                engine=engine,
                limits=limits,
                heartbeat=flags.heartbeat,
                grace=flags.grace,
                # Workers elsewhere stand in other folders.
                artifacts=None if flags.artifacts is None else os.path.abspath(flags.artifacts),
            )
    except Interrupted as stop:
        click.echo("interrupted before the first trial began", err=True)
        return 128 + stop.signal
    return Finished(outcome, seen[0] if seen else None)


def report(finished: Finished, flags: RunFlags) -> int:
    """Print the end of a search of the whole study, and return the exit code.

    Raises:
        NoCompletedTrialError: none of the study's trials is complete.
    """
    from tuner.results import no_completed_trial, publish
    from tuner.search.storage import display_url
    from tuner.search.stored import read_counts

    prepared, ended = finished.outcome.study, finished.outcome.pool
    study = open_study(prepared.name, prepared.storage_url)
    with reading(prepared.storage_url):
        counts = read_counts(study)
        best = best_so_far(study)
        if finished.outcome.ran:
            publish(study)
    summary = {
        "study": prepared.name,
        "storage": display_url(prepared.storage_url),
        "trials": {
            "complete": counts.complete,
            "pruned": counts.pruned,
            "failed": counts.failed,
        },
        "best": best,
    }
    again = _commands(prepared.name, flags)
    emit(
        summary,
        table=lambda: _text(
            summary,
            total=counts.total,
            metric=prepared.definition.metric,
            seconds=time.time() - flags.began if finished.outcome.ran else None,
            again=again,
        ),
    )
    left = counts.total - counts.done
    if ended.reason == "signal":
        assert ended.signal is not None
        name = signal.Signals(ended.signal).name
        click.echo(
            f"ended by {name} with {left} trials to go; go on by: {again['resume']}", err=True
        )
        return 128 + ended.signal
    if ended.reason == "deadline" and left:
        click.echo(f"time is up with {left} trials to go; go on by: {again['resume']}", err=True)
    if best is None:
        raise no_completed_trial(study)
    return 0


def best_so_far(study: Study) -> dict[str, Any] | None:
    """`tuner.results.best_trial`, or None where no trial is complete."""
    from tuner.results import best_trial

    try:
        return best_trial(study)
    except NoCompletedTrialError:
        return None


class _Hint:
    """A line on a terminal until there is something to show: start-up takes seconds."""

    def __init__(self, text: str, progress: str) -> None:
        self._shown = progress in ("auto", "rich") and sys.stderr.isatty()
        self._text = text

    def __enter__(self) -> None:
        if self._shown:
            click.echo(self._text, nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        self.erase()

    def erase(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
        self._shown = False


def _state(work: Work, workers: int, began: float) -> SearchState:
    from tuner.search.progress import Best, SearchState
    from tuner.search.progress.state import WorkerLine

    study = work.study
    with reading(study.storage_url):
        found = best_so_far(open_study(study.name, study.storage_url))
    best = None if found is None else Best(found["number"], found["value"], found["params"])
    return SearchState(
        name=study.name,
        metric=study.definition.metric,
        direction=study.definition.direction,
        total=study.total,
        done=study.done,
        best=best,
        deadline=work.deadline,
        started=began,
        workers={number: WorkerLine() for number in range(workers)},
    )


def _memory(text: str | None, workers: int) -> int:
    """Bytes that one worker may hold: `--memory`, else its share of four fifths of all there is."""
    if text is None:
        from tuner.search.pool import available_memory

        return int(0.8 * available_memory() / workers)
    units = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    try:
        size = int(float(number) * units.get(unit, 0 if unit else 1))
    except ValueError:
        size = 0
    if size <= 0:
        raise UsageError(
            f"--memory takes bytes with one of the units K, M, G, T; received {text!r}. "
            "Available, for example: --memory 2G"
        )
    return size


def _commands(name: str, flags: RunFlags) -> dict[str, str]:
    """What to type next, by command."""
    from tuner.search.storage import display_url

    storage = flags.storage
    tail = "" if storage is None else f" --storage {shlex.quote(display_url(storage))}"
    quoted = shlex.quote(name)
    on_ray = "" if flags.ray is None else flags.ray.text()
    folder = "" if flags.artifacts is None else f" --artifacts {shlex.quote(flags.artifacts)}"
    return {
        "resume": f"tuner resume {quoted}{tail}{folder}{on_ray}",
        "results": f"tuner results {quoted}{tail}",
        "best": f"tuner best {quoted}{tail}",
        "export": f"tuner export {quoted} --out model{tail}",
        "serve": f"tuner serve{tail}",
    }


def _text(
    summary: dict[str, Any],
    *,
    total: int,
    metric: str,
    seconds: float | None,
    again: dict[str, str],
) -> str:
    """The final table."""
    from tuner.search.progress.text import clock

    trials, best = summary["trials"], summary["best"]
    done = sum(trials.values())
    took = "" if seconds is None else f" · {clock(seconds)}"
    lines = [
        f"study    {summary['study']}",
        f"storage  {summary['storage']}",
        f"trials   {done} of {total}: {trials['complete']} complete, {trials['pruned']} pruned, "
        f"{trials['failed']} failed{took}",
    ]
    if best is not None:
        lines += [f"best     trial {best['number']}: {_score(best, metric)}", "", _params(best)]
        lines += ["", "next"]
        wanted = ["results", "best", "export", "serve"] if done == total else [*again]
        lines += [f"  {again[name]}" for name in wanted]
    return "\n".join(lines)


def _score(best: dict[str, Any], metric: str) -> str:
    import numpy as np

    folds: Sequence[float] = best["fold_scores"]
    spread = f" ± {np.std(folds):.4f} over {len(folds)} folds" if len(folds) > 1 else ""
    return f"{metric} {best['value']:.4f}{spread}"


def _params(best: dict[str, Any]) -> str:
    rows = [
        [name, f"{value:.6g}" if isinstance(value, float) else str(value)]
        for name, value in best["params"].items()
    ]
    return columns_of(["parameter", "value"], rows)
