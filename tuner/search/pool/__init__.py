"""Local worker processes. Light: what needs Optuna or TensorFlow is imported when it runs."""

from __future__ import annotations

from tuner.search.pool.guard import Caps as Caps
from tuner.search.pool.messages import Limits as Limits
from tuner.search.pool.resources import available_cores as available_cores
from tuner.search.pool.resources import available_memory as available_memory
from tuner.search.pool.search import SearchOutcome as SearchOutcome
from tuner.search.pool.search import run_search as run_search
from tuner.search.pool.signals import Interrupted as Interrupted
from tuner.search.pool.time_limit import TimeLimit as TimeLimit
from tuner.search.pool.watcher import Display as Display
