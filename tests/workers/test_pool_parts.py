"""Parts of the pool that need no process of their own."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tuner.resources import available_cores, available_memory, oom_kills
from tuner.search.events import TrialDone, TrialStarted
from tuner.workers.limits import START_TRIES, WORK_TRIES, Deaths
from tuner.workers.parent_signals import ECHO, Interrupted, SignalWatch
from tuner.workers.recycling import Recycling, WorkerLimits


def test_cores_follow_the_affinity(tmp_path):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert available_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)
    assert available_cores(tmp_path) == len(before)


@pytest.mark.parametrize(
    ("text", "most"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", 10**6)]
)
def test_cores_follow_the_quota_of_a_container(tmp_path, text, most):
    (tmp_path / "cpu.max").write_text(text)
    assert available_cores(tmp_path) == min(len(os.sched_getaffinity(0)), most)


def test_memory_follows_the_limit_of_a_container(tmp_path):
    machine = available_memory(tmp_path, tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path, tmp_path) == machine
    (tmp_path / "memory.max").write_text("1048576\n")
    assert available_memory(tmp_path, tmp_path) == 1048576


@pytest.fixture
def job(tmp_path):
    """A process in the group /jobs/7 of a machine; makes the groups of both versions."""
    for folder in ("proc/self", "cgroup/jobs/7", "cgroup/memory/jobs/7"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def test_memory_follows_the_tightest_group_above_a_job(job):
    (job / "proc/self/cgroup").write_text("0::/jobs/7\n")
    (job / "cgroup/jobs/7/memory.max").write_text("max\n")
    (job / "cgroup/jobs/memory.max").write_text("2097152\n")
    assert available_memory(job / "cgroup", job / "proc") == 2097152
    (job / "proc/self/cgroup").write_text("9:cpu:/other\n4:memory:/jobs/7\n")
    (job / "cgroup/memory/jobs/7/memory.limit_in_bytes").write_text("1048576\n")
    assert available_memory(job / "cgroup", job / "proc") == 1048576


def test_kills_for_want_of_memory_are_those_of_the_own_group_or_of_the_machine(job):
    count = lambda: oom_kills(job / "cgroup", job / "proc")  # noqa: E731
    assert count() is None
    (job / "proc/vmstat").write_text("nr_free_pages 12\noom_kill 3\n")
    assert count() == 3
    (job / "proc/self/cgroup").write_text("4:memory:/jobs/7\n")
    (job / "cgroup/memory/jobs/7/memory.oom_control").write_text("under_oom 0\noom_kill 2\n")
    assert count() == 2
    (job / "proc/self/cgroup").write_text("0::/jobs/7\n")
    (job / "cgroup/jobs/7/memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    assert count() == 1


def due(limits, *memory):
    """What `Recycling.due` says after each of some trials, memory being what it is then."""
    held = iter(memory)
    now = [0]
    recycling = Recycling(limits, lambda: now[0])
    answers = []
    for now[0] in held:
        answers.append(recycling.due())
    return answers


def test_a_worker_gives_way_after_its_trials():
    assert due(WorkerLimits(), *[2**60] * 3) == [False] * 3
    assert due(WorkerLimits(trials=3), 0, 0, 0) == [False, False, True]


def test_a_worker_gives_way_when_it_holds_too_much_or_has_grown_too_much():
    """But its first trials are let pass: whatever they hold, the next worker would hold too."""
    assert due(WorkerLimits(memory=10, settle=3), 11, 11, 11) == [False, False, True]
    assert due(WorkerLimits(growth=10, settle=2), 0, 50, 60, 40, 61) == [False] * 4 + [True]


BEGUN = TrialStarted(0, 1, 1, {}, 2)
DONE = TrialDone(0, 1, 1, "complete", 0.5, 0.1)


def test_who_dies_again_and_again_is_not_started_again():
    deaths = Deaths()
    counted = [deaths.too_many(0, working=False) for _ in range(START_TRIES)]
    assert counted == [0] * (START_TRIES - 1) + [START_TRIES]
    # Others are not counted with it, and a trial begun starts the count anew.
    assert not deaths.too_many(1, working=False)
    deaths.hear(0, BEGUN)
    assert not deaths.too_many(0, working=False)
    counted = [deaths.too_many(0, working=True) for _ in range(WORK_TRIES)]
    assert counted == [0] * (WORK_TRIES - 1) + [WORK_TRIES]
    deaths.hear(0, BEGUN)
    assert deaths.too_many(0, working=True)
    deaths.hear(0, DONE)
    assert not deaths.too_many(0, working=True)


def test_a_signal_raises_until_it_is_held_and_counts_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    with SignalWatch() as watch:
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), signal.SIGTERM)
        assert caught.value.signal == signal.SIGTERM
        watch.hold()
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)  # the echo
        assert (watch.count, watch.first) == (1, signal.SIGINT)
        time.sleep(ECHO * 1.1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (watch.count, watch.first) == (2, signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with SignalWatch() as watch:
            watch.hold()
            os.kill(os.getpid(), signal.SIGHUP)
            assert watch.count == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_watched():
    failed: list[BaseException] = []

    def body() -> None:
        try:
            with SignalWatch() as watch:
                watch.hold()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert failed == []
