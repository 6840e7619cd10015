"""Learning-rate schedules by name: each is one class in one file.

A schedule of another package stands in its entry points under `tuner.schedules`.
"""

from tuner.parameters import setting as setting
from tuner.registry import Registry
from tuner.schedules.base import Mode as Mode
from tuner.schedules.base import Rates as Rates
from tuner.schedules.base import Schedule as Schedule
from tuner.schedules.base import Tracker as Tracker
from tuner.schedules.constant import ConstantSchedule as ConstantSchedule
from tuner.schedules.cosine import CosineSchedule as CosineSchedule
from tuner.schedules.cosine_restarts import CosineRestartsSchedule as CosineRestartsSchedule
from tuner.schedules.coslog4 import CosLog4Schedule as CosLog4Schedule
from tuner.schedules.exponential import ExponentialSchedule as ExponentialSchedule
from tuner.schedules.flat_cosine import FlatCosineSchedule as FlatCosineSchedule
from tuner.schedules.inverse_sqrt import InverseSqrtSchedule as InverseSqrtSchedule
from tuner.schedules.one_cycle import OneCycleSchedule as OneCycleSchedule
from tuner.schedules.piecewise import PiecewiseSchedule as PiecewiseSchedule
from tuner.schedules.plateau import PlateauSchedule as PlateauSchedule
from tuner.schedules.polynomial import PolynomialSchedule as PolynomialSchedule
from tuner.schedules.restarts import RestartsSchedule as RestartsSchedule
from tuner.schedules.step import StepSchedule as StepSchedule
from tuner.schedules.time_based import TimeSchedule as TimeSchedule
from tuner.schedules.warmup import WarmupSchedule as WarmupSchedule

#: Name in a space -> class. A warmup is no name of its own: it comes before any of these.
SCHEDULES: Registry[type[Schedule]] = Registry(
    "schedule",
    "tuner.schedules",
    [
        ConstantSchedule,
        TimeSchedule,
        ExponentialSchedule,
        StepSchedule,
        PiecewiseSchedule,
        PolynomialSchedule,
        InverseSqrtSchedule,
        CosineSchedule,
        CosineRestartsSchedule,
        RestartsSchedule,
        OneCycleSchedule,
        FlatCosineSchedule,
        CosLog4Schedule,
        PlateauSchedule,
    ],
)
#: Those that another setting than the rate may follow, by their factor of a base of 1 and with
#: their defaults: a constant, and all that stretch over the whole training.
FACTORS = tuple(
    name for name in SCHEDULES.own if name == "constant" or SCHEDULES[name].depends_on_total
)
