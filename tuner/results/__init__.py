"""Reads stored studies: tables, learning curves, the dashboard. Never trains."""

from tuner.results.curves import curve_rows as curve_rows
from tuner.results.curves import mean_curves as mean_curves
from tuner.results.cv_results import cv_results as cv_results
from tuner.results.cv_results import cv_rows as cv_rows
from tuner.results.dashboard import publish as publish
from tuner.results.figures import study_figures as study_figures
from tuner.results.ranking import BestTrial as BestTrial
from tuner.results.ranking import best_trial as best_trial
from tuner.results.ranking import better as better
from tuner.results.ranking import find_best as find_best
from tuner.results.ranking import no_completed_trial as no_completed_trial
from tuner.results.table import results_table as results_table
from tuner.results.trials import count_states as count_states
from tuner.results.trials import find_trial as find_trial
from tuner.results.trials import objective_metric as objective_metric
