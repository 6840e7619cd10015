"""`tuner plan`, and `tuner optimize --dry-run`: what would run, and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import WORKERS, storage_option, takes
from tuner.cli.opening import storage_at
from tuner.cli.output import columns_of, emit, format_option, tell
from tuner.cli.study_flags import StudyFlags, definition_from
from tuner.text import clock_text, counted, size_text

if TYPE_CHECKING:
    from tuner.forecast import Speed, Work
    from tuner.storage import StorageKind
    from tuner.study.definition import StudyDefinition


#: What is shown of the data, by the names of `tuner.data.facts`.
DATA = ("uri", "task", "rows", "features", "outputs", "test_rows", "hash")


@click.command()
@takes(study=StudyFlags)
@click.option(
    "--workers",
    type=WORKERS,
    metavar="N",
    help="Workers to estimate for.  [default: the cores]",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="Train for some seconds here, and estimate by that instead of by a stated rate.",
)
@storage_option
@format_option
def plan(study: StudyFlags, workers: int | None, calibrate: bool, storage: str | None) -> None:
    """Say what a search would run and what it would cost; change nothing.

    Trials, stacks of networks, steps, multiply-adds, memory and time, were no trial pruned. It
    takes the flags of `tuner optimize`.
    """
    show_plan(study, storage, workers=workers, calibrate=calibrate)


def show_plan(
    flags: StudyFlags, storage: str | None, *, workers: int | None = None, calibrate: bool = False
) -> None:
    """Print the study that `prepare_study` would make or find, and the cost of its trials.

    Raises:
        UsageError: everything that the search itself would refuse to begin with.
        StorageError: there is a storage and it cannot be read.
    """
    from tuner.data.facts import facts
    from tuner.forecast import REFERENCE, forecast_work
    from tuner.resources import available_cores
    from tuner.study.data import load_study_data, notes_on, outer_parts

    definition = definition_from(flags)
    definition.sampler.require_packages()
    definition.total_trials(flags.trials)  # refused before the data are read
    dataset, folds = load_study_data(definition)
    known = facts(dataset)
    definition = definition.resolved(dataset.task)
    total = definition.total_trials(flags.trials)
    place = storage_at(storage)
    name = flags.name or definition.default_name()
    stored = _stored(definition, name, place)
    work = forecast_work(definition, dataset, folds, total)
    speed = _measure(definition, work, len(folds)) if calibrate else REFERENCE
    workers = workers or available_cores()
    outer = [
        speed.seconds(forecast_work(definition, *part, total), workers)
        for part in outer_parts(definition, dataset)
    ]
    summary = {
        "study": name,
        "storage": str(place),
        "stored": stored,
        "space": {key: item.describe() for key, item in definition.space.params.items()},
        "points": definition.space.size(),
        "trials": total,
        "sampler": definition.sampler.name,
        "pruner": definition.pruner.name,
        "metric": definition.metric,
        "data": {name: known[name] for name in DATA},
        "notes": [*flags.notes(definition), *notes_on(dataset, definition)],
        "folds": len(folds),
        **({"nested": _nested(total, outer)} if outer else {}),
        "cost": work.counts(),
        "time": {
            "seconds": round(speed.seconds(work, workers), 1),
            "workers": workers,
            "multiply_adds_per_s": speed.rate,
            "seconds_per_step": speed.step,
            "measured": speed.measured,
        },
    }
    emit(summary, table=lambda: _text(summary))


def _nested(total: int, outer: Sequence[float]) -> dict[str, Any]:
    """What the outer searches add, of which each takes so many seconds."""
    count = len(outer)
    return {"outer_folds": count, "trials": total * count, "seconds": round(sum(outer), 1)}


def _stored(definition: StudyDefinition, name: str, place: StorageKind) -> dict[str, int] | None:
    """The study's trials so far; None if there is no such study yet."""
    from tuner.search.tickets import read_counts
    from tuner.study.stored import load_study, require_same

    if place.absent:
        return None
    with place.open_read_only() as storage:
        if storage is None or name not in {study.study_name for study in storage.get_all_studies()}:
            return None
        study = load_study(storage, name)
        require_same(definition, study.user_attrs, name, place)
        counts = read_counts(study)
    return {"total": counts.total, "done": counts.done}


def _measure(definition: StudyDefinition, work: Work, folds: int) -> Speed:
    from tuner.export.quiet import import_tensorflow
    from tuner.forecast import calibrate, typical
    from tuner.training import set_threads

    tell("training a typical stack for some seconds")
    import_tensorflow()
    set_threads()
    from tuner.search.study_trainer import StudyTrainer

    return calibrate(StudyTrainer(definition), typical(work), folds=folds)


def _text(summary: Mapping[str, Any]) -> str:
    data, cost, stored = summary["data"], summary["cost"], summary["stored"]
    points = "" if summary["points"] is None else f" of {summary['points']} points"
    begun = "not stored yet" if stored is None else f"{stored['done']} of them done"
    refused = f" ({cost['refused']} of {cost['candidates']} candidates cannot train)"
    timed, rate = summary["time"], summary["time"]["multiply_adds_per_s"]
    workers = counted(timed["workers"], "worker")
    how = "as measured here" if timed["measured"] else "stated; --calibrate measures this machine"
    lines = [
        f"study    {summary['study']}",
        f"storage  {summary['storage']}",
        f"trials   {summary['trials']}{points}, {begun}{refused if cost['refused'] else ''}",
        f"search   {summary['sampler']}, pruner {summary['pruner']}, by {summary['metric']}",
        f"data     {data['uri']}: {data['rows']} rows x {data['features']} features, "
        f"{data['task']}, {data['test_rows']} test rows",
        f"folds    {summary['folds']}",
        f"networks {cost['networks']} of {_span(cost['parameters'])} parameters, "
        f"{_span(cost['epochs'])} epochs, in {cost['stacks']} stacks of "
        f"{_span(cost['networks_per_stack'])}",
        f"work     {cost['multiply_adds']:.2g} multiply-adds in {cost['steps']:,} steps, if "
        "nothing is pruned",
        f"memory   {size_text(cost['worker_bytes'])} a worker: {size_text(cost['data_bytes'])} of "
        f"data, {size_text(cost['bytes'])} for the largest stack, TensorFlow",
        f"time     about {clock_text(timed['seconds'])} with {workers}, if nothing is pruned",
        f"         at {rate:.1g} multiply-adds/s and {1000 * timed['seconds_per_step']:.2g} ms a "
        f"step ({how})",
        *_nested_text(summary),
        *(f"note     {note}" for note in summary["notes"]),
        "",
        columns_of(["parameter", "values"], [[k, v] for k, v in summary["space"].items()]),
    ]
    return "\n".join(lines)


def _nested_text(summary: Mapping[str, Any]) -> list[str]:
    if "nested" not in summary:
        return []
    own = summary["nested"]
    whole = clock_text(own["seconds"] + summary["time"]["seconds"])
    return [
        f"nested   the search once more in each of {own['outer_folds']} outer folds: "
        f"{own['trials']} trials besides, about {whole} in all, and "
        f"{own['outer_folds']} to {2 * own['outer_folds']} refits"
    ]


def _span(ends: Sequence[int]) -> str:
    low, high = ends
    return f"{low}" if low == high else f"{low} to {high}"
