"""Trials of a dead process come back at once, and those of others are left alone."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tuner.errors import StorageError, UsageError
from tuner.search.definition import definition_of
from tuner.search.lifecycle import prepare_study
from tuner.search.owner import new_owner, process_name
from tuner.search.pool import Interrupted, run_search
from tuner.search.pool.hand_back import HandBack, hand_back_trials
from tuner.search.storage import open_storage
from tuner.search.storage.choosing import backend_of
from tuner.search.stored import load_study, read_counts
from tuner.search.study_data import DataFacts

SPACE = {"name": "small", "params": {"optimizer.learning_rate": {"low": 0.1, "high": 1.0}}}
DEAD = 2**22 + 7  # above Linux's largest process number


@pytest.fixture(params=["here.db", "here.log"])
def url(tmp_path, request) -> str:
    kind = "sqlite:///" if request.param.endswith("db") else "journal:"
    return f"{kind}{tmp_path}/{request.param}"


def make(url: str, *, retries: int = 1) -> None:
    definition = definition_of({"space": SPACE, "trials": 3, "retries": retries}, "test")
    prepare_study(
        definition,
        name="s",
        storage_url=url,
        trials=None,
        describe=lambda _: DataFacts("fake", "multiclass"),
    )


def pop(url: str, pid: int, machine: str | None = None) -> int:
    """Let a process (which need not exist) pop the next ticket; its number. None: of this one."""
    storage = open_storage(url)
    backend = backend_of(storage)
    trials = backend.trials(load_study(storage, "s")._study_id)
    trial = next(trial for trial in trials if trial.state.name == "WAITING")
    place, _, start, name = new_owner().split(":")
    assert backend.pop(trial._trial_id, f"{machine or place}:{pid}:{start}:{name}")
    return trial.number


def by_state(url: str, state: str) -> list:
    study = load_study(open_storage(url), "s")
    return [trial for trial in study.get_trials() if trial.state.name == state]


def test_a_process_that_we_ended_costs_no_attempt(url):
    make(url)
    dead, living = pop(url, DEAD), pop(url, os.getpid())
    assert hand_back_trials(url, "s", process_name(DEAD), "told to end", blameless=True) == [dead]
    assert [trial.number for trial in by_state(url, "RUNNING")] == [living]
    assert [trial.user_attrs["attempt"] for trial in by_state(url, "WAITING")] == [0, 0]
    counts = read_counts(load_study(open_storage(url), "s"))
    assert (counts.waiting, counts.running, counts.failed) == (2, 1, 0)
    assert hand_back_trials(url, "s", process_name(DEAD), "told to end", blameless=True) == []


def test_a_process_that_died_costs_an_attempt_as_often_as_allowed(url):
    make(url, retries=1)
    first = pop(url, DEAD)
    assert hand_back_trials(url, "s", process_name(DEAD), "killed by SIGKILL", blameless=False) == [
        first
    ]
    [failed] = by_state(url, "FAIL")
    assert failed.user_attrs["cause"] == "killed by SIGKILL"
    [again] = [t for t in by_state(url, "WAITING") if t.user_attrs["ticket"] == 0]
    assert again.user_attrs["attempt"] == 1
    # The other two tickets, then the second attempt of the first.
    for _ in range(3):
        pop(url, DEAD)
    assert len(hand_back_trials(url, "s", process_name(DEAD), "killed again", blameless=False)) == 3
    counts = read_counts(load_study(open_storage(url), "s"))
    assert (counts.waiting, counts.failed) == (2, 1)


def test_the_process_may_be_one_of_another_machine(url):
    make(url)
    here, there = pop(url, DEAD), pop(url, DEAD, "node/boot/0")
    assert hand_back_trials(url, "s", f"node/boot/0:{DEAD}", "its node", blameless=True) == [there]
    assert [trial.number for trial in by_state(url, "RUNNING")] == [here]


def test_what_cannot_be_handed_back_is_told(tmp_path):
    url = f"sqlite:///{tmp_path}/gone.db"
    with pytest.raises(StorageError):
        hand_back_trials(url, "s", process_name(DEAD), "x", blameless=True)
    hand_back = HandBack(url, "s")
    hand_back(process_name(DEAD), "x", True)
    hand_back.close()
    assert len(hand_back.problems) == 1
    assert "gone.db" in hand_back.problems[0]


def no_display(*_):
    raise AssertionError("nothing began")


def no_trainer(_):
    raise AssertionError("nothing began")


@pytest.mark.usefixtures("leaves_no_children")
def test_a_signal_while_the_study_is_prepared_ends_at_once():
    def prepare():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    begin = time.monotonic()
    with pytest.raises(Interrupted) as caught:
        run_search(prepare, no_display, workers=2, make_trainer=no_trainer)
    assert caught.value.signal == signal.SIGINT
    assert time.monotonic() - begin < 5


@pytest.mark.usefixtures("leaves_no_children")
def test_an_error_while_the_study_is_prepared_ends_at_once():
    def prepare():
        raise UsageError("wrong")

    with pytest.raises(UsageError, match="wrong"):
        run_search(prepare, no_display, workers=2, make_trainer=no_trainer)
