"""Spaces by name and path, and the ones that ship."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import optuna
import pytest
from sklearn.model_selection import ParameterGrid, ParameterSampler

from tuner.errors import SpaceError
from tuner.optimizers import OPTIMIZERS
from tuner.planning import plan_training
from tuner.schedules import SCHEDULES
from tuner.spaces import Space, list_spaces, load_space, shipped_folder
from tuner.spaces.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
SHIPPED = (
    "batch_epochs_init",
    "initializers",
    "mlp_table",
    "optimizers",
    "realmlp",
    "regularization",
    "schedules",
    "sgd_decay",
)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_shipped_spaces_are_found_from_anywhere(elsewhere):
    entries = list_spaces()
    assert tuple(entry.name for entry in entries) == SHIPPED
    assert all(entry.source == "shipped" for entry in entries)
    assert all(entry.description for entry in entries)
    assert shipped_folder("search_spaces") == ROOT / "search_spaces"


def test_a_local_folder_shadows_the_shipped_one(elsewhere):
    folder = elsewhere / "search_spaces"
    folder.mkdir()
    (folder / "sgd_decay.yaml").write_text("description: mine\nparams: {epochs: 3}\n")
    (folder / "own.yml").write_text("params: {epochs: 4}\n")
    (folder / "broken.yaml").write_text("params: {epochs: 0}\n")
    assert load_space("sgd_decay").fixed() == {"epochs": 3}
    assert load_space("own").fixed() == {"epochs": 4}
    assert load_space("initializers").size() == 8
    entries = {entry.name: entry for entry in list_spaces()}
    assert (entries["sgd_decay"].source, entries["sgd_decay"].description) == ("local", "mine")
    assert entries["optimizers"].source == "shipped"
    assert entries["broken"].description.startswith("(not valid: search_spaces/broken.yaml:1: ")


def test_the_folder_of_a_clone_is_not_a_local_one(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert {entry.source for entry in list_spaces()} == {"shipped"}


def test_a_path_is_a_file_whatever_its_ending(elsewhere):
    (elsewhere / "mine.yaml").write_text("params: {epochs: 3}\n")
    (elsewhere / "plain").write_text("params: {epochs: 4}\n")
    assert load_space("mine.yaml").name == "mine"
    assert load_space(elsewhere / "mine.yaml").name == "mine"
    assert load_space("plain").fixed() == {"epochs": 4}


def test_names_and_files_that_do_not_exist(elsewhere):
    with pytest.raises(SpaceError) as caught:
        load_space("sgd_decy")
    assert str(caught.value) == (
        f"unknown search space 'sgd_decy'; did you mean sgd_decay? Available: {', '.join(SHIPPED)}"
    )
    with pytest.raises(SpaceError, match=r"missing\.yaml: cannot be read: it does not exist"):
        load_space("missing.yaml")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_candidate_of_a_shipped_space_can_be_planned(name):
    """Planning refuses a setting that the optimizer or schedule at hand does not have."""
    space = load_space(name)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    names: set[Any] = set()
    for _ in range(150):
        params = space.suggest(study.ask())
        plan_training(params, features=64, outputs=10, task="multiclass")
        names |= params.keys()
    assert names == set(space.params)
    for candidate in ParameterSampler(space.random(), n_iter=8, random_state=0):
        plan_training(space.complete(candidate), features=64, outputs=10, task="multiclass")


def test_the_grids_that_ship():
    guide = [
        *("uniform", "lecun_uniform", "normal", "zero"),
        *("glorot_normal", "glorot_uniform", "he_normal", "he_uniform"),
    ]
    initializers = load_space("initializers")
    grid = list(ParameterGrid(initializers.grid()))
    assert [candidate["initializer"] for candidate in grid] == guide
    plan = plan_training(
        initializers.complete(grid[3]), features=784, outputs=10, task="multiclass"
    )
    assert (plan.model.units, plan.model.dropout, plan.batch_size) == ((64, 64), 0.1, 128)
    assert plan.model.initializer == "zeros"
    three = load_space("batch_epochs_init")
    assert three.size() == 36
    assert three.distributions().keys() == {"batch_size", "epochs", "initializer"}


def test_sgd_decay_is_what_the_design_says():
    space = load_space("sgd_decay")
    assert space.fixed() == {
        "optimizer": "sgd",
        "schedule": "time",
        "model.layers": 2,
        "model.units": 64,
    }
    assert list(space.distributions()) == [
        "optimizer.learning_rate",
        "optimizer.momentum",
        "optimizer.nesterov",
        "schedule.decay",
        "initializer",
        "batch_size",
        "epochs",
    ]


def test_the_spaces_of_everything_leave_nothing_out():
    schedules, optimizers = load_space("schedules"), load_space("optimizers")
    assert set(schedules.params["schedule"].points()) == set(SCHEDULES)
    assert set(optimizers.params["optimizer"].points()) == set(OPTIMIZERS) - {"muon"}
    own = {name for name, info in CATALOGUE.items() if "schedule" in info.only_with}
    assert own - set(schedules.params) == {
        "schedule.min_delta",
        "schedule.min_rate",
        "schedule.cooldown",
    }
    settings = {
        name
        for name, info in CATALOGUE.items()
        if set(info.only_with.get("optimizer", ["muon"])) - {"muon"}
    }
    assert settings <= set(optimizers.params)


def test_whatever_is_accepted_can_be_planned(monkeypatch):
    """Spaces put together blindly from the catalogue."""
    monkeypatch.setattr("tuner.optimizers.version", lambda package: "99")
    rng = random.Random(0)
    values = {"bool": (True, False), "int": (1, 2, 3), "float": (0.0, 0.1, 0.25, 0.5, 0.75)}
    base = {
        "optimizer": {"choices": list(OPTIMIZERS)},
        "schedule": {"choices": list(SCHEDULES)},
        "schedule.boundaries": [3, 5],
        "schedule.factors": [0.5, 0.1],
    }
    # Which loss fits which task is for planning to say, and so is what it can be given.
    names = [name for name in CATALOGUE if name not in base and not name.startswith("loss")]
    accepted = 0
    for _ in range(200):
        params = dict(base)
        for name in rng.sample(names, 6):
            known = values.get(CATALOGUE[name].kind, CATALOGUE[name].names)
            several = {"choices": rng.sample(known, 2)}
            params[name] = several if rng.random() < 0.7 else rng.choice(known)  # type: ignore[arg-type]
        try:
            space = Space.from_dict({"params": params})
        except SpaceError:
            continue
        accepted += 1
        assert Space.from_dict(space.to_dict()) == space
        for candidate in ParameterSampler(space.random(), n_iter=5, random_state=0):
            plan_training(space.complete(candidate), features=8, outputs=3, task="multiclass")
    assert 20 < accepted < 180
