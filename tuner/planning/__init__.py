"""Trial parameters to a frozen plan, with its metrics, seeds and cost."""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.planning.cost import estimate as estimate
    from tuner.planning.metrics import METRICS as METRICS
    from tuner.planning.metrics import MetricInfo as MetricInfo
    from tuner.planning.metrics import check_metric as check_metric
    from tuner.planning.metrics import default_metric as default_metric
    from tuner.planning.metrics import metric_direction as metric_direction
    from tuner.planning.metrics import metrics_for as metrics_for
    from tuner.planning.plan import LossPlan as LossPlan
    from tuner.planning.plan import TrainingPlan as TrainingPlan
    from tuner.planning.planner import plan_training as plan_training
    from tuner.planning.seeds import epoch_order as epoch_order
    from tuner.planning.seeds import network_seed as network_seed

__getattr__ = lazy(
    __name__,
    {
        "estimate": "cost",
        "METRICS": "metrics",
        "MetricInfo": "metrics",
        "check_metric": "metrics",
        "default_metric": "metrics",
        "metric_direction": "metrics",
        "metrics_for": "metrics",
        "LossPlan": "plan",
        "TrainingPlan": "plan",
        "plan_training": "planner",
        "epoch_order": "seeds",
        "network_seed": "seeds",
    },
)
