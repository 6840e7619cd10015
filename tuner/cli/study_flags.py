"""From the flags of `tuner optimize` to a study definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import COUNT, flag
from tuner.errors import UsageError, unknown

if TYPE_CHECKING:
    from tuner.study.definition import StudyDefinition


class Choosing(click.Option):
    """An option whose help names what there is to choose from, once somebody asks for it: the
    modules that know take half a second to import."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from tuner.study.pruners import PRUNERS
        from tuner.study.samplers import SAMPLERS

        record = super().get_help_record(ctx)
        if record is None:
            return None
        names = {"samplers": _or(SAMPLERS), "pruners": _or(PRUNERS)}
        return record[0], record[1].format(**names)


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


@dataclass(frozen=True)
class StudyFlags:
    """What is searched, and its budget; None and empty: not given.

    Raises `UsageError` if neither a space nor a study is named.
    """

    space: str | None = flag(
        "--space", metavar="NAME|FILE", help="Search space: see `tuner spaces list`."
    )
    study: str | None = flag(
        "--study", metavar="NAME|FILE", help="Study definition; flags override it."
    )
    name: str | None = flag(
        "--name", metavar="S", help="Name of the study.  [default: from what it searches]"
    )
    trials: int | None = flag("--trials", type=COUNT, metavar="N", help="Trials in all.")
    data: str | None = flag(
        "--data", metavar="URI", help="Data, such as sklearn:digits or csv:FILE."
    )
    target: str | None = flag("--target", metavar="COLUMN", help="Column to predict.")
    group: str | None = flag(
        "--group", metavar="COLUMN", help="Column whose equal values stay in one fold."
    )
    limit: int | None = flag("--limit", type=int, metavar="ROWS", help="Use this many rows only.")
    test_share: float | None = flag(
        "--test-share", type=float, metavar="F", help="Keep this share out of the search."
    )
    task: str | None = flag(
        "--task", metavar="TASK", help="binary, multiclass, multilabel or regression."
    )
    folds: int | None = flag(
        "--folds", type=int, metavar="K", help="Folds of the cross-validation."
    )
    metrics: tuple[str, ...] = flag(
        "--metric",
        default=(),
        multiple=True,
        metavar="M",
        help="What to optimize. Repeatable: the first counts, the others are recorded.",
    )
    refit_metric: str | None = flag(
        "--refit-metric",
        metavar="M",
        help="Of several metrics the one that counts: the search optimizes it, `best` and "
        "`export` go by it.  [default: the first]",
    )
    sampler: str | None = flag(
        "--sampler", cls=Choosing, metavar="X", help="How parameters are chosen: {samplers}."
    )
    pruner: str | None = flag(
        "--pruner", cls=Choosing, metavar="X", help="Which trials end early: {pruners}."
    )
    settings: tuple[str, ...] = flag(
        "--set",
        default=(),
        multiple=True,
        metavar="P=V",
        help="Set a parameter of the space, such as epochs=3. Repeatable.",
    )
    seed: int | None = flag(
        "--seed", type=int, metavar="N", help="Decides everything that is random."
    )
    retries: int | None = flag(
        "--retries", type=int, metavar="N", help="How often a failed trial is tried again."
    )

    def __post_init__(self) -> None:
        if self.space is None and self.study is None:
            raise UsageError(
                "a search needs a space: --space NAME|FILE, or --study NAME|FILE; received "
                "neither. Available: see `tuner spaces list`"
            )


def definition_from(flags: StudyFlags, timeout: float | None = None) -> StudyDefinition:
    """The definition of `--study` (without it the study around `--space`), flags in force.

    `timeout`: seconds for one run.

    Raises:
        UsageError: its subclasses, with the rule, the value and what is available.
    """
    from tuner.study.library import load_definition

    space = None
    if flags.space is not None:
        from tuner.spaces import load_space

        space = load_space(flags.space)
    definition = load_definition(flags.study or "default", space=space)
    changes: dict[str, Any] = {}
    if flags.settings:
        changes["space"] = definition.space.override(read_settings(flags.settings))
    changes |= _data_changes(flags, definition)
    changes |= _search_changes(flags, definition)
    if timeout is not None:
        changes["timeout"] = timeout
    return definition.override(changes) if changes else definition


def read_settings(settings: Sequence[str]) -> dict[str, str]:
    """`--set key=value` as key to value; of a key given twice the last value."""
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--set takes PARAMETER=VALUE; received {setting!r}. Available, for example: "
                "--set epochs=3, --set 'optimizer.learning_rate={low: 1e-3, high: 1, log: true}'"
            )
        pairs[key.strip()] = value
    return pairs


def _data_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    given = {
        "target": flags.target,
        "group": flags.group,
        "limit": flags.limit,
        "test_share": flags.test_share,
        "task": flags.task,
    }
    changes: dict[str, Any] = {
        f"data.{name}": value for name, value in given.items() if value is not None
    }
    if flags.data is not None:
        changes["data.uri"] = flags.data
        if flags.data != definition.data.uri:
            # A column, a row limit or a task belonged to the other data.
            changes = {f"data.{name}": None for name in given} | changes
    return changes


def _metric_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    """The objective is `--refit-metric`, else the first `--metric`; the others are recorded."""
    names = list(dict.fromkeys(flags.metrics))
    chosen = flags.refit_metric
    if chosen is not None:
        known = names or list(
            dict.fromkeys(filter(None, [definition.objective.metric, *definition.metrics]))
        )
        if chosen not in known:
            raise UsageError(
                "--refit-metric names one of the metrics that are scored; "
                + unknown("metric", chosen, known)
            )
        names = [chosen, *(name for name in known if name != chosen)]
    if not names:
        return {}
    return {"objective.metric": names[0]} | ({"metrics": names[1:]} if len(names) > 1 else {})


def _search_changes(flags: StudyFlags, definition: StudyDefinition) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if flags.folds is not None:
        changes["folds.k"] = flags.folds
        if definition.folds.kind == "holdout":
            changes["folds.kind"] = "auto"
    changes |= _metric_changes(flags, definition)
    # Naming the definition's own sampler or pruner keeps its settings.
    if flags.sampler is not None and flags.sampler != definition.sampler.name:
        changes["sampler"] = flags.sampler
    if flags.pruner is not None and flags.pruner != definition.pruner.name:
        changes["pruner"] = flags.pruner
    elif flags.pruner is not None and "sampler" in changes:
        changes["pruner"] = definition.pruner.model_dump()  # named, so the sampler does not choose
    if flags.seed is not None:
        changes["seed"] = flags.seed
    if flags.retries is not None:
        changes["retries"] = flags.retries
    return changes
