"""The pool's own loop over workers of a cluster: who is replaced, blamed and let go."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.support.ray_stand_ins import TASK, StandIn, no_trainer, three_trials, until_told
from tuner.errors import TunerError, UsageError
from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted, WorkerWarning
from tuner.workers.hand_back import WorkerDeath
from tuner.workers.limits import TrialLimits
from tuner.workers.parent_signals import SignalWatch
from tuner.workers.pool import PoolEnd, WorkerPool
from tuner.workers.ray import actor
from tuner.workers.ray import engine as engine_module
from tuner.workers.ray.engine import RayEngine
from tuner.workers.ray.nodes import Node, Share
from tuner.workers.recycling import WorkerLimits

NODES = [Node("127.0.0.1", 2, 0, 8 << 30)]


class StandInCluster:
    """Counts who joins it and leaves it."""

    def __init__(self) -> None:
        self.nodes, self.joined, self.left = NODES, 0, 0

    @contextmanager
    def join(self, address: str, notices: deque[str], *, cpus: float) -> Iterator[list[Node]]:
        self.joined += 1
        try:
            yield self.nodes
        finally:
            self.left += 1


@pytest.fixture(autouse=True)
def joined(monkeypatch) -> StandInCluster:
    cluster = StandInCluster()
    monkeypatch.setattr(engine_module, "joined", cluster.join)
    return cluster


class Seen:
    """A display, and what was handed back to the storage."""

    def __init__(self, on_event: Callable[[Event], None] = lambda event: None) -> None:
        self.events: list[Event] = []
        self.lines: list[str] = []
        self.handed_back: list[tuple[str, str]] = []
        self._on_event = on_event

    def event(self, event: Event) -> None:
        self.events.append(event)
        self._on_event(event)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def tick(self) -> None:
        pass

    def close(self) -> None:
        raise AssertionError("a pool leaves it open")

    def hand_back(self, loss: WorkerDeath) -> Callable[[], bool]:
        self.handed_back.append((loss.cause, loss.fault))
        return lambda: True

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def remotes(cluster, monkeypatch) -> list[StandIn]:
    """Every worker that an engine puts on the cluster."""
    made: list[StandIn] = []

    def make(*given: Any) -> StandIn:
        made.append(cluster(*given))
        return made[-1]

    monkeypatch.setattr(engine_module, "start_actor", make)
    return made


def run(
    seen: Seen,
    workers: int = 1,
    limits: WorkerLimits | None = None,
    deadline: float | None = None,
    caps: TrialLimits | None = None,
) -> PoolEnd:
    task = replace(TASK, deadline=deadline)
    with SignalWatch() as watch, RayEngine("auto", Share(), "postgresql://db/a") as engine:
        start = partial(engine.start, make_trainer=no_trainer, limits=limits or WorkerLimits())
        with WorkerPool(workers, start, caps) as pool:
            watch.hold()
            return pool.run(task, watch, seen, seen.hand_back, patience=1.0)


def test_capacity_and_what_is_refused_are_settled_when_the_cluster_is_joined(remotes, joined):
    with RayEngine("auto", Share(0.5), "postgresql://db/a") as engine:
        assert engine.capacity() == 4
    refused = [
        RayEngine("auto", Share(3), "postgresql://db/a"),
        RayEngine("local", Share(3), "sqlite:///a.db", workers=2),
    ]
    for count, engine in enumerate(refused, start=2):
        with pytest.raises(UsageError, match="3 CPUs"), engine:
            pass
        assert joined.left == joined.joined == count
    with RayEngine("auto", Share(3), "sqlite:///a.db", workers=2):
        pass  # nodes that have it may still come
    assert remotes == []


def test_a_file_on_one_machine_is_refused_and_the_cluster_left(joined):
    joined.nodes = [Node("203.0.113.7", 2, 0, 0)]
    engine = RayEngine("auto", Share(), "sqlite:///a.db")
    with pytest.raises(UsageError, match=r"203\.0\.113\.7"), engine:
        pass
    assert joined.left == joined.joined == 1


def test_workers_end_and_give_back_what_they_hold(remotes, run_loop):
    run_loop(three_trials)
    seen = Seen()
    assert run(seen, workers=2) == PoolEnd("done")
    assert len(seen.of(TrialDone)) == 6
    assert seen.handed_back == []
    assert [remote.killed for remote in remotes] == [True, True]


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(remotes, run_loop):
    lives: list[int] = []

    def first_waits(worker, stop, tell):
        lives.append(worker)
        return (until_told if len(lives) == 1 else three_trials)(worker, stop, tell)

    run_loop(first_waits)
    seen = Seen(lambda event: len(lives) == 1 and remotes[0].die())  # type: ignore[arg-type]
    assert run(seen) == PoolEnd("done")
    assert len(remotes) == 2
    assert [cause.split(" (")[0] for cause, _ in seen.handed_back] == [
        "worker ended without a word"
    ]
    assert [fault for _, fault in seen.handed_back] == ["unknown"]
    assert [event.number for event in seen.of(TrialReturned)] == [7]
    assert "a new one takes its place" in seen.of(WorkerWarning)[0].text
    assert len(seen.of(TrialDone)) == 3


@pytest.mark.slow
def test_a_trial_is_not_blamed_for_its_node(remotes, run_loop):
    lives: list[int] = []

    def first_waits(worker, stop, tell):
        lives.append(worker)
        return (until_told if len(lives) == 1 else three_trials)(worker, stop, tell)

    run_loop(first_waits)
    seen = Seen(lambda event: len(lives) == 1 and remotes[0].die(with_node=True))  # type: ignore[arg-type]
    assert run(seen) == PoolEnd("done")
    assert [fault for _, fault in seen.handed_back] == ["nobody"]


@pytest.mark.slow
def test_a_trial_that_takes_too_much_memory_is_ended_and_its_worker_replaced(
    remotes, run_loop, monkeypatch
):
    held = [1 << 20]
    monkeypatch.setattr(actor, "resident_bytes", lambda: held[0])
    monkeypatch.setattr("tuner.workers.limits.LOOK_EVERY", 0.0)
    lives: list[int] = []

    def first_grows(worker, stop, tell):
        lives.append(worker)
        if len(lives) > 1:
            return three_trials(worker, stop, tell)
        held[0] = 1 << 30
        tell(TrialStarted(worker, 7, 7, {}, 2))
        while len(lives) == 1:
            time.sleep(0.005)
        return "done"

    run_loop(first_grows)
    seen = Seen()
    make = engine_module.start_actor

    def fresh(*given: Any) -> StandIn:
        held[0] = 1 << 20
        return make(*given)

    monkeypatch.setattr(engine_module, "start_actor", fresh)
    assert run(seen, caps=TrialLimits(memory=1 << 29)) == PoolEnd("done")
    assert seen.handed_back[0] == ("used 1 GB of the 512 MB allowed", "trial")
    assert len(remotes) == 2
    assert len(seen.of(TrialDone)) == 3


@pytest.mark.slow
def test_workers_that_keep_dying_are_given_up(remotes, run_loop, monkeypatch):
    monkeypatch.setattr("tuner.workers.limits.WORK_TRIES", 3)
    run_loop(until_told)
    seen = Seen(lambda event: isinstance(event, TrialStarted) and remotes[-1].die())  # type: ignore[arg-type]
    with pytest.raises(TunerError, match="died 3 times without finishing a trial"):
        run(seen)
    assert len(seen.handed_back) == 3
    assert len(remotes) == 3


@pytest.mark.slow
def test_a_worker_gives_way_to_a_fresh_one_in_the_same_place(remotes, run_loop):
    done: list[int] = []

    def seven_in_all(worker, stop, tell):
        while not stop():
            if len(done) == 7:
                return "done"
            done.append(len(done))
            tell(TrialDone(worker, done[-1], done[-1], "complete", 0.5, 0.1))
        return "stopped"

    run_loop(seven_in_all)
    seen = Seen()
    assert run(seen, limits=WorkerLimits(trials=3)) == PoolEnd("done")
    assert [event.number for event in seen.of(TrialDone)] == list(range(7))
    assert [remote.killed for remote in remotes] == [True, True, True]
    assert seen.handed_back == []


def test_a_worker_without_a_node_holds_nobody_up(remotes, run_loop, monkeypatch):
    run_loop(three_trials)
    seen = Seen()
    make = engine_module.start_actor

    def second_waits(number: int, *rest: Any) -> StandIn:
        remote = make(number, *rest)
        remote.pending = number == 1
        return remote

    monkeypatch.setattr(engine_module, "start_actor", second_waits)
    assert run(seen, workers=2) == PoolEnd("done")
    assert len(seen.of(TrialDone)) == 3
    assert seen.handed_back == []


@pytest.mark.slow
def test_the_deadline_ends_workers_and_an_epoch_that_outlasts_it(remotes, run_loop):
    run_loop(until_told)
    seen = Seen()
    assert run(seen, deadline=time.time() + 0.3) == PoolEnd("deadline")
    assert seen.handed_back == []

    def deaf(worker, stop, tell):
        tell(TrialStarted(worker, 7, 7, {}, 2))
        time.sleep(3)
        return "done"

    run_loop(deaf)
    assert run(seen, deadline=time.time() + 0.3) == PoolEnd("deadline")
    assert seen.handed_back == [("the time was up", "nobody")]


def test_memory_is_the_share_of_a_node_unless_said(remotes, cluster, monkeypatch):
    given: list[WorkerLimits] = []

    def make(number: int, make_trainer: Any, limits: WorkerLimits, *rest: Any) -> StandIn:
        given.append(limits)
        return cluster(number, make_trainer, limits)

    monkeypatch.setattr(engine_module, "start_actor", make)
    with RayEngine("auto", Share(), "postgresql://db/a") as engine:
        for limits in (WorkerLimits(), WorkerLimits(memory=7)):
            engine.start(len(given), no_trainer, limits).close()
    assert [limits.memory for limits in given] == [4 << 30, 7]
