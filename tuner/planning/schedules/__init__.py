"""Learning-rate schedules by name."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.planning.schedules.base import Schedule as Schedule
from tuner.planning.schedules.constant import ConstantSchedule as ConstantSchedule
from tuner.planning.schedules.cosine import CosineSchedule as CosineSchedule
from tuner.planning.schedules.cosine_restarts import (
    CosineRestartsSchedule as CosineRestartsSchedule,
)
from tuner.planning.schedules.exponential import ExponentialSchedule as ExponentialSchedule
from tuner.planning.schedules.inverse_sqrt import InverseSqrtSchedule as InverseSqrtSchedule
from tuner.planning.schedules.one_cycle import OneCycleSchedule as OneCycleSchedule
from tuner.planning.schedules.piecewise import PiecewiseSchedule as PiecewiseSchedule
from tuner.planning.schedules.plateau import PlateauSchedule as PlateauSchedule
from tuner.planning.schedules.plateau import PlateauTracker as PlateauTracker
from tuner.planning.schedules.polynomial import PolynomialSchedule as PolynomialSchedule
from tuner.planning.schedules.restarts import RestartsSchedule as RestartsSchedule
from tuner.planning.schedules.step import StepSchedule as StepSchedule
from tuner.planning.schedules.time_based import TimeSchedule as TimeSchedule
from tuner.planning.schedules.warmup import WarmupSchedule as WarmupSchedule

#: Name in a space -> class. A warmup is no name of its own: it stands in front of any of these.
SCHEDULES: Mapping[str, type[Schedule]] = {
    schedule.name: schedule
    for schedule in (
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
        PlateauSchedule,
    )
}
