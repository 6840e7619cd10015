"""Plotly figures of a study, as the JSON-able mappings that Plotly itself reads.

Plain mappings instead of `plotly.graph_objects`: a figure takes microseconds, and stays small
enough for a storage that keeps text in pieces of 2,045 characters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.results.curves import MeanCurves, mean_curves
from tuner.results.ranking import best_trials
from tuner.results.trials import metrics_of
from tuner.text import printable, rounded

if TYPE_CHECKING:
    from optuna.study import Study

Figure = dict[str, Any]

#: How many of the best trials a figure shows: more curves than that hide each other.
SHOWN = 5
#: Epochs drawn at most: a longer curve is thinned evenly, its last epoch kept.
POINTS = 200
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd")


def study_figures(study: Study) -> dict[str, Figure]:
    """The study's figures by their name in the dashboard.

    `learning-curves-METRIC` for the objective, the loss and every other metric that the study
    scores (the best trials' means over the folds: validation solid, training dashed if the
    metric is summed while training; the best one's folds span the shaded band), and
    `learning-rate` (the same trials' rates). Empty if no completed trial has curves.
    """
    drawn = [(trial.number, mean_curves(trial)) for trial in best_trials(study)[:SHOWN]]
    best = [(number, curves) for number, curves in drawn if curves is not None]
    if not best:
        return {}
    objective, *others = metrics_of(study)
    wanted = dict.fromkeys((objective, "loss", *others))
    names = [name for name in wanted if name in best[0][1].validation]
    figures = {
        f"learning-curves-{name}": _learning_curves(study.study_name, name, best) for name in names
    }
    figures["learning-rate"] = _learning_rates(study.study_name, best)
    return figures


def _learning_curves(
    study_name: str, metric: str, best: Sequence[tuple[int, MeanCurves]]
) -> Figure:
    traces = _band(best[0][1].folds.validation[metric])
    for color, (number, curves) in zip(COLORS, best, strict=False):
        for kind, dash, scores in (
            ("validation", "solid", curves.validation[metric]),
            ("training", "dash", curves.train.get(metric)),
        ):
            if scores is not None:
                traces.append(_line(f"trial {number}, {kind}", scores, color, dash))
    return _figure(
        f"{metric} after each epoch, mean over the folds · best trials of {printable(study_name)}",
        metric,
        traces,
    )


def _learning_rates(study_name: str, best: Sequence[tuple[int, MeanCurves]]) -> Figure:
    traces = [
        _line(f"trial {number}", curves.learning_rate, color, "solid")
        for color, (number, curves) in zip(COLORS, best, strict=False)
    ]
    figure = _figure(
        f"learning rate at the end of each epoch · best trials of {printable(study_name)}",
        "learning rate",
        traces,
    )
    # A rate of 0 (the end of many schedules) has no place on a logarithmic axis.
    rates = np.concatenate([curves.learning_rate for _, curves in best])
    if np.all(rates[~np.isnan(rates)] > 0):
        figure["layout"]["yaxis"]["type"] = "log"
    return figure


def _band(scores: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The span of the folds `(epochs, folds)`: two invisible lines, the space between filled."""
    at = _kept(len(scores))
    held = np.where(np.isnan(scores), np.nanmean(scores, axis=1, keepdims=True), scores)
    common = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    low: dict[str, Any] = _trace(at, held.min(axis=1)) | common | {"showlegend": False}
    high: dict[str, Any] = _trace(at, held.max(axis=1)) | common
    high |= {"fill": "tonexty", "fillcolor": "rgba(31,119,180,0.15)", "name": "folds of the best"}
    return [low, high]


def _line(name: str, values: NDArray[Any], color: str, dash: str) -> dict[str, Any]:
    return _trace(_kept(len(values)), values) | {
        "mode": "lines" if len(values) > 1 else "markers",
        "name": name,
        "line": {"color": color, "dash": dash},
    }


def _trace(at: NDArray[np.int64], values: NDArray[Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": (at + 1).tolist(),
        "y": [rounded(v, 5) if math.isfinite(v) else None for v in values[at].tolist()],
    }


def _kept(epochs: int) -> NDArray[np.int64]:
    """The epochs that are drawn, from 0."""
    return np.unique(np.linspace(0, epochs - 1, min(epochs, POINTS)).round().astype(np.int64))


def _figure(title: str, y_title: str, traces: list[dict[str, Any]]) -> Figure:
    return {
        "data": traces,
        "layout": {
            "title": {"text": title},
            "xaxis": {"title": {"text": "epoch"}},
            "yaxis": {"title": {"text": y_title}},
            # With a filled band Plotly would list the traces from the last to the first.
            "legend": {"traceorder": "normal"},
        },
    }
