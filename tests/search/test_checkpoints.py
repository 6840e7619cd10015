"""Interrupted trials on a trainer that takes no time: they go on, and end as if undisturbed."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from optuna.trial import TrialState
from test_worker_faults import start

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import RATE, definition, load, of, prepare, work
from tuner.search.checkpoints import checkpoints, writer
from tuner.search.events import EpochDone, TrialDone, TrialReturned, WorkerWarning
from tuner.search.reporting import EpochReporter
from tuner.search.tickets import last_trials, read_counts
from tuner.storage import records, storage_at
from tuner.storage.backend import Writes


@pytest.fixture(autouse=True)
def artifacts(tmp_path, monkeypatch):
    """A folder of this test's own, and a checkpoint after every epoch."""
    monkeypatch.setattr(writer, "EVERY", 0.0)
    monkeypatch.setattr(writer, "SHARE", float("inf"))
    folder = tmp_path / "artifacts"
    monkeypatch.setenv("TUNER_ARTIFACTS", str(folder))
    return folder


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def ends(url):
    """By ticket, all that its last trial ended with, but for the times."""
    told = {}
    for ticket, trial in sorted(last_trials(load(url).trials).items()):
        curves = records.read_curves(trial)
        user = {k: v for k, v in trial.user_attrs.items() if k != records.DURATION}
        scores = [curve.tobytes() for curve in curves.validation.values()] if curves else []
        told[ticket] = (
            (trial.state, trial.params, trial.values, trial.intermediate_values),
            (user, scores, trial.user_attrs[records.ATTEMPT]),
        )
    return told


def resumed(url):
    """Ticket to the epochs after which it went on."""
    last = last_trials(load(url).trials)
    found = {t: trial.system_attrs.get(records.RESUMED) for t, trial in last.items()}
    return {ticket: epochs for ticket, epochs in found.items() if epochs}


def stopping_after(epochs):
    """Settings of `work` for a worker that is told to end after so many epochs."""
    done = []

    def note(event):
        if isinstance(event, EpochDone):
            done.append(event)

    return {"stop": lambda: len(done) >= epochs, "on_event": note}


def test_a_trial_handed_back_goes_on_after_the_epoch_it_was_in(url, tmp_path, artifacts):
    whole = f"journal:{tmp_path}/whole"
    for place in (url, whole):
        prepare(place, definition(trials=2, pruner="none"))
    reason, events = work(url, **stopping_after(9))
    assert reason == "stopped"
    assert [event.ticket for event in of(TrialReturned, events)] == [1]
    assert len(files(artifacts)) == 1
    trainer = FakeTrainer()
    reason, events = work(url, trainer=trainer)
    assert (reason, trainer.begun) == ("done", [3])
    assert [event.epoch for event in of(EpochDone, events)] == [4, 5, 6]
    assert resumed(url) == {1: [3]}
    assert files(artifacts) == []
    work(whole)
    assert ends(url) == ends(whole)
    assert list(load(url).trials[-1].intermediate_values) == list(range(6))


def test_a_trial_may_be_interrupted_after_every_epoch(sqlite, tmp_path):
    whole = f"journal:{tmp_path}/whole"
    for place in (sqlite, whole):
        prepare(place, definition({**RATE, "epochs": 4}, trials=1, pruner="none"))
    begun = []
    while read_counts(load(sqlite)).done < 1:
        trainer = FakeTrainer()
        work(sqlite, trainer=trainer, **stopping_after(1))
        begun += trainer.begun
    assert begun == [0, 1, 2, 3]
    assert resumed(sqlite) == {0: [1, 2, 3]}
    work(whole)
    assert ends(sqlite) == ends(whole)


PRUNERS = {
    "median": {"name": "median", "n_startup_trials": 2, "n_warmup_steps": 1},
    "successive-halving": {"name": "successive-halving", "reduction_factor": 2},
    "hyperband": {"name": "hyperband", "reduction_factor": 2},
    "wilcoxon": {"name": "wilcoxon", "p_threshold": 0.3},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PRUNERS)
def test_a_pruner_decides_as_if_no_trial_had_been_interrupted(sqlite, tmp_path, name):
    """Every trial is interrupted, after every third epoch of the worker."""
    whole, turns = f"journal:{tmp_path}/whole", 0
    for place in (sqlite, whole):
        prepare(place, pruned_study(name))
    while read_counts(load(sqlite)).done < 10:
        work(sqlite, **stopping_after(3))
        turns += 1
    work(whole)
    assert ends(sqlite) == ends(whole)
    states = {trial.state for trial in last_trials(load(whole).trials).values()}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}
    assert turns > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["successive-halving", "hyperband"])
def test_attempts_that_are_trials_of_their_own_count_once_in_a_bracket(tmp_path, name):
    """In a journal whoever goes on is another trial, behind all others. The fifth is interrupted
    when it is the only one left; the rest come after it."""
    url, whole = f"journal:{tmp_path}/a", f"journal:{tmp_path}/whole"
    made = pruned_study(name)
    for trials in (5, 10):
        for place in (url, whole):
            prepare(place, made, trials=trials)
        while read_counts(load(url)).done < 4:
            work(url, stop=lambda: read_counts(load(url)).done >= 4)
        while read_counts(load(url)).done < 5:
            work(url, **stopping_after(2))
        work(url)
        work(whole)
        assert ends(url) == ends(whole)
    assert list(resumed(url)) == [4]
    assert len(load(url).trials) > 10


def pruned_study(name):
    return definition({**RATE, "epochs": 9}, trials=10, pruner=PRUNERS[name], sampler="random")


@pytest.mark.slow
def test_a_killed_workers_trial_goes_on_in_another_trial(sqlite, tmp_path, artifacts):
    whole = f"journal:{tmp_path}/whole"
    for place in (sqlite, whole):
        prepare(place, definition(trials=2, pruner="none"))
    killed = start(sqlite, die_at=5, checkpoint_every=0.0)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert len(files(artifacts)) == 1
    trainer = FakeTrainer()
    work(sqlite, trainer=trainer)
    assert sorted(trainer.begun) == [0, 4]
    assert resumed(sqlite) == {0: [4]}
    work(whole)
    first, whole_first = ends(sqlite)[0], ends(whole)[0]
    assert first[0] == whole_first[0]  # its reports from epoch 0, each once
    assert first[1][1] == whole_first[1][1]  # and its curves
    assert len(load(sqlite).trials) == 3
    assert files(artifacts) == []


def test_a_trial_is_pruned_rather_than_handed_back(sqlite):
    """As it would have been had nobody stopped its worker in that epoch."""
    made = definition(trials=2, pruner={"name": "threshold", "upper": 0.0, "n_warmup_steps": 2})
    prepare(sqlite, made)
    _, events = work(sqlite, **stopping_after(3))
    [done] = of(TrialDone, events)
    assert (done.ticket, done.state) == (0, "pruned")


def test_seconds_of_all_attempts_are_counted(sqlite):
    prepare(sqlite, definition(trials=1, pruner="none"))
    work(sqlite, trainer=FakeTrainer(epoch_seconds=0.05), **stopping_after(3))
    work(sqlite, trainer=FakeTrainer(epoch_seconds=0.05))
    [trial] = load(sqlite).trials
    assert trial.user_attrs[records.DURATION] >= 6 * 0.05


def test_short_trials_write_nothing(sqlite, artifacts, monkeypatch):
    monkeypatch.setattr(writer, "EVERY", 600.0)
    prepare(sqlite, definition(trials=3, pruner="none"))
    work(sqlite, **stopping_after(9))
    assert not artifacts.exists()
    trainer = FakeTrainer()
    work(sqlite, trainer=trainer)
    assert trainer.begun == [0, 0]


# What must not be used.


def interrupted(url, artifacts, **settings):
    """The checkpoint of ticket 0, stopped after three epochs."""
    prepare(url, definition(trials=1, pruner="none"))
    work(url, **stopping_after(3), **settings)
    [name] = files(artifacts)
    return artifacts / name


class Other(FakeTrainer):
    """Says that it trains something else, as another version or other seeds would."""

    def identity(self, plans, seeds):
        return {**super().identity(plans, seeds), "keras": "2.1"}


@pytest.mark.parametrize("damage", ["torn", "altered", "foreign", "version"])
def test_a_checkpoint_that_does_not_fit_is_never_used(sqlite, tmp_path, artifacts, damage):
    path = interrupted(sqlite, artifacts, trainer=Other() if damage == "version" else None)
    content = bytearray(path.read_bytes())
    if damage == "torn":
        path.write_bytes(content[:-30])
    elif damage == "altered":
        content[content.index(b"reports")] ^= 1
        path.write_bytes(content)
    elif damage == "foreign":
        path.write_text("not ours\n")
    trainer = FakeTrainer()
    reason, events = work(sqlite, trainer=trainer)
    assert (reason, trainer.begun) == ("done", [0])
    [warning] = of(WorkerWarning, events)
    assert "the checkpoint of ticket 0 is not used" in warning.text
    assert "training begins at epoch 0" in warning.text
    assert ("keras 2.1 instead of 3." in warning.text) == (damage == "version")
    whole = f"journal:{tmp_path}/whole"
    prepare(whole, definition(trials=1, pruner="none"))
    work(whole)
    assert ends(sqlite) == ends(whole)
    assert files(artifacts) == []


def test_another_study_of_the_same_name_has_checkpoints_of_its_own(sqlite, tmp_path, artifacts):
    """Two storages share a folder."""
    interrupted(sqlite, artifacts)
    other, trainer = f"journal:{tmp_path}/other", FakeTrainer()
    prepare(other, definition(trials=1, pruner="none"))
    _, events = work(other, trainer=trainer)
    assert (trainer.begun, of(WorkerWarning, events)) == ([0], [])
    assert len(files(artifacts)) == 1
    again = FakeTrainer()
    work(sqlite, trainer=again)
    assert again.begun == [3]


def test_a_study_made_before_studies_had_keys_resumes_too(sqlite, artifacts, monkeypatch):
    monkeypatch.setattr(records, "STUDY_KEY", "tuner:unknown")
    prepare(sqlite, definition(trials=1, pruner="none"))
    monkeypatch.undo()
    monkeypatch.setattr(writer, "EVERY", 0.0)
    monkeypatch.setenv("TUNER_ARTIFACTS", str(artifacts))
    assert records.STUDY_KEY not in load(sqlite).user_attrs
    work(sqlite, **stopping_after(3))
    trainer = FakeTrainer()
    work(sqlite, trainer=trainer)
    assert trainer.begun == [3]


# What goes wrong on the way.


def test_a_failed_attempt_leaves_its_checkpoint_to_the_next_one_only(url, artifacts):
    """The second failure comes after a checkpoint, which may be its cause."""
    fails: list[Any] = []

    def fail(params, epoch):
        if epoch == 4 and len(fails) < 2:
            fails.append(epoch)
            raise RuntimeError("no room")

    trainer = FakeTrainer(fail=fail)
    prepare(url, definition(trials=1, pruner="none"))
    reason, _ = work(url, trainer=trainer)
    assert (reason, trainer.begun) == ("done", [0, 3, 0])
    assert read_counts(load(url)).complete == 1
    assert files(artifacts) == []


def test_a_trial_that_failed_for_good_leaves_nothing(url, artifacts):
    def fail(params, epoch):
        if epoch == 4:
            raise RuntimeError("no room")

    prepare(url, definition(trials=1, pruner="none", retries=0))
    work(url, trainer=FakeTrainer(fail=fail))
    assert read_counts(load(url)).failed == 1
    assert files(artifacts) == []


def test_a_folder_that_cannot_be_written_is_said_once_and_stops_nobody(sqlite, artifacts):
    artifacts.write_text("a file")
    prepare(sqlite, definition(trials=3, pruner="none"))
    reason, events = work(sqlite)
    assert reason == "done"
    assert read_counts(load(sqlite)).complete == 3
    [warning] = of(WorkerWarning, events)
    assert "checkpoints cannot be written" in warning.text
    assert "--artifacts DIR" in warning.text


def test_too_large_a_state_has_no_checkpoint_which_is_said_once(sqlite, artifacts, monkeypatch):
    monkeypatch.setattr(checkpoints, "MOST_BYTES", 100)
    prepare(sqlite, definition(trials=3, pruner="none"))
    _, events = work(sqlite)
    assert read_counts(load(sqlite)).complete == 3
    [warning] = of(WorkerWarning, events)
    assert "a checkpoint has at most 0 MB" in warning.text
    assert files(artifacts) == []


def test_a_checkpoint_that_cannot_be_gone_on_from_is_tried_once(sqlite, artifacts, monkeypatch):
    prepare(sqlite, definition(trials=1, retries=1))
    with monkeypatch.context() as without_reports:
        without_reports.setattr(EpochReporter, "notes", lambda _: {})
        work(sqlite, **stopping_after(3))
    assert len(files(artifacts)) == 1
    trainer = FakeTrainer()
    work(sqlite, trainer=trainer)
    assert [trial.state for trial in load(sqlite).trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert (trainer.begun, files(artifacts)) == ([0], [])


def test_a_lost_trial_leaves_its_checkpoint_to_the_one_who_has_it(sqlite, artifacts):
    prepare(sqlite, definition(trials=1, pruner="none"))
    left: list[Any] = []

    def take_over(event):
        if isinstance(event, EpochDone) and event.epoch == 6 and not left:
            backend = storage_at(sqlite).backend()
            [trial] = backend.trials(backend.storage.get_study_id_from_name("study"))
            owner = trial.system_attrs[records.WORKER]
            backend.write(trial._trial_id, Writes(state=TrialState.FAIL), owner)
        if isinstance(event, TrialReturned):
            left.extend(files(artifacts))

    trainer = FakeTrainer()
    reason, events = work(sqlite, on_event=take_over, trainer=trainer)
    assert (reason, len(left), trainer.begun) == ("done", 1, [0, 5])
    assert "too late" in of(TrialReturned, events)[0].cause
    assert resumed(sqlite) == {0: [5]}
    assert files(artifacts) == []
