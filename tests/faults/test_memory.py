"""A worker that trains for long holds no more than one that has just begun."""

from __future__ import annotations

import pytest

from tests.support.faults.memory import SHAPES, memory
from tuner.workers import WorkerLimits

pytestmark = pytest.mark.slow


def test_memory_stays_flat():
    seen = memory(trials=130)
    assert seen.done == 130
    assert seen.holds, (seen.held, seen.growth)


def test_a_worker_that_grows_is_replaced_and_no_trial_lost():
    """TensorFlow keeps something of every shape that was ever traced."""
    limits = WorkerLimits(growth=16 << 20, settle=2)
    seen = memory(trials=12, settings=SHAPES, epochs=1, folds=2, limits=limits)
    assert seen.done == sum(map(len, seen.held)) == 12
    assert len(seen.held) > 1
    assert len(seen.gaps) == len(seen.held) - 1
