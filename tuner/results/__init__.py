"""Reads stored studies: tables, learning curves, the dashboard. Never trains."""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

# Of the same name as its module, which would stand in its place once that is loaded.
from tuner.results.cv_results import cv_results as cv_results

if TYPE_CHECKING:
    from tuner.results.curves import curve_rows as curve_rows
    from tuner.results.curves import mean_curves as mean_curves
    from tuner.results.cv_results import cv_rows as cv_rows
    from tuner.results.dashboard import publish as publish
    from tuner.results.figures import study_figures as study_figures
    from tuner.results.ranking import BestTrial as BestTrial
    from tuner.results.ranking import best_trial as best_trial
    from tuner.results.ranking import better as better
    from tuner.results.ranking import described as described
    from tuner.results.ranking import find_best as find_best
    from tuner.results.ranking import front as front
    from tuner.results.ranking import front_text as front_text
    from tuner.results.ranking import given_params as given_params
    from tuner.results.ranking import no_completed_trial as no_completed_trial
    from tuner.results.ranking import on_front as on_front
    from tuner.results.table import results_table as results_table
    from tuner.results.trials import count_states as count_states
    from tuner.results.trials import find_trial as find_trial
    from tuner.results.trials import objective_metric as objective_metric
    from tuner.results.trials import objectives_of as objectives_of

__getattr__ = lazy(
    __name__,
    {
        "curve_rows": "curves",
        "mean_curves": "curves",
        "cv_rows": "cv_results",
        "publish": "dashboard",
        "study_figures": "figures",
        "BestTrial": "ranking",
        "best_trial": "ranking",
        "better": "ranking",
        "described": "ranking",
        "find_best": "ranking",
        "front": "ranking",
        "front_text": "ranking",
        "given_params": "ranking",
        "no_completed_trial": "ranking",
        "on_front": "ranking",
        "results_table": "table",
        "count_states": "trials",
        "find_trial": "trials",
        "objective_metric": "trials",
        "objectives_of": "trials",
    },
)
