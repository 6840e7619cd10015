"""From the flags of `tuner optimize` to a study definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.errors import UsageError, unknown

if TYPE_CHECKING:
    from tuner.study.definition import StudyDefinition


@dataclass(frozen=True)
class StudyFlags:
    """What was said on the command line; None and empty: nothing. See `tuner optimize --help`."""

    space: str | None = None
    study: str | None = None
    settings: tuple[str, ...] = ()
    data: str | None = None
    target: str | None = None
    group: str | None = None
    limit: int | None = None
    test_share: float | None = None
    task: str | None = None
    folds: int | None = None
    metrics: tuple[str, ...] = ()
    refit_metric: str | None = None
    sampler: str | None = None
    pruner: str | None = None
    seed: int | None = None
    retries: int | None = None
    timeout: str | None = None


def definition_from(flags: StudyFlags) -> StudyDefinition:
    """The definition of `--study` (without it the study around `--space`), flags in force.

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


def read_seconds(flag: str, text: str) -> float:
    """A time such as `90`, `90s`, `10m` or `1h30m`. Raises `UsageError` naming the flag."""
    from tuner.study.definition import seconds

    try:
        value = seconds(text)
    except ValueError as error:
        raise UsageError(f"{flag} {error}") from None
    if value <= 0:
        raise UsageError(f"{flag} must be more than 0 s; got {text!r}")
    return value


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
            # A column, a row limit or a task was said of the other data.
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
        changes["pruner"] = definition.pruner.model_dump()  # said, so the sampler does not choose
    if flags.seed is not None:
        changes["seed"] = flags.seed
    if flags.retries is not None:
        changes["retries"] = flags.retries
    if flags.timeout is not None:
        changes["timeout"] = read_seconds("--timeout", flags.timeout)
    return changes
