"""Pruners by name, counted in epochs; and the reporter that asks them."""

from __future__ import annotations

import math

import optuna
import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeModel
from tests.support.studies import RATE, definition, load, prepare, work
from tuner.errors import TunerError
from tuner.search.reporting import EpochReporter
from tuner.search.ticket_queue import most_epochs
from tuner.storage import records
from tuner.study.pruners import PRUNERS

SETTINGS = {"threshold": {"lower": 0.3, "n_warmup_steps": 2}}
CLASSES = {
    "median": optuna.pruners.MedianPruner,
    "percentile": optuna.pruners.PercentilePruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "successive-halving": optuna.pruners.SuccessiveHalvingPruner,
    "patient": optuna.pruners.PatientPruner,
    "wilcoxon": optuna.pruners.WilcoxonPruner,
    "threshold": optuna.pruners.ThresholdPruner,
    "none": optuna.pruners.NopPruner,
}


@pytest.mark.parametrize("name", PRUNERS)
def test_every_pruner_is_optunas_and_runs(tmp_path, name):
    url = f"journal:{tmp_path}/a"
    made = definition(
        {**RATE, "epochs": 12},
        pruner={"name": name, **SETTINGS.get(name, {})},
        sampler="random",
        trials=15,
    )
    assert isinstance(made.pruner.build(12), CLASSES[name])
    prepare(url, made)
    assert work(url)[0] == "done"
    trials = load(url).trials
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    assert (name in ("none", "patient")) == (not pruned)
    for trial in pruned:
        assert trial.user_attrs[records.CAUSE].startswith(f"pruned by {name} after epoch ")
        assert len(trial.intermediate_values) == trial.user_attrs[records.EPOCHS_RUN] < 12


def test_nothing_is_pruned_in_the_warmup(tmp_path):
    url = f"journal:{tmp_path}/a"
    settings = {"name": "median", "n_startup_trials": 2, "n_warmup_steps": 5}
    prepare(url, definition({**RATE, "epochs": 9}, pruner=settings, sampler="random", trials=15))
    work(url)
    run = {
        trial.user_attrs[records.EPOCHS_RUN]
        for trial in load(url).trials
        if trial.state == TrialState.PRUNED
    }
    assert min(run) == 6  # the first epoch after five of warm-up


def test_patient_wraps_another_pruner_or_none():
    made = definition(pruner={"name": "patient", "patience": 2, "wrapped": "median"})
    pruner = made.pruner.build(5)
    assert isinstance(pruner._wrapped_pruner, optuna.pruners.MedianPruner)
    alone = definition(pruner="patient").pruner.build(5)
    assert alone._wrapped_pruner is None


@pytest.mark.parametrize(
    ("epochs", "most"),
    [(7, 7), ({"low": 2, "high": 31}, 31), ({"values": [5, 3]}, 5), ({"choices": [4, 9]}, 9)],
)
def test_hyperband_is_told_the_most_epochs_of_the_space(epochs, most):
    made = definition({**RATE, "epochs": epochs}, pruner="hyperband")
    assert most_epochs(made) == most
    assert made.pruner.build(most)._max_resource == most
    assert most_epochs(definition(RATE)) == 20  # the catalogue's default


class Trial:
    """Records what it is told; prunes at the steps of `at`."""

    def __init__(self, at=()):
        self.told, self.asked, self.at = [], 0, at

    def report(self, value, step):
        self.told.append((step, value))

    def should_prune(self):
        self.asked += 1
        return self.told[-1][0] in self.at


def reporter(trial, **settings):
    made = EpochReporter(trial, "val_accuracy", **settings)
    model = FakeModel()
    made.set_params({"epochs": 4})
    made.set_model(model)
    return made, model


def test_an_epoch_is_reported_once():
    trial = Trial()
    made, _ = reporter(trial)
    made.on_epoch_end(0, {"val_accuracy": 0.5})
    made.on_epoch_end(0, {"val_accuracy": 0.9})
    made.on_epoch_end(1, {"val_accuracy": 0.6})
    assert trial.told == [(0, 0.5), (1, 0.6)]


def test_nothing_is_pruned_after_the_last_epoch():
    trial = Trial(at=(3,))
    made, model = reporter(trial)
    for epoch in range(4):
        made.on_epoch_end(epoch, {"val_accuracy": 0.5})
    assert (trial.asked, made.pruned, model.stop_training) == (3, False, False)
    early, model = reporter(Trial(at=(1,)))
    early.on_epoch_end(0, {"val_accuracy": 0.5})
    assert not model.stop_training
    early.on_epoch_end(1, {"val_accuracy": 0.5})
    assert (early.pruned, model.stop_training) == (True, True)


def test_a_mean_that_is_not_finite_ends_the_training():
    trial = Trial()
    made, model = reporter(trial)
    made.on_epoch_end(0, {"val_accuracy": math.nan})
    assert (made.diverged, made.pruned, model.stop_training, trial.asked) == (True, False, True, 0)


def test_reports_of_fast_epochs_are_written_together():
    flushes = []
    made, _ = reporter(Trial(), flush=lambda: flushes.append(1), flush_every=60.0)
    for epoch in range(3):
        made.on_epoch_end(epoch, {"val_accuracy": 0.5})
    assert flushes == []
    slow, _ = reporter(Trial(), flush=lambda: flushes.append(1))
    for epoch in range(3):
        slow.on_epoch_end(epoch, {"val_accuracy": 0.5})
    assert len(flushes) == 3


def test_a_score_that_is_not_in_the_logs_is_named():
    made, _ = reporter(Trial())
    with pytest.raises(TunerError, match="did you mean val_acc"):
        made.on_epoch_end(0, {"val_acc": 0.5, "loss": 1.0})
