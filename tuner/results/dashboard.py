"""Writes what optuna-dashboard shows beyond the trials: figures and the study note.

The dashboard's own functions (`save_plotly_graph_object`, `save_note`) would do, but importing
optuna_dashboard costs two seconds at the end of a search that lasts thirty. The layout they write
is simple, and the tests read it back with optuna_dashboard itself: text in pieces of 2,045
characters as study system attributes `dashboard:plot_data:{figure}:{piece}` and
`dashboard:note_str:{piece}`, and the note's version in `dashboard:note_ver`. Optuna's own
`study:metric_names` (`Study.set_metric_names`, which warns) gives the objective its name; without
it the axes say "Objective 0".
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.results.figures import study_figures
from tuner.results.ranking import find_best, front
from tuner.results.trials import (
    count_states,
    diverged_among,
    find_trial,
    objective_metric,
    objectives_of,
    trials_of,
)
from tuner.storage import records
from tuner.text import printable, score_text, shell_quoted, spread_text, value_text

if TYPE_CHECKING:
    from optuna.study import Study

_log = logging.getLogger(__name__)

_PIECE = 2045
_FIGURE = "dashboard:plot_data:"
_NOTE = "dashboard:note_str:"
_NOTE_VERSION = "dashboard:note_ver"
_OBJECTIVES = "study:metric_names"

_FIRST = "## Best trial"
_LAST = "*This section is kept up to date by tuner; what you write above or below it stays.*"
_SECTION = re.compile(re.escape(_FIRST) + ".*?" + re.escape(_LAST), re.DOTALL)


def publish(study: Study) -> bool:
    """Bring the study's figures and its note in the storage up to date.

    Writes only what differs, so that a second call writes nothing. What a person wrote into the
    note outside our section stays. Never raises: a dashboard without figures is no reason to lose
    the result of a search; the log has a warning then.

    Returns:
        True if the storage is up to date, False if something went wrong.
    """
    try:
        _publish(study)
    except Exception as error:
        _log.warning("the dashboard's figures of %r were not written: %s", study.study_name, error)
        return False
    return True


def _publish(study: Study) -> None:
    metric = objective_metric(study)
    held: Mapping[str, Any] = study._storage.get_study_system_attrs(study._study_id)
    if held.get(_OBJECTIVES) is None:
        study._storage.set_study_system_attr(study._study_id, _OBJECTIVES, objectives_of(study))
    for name, figure in study_figures(study).items():
        text = json.dumps(figure, separators=(",", ":"))
        _write_text(study, held, f"{_FIGURE}{name}:", text)
    note = "".join(str(held[key]) for key in _pieces(held, _NOTE))
    merged = merge_note(note, study_note(study, metric))
    if merged != note:
        # The version goes first, as in the dashboard: an editor that is open then knows.
        version = int(held.get(_NOTE_VERSION, 0)) + 1
        study._storage.set_study_system_attr(study._study_id, _NOTE_VERSION, version)
        _write_text(study, held, _NOTE, merged)


def _write_text(study: Study, held: Mapping[str, Any], prefix: str, text: str) -> None:
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    # Pieces of a longer, former text are emptied: the dashboard joins all that there are.
    pieces += [""] * (len(_pieces(held, prefix)) - len(pieces))
    for number, piece in enumerate(pieces):
        key = f"{prefix}{number}"
        if held.get(key) != piece:
            study._storage.set_study_system_attr(study._study_id, key, piece)


def _pieces(held: Mapping[str, Any], prefix: str) -> list[str]:
    """The keys of a text's pieces, in order."""
    count = sum(key.startswith(prefix) for key in held)
    return [f"{prefix}{number}" for number in range(count)]


def study_note(study: Study, metric: str) -> str:
    """Our section: the best trial's value, its folds and parameters, and what to do next."""
    trials = trials_of(study)
    counts = count_states(trials).items()
    listed = ", ".join(f"{count} {state}" for state, count in counts) or "none"
    listed += diverged_among(trials)
    best = find_best(study)
    if best is None:
        lines = ["No trial is complete yet."]
    else:
        scores = best.fold_scores
        cells = [(_cell(name), _cell(value_text(own))) for name, own in best.params.items()]
        lines = [
            f"Trial **{best.number}**: {metric} **{score_text(best.value)}** "
            f"± {score_text(float(np.std(scores)), best.value)} over {len(scores)} folds "
            f"({', '.join(score_text(score) for score in scores)})",
            *_beside(
                records.recorded(find_trial(study, best.number), records.METRICS) or {}, metric
            ),
            "",
            "| parameter | value |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in cells),
            "",
            *_front_lines(study),
            f"Make a model of it: `tuner export {shell_quoted(study.study_name)} --out DIR`",
        ]
    return "\n".join([_FIRST, "", *lines, "", f"Trials: {listed}.", "", _LAST])


def _front_lines(study: Study) -> list[str]:
    """The Pareto front of several objectives as a table; nothing for one."""
    names = objectives_of(study)
    if len(names) == 1:
        return []
    rows = [
        f"| {trial.number} | {' | '.join(map(score_text, trial.values))} |"
        for trial in front(study)
    ]
    head = ["| trial | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    return ["Pareto front:", "", *head, *rows, ""]


def _cell(text: str) -> str:
    """What stands in a cell of the note's table, in its row alone."""
    return printable(text).replace("|", "\\|")


def _beside(scored: Mapping[str, Any], metric: str) -> list[str]:
    """A line with the means of what is scored beside the objective; none if nothing is."""
    others = [f"{name} {spread_text(own)}" for name, own in scored.items() if name != metric]
    return ["", f"Scored beside it: {', '.join(others)}."] if others else []


def merge_note(existing: str, section: str) -> str:
    """`existing` with our section replaced, or put on top if it has none."""
    if _SECTION.search(existing):
        return _SECTION.sub(lambda _: section, existing, count=1)
    return f"{section}\n\n{existing}" if existing.strip() else section
