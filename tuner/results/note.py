"""The study note that the dashboard shows: the best trial in a few lines of Markdown."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.results.ranking import find_best
from tuner.results.trials import count_states, trials_of
from tuner.text import score_text, value_text

if TYPE_CHECKING:
    from optuna.study import Study

_FIRST = "## Best trial"
_LAST = "*This section is kept up to date by tuner; what you write above or below it stays.*"
_SECTION = re.compile(re.escape(_FIRST) + ".*?" + re.escape(_LAST), re.DOTALL)


def study_note(study: Study, metric: str) -> str:
    """Our section: the best trial's value, its folds and parameters, and what to do next."""
    counts = count_states(trials_of(study)).items()
    listed = ", ".join(f"{count} {state}" for state, count in counts) or "none"
    best = find_best(study)
    if best is None:
        lines = ["No trial is complete yet."]
    else:
        scores = best.fold_scores
        lines = [
            f"Trial **{best.number}**: {metric} **{score_text(best.value)}** "
            f"± {score_text(float(np.std(scores)), best.value)} over {len(scores)} folds "
            f"({', '.join(score_text(score) for score in scores)})",
            "",
            "| parameter | value |",
            "|---|---|",
            *(f"| {name} | {_value(value)} |" for name, value in best.params.items()),
            "",
            f"Make a model of it: `tuner export {quote(study.study_name)} --out DIR`",
        ]
    return "\n".join([_FIRST, "", *lines, "", f"Trials: {listed}.", "", _LAST])


def merge_note(existing: str, section: str) -> str:
    """`existing` with our section replaced, or put on top if it has none."""
    if _SECTION.search(existing):
        return _SECTION.sub(lambda _: section, existing, count=1)
    return f"{section}\n\n{existing}" if existing.strip() else section


def _value(value: Any) -> str:
    return value_text(value).replace("|", "\\|")
