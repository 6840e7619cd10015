"""`tuner optimize --ray` and `resume --ray` with Ray itself (fake_tuner.py)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from tests.support import SUPPORT
from tests.support.faults.ray_cluster import RayCluster

pytestmark = pytest.mark.slow

SCRIPT = SUPPORT / "fake_tuner.py"
MARK = "TUNER_TEST_RUN"
SEARCH = [
    *("optimize", "--space", "sgd_decay", "--set", "epochs=10", "--trials", "8", "--workers", "2"),
    *("--name", "s", "--format", "json"),
]


class Run:
    """Commands in one folder, all of whose processes, Ray's included, carry a mark."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {MARK: uuid.uuid4().hex, "FAKE_EPOCH_SECONDS": "0.1"}

    def start(self, *args: object) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_STORAGE")}
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), *map(str, args)],
            cwd=self.folder,
            env=clean | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal to its group does not reach pytest
        )

    def states(self) -> Counter[str]:
        path = self.folder / "studies" / "tuner.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return Counter(
                dict(connection.execute("SELECT state, COUNT(*) FROM trials GROUP BY 1"))
            )

    def wait_for(self, process: subprocess.Popen[str], **states: int) -> None:
        """Wait until at least so many trials are in these states."""
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            with suppress(sqlite3.OperationalError):  # its tables are still being made
                found = self.states()
                if all(found[state] >= count for state, count in states.items()):
                    return
            time.sleep(0.05)
        process.kill()
        raise AssertionError(f"never {states}: {process.communicate()}")

    def marked(self) -> list[psutil.Process]:
        """Living processes of these commands."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.environment[MARK]:
                    found.append(process)
        return found

    def workers(self) -> list[psutil.Process]:
        return [p for p in self.marked() if "ray::TunerWorker" in " ".join(p.cmdline())]

    def wait_for_nothing(self) -> None:
        until = time.monotonic() + 60
        while (left := self.marked()) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == []


@pytest.fixture
def tuner(tmp_path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    for process in run.marked():  # after a failure
        with suppress(psutil.Error):
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, dict, str]:
    """Exit code, the JSON on stdout and the lines on stderr."""
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return process.returncode, json.loads(out), err


def folders() -> set[str]:
    return {path.name for path in Path("/tmp").glob("tuner-ray-*")}


def test_a_ray_of_its_own_does_all_trials_although_a_worker_is_killed(tuner):
    before = folders()
    process = tuner.start(*SEARCH, "--ray", "--ray-cpus", "0.5")
    tuner.wait_for(process, RUNNING=2, COMPLETE=2)
    victim = tuner.workers()[0]
    victim.kill()
    code, result, err = ended(process)
    assert code == 0, err
    assert sum(result["trials"].values()) == 8
    assert result["best"]["value"] > 0
    assert f"died (ended without a word (process {victim.pid} on " in err
    assert "\x1b" not in err
    states = tuner.states()
    assert states["RUNNING"] == states["WAITING"] == 0
    # Killed while it trained, or in the blink of an eye between two trials.
    assert states["FAIL"] <= 1
    assert states["COMPLETE"] + states["PRUNED"] == 8
    tuner.wait_for_nothing()
    assert folders() <= before


def test_a_signal_to_the_whole_group_gives_the_trials_back_and_ends_ray(tuner):
    before = folders()
    tuner.environment["FAKE_EPOCH_SECONDS"] = "0.5"
    process = tuner.start(*SEARCH, "--ray", "local")
    tuner.wait_for(process, RUNNING=2)
    os.killpg(process.pid, signal.SIGTERM)  # as `timeout` does
    code, result, err = ended(process)
    assert code == 143, err
    assert "go on by: tuner resume s --ray local" in err
    left = 8 - sum(result["trials"].values())
    assert tuner.states()["WAITING"] == left > 0
    assert tuner.states()["FAIL"] == tuner.states()["RUNNING"] == 0
    tuner.wait_for_nothing()
    assert folders() <= before


def test_a_cluster_is_joined_by_its_client_server_and_by_its_head(tuner):
    with RayCluster() as cluster:
        tuner.environment |= cluster.environment
        cluster.start(cpus=1)  # a second worker may come when all is done
        process = tuner.start(*SEARCH, "--ray", cluster.client_address, "--progress", "none")
        tuner.wait_for(process, RUNNING=1)
        process.send_signal(signal.SIGINT)
        code, result, err = ended(process)
        assert code == 130, err
        assert f"go on by: tuner resume s --ray {cluster.client_address}" in err
        assert tuner.states()["RUNNING"] == tuner.states()["FAIL"] == 0
        assert tuner.states()["WAITING"] == 8 - sum(result["trials"].values()) > 0

        process = tuner.start("resume", "s", "--ray", cluster.address, "--format", "json")
        code, result, err = ended(process)
        assert code == 0, err
        assert sum(result["trials"].values()) == 8
        assert set(tuner.states()) <= {"COMPLETE", "PRUNED"}
        # The cluster stays, our workers do not.
        workers = [
            process
            for process in cluster.processes(0)
            if "ray::TunerWorker" in " ".join(process.cmdline())
        ]
        psutil.wait_procs(workers, timeout=60)
        assert [process for process in workers if process.is_running()] == []
        assert len(cluster.processes(0)) > 3
