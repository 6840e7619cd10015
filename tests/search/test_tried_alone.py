"""Trials that broke a limit of their worker: tried once more, alone, and then avoided."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, table, work
from tuner.search.checkpoints.checkpoints import study_key
from tuner.search.events import TrialDone, TrialStarted, WorkerIdle
from tuner.search.machine import MachineLock
from tuner.search.tickets import is_alone
from tuner.storage import records
from tuner.storage.owner import process_name
from tuner.workers.hand_back import WorkerDeath
from tuner.workers.lost_trials import hand_back_trials

CAUSE = "took longer than 30 min"
RATES = [0.001, 0.01, 0.1, 1.0]


class KilledError(BaseException):
    """Stands for the end of the worker's process."""


def killing(url, tickets, *, alone_too=()):
    """For `work(on_event=...)`: what a pool does when a trial of these tickets has begun. Of a
    group it is done once all have."""
    begun: list[TrialStarted] = []

    def on_event(event):
        if isinstance(event, TrialStarted):
            begun.append(event)

    def fail(params, epoch):
        last = [event for event in begun if event.ticket in (alone_too if event.alone else tickets)]
        if last and last[-1] is begun[-1]:
            numbers = frozenset(event.number for event in last if event.alone == last[-1].alone)
            loss = WorkerDeath(process_name(os.getpid()), CAUSE, "trial", numbers)
            hand_back_trials(url, "study", loss)
            raise KilledError

    return {"on_event": on_event, "trainer": FakeTrainer(fail=fail)}


def killed(url, tickets, **more):
    with pytest.raises(KilledError):
        work(url, **killing(url, tickets, **more))


def by_ticket(url):
    """Ticket to the states, settlements and causes of its trials."""
    found: dict[int, list] = {}
    for trial in load(url).trials:
        settled = trial.system_attrs.get(records.SETTLED)
        found.setdefault(trial.user_attrs[records.TICKET], []).append((trial.state.name, settled))
    return found


def lock(url, folder=None):
    return MachineLock(study_key(load(url)), folder)


def test_it_is_tried_again_alone_when_nothing_else_waits(url):
    prepare(url, definition(trials=2, retries=0))
    killed(url, {1})
    prepare(url, definition(retries=0), trials=4)  # tickets behind it
    reason, events = work(url)
    assert reason == "done"
    assert [(event.ticket, event.alone) for event in of(TrialStarted, events)] == [
        (2, False),
        (3, False),
        (1, True),
    ]
    assert by_ticket(url)[1] == [("FAIL", records.KILLED), ("COMPLETE", None)]
    first, again = [t for t in load(url).trials if t.user_attrs[records.TICKET] == 1]
    assert first.user_attrs[records.CAUSE] == CAUSE
    assert again.params == first.params


def test_nobody_trains_beside_it(sqlite):
    """A trial alone waits for those that train, and those that come wait for it."""
    prepare(sqlite, definition(trials=2))
    killed(sqlite, {1})
    other = lock(sqlite)
    assert other.acquire()
    waited = []

    def release(event):
        if isinstance(event, WorkerIdle):
            waited.append([t.state.name for t in load(sqlite).trials if is_alone(t)])
            other.release()
        elif isinstance(event, TrialStarted):
            assert not other.acquire()

    _, events = work(sqlite, on_event=release)
    assert waited == [["WAITING"]]
    assert [event.alone for event in of(TrialStarted, events)] == [True]
    other.release()

    prepare(sqlite, definition(trials=4), trials=4)
    assert other.acquire(alone=True)
    _, events = work(sqlite, on_event=lambda e: other.release() if type(e) is WorkerIdle else None)
    assert type(events[1]) is WorkerIdle
    assert len(of(TrialDone, events)) == 2


def test_the_lock_is_shared_by_many_or_held_by_one(tmp_path):
    first, second = MachineLock("a", tmp_path), MachineLock("a", tmp_path)
    elsewhere = MachineLock("b", tmp_path)
    assert first.acquire()
    assert second.acquire()
    assert not second.acquire(alone=True)
    assert elsewhere.acquire(alone=True)
    first.release()
    assert second.acquire(alone=True)
    assert not first.acquire()
    second.release()
    assert first.acquire()
    code = (
        "import os, pathlib, sys; from tuner.search.machine import MachineLock\n"
        "assert MachineLock('b', pathlib.Path(sys.argv[1])).acquire(alone=True); os._exit(0)"
    )
    elsewhere.release()
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert elsewhere.acquire(alone=True)  # whoever dies releases it


def test_if_nothing_can_be_locked_everybody_may_train(tmp_path):
    first, second = (MachineLock("a", tmp_path / "missing") for _ in range(2))
    assert first.acquire(alone=True)
    assert second.acquire()


def test_what_breaks_a_limit_alone_too_is_given_up_and_avoided(sqlite):
    """All trials have the same parameters: no other is run."""
    params = {"optimizer.learning_rate": {"choices": [0.1]}, "epochs": 3}
    made = definition(params, trials=3, sampler="random", retries=2)
    prepare(sqlite, made)
    killed(sqlite, {0}, alone_too={0})
    killed(sqlite, set(), alone_too={0})
    trials = by_ticket(sqlite)
    assert trials[0] == [("FAIL", records.KILLED), ("FAIL", records.AVOIDED)]
    assert Counter(trials[1] + trials[2]) == {("COMPLETE", None): 2}

    prepare(sqlite, made, trials=5)
    reason, events = work(sqlite)
    assert reason == "done"
    assert of(TrialStarted, events) == []
    last = load(sqlite).trials[-1]
    assert by_ticket(sqlite)[4] == [("FAIL", records.FINAL)]
    assert last.user_attrs[records.CAUSE] == (
        f"not run: trial 3 had the same parameters, and {CAUSE}, also when it was tried alone"
    )


def grid(**changes):
    params = {"optimizer.learning_rate": {"values": RATES}, "epochs": 4}
    return definition(params, sampler="grid", **changes)


def test_each_candidate_of_a_stack_is_tried_in_a_stack_of_its_own(url, tmp_path):
    prepare(url, grid())
    killed(url, {0, 1, 2, 3})
    trainer = FakeTrainer()
    _, events = work(url, trainer=trainer)
    assert [len(stack) for stack in trainer.stacks] == [1, 1, 1, 1]
    assert [(event.ticket, event.alone) for event in of(TrialStarted, events)] == [
        (ticket, True) for ticket in range(4)
    ]
    assert [states[-1] for states in by_ticket(url).values()] == [("COMPLETE", None)] * 4
    whole = f"journal:{tmp_path}/whole"
    prepare(whole, grid())
    work(whole)
    assert table(url)[-4:] == table(whole)


def test_a_candidate_that_is_given_up_is_trained_along_with_no_other(sqlite):
    """Its group has more to do: what was killed for another reason, and what is added later."""
    prepare(sqlite, grid())
    killed(sqlite, {0, 1, 2, 3})
    killed(sqlite, set(), alone_too={1})
    assert by_ticket(sqlite)[1][-1] == ("FAIL", records.AVOIDED)
    trainer = FakeTrainer()
    assert work(sqlite, trainer=trainer)[0] == "done"
    assert [len(stack) for stack in trainer.stacks] == [1, 1]
    assert [states[-1][0] for states in by_ticket(sqlite).values()] == [
        "COMPLETE",
        "FAIL",
        "COMPLETE",
        "COMPLETE",
    ]


def test_candidates_with_the_parameters_of_one_given_up_are_not_run(sqlite):
    params = {"epochs": {"distribution": "randint", "low": 3, "high": 4}}
    prepare(sqlite, definition(params, sampler="sklearn-random", trials=3))
    epochs = [trial.system_attrs["fixed_params"]["epochs"] for trial in load(sqlite).trials]
    first, second = next(
        pair for pair in ((0, 1), (0, 2), (1, 2)) if epochs[pair[0]] == epochs[pair[1]]
    )
    killed(sqlite, {0, 1, 2})
    killed(sqlite, set(), alone_too={first})
    assert work(sqlite)[0] == "done"
    assert by_ticket(sqlite)[first][-1] == ("FAIL", records.AVOIDED)
    assert by_ticket(sqlite)[second][-1] == ("FAIL", records.FINAL)
