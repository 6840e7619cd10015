"""Studies of a user's own network: as every other study, with `build` beside the storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
from optuna.trial import TrialState
from test_checkpoints import artifacts as artifacts
from test_checkpoints import ends, files, resumed, stopping_after

from tests.support.own_networks import convolutional
from tests.support.studies import load
from tuner.code import save
from tuner.code.spec import BUILD
from tuner.errors import PlanError
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.search.tickets import last_trials, read_counts
from tuner.spaces import Space
from tuner.storage import records
from tuner.study.definition import StudyDefinition
from tuner.training import set_threads

set_threads()
PARAMS = {
    "filters": {"values": [2, 4]},
    "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    "epochs": 6,
    "batch_size": 32,
}


def own_study(
    folder: Path, build: Any, params: dict[str, Any] = PARAMS, **changes: Any
) -> StudyDefinition:
    space = Space.from_dict({"name": "convolutions", "open": True, "params": params})
    made = StudyDefinition(space=space, trials=4, code=save(folder, {BUILD: build}))
    return made.override({"data.limit": 242, "folds.k": 3, "sampler": "random", **changes})


def work(url: str, made: StudyDefinition, folder: Path, **settings: Any) -> None:
    settings = {"stop": lambda: False, "on_event": lambda event: None, **settings}
    assert made.code is not None
    run_worker(url, "study", code=made.code.file, artifacts=str(folder), **settings)


@pytest.mark.slow
def test_trials_are_pruned_by_their_epochs_and_go_on_after_an_interruption(tmp_path, artifacts):
    """Interrupted after every fourth epoch of the worker; the undisturbed study beside it."""
    pruner = {"name": "median", "n_startup_trials": 1, "n_warmup_steps": 1}
    made = own_study(artifacts, convolutional, pruner=pruner)
    url, whole = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/whole.db"
    for place in (url, whole):
        prepare_study(made, name="study", storage_url=place, trials=None)
    turns = 0
    while read_counts(load(url)).done < 4:
        work(url, made, artifacts, **stopping_after(4))
        turns += 1
    assert turns > 2
    assert resumed(url)
    assert files(artifacts) == ["code"]
    work(whole, made, artifacts)
    assert ends(url) == ends(whole)
    states = {trial.state for trial in last_trials(load(whole).trials).values()}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}


def three_classes(params: dict[str, Any]) -> keras.Model:
    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(3)])


def of_few_filters(params: dict[str, Any]) -> keras.Model:
    if params["filters"] > 2:
        raise MemoryError("too many filters")
    return convolutional(params)


def test_a_network_that_never_fits_stops_the_search(tmp_path, artifacts):
    made, url = own_study(artifacts, three_classes), f"sqlite:///{tmp_path}/a.db"
    prepare_study(made, name="study", storage_url=url, trials=None)
    with pytest.raises(PlanError, match=r"answers \(None, 3\); .* asks for \(None, 10\)"):
        work(url, made, artifacts)
    assert {trial.state for trial in load(url).trials} == {TrialState.WAITING}


@pytest.mark.slow
def test_a_network_that_fits_for_some_parameters_only_fails_for_the_others(tmp_path, artifacts):
    params = {"filters": {"values": [2, 4]}, "epochs": 1}
    made = own_study(artifacts, of_few_filters, params, sampler="grid", trials=2)
    url = f"sqlite:///{tmp_path}/a.db"
    prepare_study(made, name="study", storage_url=url, trials=None)
    work(url, made, artifacts)
    trials = load(url).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL"]
    assert "raised MemoryError: too many filters" in trials[1].user_attrs[records.CAUSE]


@pytest.mark.slow
def test_the_weights_of_a_network_are_an_objective_and_a_bound(tmp_path, artifacts):
    params = {"filters": {"values": [2, 4, 8]}, "epochs": 1}
    made = own_study(artifacts, convolutional, params, sampler="grid", trials=3)
    sizes = [convolutional({"filters": filters}).count_params() for filters in (2, 4, 8)]
    made = made.override({"objective.others": ["parameters"], "at_most.parameters": sizes[1]})
    url = f"sqlite:///{tmp_path}/a.db"
    prepare_study(made, name="study", storage_url=url, trials=None)
    work(url, made, artifacts)
    trials = load(url).trials
    assert [trial.values[1] for trial in trials[:2]] == sizes[:2]
    assert trials[2].state == TrialState.PRUNED
    assert f"not trained: {sizes[2]} parameters" in trials[2].user_attrs[records.CAUSE]
