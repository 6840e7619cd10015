"""optuna-dashboard behind a lock: `tuner serve`."""

from tuner.results.serving.app import dashboard_app as dashboard_app
from tuner.results.serving.guard import is_loopback as is_loopback
from tuner.results.serving.server import DashboardServer as DashboardServer
