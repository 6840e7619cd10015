"""`tuner.optimize`: a search in one call."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.api.callbacks import Calls
from tuner.api.given_data import data_of
from tuner.api.networks import Build, build_and_space
from tuner.api.own_objects import Metric, OwnObjects
from tuner.api.run import Place, run
from tuner.api.settings import RunSettings, fields, known_keywords, names, plain_numbers, text
from tuner.api.spaces import settings_from
from tuner.api.study import Study
from tuner.code import save
from tuner.code.spec import BUILD
from tuner.kept import Kept
from tuner.progress import ProgressMode
from tuner.search.finished import find_or_prepare
from tuner.study.asked import Asked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

    from tuner.spaces import Space


@known_keywords
def optimize(
    space_or_build: str | Path | Mapping[str, Any] | Space | Build | None = None,
    /,
    X: Any = None,
    y: Any = None,
    *,
    space: str | Path | Mapping[str, Any] | Space | None = None,
    data: Any = None,
    target: str | Sequence[str] | None = None,
    study: str | Path | None = None,
    name: str | None = None,
    trials: int | None = None,
    timeout: float | str | None = None,
    folds: int | None = None,
    folds_kind: str | None = None,
    metric: Metric | Sequence[Metric] = (),
    refit_metric: str | None = None,
    at_most: Mapping[str, float] | None = None,
    at_least: Mapping[str, float] | None = None,
    sampler: str | BaseSampler | None = None,
    pruner: str | BasePruner | None = None,
    set: Mapping[str, Any] | None = None,
    try_first: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    seed: int | None = None,
    retries: int | None = None,
    nested: int | None = None,
    group: str | ArrayLike | None = None,
    time: str | None = None,
    fold_column: str | None = None,
    limit: int | None = None,
    test_share: float | None = None,
    test_data: str | None = None,
    task: str | None = None,
    target_scale: str | None = None,
    scaling: str | None = None,
    na_class: bool = False,
    drop: str | Sequence[str] = (),
    features: str | Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    header: bool | None = None,
    sep: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    na: str | Sequence[str] = (),
    workers: int | None = None,
    heartbeat: float | None = None,
    grace: float | None = None,
    memory: int | str | None = None,
    trial_timeout: float | str | None = None,
    ray: str | None = None,
    ray_cpus: float | None = None,
    ray_gpus: float | None = None,
    storage: str | Path | None = None,
    artifacts: str | Path | None = None,
    progress: ProgressMode = "auto",
    callbacks: Any = (),
) -> Study:
    """Search a space with cross-validation and pruning, as the command `tuner optimize` does.

    The same call again goes on with its study up to the number of trials. Ctrl-C ends at the next
    epoch and returns the study with what is done.

    >>> import tuner
    >>> study = tuner.optimize("sgd_decay", data="sklearn:digits", trials=20)  # doctest: +SKIP

    Args:
        space_or_build: the space, or a function `build(params)` that makes a network of your own:
            from a dict of parameters to a new `keras.Model` of one input and one output.
        X: `(rows, columns)` numbers, images `(rows, height, width[, channels])`, or a DataFrame,
            whose columns may be text, dates and categories with gaps. Kept in a file beside the
            storage, named by its contents, so that the study can go on without this program.
        y: `(rows,)` or `(rows, targets)`: labels or numbers.
        space: a shipped space's name, a file, a dict (`tuner.log`, `tuner.choices`,
            `tuner.values`, `tuner.when`; a bare value is fixed), or a `tuner.Space`; None: one that
            fits the data. With `build` a dict's parameters may have any names.
        data: in place of X and y: a URI such as `csv:wine.csv`, or a DataFrame.
        target: of a table the column(s) to predict.
        study: a study definition by name or file, which the other arguments change.
        name: of the study; None: from what it searches.
        trials: in all.
        timeout: end after this time: seconds, or as `"10m"`.
        folds, folds_kind: of the cross-validation.
        metric: what to optimize; of several scores the first counts, the others are recorded;
            `"parameters"` and `"seconds"` are minimized beside it. Names, or metrics of your own:
            see `tuner.metric`.
        refit_metric: of several metrics the one that counts.
        at_most, at_least: metric, `"parameters"` or `"seconds"` to the bound that a trial has to
            keep to count.
        sampler, pruner: how parameters are chosen, and which trials end early: names, or objects
            of Optuna's.
        set: parameters of the space set anew.
        try_first: points that are tried before all others: parameters with their values; the
            sampler chooses those that are left out.
        seed: decides everything that is random.
        retries: how often a failed trial is tried again.
        nested: outer folds, in each of which the same search runs once more: `Study.nested`.
        group: a column whose equal values stay in one fold; with X, `(rows,)` values too.
        time, fold_column: columns that order the rows, or name the folds.
        limit: use this many rows only.
        test_share, test_data: rows that the search never sees.
        task: instead of the task that the target asks.
        target_scale: how a regression's target is trained.
        scaling: of the inputs.
        na_class: rows without a target are a class of their own.
        drop, features: columns to leave out, or to leave all others out.
        kinds: what a column is: number, category or date.
        header, sep, encoding, decimal, na: how a text table is read.
        workers: processes, one thread each; None: as many as there are cores.
        heartbeat, grace: seconds between a trial's signs of life, and without one until another
            worker takes it over.
        memory, trial_timeout: what one trial may take: bytes, or as `"4G"`; seconds.
        ray: workers on a Ray cluster: local, auto, HOST:PORT or ray://HOST:PORT.
        ray_cpus, ray_gpus: what one of them takes.
        storage: where the study is kept; None: as on the command line, `TUNER_STORAGE` or
            `studies/tuner.db`.
        artifacts: folder of checkpoints.
        progress: auto, rich, plain or none.
        callbacks: one or several. Optuna's, `callback(study, trial)`, after each trial, where
            `study.stop()` ends the search. Keras's, `on_epoch_end(epoch, logs)`, after each epoch,
            with the means over the folds, and the trial's number in `self.params["trial"]`.

    Raises:
        UsageError (its subclasses): an argument or the data break a rule; nothing was stored.
        StudyConflictError: the name holds another definition, or other data.
        StorageError: the storage cannot be used.
    """
    began = clock.time()
    settings = RunSettings.of(
        "tuner.optimize", trials=trials, timeout=timeout, workers=workers, heartbeat=heartbeat,
        grace=grace, memory=memory, trial_timeout=trial_timeout, progress=progress,
        ray=ray, ray_cpus=ray_cpus, ray_gpus=ray_gpus,
    )  # fmt: skip
    place = Place.of(storage, artifacts)
    calls = Calls(callbacks, place.storage)
    build, searched = build_and_space(space_or_build, space)
    columns = names("target", target)
    with Kept() as kept:
        given = data_of(place.data, X, y, data, ",".join(columns) or None, group, kept)
        rows = {
            "target": given.target,
            "group": given.group,
            "time": time,
            "fold_column": fold_column,
            "limit": limit,
            "test_share": test_share,
            "test_data": test_data,
            "task": task,
            "target_scale": target_scale,
            "scaling": scaling,
            "na_class": na_class or None,
            "drop": names("drop", drop),
            "features": names("features", features),
            "kinds": fields("kinds", kinds),
            "header": header,
            "sep": sep,
            "encoding": encoding,
            "decimal": decimal,
            "na": names("na", na),
        }
        numbers = {"folds": folds, "seed": seed, "retries": retries, "nested": nested}
        own = OwnObjects.of(metric, sampler, pruner)
        asked = Asked(
            space=searched,
            study=None if study is None else str(study),
            data=given.uri or None,
            rows={k: v for k, v in plain_numbers(rows).items() if v not in (None, (), {})},
            folds_kind=folds_kind,
            metrics=own.metrics,
            refit_metric=own.name(refit_metric),
            sampler=own.sampler,
            pruner=own.pruner,
            settings=settings_from(fields("set", set)),
            at_most=fields("at_most", at_most),
            at_least=fields("at_least", at_least),
            try_first=tuple(try_first) if isinstance(try_first, Sequence) else (try_first,),
            timeout=settings.timeout,
            **plain_numbers(numbers),
        )
        definition = asked.definition()
        parts = {**({} if build is None else {BUILD: build}), **own.parts}
        if parts:
            code = save(place.folder, parts, kept)
            definition = definition.model_copy(update={"code": code})
        notes = given.notes
        if asked.plain:
            notes = (f"space {definition.space.name}, since none was named (space=)", *notes)
        found = find_or_prepare(
            definition,
            name=text("name", name),
            storage_url=place.storage,
            trials=settings.trials,
            notes=notes,
            loaded=asked.loaded,
        )
        made = run(
            found,
            place,
            settings,
            definition.timeout,
            calls,
            began,
            stored=kept.keep,
            trust_code=True,
        )
    return Study(made, place, trust_code=True)
