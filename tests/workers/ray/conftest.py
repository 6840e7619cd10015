"""Ray workers in this process: they leave it as it was, and run loops of the tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ray

from tests.support.ray_stand_ins import StandIn
from tuner.search import loop
from tuner.search.events import WorkerReady
from tuner.workers.ray import actor, driver


@pytest.fixture(autouse=True)
def process_as_it_was(monkeypatch) -> Iterator[None]:
    before, folder = dict(os.environ), os.getcwd()
    monkeypatch.setattr(actor, "node_and_address", lambda: ("7ab", "node-0"))
    monkeypatch.setattr(actor, "capture_output", lambda tell: None)
    yield
    os.environ.clear()
    os.environ.update(before)
    os.chdir(folder)


@pytest.fixture
def run_loop(monkeypatch) -> Callable[[Callable[..., str]], None]:
    """Let workers run a function of (worker, stop, tell) instead of the real loop."""

    def use(own: Callable[..., str]) -> None:
        def run_worker(
            url: str, name: str, *, worker: Any, stop: Any, on_event: Any, **_: Any
        ) -> str:
            on_event(WorkerReady(worker))
            return own(worker, stop, on_event)

        monkeypatch.setattr(loop, "run_worker", run_worker)

    return use


@pytest.fixture
def cluster(monkeypatch) -> Iterator[Callable[..., StandIn]]:
    """Makes stand-ins, whose threads end with the test."""
    made: list[StandIn] = []

    def make(*args: Any) -> StandIn:
        made.append(StandIn(*args))
        return made[-1]

    monkeypatch.setattr(ray, "kill", lambda handle: handle.kill())
    monkeypatch.setattr(driver, "is_up", lambda node: all(each.node_is_up for each in made))
    yield make
    for each in made:
        each.die()
