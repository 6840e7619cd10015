"""Study definitions: files, hashes, overrides, differences."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.studies import RATE, definition, space
from tuner.errors import DefinitionError, PlanError, SpaceError
from tuner.spaces import Space, load_space
from tuner.study.definition import StudyDefinition, seconds
from tuner.study.library import list_definitions, load_definition


def test_json_round_trip():
    made = definition(sampler={"name": "cmaes", "popsize": 8}, data__limit=100, metrics=["loss"])
    assert StudyDefinition.from_json(made.to_json()) == made


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
    assert (
        StudyDefinition.from_json(given).hash() == hashlib.sha256(hashed.encode()).hexdigest()[:16]
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
    ],
)
def test_every_broken_rule_is_named(changes, message):
    with pytest.raises(DefinitionError, match="study definition: ") as error:
        definition().override(changes)
    assert message in str(error.value)


def test_the_metric_follows_from_the_task_and_must_fit_it():
    assert definition().resolved("multiclass").metric == "accuracy"
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
    assert seconds(text) == value


def test_default_is_tpe_with_median_pruning_on_the_digits():
    made = load_definition("default", space=space())
    assert made.space == space()
    assert (made.data.uri, made.folds.k, made.trials) == ("sklearn:digits", 5, 40)
    assert (made.sampler.name, made.pruner.name) == ("tpe", "median")
    assert made.pruner.n_warmup_steps > 0
    assert made.default_name() == f"lines-{made.hash()[:8]}"


def test_default_needs_a_space():
    with pytest.raises(DefinitionError, match="--space NAME"):
        load_definition("default")


@pytest.mark.parametrize("entry", list_definitions(), ids=lambda entry: entry.name)
def test_every_shipped_definition_loads(entry):
    made = load_definition(entry.name, space=space() if entry.name == "default" else None)
    assert made.name == entry.name
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
