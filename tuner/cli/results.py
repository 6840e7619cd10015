"""`tuner results` and `tuner best`: what a study found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import COUNT, TRIAL, choose_option, flag, storage_option, takes
from tuner.cli.nested_text import nested_text
from tuner.cli.opening import reading
from tuner.cli.output import columns_of, current_format, emit, format_option, params_table
from tuner.cli.refusals import OneOf
from tuner.errors import UsageError
from tuner.text import score_text, shell_quoted, value_text

if TYPE_CHECKING:
    from tuner.results import BestTrial
    from tuner.results.nested import Nested
    from tuner.results.ranking import Choice


@dataclass(frozen=True)
class TableFlags:
    """What `tuner.results.results_table` takes."""

    top: int | None = flag("N", "Only the best N trials.", type=COUNT)
    states: tuple[str, ...] = flag(
        "STATE",
        "Only trials in this state: complete, pruned, failed, running or waiting. Repeatable.",
        "--state",
        default=(),
        multiple=True,
    )
    order: str | None = flag(
        None,
        "By default best first as a table and with --top, by trial number otherwise.",
        "--sort",
        type=OneOf(("rank", "number")),
    )
    choose: Choice = flag(  # noqa: RUF009 (a field)
        None,
        "With one-se also a column `chosen`, of the simplest trial within one standard error of "
        "the best.",
        type=OneOf(("best", "one-se")),
        default="best",
    )
    attempts: bool = flag(
        None,
        "Also trials that failed or were interrupted and tried again.",
        default=False,
        is_flag=True,
    )


@click.command()
@click.argument("name")
@storage_option
@takes(chosen=TableFlags)
@click.option(
    "--trial",
    "number",
    type=TRIAL,
    metavar="N",
    help="The learning curves of trial N instead: one row an epoch.",
)
@click.option(
    "--cv-results",
    "whole",
    is_flag=True,
    help="All columns of scikit-learn's cv_results_ instead, times and several metrics included.",
)
@click.option(
    "--train-scores",
    is_flag=True,
    help="With --cv-results: also the running means of the training scores.",
)
@format_option
def results(
    name: str,
    storage: str | None,
    chosen: TableFlags,
    number: int | None,
    whole: bool,
    train_scores: bool,
) -> None:
    """Every trial of study NAME with its scores, best first.

    As CSV the columns are those of scikit-learn's cv_results_: param_*, split*_test_score,
    mean_test_score, std_test_score, rank_test_score.
    """
    from tuner.results import curve_rows, cv_results, cv_rows, no_completed_trial, results_table
    from tuner.results.nested import nested_of
    from tuner.results.table import flat_rows

    choosing = chosen != TableFlags()
    if whole and (choosing or number is not None):
        raise UsageError(
            "--cv-results shows all candidates in their order; --top, --state, --sort, --attempts, "
            "--choose and --trial choose among trials"
        )
    if train_scores and not whole:
        raise UsageError("--train-scores adds columns to --cv-results, which was not given")
    if whole:
        with reading(name, storage) as study:
            candidates = cv_rows(cv_results(study, train_scores=train_scores))
        emit(candidates)
        return
    if number is not None:
        if choosing:
            raise UsageError(
                "--trial shows the epochs of one trial; --top, --state, --sort, --attempts and "
                "--choose choose among trials"
            )
        with reading(name, storage) as study:
            rows = curve_rows(study, number)
        emit(rows, table=lambda: _curve_table(rows))
        return
    form = current_format()
    if form == "table" and chosen.order is None:
        chosen = replace(chosen, order="rank")
    with reading(name, storage) as study:
        rows = results_table(study, **asdict(chosen))
        lacks = not chosen.states and all(row["state"] != "complete" for row in rows)
        none = no_completed_trial(study) if lacks else None
        below = _below(nested_of(study))
    table = flat_rows(rows) if form == "csv" else rows
    emit(table, table=lambda: "\n".join([_trial_table(rows), *below]))
    if none is not None:
        raise none


@click.command()
@click.argument("name")
@choose_option
@storage_option
@format_option
def best(name: str, choose: Choice, storage: str | None) -> None:
    """The best trial of study NAME: its parameters, its value and the scores of its folds.

    Of several objectives the Pareto front, sorted by the first one, and its first trial.
    """
    from tuner.results import best_trial, front, given_params, objectives_of
    from tuner.results.nested import nested_data, nested_of
    from tuner.results.trials import holds_networks

    with reading(name, storage) as study:
        found, names = best_trial(study, choose), objectives_of(study)
        exported = holds_networks(study)
        members = [
            {
                "number": own.number,
                "objectives": dict(zip(names, own.values, strict=True)),
                "params": given_params(own),
            }
            for own in (front(study) if len(names) > 1 else ())
        ]
        nested = nested_of(study)
    data = asdict(found) | ({"front": members} if members else {})
    data |= {} if nested is None else {"nested": nested_data(nested)}
    texts = [*_front_text(members), _best_text(found, names[0]), *_below(nested)]
    if exported and len(found.fold_scores) > 1:
        texts.append(
            f"its {len(found.fold_scores)} fold networks as one model: tuner export "
            f"{shell_quoted(name)} --out DIR --ensemble folds"
        )
    emit(data, table=lambda: "\n".join(texts))


def _trial_table(rows: Sequence[dict[str, Any]]) -> str:
    """Short numbers, one column a parameter; the cause only if there is one."""
    names = list(dict.fromkeys(name for row in rows for name in row["params"]))
    last = ["cause"] if any(row["cause"] for row in rows) else []
    # Of several objectives, and of constraints.
    others = list(rows[0].get("others", ())) if rows else []
    marks = [name for name in ("front", "feasible", "chosen") if rows and name in rows[0]]
    beside = [name for name in others if name != "seconds"] + marks
    header = ["rank", "trial", "state", "mean", "std", *beside, "ran", "seconds", *names, *last]
    lines = [
        [
            str(row["rank_test_score"]) if row["state"] == "complete" else "-",
            str(row["number"]),
            row["state"],
            score_text(row["mean_test_score"]),
            score_text(row["std_test_score"], row["mean_test_score"]),
            *(value_text({**row.get("others", {}), **row}.get(name), 5) for name in beside),
            value_text(row["epochs_run"]),
            "-" if row["duration_s"] is None else f"{row['duration_s']:.2f}",
            *(value_text(row["params"].get(name), 4) for name in names),
            *(row[name] or "" for name in last),
        ]
        for row in rows
    ]
    return columns_of(header, lines)


def _below(nested: Nested | None) -> list[str]:
    return [] if nested is None else ["", nested_text(nested)]


def _curve_table(rows: Sequence[dict[str, Any]]) -> str:
    """The means over the folds; the folds themselves are for the other formats."""
    names = [name for name in rows[0] if not name.startswith("split")]
    return columns_of(names, [[value_text(row[name], 5) for name in names] for row in rows])


def _front_text(members: Sequence[dict[str, Any]]) -> list[str]:
    """The Pareto front, if there are several objectives."""
    if not members:
        return []
    names = list(members[0]["objectives"])
    params = list(dict.fromkeys(name for own in members for name in own["params"]))
    rows = [
        [
            str(own["number"]),
            *(value_text(own["objectives"][name], 5) for name in names),
            *(value_text(own["params"].get(name), 4) for name in params),
        ]
        for own in members
    ]
    return ["Pareto front", columns_of(["trial", *names, *params], rows), ""]


def _best_text(found: BestTrial, metric: str) -> str:
    scores = ", ".join(map(score_text, found.fold_scores)) or "none"
    value = score_text(found.value)
    lines = [f"trial {found.number}: {metric} {value} (folds: {scores})"]
    return "\n".join([*lines, params_table(found.params)] if found.params else lines)
