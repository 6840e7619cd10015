"""`--timeout` and `--trial-timeout` end what does not end by itself (fake_tuner.py)."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

import optuna
import psutil
import pytest
from test_optimize_runs import LONG, SEARCH, Ended, Tuner, workers_of

from tuner.storage import records

pytestmark = pytest.mark.slow

#: What a command may take beyond `--timeout`, and seconds for a slow machine to start Python.
BEYOND, START = 5.0, 5.0


@pytest.fixture
def tuner(tmp_path) -> Tuner:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return Tuner(tmp_path)


def left_over(tuner: Tuner) -> list[int]:
    """Processes that a command has left in its folder."""
    return [
        process.pid
        for process in psutil.process_iter(["cwd", "status"])
        if process.info["cwd"] == str(tuner.folder)
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_a_trial_that_hangs_is_killed_tried_alone_and_given_up(tuner):
    """One candidate of a stack hangs: the others are tried each in a stack of its own."""
    grid = ["--sampler", "grid", "--space", "initializers", "--set", "epochs=3"]
    names = "{choices: [he_normal, zeros, lecun_uniform]}"
    ended = tuner.run(
        *["optimize", *grid, "--set", f"initializer={names}", "--workers", 2, "--format", "json"],
        *["--trial-timeout", "2s"],
        FAKE_HANG="zeros",
    )
    assert ended.code == 0, ended.err
    assert ended.data["trials"] == {"complete": 2, "pruned": 0, "failed": 1}
    trials = tuner.study().trials
    assert Counter(t.state.name for t in trials) == {"COMPLETE": 2, "FAIL": 4}
    causes = Counter(t.user_attrs[records.CAUSE] for t in trials if t.state.name == "FAIL")
    told = "took longer than 2 s"
    assert causes == {told: 3, f"{told}, also when it was tried alone": 1}
    assert f"{told}; it is tried once more, alone" in ended.err
    assert f"{told}; it is given up" in ended.err
    assert left_over(tuner) == []


def test_data_that_never_arrive_end_with_the_time(tuner):
    begin = time.monotonic()
    ended = tuner.run(*SEARCH, "--timeout", "2s", FAKE_HANG="data")
    assert time.monotonic() - begin < 2 + BEYOND + START
    assert ended.code == 3
    assert "the time was up before the study was prepared" in ended.err
    assert ended.out == ""
    assert left_over(tuner) == []


def test_a_storage_that_hangs_does_not_hold_up_the_end(tuner, postgres_server, postgres):
    """PostgreSQL stands still, so that no answer comes and no connection breaks: what the command
    saw itself is printed as at any end."""
    process = tuner.start(
        *[*SEARCH, *LONG, "--trials", 200, "--timeout", "12s", "--storage", postgres], epoch=0.05
    )
    begin = time.monotonic()
    processes: list[psutil.Process] = []
    try:
        wait_for_result(postgres, process)
        server = psutil.Process(postgres_server._process.pid)
        processes = [server, *server.children(recursive=True)]
        for each in processes:
            each.send_signal(signal.SIGSTOP)
        ended = Ended(process)
    finally:
        for each in processes:
            each.send_signal(signal.SIGCONT)
    assert time.monotonic() - begin < 12 + BEYOND + START
    assert ended.code == 0, ended.err
    assert "the storage did not answer" in ended.err
    assert ended.data["best"]["value"] > 0
    assert ended.data["best"]["params"]
    assert sum(ended.data["trials"].values()) > 0
    assert left_over(tuner) == []


def wait_for_result(url, process):
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        names = optuna.get_all_study_names(url)
        if names:
            study = optuna.load_study(study_name=names[0], storage=url)
            if any(trial.state.name == "COMPLETE" for trial in study.trials):
                return
        time.sleep(0.05)
    raise AssertionError("no trial completed")


def test_a_worker_whose_epoch_does_not_end_is_killed_and_its_trial_given_back(tuner):
    """`tuner worker` keeps the bound, too."""
    first = tuner.start(*SEARCH, *LONG, "--trials", 2, "--workers", 1, epoch=600)
    tuner.wait_for_trial(first)
    name = tuner.study().study_name
    os.kill(first.pid, signal.SIGINT)
    time.sleep(0.5)
    os.kill(first.pid, signal.SIGINT)
    assert Ended(first).code == 130
    begin = time.monotonic()
    worker = tuner.start("worker", "--name", name, "--timeout", "4s", epoch=600)
    tuner.wait_for_trial(worker)
    assert len(workers_of(worker)) == 1
    ended = Ended(worker)
    assert time.monotonic() - begin < 4 + BEYOND + START
    assert ended.code == 0
    assert tuner.states() == {"WAITING": 2}
    assert left_over(tuner) == []
