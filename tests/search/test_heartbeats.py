"""Whose heart has stopped, by a clock that the tests turn."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import psutil
import pytest
from optuna.trial import TrialState, create_trial

from tuner.search import heartbeat as module
from tuner.search.heartbeat import BeatWatch, Heartbeat
from tuner.storage import records
from tuner.storage.backend import Beat
from tuner.storage.owner import is_gone, new_owner

FAR = "elsewhere/boot/ns:12:3.00:abc"


def running(trial_id, owner=FAR):
    attributes = {} if owner is None else {records.WORKER: owner}
    trial = create_trial(state=TrialState.RUNNING, system_attrs=attributes)
    trial._trial_id = trial_id
    return trial


class Clock:
    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_a_beat_older_than_the_grace_that_does_not_change_for_two_intervals_is_stale(clock):
    watch, trial = BeatWatch(grace=60, interval=10), running(1)
    assert watch.stale([trial], {1: Beat("a", 500.0)}) == {}
    clock.now += 19
    assert watch.stale([trial], {1: Beat("a", 519.0)}) == {}
    clock.now += 1
    cause = watch.stale([trial], {1: Beat("a", 520.0)})[1]
    assert cause == "no heartbeat for 520 s from its worker (process 12 on elsewhere)"


def test_a_beat_that_changes_is_alive_however_old_the_storage_thinks_it(clock):
    watch, trial = BeatWatch(grace=60, interval=10), running(1)
    for number in range(10):
        assert watch.stale([trial], {1: Beat(number, 5000.0)}) == {}
        clock.now += 15


def test_a_young_beat_is_alive_however_long_it_was_watched(clock):
    watch, trial = BeatWatch(grace=60, interval=10), running(1)
    for _ in range(5):
        assert watch.stale([trial], {1: Beat("a", 59.0)}) == {}
        clock.now += 100


@pytest.mark.parametrize("beat", [Beat("a", None), Beat(None, None)])
@pytest.mark.parametrize("interval", [10, 45])
def test_without_the_storages_clock_a_trial_is_watched_for_the_grace_and_two_beats_at_least(
    clock, beat, interval
):
    watch, trial = BeatWatch(grace=60, interval=interval), running(1, owner=None)
    watch.stale([trial], {1: beat})
    clock.now += max(60, 2 * interval)
    assert watch.stale([trial], {1: beat}) == {}
    clock.now += 1
    assert f"while watched for {max(61, 2 * interval + 1)} s" in watch.stale([trial], {1: beat})[1]


def test_an_outage_begins_the_watch_anew(clock):
    outages: list[Any] = []
    watch, trial = BeatWatch(60, 10, lambda: len(outages)), running(1)
    watch.stale([trial], {1: Beat("a", 500.0)})
    clock.now += 300
    outages.append("while a training went on")
    assert watch.stale([trial], {1: Beat("a", 800.0)}) == {}
    clock.now += 20
    assert list(watch.stale([trial], {1: Beat("a", 820.0)})) == [1]


def test_a_trial_that_was_handed_on_is_watched_anew(clock):
    watch = BeatWatch(grace=60, interval=10)
    watch.stale([running(1)], {1: Beat("a", 500.0)})
    clock.now += 300
    assert watch.stale([running(1, "elsewhere/boot/ns:13:3.00:abc")], {1: Beat("a", 800.0)}) == {}


def test_a_process_that_ended_on_this_machine_is_gone_at_once():
    code = "from tuner.storage.owner import new_owner; print(new_owner(), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    owner = child.stdout.readline().strip()
    assert not is_gone(owner)
    assert BeatWatch(60, 10).stale([running(1, owner)], {1: Beat("a", 0.0)}) == {}
    child.kill()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert is_gone(owner)  # dead, though its parent has not looked yet
    child.wait()
    assert is_gone(owner)
    cause = BeatWatch(60, 10).stale([running(1, owner)], {1: Beat("a", 0.0)})[1]
    assert cause == f"its worker (process {child.pid}) ended without finishing it"
    child.stdin.close()
    child.stdout.close()


def test_another_process_with_the_same_number_is_not_taken_for_the_owner():
    place, number, _, token = new_owner().split(":")
    assert is_gone(f"{place}:{number}:1.00:{token}")
    assert not is_gone(new_owner())


def test_nothing_is_said_of_another_machine():
    assert not is_gone(FAR)


def wait_for(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    assert condition()


def test_a_heart_beats_while_a_trial_runs_and_not_longer():
    beats = []
    heart = Heartbeat(lambda: beats.append(trial), 0.02)
    time.sleep(0.1)
    assert beats == []
    trial = 7
    heart.start()
    wait_for(lambda: len(beats) >= 3)
    heart.stop()
    count = len(beats)
    time.sleep(0.1)
    assert beats == [7] * count
    trial = 8
    heart.start()
    wait_for(lambda: 8 in beats)
    heart.close()
    count = len(beats)
    time.sleep(0.1)
    assert len(beats) == count


def test_whatever_else_is_written_saves_a_beat():
    beats = []
    heart = Heartbeat(lambda: beats.append(1), 0.5)
    heart.start()
    for _ in range(40):
        heart.beaten()
        time.sleep(0.02)
    heart.close()
    assert beats == []


def test_a_beat_that_fails_is_followed_by_the_next():
    beats = []

    def beat():
        beats.append(1)
        raise ConnectionError

    heart = Heartbeat(beat, 0.01)
    heart.start()
    wait_for(lambda: len(beats) >= 3)
    heart.close()
