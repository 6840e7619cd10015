"""A stack that is dropped takes its graphs with it."""

from __future__ import annotations

import gc

import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from tests.support import problems
from tuner.training import Trainer
from tuner.training.stack_cache import STACKS


def graphs() -> int:
    gc.collect()
    return sum(isinstance(found, FuncGraph) for found in gc.get_objects())


@pytest.mark.slow
def test_no_graph_outlives_its_stack() -> None:
    trainer = Trainer(problems.dataset(), problems.folds(33))
    STACKS.clear()
    before = graphs()
    for units in (5, 6):
        trainer.train([problems.plan(model__units=units, epochs=1)], [problems.seeds(1)])
    assert graphs() > before
    STACKS.clear()
    assert graphs() == before
