"""Local worker processes. Light: what needs Optuna or TensorFlow is imported when it runs."""

from tuner.resources import available_cores as available_cores
from tuner.resources import available_memory as available_memory
from tuner.workers.interfaces import Display as Display
from tuner.workers.limits import TrialLimits as TrialLimits
from tuner.workers.parent_signals import Interrupted as Interrupted
from tuner.workers.recycling import WorkerLimits as WorkerLimits
from tuner.workers.search import SearchEnd as SearchEnd
from tuner.workers.search import run_search as run_search
from tuner.workers.time_limit import TimeLimit as TimeLimit
