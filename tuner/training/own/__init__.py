"""A user's own `build(params) -> keras.Model`: its folds' models side by side in one graph.

`OwnTrainer` is loaded when first used: it imports TensorFlow.
"""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.training.own.trainer import OwnTrainer as OwnTrainer

__all__ = ["OwnTrainer"]
__getattr__ = lazy(__name__, {"OwnTrainer": "trainer"})
