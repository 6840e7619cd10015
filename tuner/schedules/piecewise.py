import numpy as np

from tuner.errors import PlanError
from tuner.parameters import setting
from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import steps


class PiecewiseSchedule(Schedule):
    """Constant from boundary to boundary; both lists are needed.

    Factors are of the base rate, not of the rate before. A boundary may lie within an epoch
    (1.5: after one and a half epochs). Keras's `PiecewiseConstantDecay` keeps the earlier value
    AT its boundary, so its boundaries are `boundaries * steps_per_epoch - 1`.

    Raises PlanError if boundaries do not rise, or are not as many as the factors.
    """

    name = "piecewise"
    formula = "lr0 at first, lr0 · factors[i] once boundaries[i] epochs have passed"
    keras = "`PiecewiseConstantDecay`"

    boundaries: tuple[float, ...] = setting((), "Epochs at which the rate changes.", above=0)
    factors: tuple[float, ...] = setting(
        (), "Factor of the base rate from each boundary on.", above=0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.boundaries or len(self.boundaries) != len(self.factors):
            raise PlanError(
                "schedule piecewise needs schedule.boundaries (epochs) and as many "
                "schedule.factors (of the base rate, one from each boundary on); got "
                f"boundaries {list(self.boundaries)} and factors {list(self.factors)}"
            )
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise PlanError(f"schedule.boundaries must rise; got {list(self.boundaries)}")

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        # Rounded so that 2.2 epochs of 45 steps are 99 steps, not 99.00000000000001.
        first_steps = np.round(np.array(self.boundaries) * steps_per_epoch, 6)
        passed = np.searchsorted(first_steps, steps(steps_per_epoch, epochs), side="right")
        values = self.learning_rate * np.array([1.0, *self.factors])
        return values.astype(np.float32)[passed]
