"""Workers whose trials break a limit, with real processes and scripted loops (pool_script.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_pool_processes import Parent, events, gone, handed_back

pytestmark = pytest.mark.slow

MB = 1 << 20
#: Of a worker of these tests, which imports little.
SMALL = 120 * MB


def losses(printed: list[list]) -> list[list]:
    """Of each worker that ended: cause, fault, numbers of the trials at fault."""
    return [rest[1:] for kind, *rest in printed if kind == "hand back"]


def warnings(printed: list[list]) -> str:
    return "\n".join(event["text"] for event in events(printed, "WorkerWarning"))


def run(loop: str, folder: Path, **caps: float) -> list[list]:
    return Parent(loop, 1, folder, "-", "-", json.dumps(caps)).finish(timeout=60)


def test_a_trial_that_takes_too_long_is_killed_with_its_worker(tmp_path):
    printed = run("hangs_once", tmp_path, seconds=1.5)
    assert printed[-1] == ["outcome", "done", None]
    assert losses(printed)[0] == ["took longer than 1.5 s", "trial", [1]]
    # The process that followed had nothing to lose.
    assert {fault for _, fault, _ in losses(printed)[1:]} <= {"nobody"}
    hung = int((tmp_path / "hung").read_text())
    assert set(handed_back(printed)) == {hung}
    assert gone(hung)
    assert events(printed, "TrialReturned")[0]["cause"] == "took longer than 1.5 s"
    assert [event["number"] for event in events(printed, "TrialDone")] == [2]
    assert "trial 1 took longer than 1.5 s; it is tried once more, alone" in warnings(printed)


def test_trials_at_fault_are_no_reason_to_give_their_worker_up(tmp_path):
    """Each ticket has two such deaths at most; these are twelve in a row."""
    printed = run("hangs_always", tmp_path, seconds=0.2)
    assert printed[-1] == ["outcome", "done", None]
    assert [fault for _, fault, _ in losses(printed)].count("trial") == 12


def test_a_worker_that_holds_too_much_is_killed(tmp_path):
    printed = run("swells", tmp_path, memory=SMALL)
    assert printed[-1] == ["outcome", "done", None]
    cause, fault, trials = losses(printed)[0]
    assert (fault, trials) == ("trial", [1])
    used, _, rest = cause.removeprefix("used ").partition(" MB of the ")
    assert int(used) > 120
    assert rest == "120 MB allowed"


def test_a_worker_that_needs_too_much_before_its_first_trial_is_given_up(tmp_path):
    printed = run("swells_early", tmp_path, memory=SMALL)
    assert printed[-1][:2] == ["error", "TunerError"]
    assert "MB of the 120 MB allowed" in printed[-1][2]
    assert len(list(tmp_path.glob("life-*"))) == 3
    assert {fault for _, fault, _ in losses(printed)} == {"nobody"}


@pytest.mark.parametrize(
    ("memory", "cause", "fault"),
    [
        # It was last seen with more than half of what it may hold: the kernel's doing.
        (400 * MB, "killed by signal 9 (out of memory?)", "trial"),
        # With less: somebody else's.
        (4096 * MB, "worker killed by SIGKILL", "unknown"),
    ],
)
def test_a_signal_9_that_nobody_here_sent_is_judged_by_memory(tmp_path, memory, cause, fault):
    printed = run("killed_while_large", tmp_path, memory=memory)
    assert printed[-1] == ["outcome", "done", None]
    assert losses(printed)[0][:2] == [cause, fault]


def test_a_worker_that_dies_while_it_imports_is_not_started_for_ever(tmp_path, monkeypatch):
    monkeypatch.setenv("DIES_AT_IMPORT", "1")
    printed = Parent("finish", 1, tmp_path).finish(timeout=60)
    assert printed[-1][:2] == ["error", "TunerError"]
    assert "killed by SIGKILL" in printed[-1][2]
    assert warnings(printed).count("a new one takes its place") == 2
    assert losses(printed) == []
