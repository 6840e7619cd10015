"""optuna-dashboard with access control: `tuner serve`."""

from tuner.results.serving.access import is_loopback as is_loopback
from tuner.results.serving.app import dashboard_app as dashboard_app
from tuner.results.serving.app import opened_to_serve as opened_to_serve
from tuner.results.serving.server import DashboardServer as DashboardServer
