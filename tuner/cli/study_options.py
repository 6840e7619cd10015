"""The flags that make or change a study definition, for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

import click

from tuner.cli.study_flags import StudyFlags
from tuner.errors import UsageError

# Written out, because the modules that know them take half a second to import; a test compares.
SAMPLERS = "tpe, random, grid, sklearn-random, qmc, cmaes, gp, nsga2 or brute-force"
PRUNERS = "median, percentile, hyperband, successive-halving, patient, wilcoxon, threshold or none"

_OPTIONS = (
    click.option("--space", metavar="NAME|FILE", help="Search space: see `tuner spaces list`."),
    click.option("--study", metavar="NAME|FILE", help="Study definition; flags override it."),
    click.option(
        "--name", metavar="S", help="Name of the study.  [default: from what it searches]"
    ),
    click.option("--trials", type=click.IntRange(min=1), metavar="N", help="Trials in all."),
    click.option("--data", metavar="URI", help="Data, such as sklearn:digits or csv:FILE."),
    click.option("--target", metavar="COLUMN", help="Column to predict."),
    click.option("--group", metavar="COLUMN", help="Column whose equal values stay in one fold."),
    click.option("--limit", type=int, metavar="ROWS", help="Use this many rows only."),
    click.option(
        "--test-share", type=float, metavar="F", help="Keep this share out of the search."
    ),
    click.option("--task", metavar="TASK", help="binary, multiclass, multilabel or regression."),
    click.option("--folds", type=int, metavar="K", help="Folds of the cross-validation."),
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="M",
        help="What to optimize. Repeatable: the first counts, the others are recorded.",
    ),
    click.option(
        "--refit-metric",
        metavar="M",
        help="Of several metrics the one that counts: the search optimizes it, `best` and "
        "`export` go by it.  [default: the first]",
    ),
    click.option("--sampler", metavar="X", help=f"How parameters are chosen: {SAMPLERS}."),
    click.option("--pruner", metavar="X", help=f"Which trials end early: {PRUNERS}."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="P=V",
        help="Set a parameter of the space, such as epochs=3. Repeatable.",
    ),
    click.option("--seed", type=int, metavar="N", help="Decides everything that is random."),
    click.option(
        "--retries", type=int, metavar="N", help="How often a failed trial is tried again."
    ),
)


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags of a study. The command gets them as `flags` (a `StudyFlags`, with `--timeout` in
    it where the command has that), and `name` and `trials` beside it.

    Raises `UsageError` where neither a space nor a study is named.
    """

    @wraps(command)
    def read(*args: Any, **given: Any) -> Any:
        names = [field.name for field in fields(StudyFlags) if field.name in given]
        flags = StudyFlags(**{name: given.pop(name) for name in names})
        if flags.space is None and flags.study is None:
            raise UsageError(
                "a search needs a space: --space NAME|FILE, or --study NAME|FILE; received "
                "neither. Available: see `tuner spaces list`"
            )
        return command(*args, flags=flags, **given)

    decorated: Callable[..., Any] = read
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
