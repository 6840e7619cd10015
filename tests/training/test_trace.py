"""Stacks of one form share a trace, each on variables of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import tensorflow as tf

from tests.support import problems
from tuner.training import Trainer
from tuner.training.epoch import EpochGraph
from tuner.training.stack_cache import STACKS
from tuner.training.trace import SharedTrace


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "optimizer__momentum": 0.9, "model__dropout": 0.3},
        {"optimizer": "adam", "model__batch_norm": True},
    ],
)
def test_stacks_at_a_time_share_a_trace_and_nothing_else(
    params: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [problems.plan(**params, optimizer__learning_rate=rate) for rate in (0.1, 0.01)]
    trainer = Trainer(problems.dataset(), problems.folds(33, 64))
    seeds = problems.seeds(2)
    STACKS.clear()
    alone = [trainer.train([plan], [seeds], weights=True)[0] for plan in plans]

    STACKS.clear()
    traces: list[object] = []
    together = Barrier(2, timeout=60)
    run, original = EpochGraph.run, EpochGraph._run

    def traced(graph: EpochGraph, *arguments: object) -> object:
        traces.append(graph)
        return original(graph, *arguments)  # type: ignore[arg-type]

    def waiting(graph: EpochGraph, *arguments: object) -> object:
        together.wait()  # both stacks are borrowed before either is given back
        return run(graph, *arguments)

    monkeypatch.setattr(EpochGraph, "_run", traced)
    monkeypatch.setattr(EpochGraph, "run", waiting)
    with ThreadPoolExecutor(2) as pool:
        at_a_time = list(
            pool.map(lambda plan: trainer.train([plan], [seeds], weights=True)[0], plans)
        )
    assert len(traces) == 1
    assert len(STACKS) == 2
    for mine, theirs in zip(at_a_time, alone, strict=True):
        np.testing.assert_array_equal(mine.validation["loss"], theirs.validation["loss"])
        for one, other in zip(mine.weights or [], theirs.weights or [], strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_variable_that_was_not_named_is_refused() -> None:
    trace = SharedTrace()
    hidden = tf.Variable(1.0)

    def function(own: tf.Variable) -> object:
        return trace.function(
            [own], lambda: tf.function(lambda: own + hidden).get_concrete_function()
        )

    assert float(function(tf.Variable(2.0))()) == 3.0  # type: ignore[operator]
    with pytest.raises(RuntimeError, match="unknown"):
        function(tf.Variable(5.0))
