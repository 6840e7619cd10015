"""The real command in a terminal of its own, interrupted by Ctrl-C (fake_tuner.py)."""

from __future__ import annotations

import sys

import pytest

from tests.support import SUPPORT
from tests.support.terminal import Terminal

pytestmark = pytest.mark.slow

#: As many parameters as fill the line of the best trial.
SEARCH = ["optimize", "--space", "sgd_decay", "--workers", "2", "--name", "d", "--trials", "60"]


@pytest.mark.parametrize("width", [80, 120])
def test_ctrl_c_leaves_only_what_has_been_said(tmp_path, width):
    command = [sys.executable, str(SUPPORT / "fake_tuner.py"), *SEARCH, "--set", "epochs=10"]
    terminal = Terminal(command, width=width, folder=tmp_path, env={"FAKE_EPOCH_SECONDS": "0.03"})
    terminal.until(lambda text: "loading the data, starting 2 workers" in text)
    shown = terminal.until(lambda text: "best  trial" in text)
    assert shown.splitlines()[-1].startswith("best  trial")
    assert len(shown.splitlines()[-1]) == width
    terminal.type("\x03")
    note, said, *summary = [line for line in terminal.end() if "failed" not in line.split(":")[0]]
    assert note == "a note on the data"
    assert said == "ending at the next epoch; once more to end at once"
    assert summary[0] == "study    d"
    assert any("ended by SIGINT" in line for line in summary)


def test_ctrl_c_at_the_start_leaves_one_sentence(tmp_path):
    command = [sys.executable, str(SUPPORT / "fake_tuner.py"), *SEARCH]
    terminal = Terminal(command, width=80, folder=tmp_path, env={"FAKE_HANG": "data"})
    terminal.until(lambda text: text == "loading the data, starting 2 workers")
    terminal.type("\x03")
    [line] = terminal.end()
    assert line.startswith("interrupted")
