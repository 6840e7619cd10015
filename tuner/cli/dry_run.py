"""`tuner optimize --dry-run`: what would run, and what it would cost. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuner.cli.output import emit
from tuner.errors import PlanError, StudyConflictError

if TYPE_CHECKING:
    from tuner.data import Dataset, Fold
    from tuner.search.definition import StudyDefinition

#: Candidates whose cost stands for all.
SAMPLE = 100


def show_dry_run(
    definition: StudyDefinition, *, name: str | None, storage: str | None, trials: int | None
) -> None:
    """Print the study that `prepare_study` would make or find, and the cost of its trials.

    Raises:
        UsageError: everything that the search itself would refuse to begin with.
        StorageError: there is a storage and it cannot be read.
    """
    from tuner.search.samplers.build import require_packages
    from tuner.search.samplers.candidates import total_trials
    from tuner.search.storage import display_url, storage_url
    from tuner.search.study_data import load_study_data

    require_packages(definition.sampler)
    total = total_trials(definition, trials)
    dataset, folds = load_study_data(definition)
    definition = definition.resolved(dataset.task)
    url = storage_url(storage)
    name = name or definition.default_name()
    summary = {
        "study": name,
        "storage": display_url(url),
        "stored": _stored(definition, name, url),
        "space": {key: item.describe() for key, item in definition.space.params.items()},
        "points": definition.space.size(),
        "trials": total,
        "sampler": definition.sampler.name,
        "pruner": definition.pruner.name,
        "metric": definition.metric,
        "data": {
            "uri": dataset.uri,
            "task": dataset.task,
            "rows": dataset.rows,
            "features": dataset.features,
            "outputs": dataset.outputs,
            "test_rows": 0 if dataset.x_test is None else len(dataset.x_test),
            "hash": dataset.hash,
        },
        "folds": len(folds),
        "cost": _cost(definition, dataset, folds, total),
    }
    emit(summary, table=lambda: _text(summary))


def _stored(definition: StudyDefinition, name: str, url: str) -> dict[str, int] | None:
    """The study's trials so far; None where there is no such study yet."""
    from tuner.search.storage import open_storage, storage_errors
    from tuner.search.storage.urls import journal_path, sqlite_path
    from tuner.search.stored import load_study, read_counts, read_definition

    file = sqlite_path(url) or journal_path(url)
    if file is not None and not file.exists():
        return None
    storage = open_storage(url, create=False)
    with storage_errors(url):
        if name not in {study.study_name for study in storage.get_all_studies()}:
            return None
        study = load_study(storage, name)
        stored = read_definition(study)
        if stored.hash() != definition.hash():
            lines = "\n".join(f"  {line}" for line in definition.differences(stored))
            raise StudyConflictError(
                f"a study's name stands for one definition; {name!r} holds another:\n{lines}\n"
                "Available: another --name"
            )
        counts = read_counts(study)
    return {"total": counts.total, "done": counts.done}


def _cost(
    definition: StudyDefinition, dataset: Dataset, folds: Sequence[Fold], total: int
) -> dict[str, Any]:
    """Means and extremes over up to `SAMPLE` candidates, `multiply_adds` of all trials together,
    were none pruned."""
    from tuner.planning import plan_training
    from tuner.planning.cost import estimate

    costs, refused = [], []
    for params in _candidates(definition, total):
        try:
            plan = plan_training(
                params, features=dataset.features, outputs=dataset.outputs, task=dataset.task
            )
        except PlanError as error:
            refused.append(str(error))
        else:
            costs.append((estimate(plan, dataset.rows, folds), plan.epochs))
    if not costs:
        raise PlanError(f"no candidate of space {definition.space.name} can train: {refused[0]}")
    work = [cost.multiply_adds * epochs for cost, epochs in costs]
    return {
        "parameters": [min(c.parameters for c, _ in costs), max(c.parameters for c, _ in costs)],
        "epochs": [min(epochs for _, epochs in costs), max(epochs for _, epochs in costs)],
        "bytes": max(cost.total_bytes for cost, _ in costs),
        "multiply_adds": round(sum(work) / len(work) * total),
        "candidates": len(costs) + len(refused),
        "refused": len(refused),
    }


def _candidates(definition: StudyDefinition, total: int) -> list[Mapping[str, Any]]:
    """Evenly spaced ones of a grid's; else random draws."""
    from tuner.search.samplers.candidates import candidates, has_candidates

    space = definition.space
    if has_candidates(definition):
        ready = candidates(definition, total, [])
        every = max(1, len(ready) // SAMPLE)
        return [space.complete(candidate) for candidate in ready[::every]]
    import optuna

    from tuner.search.quiet import quiet_optuna

    quiet_optuna()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=definition.seed))
    return [space.suggest(study.ask()) for _ in range(SAMPLE)]


def _text(summary: Mapping[str, Any]) -> str:
    from tuner.cli.output import columns_of

    data, cost, stored = summary["data"], summary["cost"], summary["stored"]
    points = "" if summary["points"] is None else f" of {summary['points']} points"
    begun = "not stored yet" if stored is None else f"{stored['done']} of them done"
    refused = (
        f" ({cost['refused']} of {cost['candidates']} candidates cannot train)"
        if cost["refused"]
        else ""
    )
    lines = [
        f"study    {summary['study']}",
        f"storage  {summary['storage']}",
        f"trials   {summary['trials']}{points}, {begun}{refused}",
        f"search   {summary['sampler']}, pruner {summary['pruner']}, by {summary['metric']}",
        f"data     {data['uri']}: {data['rows']} rows x {data['features']} features, "
        f"{data['task']}, {data['test_rows']} test rows",
        f"folds    {summary['folds']}",
        f"networks {_span(cost['parameters'])} parameters, {_span(cost['epochs'])} epochs, "
        f"at most {cost['bytes'] / 2**20:.1f} MiB for a trial's folds",
        f"work     {cost['multiply_adds']:.2g} multiply-adds, if nothing is pruned",
        "",
        columns_of(["parameter", "values"], [[k, v] for k, v in summary["space"].items()]),
    ]
    return "\n".join(lines)


def _span(ends: Sequence[int]) -> str:
    low, high = ends
    return f"{low}" if low == high else f"{low} to {high}"
