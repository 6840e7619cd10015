"""A study as HTML: in a notebook, and as a page of its own."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.errors import UsageError
from tuner.results.ranking import find_best, front, front_text
from tuner.results.table import results_table
from tuner.results.trials import count_states, diverged_among, objectives_of, trials_of
from tuner.study.stored import is_foreign, read_definition
from tuner.text import counted, measure_text, path_text, score_text, spread_text, value_text

if TYPE_CHECKING:
    import optuna

#: Trials that a notebook shows.
SHOWN = 5
_STYLE = """\
.tuner { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
.tuner table { border-collapse: collapse; margin: .5em 0; font-size: 13px; }
.tuner th, .tuner td { padding: .2em .8em .2em 0; text-align: left; vertical-align: top; }
.tuner td.number, .tuner th.number { text-align: right; font-variant-numeric: tabular-nums; }
.tuner tr.best td { font-weight: 600; }
.tuner th { font-weight: 600; border-bottom: 1px solid #8888; }
.tuner .dim { opacity: .65; }
.tuner .wide { overflow-x: auto; }"""


def study_html(study: optuna.Study, shown: int | None = SHOWN) -> str:
    """Name, counts, the best trial (of several objectives the size of the Pareto front) and the
    best `shown` trials (None: all), for a notebook."""
    trials, [metric, *others] = trials_of(study), objectives_of(study)
    counts = ", ".join(f"{count} {state}" for state, count in count_states(trials).items())
    best = find_best(study)
    parts = [
        f"<b>{_text(study.study_name)}</b> <span class='dim'>{counted(len(trials), 'trial')}: "
        f"{_text(counts or 'none')}{diverged_among(trials)}</span>"
    ]
    rows = results_table(study, order="rank")
    if best is not None and others:
        values = [own.values for own in front(study)]
        parts.append(f"<div>Pareto front: {_text(front_text([metric, *others], values))}</div>")
        rows.sort(key=lambda row: not row["front"])  # the others behind it
    elif best is not None:
        score = spread_text(best.fold_scores) if len(best.fold_scores) > 1 else ""
        parts.append(
            f"<div>best: trial {best.number}, {_text(metric)} "
            f"<b>{_text(score or score_text(best.value))}</b></div>"
        )
    if rows:
        parts.append(f"<div class='wide'>{_trials(rows[:shown], metric)}</div>")
    if shown is not None and len(trials) > shown:
        parts.append("<div class='dim'>all of them: study.table()</div>")
    return f"<style>{_STYLE}</style><div class='tuner'>{''.join(parts)}</div>"


def write_page(study: optuna.Study, out: Path) -> None:
    """Write `study_page`. Raises `UsageError` if the file cannot be written."""
    text = study_page(study)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"a report is written to a file; {path_text(out)}: {error.strerror or error}"
        ) from error


def study_page(study: optuna.Study) -> str:
    """A whole page, which needs no other file: the answer, every trial, the definition."""
    name = _text(study.study_name)
    definition = ""
    if not is_foreign(study.user_attrs):
        fields = read_definition(study).model_dump(mode="json")
        rows = [[key, own] for key, own in _flat("", fields) if own not in (None, "", [], {})]
        definition = f"<h2>Definition</h2>{_table(['field', 'value'], rows)}"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{name}</title><style>:root {{ color-scheme: light dark }} "
        "body { margin: 2em auto; max-width: 70em; padding: 0 1em }</style></head><body>"
        f"<h1 class='tuner'>{name}</h1>{study_html(study, None)}"
        f"<div class='tuner'>{definition}</div></body></html>\n"
    )


def _trials(rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["params"]))
    others = [name for name in rows[0].get("others", ()) if name != "seconds"]
    marks = [name for name in ("front", "feasible") if name in rows[0]]
    beside = [*others, *marks]
    header = ["rank", "trial", "state", metric, "std", *beside, "epochs", "seconds", *names]
    lines = [
        [
            row["rank_test_score"] if row["state"] == "complete" else "",
            row["number"],
            row["state"],
            score_text(row["mean_test_score"]),
            score_text(row["std_test_score"], row["mean_test_score"]),
            *(measure_text(row["others"][name]) for name in others),
            *("" if row[name] is None else "yes" if row[name] else "no" for name in marks),
            row["epochs_run"],
            "" if row["duration_s"] is None else f"{row['duration_s']:.2f}",
            *("" if (own := row["params"].get(name)) is None else own for name in names),
        ]
        for row in rows
    ]
    best = [
        row.get("front", row["rank_test_score"] == 1 and row["state"] == "complete") for row in rows
    ]
    return _table(header, lines, best)


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]], best: Sequence[bool] = ()) -> str:
    numbers = [
        all(_is_number(row[column]) for row in rows if row[column] not in ("", None))
        for column in range(len(header))
    ]
    kinds = [" class='number'" if own else "" for own in numbers]
    head = "".join(f"<th{k}>{_text(own)}</th>" for k, own in zip(kinds, header, strict=True))
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(f"<td{k}>{_cell(own)}</td>" for k, own in zip(kinds, row, strict=True))
        first = " class='best'" if number < len(best) and best[number] else ""
        lines.append(f"<tr{first}>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return value == "-"
    return not isinstance(value, bool)


def _cell(value: Any) -> str:
    return "" if value is None else _text(value if isinstance(value, str) else value_text(value, 4))


def _text(value: Any) -> str:
    return html.escape(str(value))


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    """Dotted names of fields and their values."""
    if isinstance(value, Mapping) and value:
        return [
            own
            for key, inner in value.items()
            for own in _flat(f"{prefix}.{key}" if prefix else str(key), inner)
        ]
    return [(prefix, value)]
