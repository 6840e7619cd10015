"""`tuner optimize`, `resume` and `worker` with real processes and storages (fake_tuner.py)."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import optuna
import psutil
import pytest

from tests.support import SUPPORT

SCRIPT = SUPPORT / "fake_tuner.py"
#: Ten epochs a trial, so that signals and kills find one running.
LONG = ["--set", "epochs=10"]


class Tuner:
    """Runs commands in `folder` and looks at what they stored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/studies/tuner.db"

    def start(self, *args: object, epoch: float = 0, **environment: str) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_STORAGE")}
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), *map(str, args)],
            cwd=self.folder,
            env=clean | {"FAKE_EPOCH_SECONDS": str(epoch)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal to its group does not reach pytest
        )

    def run(self, *args: object, epoch: float = 0, **environment: str) -> Ended:
        return Ended(self.start(*args, epoch=epoch, **environment))

    def study(self) -> optuna.Study:
        [name] = optuna.get_all_study_names(self.url)
        return optuna.load_study(study_name=name, storage=self.url)

    def states(self) -> Counter[str]:
        """Trials by state, read past Optuna, which would write to a database in the making."""
        path = self.folder / "studies" / "tuner.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return Counter(
                dict(connection.execute("SELECT state, COUNT(*) FROM trials GROUP BY 1"))
            )

    def wait_for_trial(self, process: subprocess.Popen[str], count: int = 1) -> None:
        """Wait until `count` trials have been begun."""
        for _ in range(1200):
            if (self.folder / "studies" / "tuner.db").exists() and process.poll() is None:
                try:
                    if self.states().total() - self.states()["WAITING"] >= count:
                        return
                except sqlite3.OperationalError:
                    pass  # its tables are still being made
            time.sleep(0.05)
        raise AssertionError(f"no trial began: {process.communicate()}")


class Ended:
    """A command that ended, within 30 s and without a traceback."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.out, self.err = process.communicate(timeout=30)
        self.code = process.returncode
        assert "Traceback" not in self.err, self.err

    @property
    def data(self) -> dict:
        """What stdout holds: one JSON object and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def tuner(tmp_path) -> Tuner:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return Tuner(tmp_path)


SEARCH = ["optimize", "--space", "sgd_decay", "--workers", "2", "--format", "json"]


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = psutil.Process(process.pid).children(recursive=True)
    return [p.pid for p in children if "resource_tracker" not in " ".join(p.cmdline())]


@pytest.mark.slow
def test_a_search_its_repetition_and_its_extension(tuner):
    first = tuner.run(*SEARCH, "--trials", 8)
    assert first.code == 0, first.err
    assert list(first.data) == ["study", "storage", "trials", "best"]
    assert list(first.data["trials"]) == ["complete", "pruned", "failed"]
    assert sum(first.data["trials"].values()) == 8
    assert list(first.data["best"]) == ["number", "params", "value", "fold_scores"]
    assert len(first.data["best"]["fold_scores"]) == 5
    assert first.data["best"]["value"] == pytest.approx(tuner.study().best_value)
    assert first.data["best"]["params"] == tuner.study().best_params

    again = tuner.run(*SEARCH, "--trials", 8)
    assert again.data == first.data
    assert sum(tuner.states().values()) == 8

    more = tuner.run(*SEARCH, "--trials", 11)
    assert sum(more.data["trials"].values()) == 11
    assert set(tuner.states()) <= {"COMPLETE", "PRUNED"}
    assert sum(tuner.states().values()) == 11


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
def test_a_signal_loses_nothing_and_resume_ends_at_the_total(tuner, number, code):
    process = tuner.start(*SEARCH, *LONG, "--trials", 6, epoch=0.05)
    tuner.wait_for_trial(process, 2)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    ended = Ended(process)
    assert ended.code == code
    left = 6 - sum(ended.data["trials"].values())
    assert left > 0
    name = ended.data["study"]
    assert f"ended by {number.name} with {left} trials to go" in ended.err
    assert f"tuner resume {name}" in ended.err
    assert tuner.states()["RUNNING"] == 0
    assert tuner.states()["FAIL"] == 0

    resumed = tuner.run("resume", name, "--format", "json", "--workers", 2)
    assert resumed.code == 0
    assert sum(resumed.data["trials"].values()) == 6
    assert set(tuner.states()) <= {"COMPLETE", "PRUNED"}
    assert sum(tuner.states().values()) == 6


@pytest.mark.slow
def test_an_interrupted_trial_of_more_than_a_few_seconds_goes_on(tuner, tmp_path):
    """Its checkpoint lies where --artifacts says; the command to go on says so too."""
    folder = tmp_path / "shared" / "a b"
    where = ["--artifacts", str(folder)]
    process = tuner.start(
        *SEARCH[:3], *LONG, "--trials", 1, "--workers", 1, "--format", "json", *where, epoch=0.7
    )
    for _ in range(600):
        if folder.exists() and list(folder.glob("checkpoint-*.npz")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    ended = Ended(process)
    assert ended.code == 143
    assert f"--artifacts '{folder}'" in ended.err
    assert tuner.states() == {"WAITING": 1}
    assert not (tmp_path / "studies" / "artifacts").exists()
    resumed = tuner.run("resume", ended.data["study"], "--workers", 1, "--format", "json", *where)
    assert resumed.code == 0
    [trial] = tuner.study().trials
    [epoch] = trial.system_attrs["tuner:resumed"]
    assert 1 < epoch < 10
    assert list(trial.intermediate_values) == list(range(10))
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once_and_loses_nothing(tuner):
    process = tuner.start(*SEARCH, *LONG, "--trials", 4, epoch=30)
    tuner.wait_for_trial(process, 2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    ended = Ended(process)
    assert time.monotonic() - begin < 5
    assert ended.code == 130
    assert "once more to end at once" in ended.err
    assert tuner.states() == {"WAITING": 4}
    resumed = tuner.run("resume", ended.data["study"], "--format", "json", "--workers", 1)
    assert sum(resumed.data["trials"].values()) == 4
    assert sum(tuner.states().values()) == 4


@pytest.mark.slow
def test_a_killed_worker_costs_its_trial_one_attempt(tuner):
    process = tuner.start(*SEARCH, *LONG, "--trials", 5, epoch=0.1)
    tuner.wait_for_trial(process, 2)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    ended = Ended(process)
    assert ended.code == 0, ended.err
    assert "SIGKILL" in ended.err
    assert sum(ended.data["trials"].values()) == 5
    states = tuner.states()
    assert states["RUNNING"] == states["WAITING"] == 0
    assert states["FAIL"] == 1
    [failed] = [t for t in tuner.study().trials if t.state.name == "FAIL"]
    assert failed.user_attrs["cause"] == "worker killed by SIGKILL"
    assert states["COMPLETE"] + states["PRUNED"] == 5


@pytest.mark.slow
def test_a_killed_command_leaves_no_worker_and_nothing_running(tuner):
    process = tuner.start(*SEARCH, *LONG, "--trials", 6, epoch=0.1)
    tuner.wait_for_trial(process, 2)
    pids = workers_of(process)
    assert len(pids) == 2
    process.kill()
    process.communicate()
    for _ in range(100):
        if not any(psutil.pid_exists(pid) for pid in pids):
            break
        time.sleep(0.05)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert tuner.states()["RUNNING"] == 0
    resumed = tuner.run(*SEARCH, *LONG, "--trials", 6)
    assert sum(resumed.data["trials"].values()) == 6
    assert sum(tuner.states().values()) == 6


@pytest.mark.slow
def test_the_timeout_ends_with_the_best_so_far(tuner):
    begin = time.monotonic()
    ended = tuner.run(*SEARCH, "--set", "epochs=4", "--trials", 500, "--timeout", "8s", epoch=0.05)
    assert time.monotonic() - begin < 8 + 5
    assert ended.code == 0, ended.err
    done = sum(ended.data["trials"].values())
    assert 0 < done < 500
    assert ended.data["best"]["value"] > 0
    assert f"time is up with {500 - done} trials to go" in ended.err
    assert tuner.states()["RUNNING"] == 0


@pytest.mark.slow
def test_a_timeout_before_the_first_result_is_exit_code_3(tuner):
    ended = tuner.run(*SEARCH, *LONG, "--trials", 3, "--timeout", 3, epoch=60)
    assert ended.code == 3
    assert ended.data["best"] is None
    assert "no trial of study" in ended.err
    assert tuner.states() == {"WAITING": 3}


@pytest.mark.slow
def test_no_candidate_that_trains_is_exit_code_3_with_the_cause(tuner):
    ended = tuner.run(*SEARCH, "--trials", 3, FAKE_REFUSE="units must be even")
    assert ended.code == 3
    assert ended.data["trials"] == {"complete": 0, "pruned": 0, "failed": 3}
    assert ended.data["best"] is None
    assert "units must be even" in ended.err


@pytest.mark.slow
def test_the_table_ends_with_what_to_type_next(tuner):
    storage = f"sqlite:///{tuner.folder}/a b.db"
    search = ["optimize", "--space", "sgd_decay", "--trials", 2, "--workers", 2, "--name", "s 1"]
    ended = tuner.run(*search, "--storage", storage)
    assert ended.code == 0, ended.err
    assert "trials   2 of 2" in ended.out
    assert "± " in ended.out
    assert f"  tuner best 's 1' --storage '{storage}'\n" in ended.out
    first, *others = ended.err.splitlines()
    assert first == "loading the data, starting 2 workers"
    assert first not in others
    assert others[0] == "a note on the data"
    assert re.search(r"\[2/2\] trial [01] ", ended.err)


@pytest.mark.slow
def test_progress_none_is_silent(tuner):
    ended = tuner.run(*SEARCH, "--trials", 2, "--progress", "none")
    assert ended.err == ""
    assert ended.data["best"] is not None


@pytest.mark.slow
def test_workers_join_and_share_the_trials(tuner):
    gate = tuner.folder / "all have begun"
    held = {"FAKE_GATE": str(gate)}
    process = tuner.start(*SEARCH, *LONG, "--trials", 12, "--workers", 1, **held)
    tuner.wait_for_trial(process)
    name = tuner.study().study_name
    joined = [tuner.start("worker", "--name", name, "--format", "json", **held) for _ in range(2)]
    tuner.wait_for_trial(process, 3)  # one each, and nobody can have a second one
    gate.touch()
    ended = [Ended(each) for each in joined]
    assert [each.code for each in ended] == [0, 0]
    assert all(sum(each.data["trials"].values()) > 0 for each in ended)
    assert sum(Ended(process).data["trials"].values()) == 12
    assert set(tuner.states()) <= {"COMPLETE", "PRUNED"}
    assert sum(tuner.states().values()) == 12


@pytest.mark.slow
def test_a_worker_that_gets_sigterm_gives_its_trial_back(tuner):
    process = tuner.start(*SEARCH, *LONG, "--trials", 3, "--workers", 1, epoch=0.1)
    tuner.wait_for_trial(process)
    process.send_signal(signal.SIGINT)
    name = Ended(process).data["study"]
    before = tuner.states()["WAITING"]
    worker = tuner.start("worker", "--name", name, epoch=5)
    tuner.wait_for_trial(worker, 3 - before + 1)
    worker.send_signal(signal.SIGTERM)
    ended = Ended(worker)
    assert ended.code == 143
    assert "ended by SIGTERM" in ended.err
    assert tuner.states()["WAITING"] == before


@pytest.mark.slow
@pytest.mark.parametrize(("name", "room"), [("a.db", 400_000), ("a.log", 150_000)])
def test_a_full_disk_is_named_in_a_sentence_and_resume_goes_on(tuner, small_disk, name, room):
    storage = ["--storage", small_disk.folder / name]
    study = [
        "--space",
        "initializers",
        "--data",
        "sklearn:digits",
        "--sampler",
        "random",
        "--name",
        "s",
    ]
    budget = [*LONG, "--trials", 60, "--pruner", "none", "--workers", 2, "--retries", 3]
    small_disk.fill(left=room)
    ended = tuner.run("optimize", *study, *budget, *storage, epoch=0.01)
    assert ended.code == 4, ended.err
    assert len([line for line in ended.err.splitlines() if "is full" in line]) <= 2
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: a storage needs room to write; the disk of ")
    assert "make room there; then go on by: tuner resume s --storage" in last
    small_disk.make_room()
    # A journal's trial that was popped when the room for its owner was gone waits for the grace.
    soon = ["--workers", 2, "--grace", 2, "--heartbeat", 1]
    resumed = tuner.run("resume", "s", *soon, "--format", "json", *storage)
    assert resumed.code == 0, resumed.err
    assert resumed.data["trials"] == {"complete": 60, "pruned": 0, "failed": 0}


@pytest.mark.slow
def test_points_of_one_s_own_are_tried_first(tuner):
    search = [*SEARCH, "--trials", 3]
    tuner.run(*search, "--try", "batch_size=32", "--try", "batch_size=64")
    study = tuner.study()
    assert [trial.params["batch_size"] for trial in study.trials[:2]] == [32, 64]
    name = study.study_name
    for number, command in enumerate((search, ["resume", name], ["worker", "--name", name])):
        tuner.study().enqueue_trial({"batch_size": 32})
        tuner.study().enqueue_trial({"batch": 32})
        ended = tuner.run(*command)
        assert ended.code == 0
        assert "which was enqueued, is not run: the point 'batch=32' is none of" in ended.err
        states = tuner.states()
        assert states["COMPLETE"] + states["PRUNED"] == 4 + number
        assert states["WAITING"] == 0
