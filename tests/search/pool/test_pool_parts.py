"""Parts of the pool that need no process of their own."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tuner.search.pool.messages import Limits
from tuner.search.pool.resources import available_cores, available_memory
from tuner.search.pool.serving import over
from tuner.search.pool.signals import ECHO, Interrupted, SignalWatch


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
    machine = available_memory(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path) == machine
    (tmp_path / "memory.max").write_text("1048576\n")
    assert available_memory(tmp_path) == 1048576


def test_limits():
    assert not over(Limits(), 10**6)
    assert [over(Limits(trials=3), n) for n in (2, 3, 4)] == [False, True, True]
    # This process has more than one byte; but the first trials are let pass.
    assert [over(Limits(memory=1, settle=5), n) for n in (1, 4, 5)] == [False, False, True]
    assert not over(Limits(memory=2**50), 100)


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
