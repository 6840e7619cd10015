"""From the flags of `tuner optimize` to a study definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import click

from tuner.cli.flags import FOLDS, RETRIES, SEED, TRIALS, flag
from tuner.cli.row_flags import RowFlags
from tuner.errors import UsageError
from tuner.text import quoted

if TYPE_CHECKING:
    from tuner.study.asked import Asked
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
    nested: int | None = flag(
        "K",
        "An honest score: besides, the same search in each of K outer folds, whose choice is "
        "scored on rows that it never saw. --trials are those of one search, of K + 1.",
        type=FOLDS,
    )
    metrics: tuple[str, ...] = flag(
        "M",
        "What to optimize. Repeatable: the first score counts, the others are recorded; "
        "parameters and seconds are minimized beside it.",
        "--metric",
        default=(),
        multiple=True,
    )
    refit_metric: str | None = flag(
        "M",
        "Of several metrics the one that counts: the search optimizes it, `best` and "
        "`export` go by it.  [default: the first]",
    )
    at_most: tuple[str, ...] = flag(
        "M=V",
        "A trial counts only if this metric, or parameters, or seconds, is at most V, such as "
        "parameters=20000. Repeatable.",
        default=(),
        multiple=True,
    )
    at_least: tuple[str, ...] = flag(
        "M=V", "The same with at least V. Repeatable.", default=(), multiple=True
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
    tries: tuple[str, ...] = flag(
        "P=V,...",
        "Try this point of the space before all others, such as 'epochs=3, batch_size=64'; the "
        "sampler chooses what it leaves open. Repeatable.",
        "--try",
        default=(),
        multiple=True,
    )
    seed: int | None = flag("N", "Decides everything that is random.", type=SEED)
    retries: int | None = flag("N", "How often a failed trial is tried again.", type=RETRIES)

    def asked(self, timeout: float | None = None) -> Asked:
        """The same without what is the command line's own. Raises `UsageError` for a setting or a
        kind that is none."""
        from tuner.spaces.points import read_point
        from tuner.study.asked import Asked

        same = {own.name for own in fields(Asked)} & {own.name for own in fields(StudyFlags)}
        return Asked(
            **{name: getattr(self, name) for name in same - {"settings", "at_most", "at_least"}},
            at_most=read_bounds(self.at_most, "--at-most"),
            at_least=read_bounds(self.at_least, "--at-least"),
            rows=self.given(),
            settings=read_settings(self.settings),
            try_first=tuple(map(read_point, self.tries)),
            timeout=timeout,
        )

    def notes(self, definition: StudyDefinition) -> tuple[str, ...]:
        """What was decided for want of a flag in the `definition` of these, a line each."""
        said = f"space {definition.space.name}, since none was named (--space)"
        return (said,) if self.asked().plain else ()


def definition_from(flags: StudyFlags, timeout: float | None = None) -> StudyDefinition:
    """What the flags ask for; `timeout`: seconds for one run. Raises as `Asked.definition`."""
    return flags.asked(timeout).definition()


def read_bounds(bounds: Sequence[str], option: str) -> dict[str, float]:
    """`--at-most parameters=20000` as name to number. Raises `UsageError`."""
    read = {}
    for bound in bounds:
        name, _, value = bound.partition("=")
        try:
            read[name.strip()] = float(value)
        except ValueError:
            raise UsageError(
                f"{option} takes METRIC=NUMBER; received {quoted(bound)}. Available, for example: "
                f"{option} parameters=20000"
            ) from None
    return read


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
