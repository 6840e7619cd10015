"""What Python begins the command line ends, and the other way round, workers killed meanwhile."""

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
from tuner.search.tickets import read_counts
from tuner.storage import storage_at
from tuner.study.stored import load_study

pytestmark = pytest.mark.slow


class Program:
    """A script of tests/support in a folder, of which signals reach the whole group."""

    def __init__(self, folder: Path, script: str, *args: object) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_STORAGE")}
        self.process = subprocess.Popen(
            [sys.executable, str(SUPPORT / script), *map(str, args)],
            cwd=folder,
            env=clean | {"FAKE_EPOCH_SECONDS": "0.1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill_a_worker(self) -> None:
        children = psutil.Process(self.process.pid).children()
        [first, *_] = [p for p in children if "spawn_main" in " ".join(p.cmdline())]
        first.kill()

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return self.process.returncode, out, err


def python(folder: Path, function: str, **keywords: object) -> Program:
    return Program(folder, "python_search.py", function, json.dumps(keywords))


def counts(url: str, name: str):
    with storage_at(url).open_read_only() as opened:
        return read_counts(load_study(opened, name))


def wait_for(program: Program, url: str, name: str, done: int) -> None:
    """Until so many trials have ended and another one runs."""
    for _ in range(1200):
        if program.process.poll() is not None:
            break
        try:
            now = counts(url, name)
            if now.done >= done and now.running:
                return
        except Exception:
            pass  # it is still being made
        time.sleep(0.1)
    raise AssertionError(program.process.communicate())


def test_python_begins_and_the_command_line_ends(tmp_path, url_of_both):
    url = url_of_both
    asked = {"storage": url, "name": "mine", "trials": 6, "folds": 2, "workers": 2}
    first = python(tmp_path, "optimize", **asked)
    wait_for(first, url, "mine", 1)
    first.kill_a_worker()
    wait_for(first, url, "mine", 2)
    os.killpg(first.process.pid, signal.SIGINT)
    code, out, err = first.end()
    assert code == 0
    assert json.loads(out)[0] == "mine"
    assert "ended by SIGINT with" in err
    now = counts(url, "mine")
    assert now.running == 0
    assert 2 <= now.done < 6
    resumed = Program(tmp_path, "fake_tuner.py", "resume", "mine", "--storage", url)
    code, out, err = resumed.end()
    assert code == 0, err
    now = counts(url, "mine")
    assert (now.done, now.failed, now.total) == (6, 0, 6)
    # The same call finds all done; the data are those that it has kept.
    code, out, _ = python(tmp_path, "optimize", **asked).end()
    assert (code, sum(json.loads(out)[1].values())) == (0, 6)


def test_the_command_line_begins_and_python_ends(tmp_path, url_of_both):
    url = url_of_both
    first = Program(
        tmp_path, "fake_tuner.py", "optimize", "--space", "sgd_decay", "--set", "epochs=10",
        "--trials", 6, "--workers", 2, "--folds", 2, "--name", "theirs", "--storage", url,
    )  # fmt: skip
    wait_for(first, url, "theirs", 1)
    first.process.kill()
    first.process.communicate()
    code, _, err = python(tmp_path, "go_on", name="theirs", storage=url, workers=2).end()
    assert code == 0, err
    now = counts(url, "theirs")
    assert (now.done, now.failed, now.total, now.running) == (6, 0, 6, 0)


def test_workers_on_ray(tmp_path):
    url = f"sqlite:///{tmp_path}/on_ray.db"
    asked = {"storage": url, "name": "r", "trials": 4, "folds": 2, "workers": 2}
    code, _, err = python(tmp_path, "optimize", **asked, ray="local", ray_cpus=0.5).end()
    assert code == 0, err
    assert counts(url, "r").done == 4


@pytest.fixture(params=["sqlite", "postgres"])
def url_of_both(request) -> str:
    return request.getfixturevalue(request.param)
