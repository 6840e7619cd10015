"""From the flags of `tuner optimize` to a study definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import FOLDS, RETRIES, SEED, TRIALS, flag
from tuner.cli.row_flags import RowFlags
from tuner.errors import UsageError, unknown
from tuner.text import quoted

if TYPE_CHECKING:
    from tuner.spaces import Space
    from tuner.study.definition import StudyDefinition


class Choosing(click.Option):
    """An option whose help names what there is to choose from, once somebody asks for it: the
    modules that know take half a second to import."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from tuner.study.pruners import PRUNERS
        from tuner.study.samplers import SAMPLERS

        record = super().get_help_record(ctx)
        names = {"samplers": one_of(SAMPLERS), "pruners": one_of(PRUNERS)}
        return record and (record[0], record[1].format(**names))


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


@dataclass(frozen=True)
class Searched:
    """The flags that come first in the help of `StudyFlags`."""

    space: str | None = flag(
        "NAME|FILE", "Search space: see `tuner spaces list`.  [default: one that fits the data]"
    )
    study: str | None = flag("NAME|FILE", "Study definition; flags override it.")
    name: str | None = flag("S", "Name of the study.  [default: from what it searches]")
    trials: int | None = flag("N", "Trials in all.", type=TRIALS)
    data: str | None = flag("URI", "Data, such as sklearn:digits or csv:FILE.")


@dataclass(frozen=True)
class StudyFlags(RowFlags, Searched):
    """What is searched, and its budget; None and empty: not given."""

    folds: int | None = flag("K", "Folds of the cross-validation.", type=FOLDS)
    folds_kind: str | None = flag(
        "KIND",
        "auto, kfold, stratified, group, repeated, holdout, time or predefined.  [default: auto]",
    )
    metrics: tuple[str, ...] = flag(
        "M",
        "What to optimize. Repeatable: the first counts, the others are recorded.",
        "--metric",
        default=(),
        multiple=True,
    )
    refit_metric: str | None = flag(
        "M",
        "Of several metrics the one that counts: the search optimizes it, `best` and "
        "`export` go by it.  [default: the first]",
    )
    sampler: str | None = flag("X", "How parameters are chosen: {samplers}.", cls=Choosing)
    pruner: str | None = flag("X", "Which trials end early: {pruners}.", cls=Choosing)
    settings: tuple[str, ...] = flag(
        "P=V",
        "Set a parameter of the space, such as epochs=3. Repeatable.",
        "--set",
        default=(),
        multiple=True,
    )
    seed: int | None = flag("N", "Decides everything that is random.", type=SEED)
    retries: int | None = flag("N", "How often a failed trial is tried again.", type=RETRIES)

    @property
    def plain(self) -> bool:
        """Neither a space nor a study is named, so the data decide the space."""
        return self.space is None and self.study is None

    def notes(self, definition: StudyDefinition) -> tuple[str, ...]:
        """What was decided for want of a flag in the `definition` of these, a line each."""
        said = f"space {definition.space.name}, since none was named (--space)"
        return (said,) if self.plain else ()


def definition_from(flags: StudyFlags, timeout: float | None = None) -> StudyDefinition:
    """The definition of `--study` (without it the study around `--space`, or around the space
    that fits the data), flags in force.

    `timeout`: seconds for one run.

    Raises:
        UsageError: its subclasses, with the rule, the value and what is available.
    """
    from tuner.study.library import load_definition

    space = None
    if flags.space is not None:
        from tuner.spaces import load_space

        space = load_space(flags.space)
    elif flags.plain:
        space = _fitting_space(flags)
    definition = load_definition(flags.study or "default", space=space)
    changes: dict[str, Any] = {}
    if flags.settings:
        changes["space"] = definition.space.override(read_settings(flags.settings))
    changes |= _data_changes(flags, definition)
    changes |= _fold_changes(flags, definition) | _metric_changes(flags, definition)
    changes |= _method_changes(flags, definition)
    changes |= _given({"seed": flags.seed, "retries": flags.retries, "timeout": timeout})
    return definition.override(changes) if changes else definition


def _fitting_space(flags: StudyFlags) -> Space:
    """Of the data that are named, or of the default study's. Loads them."""
    from tuner.spaces import load_space
    from tuner.study.data import load_data
    from tuner.study.library import load_definition, space_for

    definition = load_definition("default", space=load_space(space_for(image=False)))
    changes = _data_changes(flags, definition) | _fold_changes(flags, definition)
    definition = definition.override(changes | _given({"seed": flags.seed}))
    dataset = load_data(definition.data, definition.seed)
    return load_space(space_for(image=dataset.image_shape is not None))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def read_settings(settings: Sequence[str]) -> dict[str, str]:
    """`--set key=value` as key to value; of a key given twice the last value."""
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--set takes PARAMETER=VALUE; received {quoted(setting)}. Available, for example: "
                "--set epochs=3, --set 'optimizer.learning_rate={low: 1e-3, high: 1, log: true}'"
            )
        pairs[key.strip()] = value
    return pairs


def _data_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    from tuner.study.data_spec import DataSpec

    changes = {f"data.{name}": value for name, value in flags.given().items()}
    if flags.data is None:
        return changes
    # Columns, a row limit or a task belonged to the other data.
    other = fields(RowFlags) if flags.data != definition.data.uri else ()
    defaults = {
        f"data.{own.name}": DataSpec.model_fields[own.name].get_default(call_default_factory=True)
        for own in other
        if own.name != "scaling"
    }
    return defaults | changes | {"data.uri": flags.data}


def _metric_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    """The objective is `--refit-metric`, else the first `--metric`; the others are recorded."""
    from tuner.planning.metrics import metric_name

    names = list(dict.fromkeys(map(metric_name, flags.metrics)))
    if flags.refit_metric is not None:
        chosen = metric_name(flags.refit_metric)
        scored = filter(None, (definition.objective.metric, *definition.metrics))
        known = names or list(dict.fromkeys(scored))
        if chosen not in known:
            raise UsageError(
                "--refit-metric names one of the metrics that are scored; "
                + unknown("metric", chosen, known)
            )
        names = [chosen, *(name for name in known if name != chosen)]
    if not names:
        return {}
    return {"objective.metric": names[0]} | ({"metrics": names[1:]} if len(names) > 1 else {})


def _fold_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    kind = flags.folds_kind
    if kind is None and flags.time is not None and flags.fold_column is None:
        kind = "time"
    if kind is None and flags.folds is not None and definition.folds.kind == "holdout":
        kind = "auto"
    # The default study shuffles, which these kinds do by themselves or must not.
    shuffle = False if kind in ("repeated", "holdout", "time", "predefined") else None
    return _given({"folds.k": flags.folds, "folds.kind": kind, "folds.shuffle": shuffle})


def _method_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    """Naming the definition's own sampler or pruner keeps its settings."""
    changes: dict[str, Any] = {}
    if flags.sampler not in (None, definition.sampler.name):
        changes["sampler"] = flags.sampler
    if flags.pruner not in (None, definition.pruner.name):
        changes["pruner"] = flags.pruner
    elif flags.pruner is not None and "sampler" in changes:
        changes["pruner"] = definition.pruner.model_dump()  # named, so the sampler does not choose
    return changes
