"""Training: N networks as one Keras model, folds in lockstep, an epoch in one graph call.

`Trainer` is loaded when first used: it imports TensorFlow (about 4 s), which only workers pay,
after `set_threads()`.
"""

from typing import TYPE_CHECKING

from tuner.lazy import lazy
from tuner.training.scores import TrialScores as TrialScores
from tuner.training.state import TrainingState as TrainingState
from tuner.training.threads import set_threads as set_threads

if TYPE_CHECKING:
    from tuner.training.trainer import Trainer as Trainer

__all__ = ["Trainer", "TrainingState", "TrialScores", "set_threads"]
__getattr__ = lazy(__name__, {"Trainer": "trainer"})
