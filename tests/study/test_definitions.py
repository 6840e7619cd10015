"""Study definitions: files, hashes, overrides, differences."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.support.studies import RATE, definition, space
from tuner.errors import DefinitionError, PlanError, SpaceError
from tuner.spaces import Space, load_space
from tuner.spaces.shipped import named_files
from tuner.study.definition import definition_of
from tuner.study.description import with_total
from tuner.study.library import load_definition
from tuner.text import read_time


def test_json_round_trip():
    made = definition(sampler={"name": "cmaes", "popsize": 8}, data__limit=100, metrics=["loss"])
    assert definition_of(json.loads(made.to_json()), "test") == made


@pytest.mark.parametrize(
    "change",
    [
        {"trials": 99},
        {"timeout": 60},
        {"retries": 0},
        {"name": "other"},
        {"description": "words"},
    ],
)
def test_the_budget_is_no_part_of_the_hash(change):
    assert definition(**change).hash() == definition().hash()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"folds__k": 3},
        {"data__uri": "sklearn:iris"},
        {"sampler": "random"},
        {"sampler": "grid", "trials": 5},
        {"sampler": {"name": "tpe", "n_startup_trials": 11}},
        {"pruner": "none"},
        {"objective__metric": "loss"},
        {"metrics": ["loss"]},
    ],
)
def test_whatever_decides_a_score_is_part_of_the_hash(change):
    assert definition(**change).hash() != definition().hash()


def test_samplers_without_settings_have_hashes_of_their_own():
    hashes = [definition(sampler=name).hash() for name in ("random", "qmc", "gp", "brute-force")]
    assert len(set(hashes)) == 4


def test_a_space_is_hashed_by_its_parameters_and_their_order():
    one = definition({**RATE, "epochs": 6})
    other = definition({"epochs": 6, **RATE})
    assert one.hash() != other.hash()
    described = space().model_copy(update={"description": "words"})
    assert one.override({"space": described}).hash() == one.hash()
    assert definition({**RATE, "epochs": 7}).hash() != one.hash()


def test_the_hash_is_that_of_a_text_that_no_later_default_changes():
    # Studies are found again by it, so it must stay the same from version to version.
    given = '{"space":{"name":"s","params":{"epochs":{"low":1,"high":9}}},"folds":{"k":4}}'
    hashed = '{"folds":{"k":4},"space":[["epochs",{"high":9,"low":1}]]}'
    read = definition_of(json.loads(given), "test")
    assert read.hash() == hashlib.sha256(hashed.encode()).hexdigest()[:16]


#: Made by version 0.1.0, whose studies must be found again.
HASHES: dict[str, dict[str, object]] = {
    "dba5cddf866fa08b": {},
    "50819ff622dadfb0": {"sampler": {"name": "tpe", "n_startup_trials": 11}},
    "5970399070b94355": {"sampler": "random"},
    "54756ead9b4a6a50": {"sampler": "grid"},
    "bb703ed046d0245d": {"sampler": {"name": "sklearn-random", "random_state": 7}},
    "7aaf532060e2c805": {"sampler": {"name": "qmc", "qmc_type": "halton"}},
    "a2c5bd01e0df3c7b": {"sampler": {"name": "cmaes", "popsize": 8}},
    "253e8e5d7a29240d": {"sampler": "gp"},
    "96f5ce60fc009aa5": {"sampler": {"name": "nsga2", "population_size": 7, "mutation_prob": 0.5}},
    "a11007f123062fab": {"sampler": "brute-force"},
    "fe172b6cc0bebb91": {"pruner": {"name": "median", "n_warmup_steps": 5}},
    "3f5692833e52d278": {"pruner": {"name": "percentile", "percentile": 40}},
    "9b8d2faca12f24a4": {"pruner": {"name": "hyperband", "max_resource": 27}},
    "7e48afdc4c2254e4": {"pruner": "successive-halving"},
    "2f32bb36ae9598df": {
        "pruner": {
            "name": "patient",
            "patience": 2,
            "wrapped": {"name": "median", "n_min_trials": 2},
        }
    },
    "1777da1ae2352f3d": {"pruner": {"name": "wilcoxon", "p_threshold": 0.2}},
    "398a87e79bc38c68": {"pruner": {"name": "threshold", "lower": 0.3}},
    "5969eded8871ba0e": {"pruner": "none"},
}


@pytest.mark.parametrize("made", HASHES)
def test_every_sampler_and_pruner_keeps_its_hash(made):
    rate = {"low": 0.001, "high": 1.0, "log": True}
    params = {"epochs": {"low": 1, "high": 9}, "optimizer.learning_rate": rate}
    whole = {"space": {"name": "s", "params": params}, **HASHES[made]}
    read = definition_of(whole, "test")
    assert read.hash() == made
    assert definition_of(json.loads(read.to_json()), "test") == read


def test_shipped_definitions_keep_their_hashes():
    read = {
        name: load_definition(name, space=load_space("sgd_decay") if name == "default" else None)
        for name in named_files("studies")
    }
    assert {name: made.hash() for name, made in read.items()} == {
        "batch_epochs_init": "dcd39f0e4411315f",
        "default": "9aec50b9f6ff390b",
        "initializers": "0929b4778990e5d8",
    }


def test_the_stored_text_is_that_of_version_0_1_0():
    stored = json.loads(definition(sampler="qmc", pruner={"name": "patient"}).to_json())
    assert json.dumps([stored["sampler"], stored["pruner"]]) == (
        '[{"name": "qmc", "qmc_type": "sobol", "scramble": true}, '
        '{"name": "patient", "patience": 3, "min_delta": 0.0, "wrapped": null}]'
    )


def test_differences_name_field_and_both_values():
    stored = definition()
    given = definition({**RATE, "epochs": 9}, folds__k=3, sampler="random", trials=77)
    assert given.differences(stored) == [
        "space.params.epochs: stored 6, given 9",
        "folds.k: stored 5, given 3",
        'sampler.name: stored "tpe", given "random"',
    ]
    assert stored.differences(stored) == []


def test_another_sampler_brings_what_goes_with_it():
    made = definition({"batch_size": {"choices": [16, 32]}})
    grid = made.override({"sampler": "grid"})
    assert (grid.trials, grid.pruner.name) == (None, "none")
    assert made.override({"sampler": "grid", "trials": 2, "pruner": "median"}).trials == 2
    assert made.override({"sampler": "random"}).pruner.name == "median"
    assert made.override({"sampler": "tpe"}).trials == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampler": "gird"}, "did you mean grid"),
        ({"pruner": "medain"}, "did you mean median"),
        ({"folds.k": 1}, "folds.k: must be greater than or equal to 2; got 1"),
        ({"data.urii": "x"}, "did you mean uri"),
        ({"objective.metric": "acuracy"}, "did you mean accuracy"),
        ({"metrics": ["acuracy"]}, "did you mean accuracy"),
        ({"trials": 0}, "trials: must be greater than or equal to 1; got 0"),
        ({"timeout": "soon"}, "90s, 10m or 1h30m; got 'soon'"),
        ({"pruner": {"name": "threshold"}}, "lower, upper or both"),
        ({"sampler": {"name": "tpe", "startup": 3}}, "unknown field 'startup'"),
        ({"sampler": {"name": "gp", "start": 3}}, "Available: n_startup_trials, deterministic_ob"),
        ({"pruner": {"name": "patient", "wrapped": "medain"}}, "pruner.wrapped: unknown pruner"),
    ],
)
def test_every_broken_rule_is_named(changes, message):
    with pytest.raises(DefinitionError, match="study definition: ") as error:
        definition().override(changes)
    assert message in str(error.value)


def test_a_metric_has_one_name_in_a_definition_whatever_it_was_called():
    made = definition(objective__metric="matthews", metrics=["matthews", "loss"])
    assert (made.objective.metric, made.metrics) == (
        "matthews_corrcoef",
        ("matthews_corrcoef", "loss"),
    )
    assert made.hash() == definition(
        objective__metric="matthews_corrcoef", metrics=["matthews_corrcoef", "loss"]
    ).hash()  # fmt: skip


def test_the_metric_follows_from_the_task_and_must_fit_it():
    assert definition().resolved("multiclass").metric == "accuracy"
    for params in ({"loss.class_weight": "balanced"}, {"loss": "categorical_crossentropy"}):
        with pytest.raises(PlanError, match="for a regression task"):
            definition({**RATE, **params}).resolved("regression")
    regression = definition().resolved("regression")
    assert (regression.metric, regression.direction) == ("r2", "maximize")
    assert definition(objective__metric="loss").resolved("binary").direction == "minimize"
    with pytest.raises(PlanError, match="accuracy"):
        definition(objective__metric="accuracy").resolved("regression")
    with pytest.raises(PlanError, match="top_5_accuracy"):
        definition(metrics=["top_5_accuracy"]).resolved("binary")


def test_the_objective_is_scored_once():
    made = definition(objective__metric="loss", metrics=["accuracy", "loss"])
    assert made.all_metrics == ("loss", "accuracy")


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("1h30m", 5400), ("2m5s", 125)]
)
def test_times_are_read_with_their_unit(text, value):
    assert read_time(text) == value


def test_default_is_tpe_with_median_pruning_on_the_digits():
    made = load_definition("default", space=space())
    assert made.space == space()
    assert (made.data.uri, made.folds.k, made.trials) == ("sklearn:digits", 5, 40)
    assert (made.sampler.name, made.pruner.name) == ("tpe", "median")
    assert made.pruner.n_warmup_steps > 0  # type: ignore[attr-defined]
    assert made.default_name() == f"lines-{made.hash()[:8]}"


#: What a flag changes, and what the description made from the definition says of it.
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "40 trials of lines on sklearn:digits: tpe, median pruning, 5-fold cross-v"),
    "data": ({"data.uri": "sklearn:iris", "data.target": "y"}, "on sklearn:iris (target y):"),
    "limit": ({"data.limit": 90, "data.test_share": 0.25}, "on 90 rows of sklearn:digits, 0.25 of"),
    "sampler": ({"sampler": "random"}, ": random, median pruning,"),
    "grid": ({"sampler": "grid", "space": space({"epochs": {"choices": [1, 2]}})}, "2 trials of"),
    "pruner": ({"pruner": "none"}, ": tpe, nothing pruned, 5-fold"),
    "folds": ({"folds.k": 3, "folds.kind": "stratified", "folds.shuffle": False}, "stratified 3-f"),
    "holdout": ({"folds": {"kind": "holdout"}}, "0.2 of the rows held out for validation"),
    "repeated": ({"folds": {"kind": "repeated"}}, "5-fold cross-validation, 2 times"),
    "metric": ({"objective.metric": "f1_macro"}, "5-fold cross-validation, by f1_macro"),
    "trials": ({"trials": 7}, "7 trials of lines"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("written", ["", "TPE on the digits, 40 trials"])
def test_a_description_is_true_whatever_flags_say(change, written):
    changes, said = CHANGES[change]
    made = definition(trials=40, description=written).override(changes)
    stored = with_total(made, made.total_trials(None))
    kept = written and change == "nothing"
    assert stored.description == written if kept else said in stored.description
    assert stored.hash() == made.hash()


def test_a_description_follows_the_number_of_trials():
    own = definition(trials=40, description="mine")
    assert with_total(own, 40).description == "mine"
    first = with_total(own, 80)
    assert first.description.startswith("80 trials of lines on sklearn:digits")
    assert with_total(first, 80) == first
    assert with_total(first, 90).description.startswith("90 trials")
    assert own.override({"timeout": 60, "retries": 0}).description == "mine"
    assert own.override({"trials": 7, "description": "seven"}).description == "seven"


def test_another_space_leaves_no_description_of_the_files_own():
    assert load_definition("initializers").description
    assert load_definition("initializers", space=space()).description == ""


def test_default_needs_a_space():
    with pytest.raises(DefinitionError, match="--space NAME"):
        load_definition("default")


@pytest.mark.parametrize("name", named_files("studies"))
def test_every_shipped_definition_loads(name):
    made = load_definition(name, space=space() if name == "default" else None)
    assert made.name == name
    assert made.description


def test_shipped_grids_name_their_space():
    made = load_definition("initializers")
    assert made.space == load_space("initializers")
    assert made.sampler.name == "grid"


def test_a_local_file_shadows_a_shipped_one_and_may_hold_its_space(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "initializers.yaml").write_text(
        "space:\n  params:\n    epochs: {low: 1, high: 1e1, type: int}\n"
        "sampler: random\ntrials: 7\ntimeout: 10m\n"
    )
    monkeypatch.chdir(tmp_path)
    made = load_definition("initializers")
    assert (made.sampler.name, made.trials, made.timeout) == ("random", 7, 600)
    assert made.space.name == "initializers"
    assert isinstance(made.space, Space)


def test_faults_of_a_file_name_its_lines(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(
        "space:\n  params:\n    epochs: 3\nfolds:\n  k: 1\nsampler:\n  name: gird\ntrails: 3\n"
    )
    with pytest.raises(DefinitionError) as error:
        load_definition(path)
    lines = str(error.value).splitlines()
    assert lines[0].startswith(f"{path}:5: folds.k: ")
    assert lines[1].startswith(f"{path}:6: sampler: unknown sampler 'gird'")
    assert lines[2].startswith(f"{path}:8: trails: unknown field 'trails'")


def test_a_fault_of_the_space_is_told_from_the_study_file(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("space:\n  params:\n    optimizer.learning_rte: 3\n")
    with pytest.raises(DefinitionError, match=r"study.yaml:3: .*learning_rte"):
        load_definition(path)
    path.write_text("space: sdg_decay\n")
    with pytest.raises(SpaceError, match="did you mean sgd_decay"):
        load_definition(path)


def test_an_unknown_definition_is_refused_with_those_there_are():
    with pytest.raises(DefinitionError, match=r"did you mean default\?"):
        load_definition("defualt")


@pytest.mark.parametrize(("sampler", "shuffled"), [("random", True), ("grid", False)])
def test_the_default_study_shuffles_unless_it_replicates_scikit_learn(sampler, shuffled):
    """Rows of the digits lie in the order of their writers; scikit-learn's own searches keep it."""
    default = load_definition("default", space=load_space("initializers"))
    assert default.folds.shuffle
    assert default.override({"sampler": sampler}).folds.shuffle is shuffled
    kept = default.override({"sampler": sampler, "folds.shuffle": True})
    assert kept.folds.shuffle


def test_only_a_regression_has_what_its_space_sets_for_one():
    made = load_definition("default", space=load_space("sgd_decay"))
    classes, numbers = made.resolved("multiclass"), made.resolved("regression")
    assert numbers.space.fixed()["optimizer.global_clipnorm"] == 1
    assert "optimizer.global_clipnorm" not in classes.space.params
    assert classes.model_copy(update={"objective": made.objective}).hash() == made.hash()
    assert numbers.hash() != classes.hash()
    assert definition_of(json.loads(numbers.to_json()), "test") == numbers
    assert numbers.resolved("regression") == numbers
