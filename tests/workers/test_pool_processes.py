"""The pool with real processes and scripted loops (pool_script.py): no storage, no TensorFlow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support import SUPPORT
from tuner.storage.owner import process_name

SCRIPT = SUPPORT / "pool_script.py"


class Parent:
    """The script as a process, and what it printed."""

    def __init__(self, loop: str, workers: int, folder: Path, *more: object) -> None:
        self.folder = folder
        command = [sys.executable, str(SCRIPT), loop, str(workers), str(folder), *map(str, more)]
        # A session of its own, so that a signal to its group does not reach pytest.
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A suite that runs under nohup would hand its ignored SIGHUP on.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )

    def wait_busy(self, count: int) -> list[int]:
        """Wait until `count` workers hold a trial; their pids."""
        for _ in range(400):
            found = [int(path.name.split("-")[2]) for path in self.folder.glob("busy-*")]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"no {count} busy workers: {self.process.communicate()}")

    def finish(self, timeout: float = 20) -> list[list]:
        out, err = self.process.communicate(timeout=timeout)
        assert err == ""
        return [json.loads(line) for line in out.splitlines()]


def events(printed: list[list], name: str) -> list[dict]:
    return [
        fields
        for kind, *rest in printed
        if kind == "event" and rest[0] == name
        for fields in rest[1:]
    ]


def handed_back(printed: list[list]) -> list[int]:
    """Process numbers; all on this machine."""
    names = [entry[1] for entry in printed if entry[0] == "hand back"]
    pids = [int(name.rpartition(":")[2]) for name in names]
    assert names == [process_name(pid) for pid in pids]
    return pids


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_all_events_arrive_and_the_pool_ends_when_work_does(tmp_path):
    printed = Parent("finish_together", 2, tmp_path).finish()
    assert printed[-1] == ["outcome", "done", None]
    assert sorted(e["number"] for e in events(printed, "TrialDone")) == [0, 1, 2, 10, 11, 12]
    assert handed_back(printed) == []


def test_epochs_faster_than_anybody_reads_are_thinned_out(tmp_path):
    printed = Parent("finish", 1, tmp_path).finish()
    assert 1 <= len(events(printed, "EpochDone")) < 9


def test_what_workers_print_becomes_lines_and_never_stdout(tmp_path):
    printed = Parent("noisy", 1, tmp_path).finish()  # stdout is JSON alone, or this raises
    lines = [entry[1] for entry in printed if entry[0] == "line"]
    assert sorted(lines) == [
        "worker 0: E0000 00:00:1795458557.109683   24099 port.cc:153] an error",
        "worker 0: no newline",
        "worker 0: printed",
        "worker 0: written below Python",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_parent_ends_workers_at_their_next_epoch(tmp_path, number):
    parent = Parent("sleepy", 2, tmp_path)
    pids = parent.wait_busy(2)
    parent.process.send_signal(number)
    printed = parent.finish()
    assert printed[-1] == ["outcome", "signal", int(number)]
    assert len(events(printed, "TrialReturned")) == 2
    assert handed_back(printed) == []
    assert all(gone(pid) for pid in pids)


def test_ctrl_c_hits_the_whole_group_and_workers_leave_it_to_the_parent(tmp_path):
    parent = Parent("sleepy", 2, tmp_path)
    parent.wait_busy(2)
    os.killpg(parent.process.pid, signal.SIGINT)
    printed = parent.finish()
    assert printed[-1] == ["outcome", "signal", int(signal.SIGINT)]
    assert len(events(printed, "TrialReturned")) == 2
    assert handed_back(printed) == []


def test_ctrl_c_while_workers_start_leaves_no_noise(tmp_path):
    parent = Parent("sleepy", 2, tmp_path)
    while len(psutil.Process(parent.process.pid).children()) < 3:  # workers, resource tracker
        time.sleep(0.005)
    time.sleep(0.05)
    os.killpg(parent.process.pid, signal.SIGINT)
    printed = parent.finish()  # asserts an empty stderr: no KeyboardInterrupt of a child
    assert printed[-1] == ["outcome", "signal", int(signal.SIGINT)]


def test_a_second_signal_kills_and_hands_back(tmp_path):
    parent = Parent("deaf", 2, tmp_path)
    pids = parent.wait_busy(2)
    parent.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert parent.process.poll() is None
    parent.process.send_signal(signal.SIGINT)
    printed = parent.finish(timeout=5)
    assert printed[-1] == ["outcome", "signal", int(signal.SIGINT)]
    assert sorted(handed_back(printed)) == sorted(pids)
    assert len(events(printed, "TrialReturned")) == 2
    assert all(gone(pid) for pid in pids)


def test_the_echo_of_a_signal_is_not_a_second_one(tmp_path):
    parent = Parent("sleepy", 1, tmp_path)
    parent.wait_busy(1)
    parent.process.send_signal(signal.SIGTERM)
    parent.process.send_signal(signal.SIGHUP)
    printed = parent.finish()
    assert handed_back(printed) == []
    assert (tmp_path / "returned-0").exists()


def test_workers_end_by_themselves_when_the_parent_is_killed(tmp_path):
    parent = Parent("sleepy", 2, tmp_path)
    pids = parent.wait_busy(2)
    parent.process.kill()
    parent.process.wait()
    for _ in range(100):
        if all(gone(pid) for pid in pids):
            break
        time.sleep(0.05)
    assert all(gone(pid) for pid in pids)
    # Not by dying: by returning their trials.
    assert (tmp_path / "returned-0").exists()
    assert (tmp_path / "returned-1").exists()


def test_a_killed_worker_is_replaced_and_its_trial_handed_back(tmp_path):
    printed = Parent("dies_once", 1, tmp_path).finish()
    assert printed[-1] == ["outcome", "done", None]
    assert handed_back(printed) == [int((tmp_path / "died").read_text())]
    assert events(printed, "TrialReturned")[0]["cause"] == "worker killed by SIGKILL"
    assert "SIGKILL" in events(printed, "WorkerWarning")[0]["text"]
    assert len(events(printed, "TrialDone")) == 1


def test_a_worker_that_gets_a_sigterm_of_its_own_is_replaced(tmp_path):
    parent = Parent("sleepy", 1, tmp_path)
    first = parent.wait_busy(1)
    os.kill(first[0], signal.SIGTERM)
    second = parent.wait_busy(2)
    assert len(set(second)) == 2
    parent.process.terminate()
    assert parent.finish()[-1] == ["outcome", "signal", int(signal.SIGTERM)]


def test_workers_that_keep_dying_are_given_up(tmp_path):
    printed = Parent("dies_always", 1, tmp_path).finish()
    assert printed[-1][:2] == ["error", "TunerError"]
    assert "exit code 7" in printed[-1][2]
    assert 2 <= len(handed_back(printed)) <= 10


def test_a_defect_in_a_worker_is_named(tmp_path):
    printed = Parent("raises", 1, tmp_path).finish()
    assert printed[-1][:2] == ["error", "TunerError"]
    assert "ZeroDivisionError: a defect" in printed[-1][2]


def test_an_error_that_every_worker_would_meet_ends_the_pool_with_it(tmp_path):
    printed = Parent("refuses", 2, tmp_path).finish()
    assert printed[-1] == ["error", "StorageError", "the storage is of a newer schema"]


@pytest.mark.slow
def test_the_deadline_ends_workers_at_their_next_epoch(tmp_path):
    begin = time.monotonic()
    printed = Parent("sleepy", 2, tmp_path, 2).finish()
    assert 2 <= time.monotonic() - begin < 4
    assert printed[-1] == ["outcome", "deadline", None]
    assert len(events(printed, "TrialReturned")) == 2


@pytest.mark.slow
def test_an_epoch_that_outlasts_the_deadline_is_killed(tmp_path):
    printed = Parent("deaf", 1, tmp_path, 1).finish(timeout=10)
    assert printed[-1] == ["outcome", "deadline", None]
    assert len(handed_back(printed)) == 1


def test_workers_are_recycled_after_their_share_of_trials(tmp_path):
    printed = Parent("counts", 1, tmp_path, "-", 3).finish()
    assert printed[-1] == ["outcome", "done", None]
    pids = [path.name.split("-")[2] for path in sorted(tmp_path.glob("trial-*"))]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    assert events(printed, "WorkerWarning") == []
    assert handed_back(printed) == []
