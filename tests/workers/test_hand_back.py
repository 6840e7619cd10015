"""Trials of a dead process come back at once, and those of others are left alone."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import pytest

from tuner.errors import StorageError, UsageError
from tuner.search.prepare import prepare_study
from tuner.search.tickets import is_alone, read_counts, why_avoided
from tuner.storage import open_storage, records, storage_at
from tuner.storage.owner import new_owner, process_name
from tuner.storage.sqlite import SQLite
from tuner.study.data import DataFacts
from tuner.study.definition import definition_of
from tuner.study.stored import delete_study, load_study
from tuner.workers import Interrupted, run_search
from tuner.workers.hand_back import HandBack, WorkerDeath
from tuner.workers.lost_trials import hand_back_trials

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
    backend = storage_at(url).backend()
    trials = backend.trials(load_study(backend.storage, "s")._study_id)
    trial = next(trial for trial in trials if trial.state.name == "WAITING")
    place, _, start, name = new_owner().split(":")
    assert backend.pop(trial._trial_id, f"{machine or place}:{pid}:{start}:{name}")
    return trial.number


def lose(url: str, cause: str, fault, *, process: str | None = None, trials=None) -> list[int]:
    loss = WorkerDeath(process or process_name(DEAD), cause, fault, trials)
    return hand_back_trials(url, "s", loss)


def by_state(url: str, state: str) -> list:
    study = load_study(open_storage(url), "s")
    return [trial for trial in study.get_trials() if trial.state.name == state]


def test_a_process_that_we_ended_costs_no_attempt(url):
    make(url)
    dead, living = pop(url, DEAD), pop(url, os.getpid())
    assert lose(url, "told to end", "nobody") == [dead]
    assert [trial.number for trial in by_state(url, "RUNNING")] == [living]
    assert [trial.user_attrs["attempt"] for trial in by_state(url, "WAITING")] == [0, 0]
    counts = read_counts(load_study(open_storage(url), "s"))
    assert (counts.waiting, counts.running, counts.failed) == (2, 1, 0)
    assert lose(url, "told to end", "nobody") == []


def test_a_study_that_was_deleted_has_nothing_to_give_back(url):
    make(url)
    pop(url, DEAD)
    delete_study(open_storage(url), "s")
    hand_back = HandBack(partial(hand_back_trials, url, "s"))
    hand_back(WorkerDeath(process_name(DEAD), "told to end", "nobody"))
    hand_back.close()
    assert hand_back.problems == []


def test_a_process_that_died_costs_an_attempt_as_often_as_allowed(url):
    make(url, retries=1)
    first = pop(url, DEAD)
    assert lose(url, "killed by SIGKILL", "unknown") == [first]
    [failed] = by_state(url, "FAIL")
    assert failed.user_attrs["cause"] == "killed by SIGKILL"
    [again] = [t for t in by_state(url, "WAITING") if t.user_attrs["ticket"] == 0]
    assert again.user_attrs["attempt"] == 1
    # The other two tickets, then the second attempt of the first.
    for _ in range(3):
        pop(url, DEAD)
    assert len(lose(url, "killed again", "unknown")) == 3
    counts = read_counts(load_study(open_storage(url), "s"))
    assert (counts.waiting, counts.failed) == (2, 1)


def test_the_process_may_be_one_of_another_machine(url):
    make(url)
    here, there = pop(url, DEAD), pop(url, DEAD, "node/boot/0")
    assert lose(url, "its node", "nobody", process=f"node/boot/0:{DEAD}") == [there]
    assert [trial.number for trial in by_state(url, "RUNNING")] == [here]


def test_a_trial_that_broke_a_limit_is_tried_once_more_alone_and_then_avoided(url):
    make(url, retries=0)
    first, bystander = pop(url, DEAD), pop(url, DEAD)
    lost = lose(url, "took longer than 5 s", "trial", trials=frozenset({first}))
    assert lost == [first, bystander]
    trials = {trial.number: trial for trial in load_study(open_storage(url), "s").get_trials()}
    assert trials[first].user_attrs["cause"] == "took longer than 5 s"
    assert trials[first].system_attrs[records.SETTLED] == records.KILLED
    alone = [trial for trial in trials.values() if is_alone(trial)]
    assert [(t.state.name, t.user_attrs["ticket"]) for t in alone] == [("WAITING", 0)]
    assert read_counts(load_study(open_storage(url), "s")).waiting == 3

    while pop(url, DEAD) != alone[0].number:
        pass
    lose(url, "took longer than 5 s", "trial", trials=frozenset({alone[0].number}))
    last = load_study(open_storage(url), "s").get_trials()[alone[0].number]
    assert last.user_attrs["cause"] == "took longer than 5 s, also when it was tried alone"
    assert last.system_attrs[records.SETTLED] == records.AVOIDED
    counts = read_counts(load_study(open_storage(url), "s"))
    assert (counts.waiting, counts.failed) == (2, 1)
    assert why_avoided({}, [last]) == (
        f"not run: trial {last.number} had the same parameters, and {last.user_attrs['cause']}"
    )
    assert why_avoided({"optimizer.learning_rate": 0.5}, [last]) is None


def test_a_trial_tried_alone_stays_so_when_it_is_handed_back_or_fails_otherwise(url):
    make(url, retries=2)
    first = pop(url, DEAD)
    lose(url, "used 5 GB of the 4 GB allowed", "trial", trials=frozenset({first}))

    def run_alone(cause, fault):
        [alone] = [trial for trial in by_state(url, "WAITING") if is_alone(trial)]
        while pop(url, DEAD) != alone.number:
            pass
        lose(url, cause, fault)

    run_alone("told to end", "nobody")
    run_alone("killed by SIGKILL", "unknown")
    [alone] = [trial for trial in by_state(url, "WAITING") if is_alone(trial)]
    assert alone.user_attrs["ticket"] == 0


def test_what_a_sweep_was_quicker_with_is_tried_alone_all_the_same(url):
    """Another worker saw the process gone first; it cannot know what it died of."""
    make(url)
    first = pop(url, DEAD)
    assert lose(url, "its worker ended", "unknown") == [first]
    assert lose(url, "killed by signal 9", "trial", trials=frozenset({first})) == []
    [alone] = [trial for trial in by_state(url, "WAITING") if is_alone(trial)]
    assert alone.user_attrs["ticket"] == 0


def test_what_cannot_be_handed_back_is_told(tmp_path):
    url = f"sqlite:///{tmp_path}/gone.db"
    with pytest.raises(StorageError):
        lose(url, "x", "nobody")
    hand_back = HandBack(partial(hand_back_trials, url, "s"))
    hand_back(WorkerDeath(process_name(DEAD), "x", "nobody"))
    hand_back.close()
    assert len(hand_back.problems) == 1
    assert "gone.db" in hand_back.problems[0]


def test_a_storage_that_hangs_does_not_hold_up_the_end():
    hangs = threading.Event()
    hand_back = HandBack(lambda _: hangs.wait(60))
    done = hand_back(WorkerDeath(process_name(DEAD), "x", "nobody"))
    hand_back.close(until=time.time() + 0.2)
    assert not done()
    assert hand_back.problems == [
        "a trial is still marked as running, and will be taken up again by the next worker: "
        "the time was up"
    ]
    hangs.set()


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


def test_a_storage_is_closed_also_if_its_study_is_gone(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/a.db"
    make(url)
    closed = []
    monkeypatch.setattr(SQLite, "close", lambda self, storage: closed.append(storage))
    lose(url, "ended", "nobody")
    loss = WorkerDeath(process_name(DEAD), "ended", "nobody")
    assert hand_back_trials(url, "another", loss) == []
    assert len(closed) == 2


def test_what_a_full_disk_refused_is_tried_again_without_the_workers():
    tried: list[WorkerDeath] = []

    def steps(loss):
        tried.append(loss)
        if len(tried) < 3:
            raise StorageError("the disk is full")

    back = HandBack(steps)
    for cause in ("a", "b"):
        back(WorkerDeath("here:1", cause, "nobody"))
    back.close()
    assert [loss.cause for loss in tried] == ["a", "b", "a", "b"]
    assert back.problems == []


def test_one_cause_is_told_once():
    def steps(loss):
        raise StorageError("the disk is full")

    back = HandBack(steps)
    for cause in ("a", "b"):
        back(WorkerDeath("here:1", cause, "nobody"))
    back.close()
    [problem] = back.problems
    assert "the disk is full" in problem
