"""Checkpoints by themselves: the folder, the files, when they are written, what is swept."""

from __future__ import annotations

import io
import os
import re

import numpy as np
import pytest
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import TrialState, create_trial

from tests.support.fake_trainer import FakeModel
from tuner.search.checkpoints.checkpoints import KEPT, KEPT_UNFINISHED, Checkpoints
from tuner.search.checkpoints.store import AtomicFileStore
from tuner.search.checkpoints.writer import EVERY, CheckpointWriter
from tuner.search.rungs import without_repeated_rungs
from tuner.storage import records, storage_at
from tuner.training.state import NetworkState, RunState, TrainingState


def state(epochs=2):
    curve = np.zeros((epochs, 1))
    run = RunState({"loss": curve}, {"loss": curve}, curve, curve[:, 0], (NetworkState({}, {}),))
    return TrainingState([np.arange(10.0)], epochs, run)


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time

    def pass_by(self, seconds):
        self.time += seconds


# The folder.


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("sqlite:///studies/tuner.db", "studies/artifacts"),
        ("sqlite:////data/a.db", "/data/artifacts"),
        ("somewhere/a.db", "somewhere/artifacts"),
        ("journal:/shared/a.log", "/shared/artifacts"),
        ("postgresql://user:secret@host/db", "studies/artifacts"),
        (None, "studies/artifacts"),
    ],
)
def test_artifacts_lie_beside_a_storage_that_is_a_file(monkeypatch, url, folder):
    for name in ("TUNER_ARTIFACTS", "TUNER_STORAGE", "OPTUNA_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    assert storage_at(url).artifacts_folder(None).as_posix() == folder


def test_the_flag_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("TUNER_ARTIFACTS", "/shared/b")
    assert storage_at("a.db").artifacts_folder(None).as_posix() == "/shared/b"
    assert storage_at("a.db").artifacts_folder("c").as_posix() == "c"


# The store.


def test_an_artifact_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    store = AtomicFileStore(tmp_path / "made" / "when needed")
    assert store.ages() == {}
    store.write("a", io.BytesIO(b"first"))

    class Torn(io.BytesIO):
        def read(self, *_):
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        store.write("a", Torn())

    def cut(*_):
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        with pytest.raises(OSError, match="power cut"):
            store.write("a", io.BytesIO(b"second"))
    assert list(store.ages()) == ["a"]
    with store.open_reader("a") as file:
        assert file.read() == b"first"
    store.write("a", io.BytesIO(b"second"))
    with store.open_reader("a") as file:
        assert file.read() == b"second"
    store.remove("a")
    with pytest.raises(ArtifactNotFound):
        store.open_reader("a")


def test_a_file_is_synced_before_it_gets_its_name(tmp_path, monkeypatch):
    steps = []
    sync = os.fsync

    def note(descriptor):
        steps.append(sorted(path.name for path in tmp_path.iterdir()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    AtomicFileStore(tmp_path).write("a", io.BytesIO(b"x"))
    before, after = steps  # the file, then the folder
    assert re.fullmatch(r"a\.[0-9a-f]{8}\.tmp", before[0])
    assert after == ["a"]


# When one is written.


class Recorder:
    """A `Checkpoint` that keeps what is saved."""

    def __init__(self, fits=True, resumed=(), takes=lambda: None):
        self.resumed, self.saved, self._fits, self._takes = resumed, [], fits, takes

    def save(self, state, notes):
        self._takes()
        self.saved.append((state.epochs, notes))
        return self._fits


def writer_on(checkpoint, clock, *, epochs=9, leaving=lambda: False):
    made = CheckpointWriter(checkpoint, notes=lambda: {"a": 1}, leaving=leaving, now=clock)
    model = FakeModel(lambda: state(made.at))  # type: ignore[attr-defined]
    made.set_params({"epochs": epochs})
    made.set_model(model)
    made.on_train_begin()
    return made, model


def run(made, clock, epochs, seconds):
    for epoch in epochs:
        clock.time += seconds
        made.at = epoch + 1
        made.on_epoch_end(epoch)


def test_a_checkpoint_is_due_after_a_while_and_then_not_too_often():
    clock = Clock()
    made, _ = writer_on(Recorder(takes=lambda: clock.pass_by(1.0)), clock)
    clock.time += EVERY - 0.1
    assert not made.due(leaving=False)
    assert not made.due(leaving=True)  # a short training is quicker repeated
    clock.time += 0.2
    assert made.due(leaving=False)
    assert made.due(leaving=True)
    run(made, clock, [0], 0.0)  # writing took a second: it may take a twentieth
    clock.time += 19.0
    assert not made.due(leaving=False)
    assert made.due(leaving=True)
    clock.time += 1.1
    assert made.due(leaving=False)


def test_whoever_went_on_from_a_checkpoint_leaves_another_at_once():
    made, _ = writer_on(Recorder(resumed=[3]), Clock())
    assert made.due(leaving=True)
    assert not made.due(leaving=False)


def test_a_training_is_saved_every_few_seconds_but_not_at_its_end():
    clock, checkpoint = Clock(), Recorder()
    made, _ = writer_on(checkpoint, clock)
    run(made, clock, range(9), EVERY / 2 + 0.01)
    assert checkpoint.saved == [(2, {"a": 1}), (4, {"a": 1}), (6, {"a": 1}), (8, {"a": 1})]
    longer = Recorder()
    made, _ = writer_on(longer, clock, epochs=3)
    run(made, clock, range(3), EVERY)
    assert [epochs for epochs, _ in longer.saved] == [1, 2]


@pytest.mark.parametrize("leaving", [True, False])
def test_an_ended_training_is_saved_only_if_it_goes_on_another_time(leaving):
    clock, checkpoint = Clock(), Recorder()
    made, model = writer_on(checkpoint, clock, leaving=lambda: leaving)
    run(made, clock, range(2), EVERY)
    model.stop_training = True  # pruned, or handed back
    run(made, clock, [2], EVERY)
    assert [epochs for epochs, _ in checkpoint.saved] == [1, 2, 3][: 3 if leaving else 2]


def test_too_large_a_state_is_made_once():
    clock, checkpoint = Clock(), Recorder(fits=False)
    made, _ = writer_on(checkpoint, clock)
    run(made, clock, range(5), EVERY)
    assert len(checkpoint.saved) == 1


# What is swept.


def named(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_what_nobody_comes_back_for_is_swept(tmp_path):
    store = AtomicFileStore(tmp_path)
    ours, other = (Checkpoints(store, study, print) for study in ("ab", "cd"))

    def save(owner, tickets, trainings=1):
        owner.of(tickets, dict, trainings=trainings).save(state(), {})

    save(ours, [0])
    save(ours, [1])
    save(ours, [2, 5], trainings=2)  # a group of which one has ended
    save(ours, [3, 4], trainings=2)
    save(other, [0])
    (tmp_path / "something else").touch()
    (tmp_path / "checkpoint-ab-7x1.npz").write_text("torn")
    half = tmp_path / "checkpoint-cd-1x1.npz.0123abcd.tmp"
    half.touch()
    ours.sweep(lambda: {0, 2, 3, 4, 7})
    left = named(tmp_path)
    assert left == [
        "checkpoint-ab-1x1.npz",
        "checkpoint-ab-2x2.npz",
        "checkpoint-cd-0x1.npz",
        half.name,
        "something else",
    ]
    for name, age in ((half.name, KEPT_UNFINISHED), ("checkpoint-cd-0x1.npz", KEPT)):
        past = (tmp_path / name).stat().st_mtime - age - 60
        os.utime(tmp_path / name, (past, past))
    ours.sweep(lambda: ())
    assert named(tmp_path) == ["checkpoint-ab-1x1.npz", "checkpoint-ab-2x2.npz", "something else"]


def test_without_a_checkpoint_nobody_asks_which_tickets_are_settled(tmp_path):
    def settled():
        raise AssertionError

    Checkpoints(AtomicFileStore(tmp_path / "none"), "ab", print).sweep(settled)


def test_there_is_one_checkpoint_of_a_training_at_a_time(tmp_path):
    own = Checkpoints(AtomicFileStore(tmp_path), "ab", print)
    for epochs in (2, 5):
        own.of([3], dict).save(state(epochs), {"a": epochs})
    assert named(tmp_path) == ["checkpoint-ab-3x1.npz"]
    found = own.of([3], dict)
    saved = found.load()
    assert (saved.state.epochs, saved.notes["a"], found.resumed) == (5, 5, [5])
    own.remove([3])
    assert own.of([3], dict).load() is None


# What a pruner may count.


def test_the_rungs_of_an_attempt_that_was_followed_count_no_more():
    def trial(number, ticket, turn, state, rung):
        made = create_trial(
            state=state,
            value=1.0 if state == TrialState.COMPLETE else None,
            user_attrs={records.TICKET: ticket},
            system_attrs={records.TURN: turn, "completed_rung_0": rung, "else": 1},
        )
        made.number = made._trial_id = number
        return made

    trials = [
        trial(0, 0, 0, TrialState.COMPLETE, 0.1),
        trial(1, 1, 0, TrialState.FAIL, 0.2),
        trial(2, 2, 0, TrialState.FAIL, 0.3),  # for good
        trial(3, 1, 1, TrialState.RUNNING, 0.2),
    ]
    seen = [trial.system_attrs.get("completed_rung_0") for trial in without_repeated_rungs(trials)]
    assert seen == [0.1, None, 0.3, 0.2]
    assert trials[1].system_attrs["completed_rung_0"] == 0.2  # not changed where it is kept
    assert without_repeated_rungs(trials)[1].system_attrs["else"] == 1
