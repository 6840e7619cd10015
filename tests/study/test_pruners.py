"""Pruners by name, counted in epochs."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from tests.support.studies import RATE, definition, load, prepare, work
from tuner.search.worker_study import most_epochs
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
    assert isinstance(pruner._wrapped_pruner, optuna.pruners.MedianPruner)  # type: ignore[attr-defined]
    alone = definition(pruner="patient").pruner.build(5)
    assert alone._wrapped_pruner is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("epochs", "most"),
    [(7, 7), ({"low": 2, "high": 31}, 31), ({"values": [5, 3]}, 5), ({"choices": [4, 9]}, 9)],
)
def test_hyperband_is_told_the_most_epochs_of_the_space(epochs, most):
    made = definition({**RATE, "epochs": epochs}, pruner="hyperband")
    assert most_epochs(made) == most
    assert made.pruner.build(most)._max_resource == most  # type: ignore[attr-defined]
    assert most_epochs(definition(RATE)) == 20  # the catalogue's default
