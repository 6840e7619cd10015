"""What is said at the end of a search."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.output import columns_of, emit, render
from tuner.cli.results import open_study, reading
from tuner.cli.search_run import Report, RunFlags, Seen
from tuner.errors import NoCompletedTrialError
from tuner.text import clock_text, score_text, spread_text, value_text

if TYPE_CHECKING:
    from tuner.cli.output import OutputFormat


def _end(flags: RunFlags, seen: Seen, telling: Callable[[], None]) -> int:
    """The end of a search of the whole study.

    Raises:
        NoCompletedTrialError: none of the study's trials is complete.
    """
    from tuner.results import find_best, no_completed_trial, publish
    from tuner.search.tickets import read_counts
    from tuner.storage import storage_at

    outcome = seen.outcome
    assert outcome is not None
    prepared, ended = outcome.study, outcome.pool
    study = open_study(prepared.name, prepared.storage_url)
    with reading(prepared.storage_url):
        counts = read_counts(study)
        best = find_best(study)
        none = no_completed_trial(study) if best is None else None
    summary = {
        "study": prepared.name,
        "storage": str(storage_at(prepared.storage_url)),
        "trials": {
            "complete": counts.complete,
            "pruned": counts.pruned,
            "failed": counts.failed,
        },
        "best": best and asdict(best),
    }
    again = _commands(prepared.name, flags)
    telling()
    emit(
        summary,
        table=lambda: _text(
            summary,
            total=counts.total,
            metric=prepared.definition.metric,
            seconds=time.time() - flags.began if outcome.ran else None,
            again=again,
        ),
    )
    sys.stdout.flush()
    if outcome.ran:
        publish(study)  # after the result, which nobody should miss where this takes too long
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
    if none is not None:
        raise none
    return 0


def _late(flags: RunFlags, seen: Seen, form: OutputFormat) -> int:
    """What is known when the time is up and something hangs."""
    from tuner.storage import storage_at

    state, before = seen.state, seen.before
    if state is None or before is None:
        click.echo(
            "error: the time was up before the study was prepared. Available: a longer --timeout; "
            "the same command goes on",
            err=True,
        )
        return NoCompletedTrialError.exit_code
    best = state.best and asdict(state.best)
    trials = {
        "complete": before.complete + state.complete,
        "pruned": before.pruned + state.pruned,
        "failed": before.failed + state.failed,
    }
    url = str(storage_at(flags.storage))
    summary = {"study": state.name, "storage": url, "trials": trials, "best": best}
    seconds, again = time.time() - flags.began, _commands(state.name, flags)
    text = (
        _text(summary, total=state.total, metric=state.metric, seconds=seconds, again=again)
        if form == "table"
        else render(summary, form)
    )
    click.echo(text)
    click.echo(
        "the time was up and the storage did not answer: this is what the command itself saw, "
        f"trials that ran are taken up again; go on by: {again['resume']}",
        err=True,
    )
    return NoCompletedTrialError.exit_code if best is None else 0


#: Of `tuner optimize` and `tuner resume`.
REPORT = Report(_end, _late)


def _commands(name: str, flags: RunFlags) -> dict[str, str]:
    """What to type next, by command."""
    from tuner.storage import display_url

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
    trials, best = summary["trials"], summary["best"]
    done = sum(trials.values())
    took = "" if seconds is None else f" · {clock_text(seconds)}"
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
    if len(folds) < 2:
        return f"{metric} {score_text(best['value'])}"
    return f"{metric} {spread_text(best['value'], float(np.std(folds)))} over {len(folds)} folds"


def _params(best: dict[str, Any]) -> str:
    rows = [[name, value_text(value)] for name, value in best["params"].items()]
    return columns_of(["parameter", "value"], rows)
