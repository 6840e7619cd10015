"""A worker on a cluster, seen by the pool: what it tells, how it ends, and how it dies."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ray.exceptions import ActorDiedError, ActorUnavailableError, ActorUnschedulableError

from tests.support.ray_stand_ins import TASK, StandIn, no_trainer, three_trials, until_told
from tuner.errors import StorageError
from tuner.search.events import TrialDone, TrialStarted, WorkerReady
from tuner.storage.owner import process_name, this_place
from tuner.workers.interfaces import Ended
from tuner.workers.ray import actor, driver
from tuner.workers.ray.actor import Lines, Setup, TunerWorker
from tuner.workers.ray.driver import RayWorker
from tuner.workers.ray.nodes import Share
from tuner.workers.recycling import WorkerLimits


def follow(worker: RayWorker, until: Callable[[list[Any]], object] | None = None) -> list[Any]:
    """All that it says until it ends, or until `until` of what it events is true."""
    events: list[Any] = []
    for _ in range(2000):
        alive = worker.alive
        events += worker.receive()
        if until(events) if until else not alive:
            return events
        time.sleep(0.005)
    raise AssertionError(f"only {events}")


def begin(remote: StandIn, number: int = 0, **settings) -> RayWorker:
    worker = RayWorker(number, remote, **settings)
    worker.give(TASK)
    return worker


def begun(events: list[Any]) -> bool:
    return any(isinstance(message, TrialStarted) for message in events)


def trials(events: list[Any]) -> list[int]:
    return [message.number for message in events if isinstance(message, TrialDone)]


def test_everything_arrives_in_order(cluster, run_loop):
    run_loop(three_trials)
    worker = begin(cluster())
    events = follow(worker)
    assert events[0] == WorkerReady(0)
    assert worker.ready
    assert trials(events) == [0, 1, 2]
    assert worker.ended == Ended("done")
    assert worker.name == process_name(os.getpid())
    assert list(worker.receive()) == []


def test_lost_answers_lose_events_but_not_the_end(cluster, run_loop):
    def slowly(worker, stop, tell):
        for number in range(20):
            tell(TrialDone(worker, number, number, "complete", 0.5, 0.1))
            time.sleep(0.01)
        return "done"

    run_loop(slowly)
    remote: StandIn = cluster()
    worker = begin(remote)
    remote.lose = 10
    events = follow(worker)
    assert remote.lose == 0
    assert trials(events) == sorted(set(trials(events)))
    assert worker.ready
    assert worker.ended == Ended("done")


def test_a_trial_whose_end_got_lost_is_not_held_for_ever(cluster, run_loop):
    run_loop(until_told)
    remote: StandIn = cluster()
    worker = begin(remote)
    for event in follow(worker, until=begun):
        worker.hear(event)
    assert list(worker.running) == [7]
    remote.lose = 1
    follow(worker, until=lambda events: not worker.running)
    assert worker.alive


def test_the_task_may_come_before_the_first_answer_and_after(cluster, run_loop):
    run_loop(three_trials)
    remote = cluster()
    remote.pending = True
    early = begin(remote)
    remote.pending = False
    assert trials(follow(early)) == [0, 1, 2]
    late = RayWorker(0, cluster())
    follow(late, until=lambda events: late.name)
    late.give(TASK)
    assert trials(follow(late)) == [0, 1, 2]


def test_a_stop_ends_the_loop_and_is_told(cluster, run_loop):
    run_loop(until_told)
    worker = begin(cluster())
    events = follow(worker, until=begun)
    worker.stop()
    follow(worker)
    assert worker.ended == Ended("stopped")
    assert begun(events)


def test_a_stop_before_the_loop_begins_holds_nothing(cluster, run_loop):
    run_loop(three_trials)
    worker = RayWorker(0, cluster())
    follow(worker, until=lambda events: worker.name)
    worker.stop()
    assert follow(worker) == []
    assert worker.ended == Ended("stopped")
    assert worker.stopping
    assert not worker.ready


def test_a_worker_without_a_node_is_named_and_can_be_stopped(cluster, monkeypatch):
    monkeypatch.setattr(driver, "NODE_PATIENCE", 0.01)
    remote = cluster()
    remote.pending = True
    worker = begin(remote, 3, wants="2 CPUs")
    lines: list[str] = []
    follow(worker, until=lambda events: lines.extend(worker.read_log()) or lines)  # type: ignore[func-returns-value]
    assert lines == ["worker 3: waits for a node with 2 CPUs"]
    worker.stop()
    assert follow(worker) == []
    assert remote.killed


def test_a_process_that_dies_ends_without_a_word(cluster, run_loop):
    run_loop(until_told)
    remote = cluster()
    worker = begin(remote)
    follow(worker, until=begun)
    remote.die()
    follow(worker)
    assert worker.ended is None
    assert not worker.lost
    assert worker.death() == f"ended without a word (process {os.getpid()} on node-0)"


def test_a_process_that_dies_with_its_node_is_lost(cluster, run_loop):
    run_loop(until_told)
    remote = cluster()
    worker = begin(remote)
    follow(worker, until=begun)
    remote.die(with_node=True)
    follow(worker)
    assert worker.lost
    assert "was lost with its node" in worker.death()


def test_a_process_that_dies_before_it_answers_is_no_error_of_all(cluster):
    remote = cluster()
    remote.die()
    worker = begin(remote)
    assert follow(worker) == []
    assert worker.ended is None
    assert worker.death().startswith("cannot start on the cluster: ")


def test_silence_is_not_death_unless_it_lasts(cluster, run_loop, monkeypatch):
    run_loop(until_told)
    remote = cluster()
    worker = begin(remote)
    follow(worker, until=begun)
    remote.down = True
    until = time.monotonic() + 0.3
    follow(worker, until=lambda events: time.monotonic() > until)
    assert worker.alive
    remote.down = False
    until = time.monotonic() + 0.3
    follow(worker, until=lambda events: time.monotonic() > until)
    assert worker.alive

    monkeypatch.setattr(driver, "LOST_AFTER", 0.2)
    remote.down = True
    assert follow(worker) == []
    assert "ended without a word" in worker.death()
    worker.close()  # it may live: nobody shall work besides who follows
    assert remote.killed


def test_a_worker_that_cannot_start_is_an_error_of_all(cluster):
    remote = cluster()
    remote.why = ActorUnschedulableError("ModuleNotFoundError: No module named 'tuner'")
    worker = begin(remote)
    assert follow(worker) == []
    assert worker.ended is not None
    assert worker.ended.reason == "failed"
    assert "cannot start on the cluster: " in str(worker.ended.error)
    assert "ModuleNotFoundError: No module named 'tuner'" in str(worker.ended.error)


def test_what_errors_of_ray_mean():
    at_start = ActorDiedError()
    at_start._actor_init_failed = True
    errors = [at_start, ActorDiedError(), ActorUnavailableError("no way", None), ConnectionError()]
    assert [driver.is_dead(error) for error in errors] == [True, True, False, False]
    assert [driver.cannot_start(error) for error in errors] == [True, False, False, False]


def test_errors_of_the_loop(cluster, run_loop, capsys):
    def end_by(error: Exception) -> Ended | None:
        def raises(worker, stop, tell):
            raise error

        run_loop(raises)
        worker = begin(cluster())
        follow(worker)
        return worker.ended

    for_all = StorageError("out of reach")
    assert end_by(for_all) == Ended("failed", for_all)
    defect = ZeroDivisionError("a defect")
    assert end_by(defect) == Ended("crashed", text="ZeroDivisionError: a defect")


def test_a_killed_worker_is_waited_for(cluster, run_loop):
    run_loop(until_told)
    remote = cluster()
    worker = begin(remote)
    follow(worker, until=begun)
    worker.kill()
    worker.join(5)
    assert not worker.alive
    assert remote.killed


def test_limits_end_a_worker(cluster, run_loop):
    def forever(worker, stop, tell):
        number = 0
        while not stop():
            number += 1
            tell(TrialDone(worker, number, number, "complete", 0.5, 0.1))
        return "stopped"

    run_loop(forever)
    worker = begin(cluster(0, no_trainer, WorkerLimits(trials=2)))
    assert trials(follow(worker)) == [1, 2]
    assert worker.ended == Ended("recycled")


def test_what_is_printed_and_what_belongs_to_nobody_become_lines(cluster, monkeypatch):
    monkeypatch.setattr(actor, "capture_output", lambda tell: (tell("one"), tell("two")))
    worker = RayWorker(2, cluster(), notices=deque(["ray: a node left"]))
    lines: list[str] = []
    follow(worker, until=lambda events: lines.extend(worker.read_log()) or len(lines) == 3)  # type: ignore[func-returns-value]
    assert sorted(lines) == ["ray: a node left", "worker 2: one", "worker 2: two"]


def test_lines_are_told_whole_and_written_as_they_come(capsys):
    told: list[str] = []
    stream = Lines(sys.stdout, told.append)
    print("a", end="", file=stream)
    assert told == []
    print("b\n\nc\nd", end="", file=stream)
    assert told == ["ab", "c"]
    assert capsys.readouterr().out == "ab\n\nc\nd"


def test_workers_here_use_our_folder_and_others_their_own(tmp_path):
    before = os.getcwd()
    other = Setup("elsewhere", str(tmp_path), Share(3, 1), variables=(("TUNER_ARTIFACTS", "/a"),))
    made = [TunerWorker(0, no_trainer, WorkerLimits(), other)]
    assert os.getcwd() == before
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    assert [os.environ[name] for name in names] == ["3", "3", "1"]
    assert os.environ["TUNER_ARTIFACTS"] == "/a"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    made.append(
        TunerWorker(0, no_trainer, WorkerLimits(), Setup(this_place(), str(tmp_path), Share()))
    )
    assert os.getcwd() == str(tmp_path)
    for each in made:
        each.poll(None, True)
