"""Callbacks: Optuna's after each trial, Keras's after each epoch, both in this process."""

from __future__ import annotations

import pytest

import tuner
from tuner.errors import UsageError
from tuner.results import mean_curves
from tuner.storage import storage_at
from tuner.study.opening import reading

SPACE = {"optimizer": "adam", "optimizer.learning_rate": tuner.log(1e-3, 1.0), "epochs": 4}
DATA = {"data": "sklearn:digits", "folds": 3, "pruner": "none", "progress": "none"}


class Epochs:
    """As a `keras.callbacks.Callback`."""

    def __init__(self):
        self.told = []
        self.params = None

    def on_epoch_end(self, epoch, logs):
        self.told.append((self.params["trial"], epoch, logs["val_accuracy"], self.params["epochs"]))


def test_each_epoch_and_each_trial_is_told(in_process):
    epochs, trials = Epochs(), []

    def done(study, trial):
        trials.append((study.study_name, trial.number, trial.value))

    study = tuner.optimize(SPACE, trials=3, callbacks=[epochs, done], **DATA)
    assert trials == [(study.name, own.number, own.value) for own in _trials(study)]
    assert [own[:2] for own in epochs.told] == [(n, e) for n in range(3) for e in range(4)]
    assert {own[3] for own in epochs.told} == {4}
    with reading(study.name, storage_at(study.storage)) as stored:
        curve = mean_curves(stored.trials[1]).validation["accuracy"]
    assert [own[2] for own in epochs.told if own[0] == 1] == pytest.approx(list(curve))


def _trials(study):
    with reading(study.name, storage_at(study.storage)) as stored:
        return stored.trials


def test_candidates_of_a_stack_have_their_own_logs(in_process):
    epochs = Epochs()
    space = {"optimizer.learning_rate": tuner.values(1e-3, 1e-2, 1e-1), "epochs": 2}
    study = tuner.optimize(space, sampler="grid", callbacks=epochs, **DATA)
    last = {number: value for number, epoch, value, _ in epochs.told if epoch == 1}
    assert last == pytest.approx({own.number: own.value for own in _trials(study)})


@pytest.mark.parametrize("way", ["study", "error"])
@pytest.mark.slow
def test_a_callback_ends_the_search(here, way):
    def done(study, trial):
        if way == "study":
            study.stop()
        elif way == "error":
            raise ZeroDivisionError("mine")

    def search():
        return tuner.optimize(SPACE, trials=300, workers=2, callbacks=done, **DATA)

    if way == "error":
        with pytest.raises(ZeroDivisionError, match="mine"):
            search()
        [name] = tuner.studies()["study"]
        study = tuner.load(name)
    else:
        study = search()
    states = study.table()["state"].value_counts()
    # Nothing is left behind: who was at work gave its trial back.
    assert states["waiting"] > 200
    assert "running" not in states
    assert len(study.optimize(trials=5, progress="none").table()) >= 5


@pytest.mark.parametrize("given", [3, Epochs], ids=["number", "class"])
def test_what_is_no_callback_is_refused(in_process, given):
    with pytest.raises(UsageError, match=r"callbacks are functions.*received (3|<class .*Epochs)"):
        tuner.optimize(SPACE, trials=1, callbacks=[given], **DATA)
    assert list(in_process.iterdir()) == []
