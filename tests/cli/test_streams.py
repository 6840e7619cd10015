"""stdout and stderr that are closed, full, or read by nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_optimize_runs import SCRIPT, SEARCH, Tuner

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def run(folder: Path, line: str, script: str = "-m tuner") -> tuple[int, str]:
    """Exit code and stderr of a shell's line, in which `tuner` is Python's `script`."""
    call = f'tuner() {{ "{sys.executable}" {script} "$@"; }}; set -o pipefail; {line}'
    done = subprocess.run(
        ["bash", "-c", call], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        pytest.param("tuner --help > /dev/full", 1, "No space left", marks=FULL),
        pytest.param("tuner --version > /dev/full 2>&1", 1, "", marks=FULL),
        ("tuner --help >&-", 1, "Bad file descriptor"),
        ("tuner --help >&- 2>&-", 1, ""),
        ("tuner --help 2>&- | head -1 > /dev/null", 0, ""),
        ("tuner nothing 2>&-", 2, ""),
        ("tuner nothing <&- >&-", 2, "error: unknown command 'nothing'"),
        pytest.param("tuner nothing 2> /dev/full", 2, "", marks=FULL),
    ],
)
def test_a_command_that_cannot_say_what_it_has_to_say(tmp_path, line, code, said):
    ended, err = run(tmp_path, line)
    assert ended == code
    assert said in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


def test_a_reader_that_has_gone_ends_a_command_quietly():
    """`tuner spaces schema | head -1` in which `head` was quicker."""
    reading, writing = os.pipe()
    os.close(reading)
    code = "from tuner.cli.main import main; main(['spaces', 'schema'])"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "codes", "said"),
    [
        (">&-", {1}, "results go to stdout"),
        (">&- 2>&-", {1}, ""),
        ("<&- >&- 2>&-", {1}, ""),
        pytest.param("> /dev/full", {1}, "results go to stdout", marks=FULL),
        pytest.param("> /dev/full 2>&1", {1}, "", marks=FULL),
        pytest.param("2> /dev/full", {0}, "", marks=FULL),
        ("2>&1 | head -1 > /dev/null", {0, 141}, ""),
        ("| true", {0, 141}, ""),
    ],
)
def test_a_search_goes_on_to_its_end_whoever_listens(tmp_path, line, codes, said):
    args = " ".join(map(str, [*SEARCH, "--trials", 4, "--workers", 2, "--progress", "plain"]))
    code, err = run(tmp_path, f"tuner {args} {line}", f'"{SCRIPT}"')
    assert code in codes
    assert said in err
    assert "Traceback" not in err
    again = Tuner(tmp_path).run(*SEARCH, "--trials", 4, "--format", "json")
    assert again.code == 0, again.err
    assert sum(json.loads(again.out)["trials"].values()) == 4
    assert len(Tuner(tmp_path).study().trials) == 4
