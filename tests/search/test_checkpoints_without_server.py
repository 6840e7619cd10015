"""A PostgreSQL server that is away for longer than the grace, in the middle of a long trial."""

from __future__ import annotations

import os
import signal
import time

import pytest
from optuna.trial import TrialState
from test_checkpoints import artifacts as artifacts
from test_checkpoints import ends, files, resumed
from test_checkpoints_with_keras import EPOCHS, kill_the_worker, optimize
from test_worker_faults import start

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import RATE, definition, load, prepare, work

pytestmark = pytest.mark.slow

#: Of the worker that trains: a heart that says nothing, so that it is its reports that count.
SLOW = {"epoch_seconds": 4.0, "heartbeat": 60.0, "checkpoint_every": 0.0}
#: Of the one that waits for work: it looks at once when the server is back.
WATCHING = {"heartbeat": 3.0, "grace": 3.0}


@pytest.fixture
def server(postgres_server, postgres):
    """That of the database `postgres`; it runs again at the end, whatever becomes of the test."""
    yield postgres_server
    postgres_server.stop("fast")
    postgres_server.start()


@pytest.fixture
def whole(tmp_path):
    """The same study, not begun yet, on a storage that stays."""
    url = f"journal:{tmp_path}/whole"
    prepare(url, study(5))
    return url


def study(epochs):
    return definition({**RATE, "epochs": epochs}, trials=1, pruner="none")


def read_until(worker, text):
    """Read what the worker prints up to a line with `text`."""
    for line in worker.stdout:
        if text in line:
            return
    raise AssertionError(f"no {text!r}: {worker.stderr.read()}")


def test_a_living_workers_trial_is_left_to_it_and_ends_as_if_nothing_had_been(
    server, postgres, whole, artifacts
):
    prepare(postgres, study(5))
    trains = start(postgres, **SLOW)
    read_until(trains, "TrialStarted")
    waits = start(postgres, **WATCHING)
    read_until(waits, "WorkerIdle")
    read_until(trains, "epoch=1")
    time.sleep(1.0)  # its reports and its checkpoint are written
    assert len(files(artifacts)) == 1
    server.stop("fast")
    read_until(trains, "epoch=3")  # it trains on; longer than the grace and two heartbeats
    server.start()
    for worker in (trains, waits):
        out, err = worker.communicate(timeout=60)
        assert (worker.returncode, out.splitlines()[-1]) == (0, "done"), err
    work(whole)
    assert len(load(postgres).trials) == 1  # nobody took it over
    assert resumed(postgres) == {}
    assert ends(postgres) == ends(whole)
    assert files(artifacts) == []


@pytest.mark.parametrize("fate", ["killed", "out of patience"])
def test_a_worker_lost_with_the_server_leaves_its_checkpoint(
    server, postgres, whole, artifacts, fate
):
    prepare(postgres, study(5))
    trains = start(postgres, epoch_seconds=1.0, patience=2.0, checkpoint_every=0.0)
    read_until(trains, "epoch=2")
    server.stop("fast")
    if fate == "killed":
        read_until(trains, "epoch=3")
        time.sleep(0.5)  # not while it writes
        trains.kill()
    _, err = trains.communicate(timeout=60)
    assert trains.returncode == (-signal.SIGKILL if fate == "killed" else 1)
    assert ("StorageError" in err) == (fate != "killed")
    assert len(files(artifacts)) == 1
    server.start()
    trainer = FakeTrainer()
    reason, _ = work(postgres, trainer=trainer)
    assert reason == "done"
    # The last of five epochs is not saved: its result is due.
    assert trainer.begun == [3 if fate == "killed" else 4]
    assert resumed(postgres) == {0: trainer.begun}
    failed, trial = load(postgres).trials
    assert (failed.state, trial.state) == (TrialState.FAIL, TrialState.COMPLETE)
    work(whole)
    [ours], [theirs] = ends(postgres).values(), ends(whole).values()
    assert ours[0] == theirs[0]  # its reports from epoch 0, each once
    assert ours[1][1] == theirs[1][1]  # and its curves
    assert files(artifacts) == []


@pytest.mark.parametrize("killed", [False, True])
def test_scores_by_keras_are_those_of_a_study_whose_server_stayed(
    server, postgres, tmp_path, artifacts, killed
):
    """`tuner optimize` on digits; the undisturbed run beside it."""
    flags = ["--grace", "2", "--heartbeat", "0.5", "--artifacts", str(artifacts)]
    whole = f"sqlite:///{tmp_path}/whole/a.db"
    commands = [optimize(postgres, *flags), optimize(whole)]
    until = time.monotonic() + 240
    while not files(artifacts):
        assert commands[0].poll() is None, commands[0].communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    server.stop("fast")
    if killed:
        kill_the_worker(commands[0])
    time.sleep(5.0)
    server.start()
    for command in commands:
        _, err = command.communicate(timeout=300)
        assert command.returncode == 0, err
    *failed, trial = load(postgres).trials
    assert [t.state.name for t in failed] == ["FAIL"] * killed
    assert list(resumed(postgres)) == [0] * killed
    assert list(trial.intermediate_values) == list(range(EPOCHS))
    [ours], [theirs] = ends(postgres).values(), ends(whole).values()
    assert ours[0] == theirs[0]
    assert ours[1][1] == theirs[1][1]
    assert trial.value > 0.5
    assert os.listdir(artifacts) == []
