"""Flags of `tuner optimize` override the definition, and nothing else of it."""

from __future__ import annotations

import pytest

from tuner.cli.run_limits import GROWTH, memory_bytes, worker_limits
from tuner.cli.study_flags import StudyFlags, definition_from, read_seconds, read_settings
from tuner.errors import UsageError
from tuner.spaces import load_space
from tuner.study.library import load_definition

STUDY = """\
version: 1
space: sgd_decay
data: {uri: "csv:wine.csv", target: quality, limit: 100, scaling: minmax}
folds: {kind: holdout, share: 0.3}
sampler: {name: tpe, n_startup_trials: 3}
pruner: {name: hyperband, reduction_factor: 4}
metrics: [loss]
trials: 7
"""


@pytest.fixture
def study(tmp_path) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(STUDY)
    return str(path)


def test_no_flag_changes_nothing(study):
    assert definition_from(StudyFlags(study=study)) == load_definition(study)
    plain = definition_from(StudyFlags(space="sgd_decay"))
    assert plain == load_definition("default", space=load_space("sgd_decay"))


def test_every_flag_reaches_its_field(study):
    definition = definition_from(
        StudyFlags(
            study=study,
            settings=("epochs=3", "batch_size=64"),
            data="csv:other.csv",
            target="class",
            group="person",
            limit=50,
            test_share=0.25,
            task="binary",
            folds=4,
            metrics=("f1_macro", "accuracy", "loss"),
            sampler="random",
            pruner="none",
            seed=9,
            retries=5,
            timeout="1h30m",
        )
    )
    assert definition.space.fixed()["epochs"] == 3
    assert definition.space.fixed()["batch_size"] == 64
    data = definition.data
    assert (data.uri, data.target, data.group, data.limit) == (
        "csv:other.csv",
        "class",
        "person",
        50,
    )
    assert (data.test_share, data.task, data.scaling) == (0.25, "binary", "minmax")
    assert (definition.folds.kind, definition.folds.k) == ("auto", 4)
    assert definition.objective.metric == "f1_macro"
    assert definition.metrics == ("accuracy", "loss")
    assert (definition.sampler.name, definition.pruner.name) == ("random", "none")
    assert (definition.seed, definition.retries, definition.timeout) == (9, 5, 5400)
    assert definition.trials == 7


def test_other_data_drop_what_was_said_of_the_former(study):
    same = definition_from(StudyFlags(study=study, data="csv:wine.csv", seed=1)).data
    other = definition_from(StudyFlags(study=study, data="sklearn:digits")).data
    assert (same.target, same.limit) == ("quality", 100)
    assert (other.target, other.limit, other.scaling) == (None, None, "minmax")


def test_naming_the_same_sampler_and_pruner_keeps_their_settings(study):
    kept = definition_from(StudyFlags(study=study, sampler="tpe", pruner="hyperband", seed=1))
    stored = load_definition(study)
    assert (kept.sampler, kept.pruner) == (stored.sampler, stored.pruner)


def test_a_grid_brings_its_own_budget_and_no_pruner_unless_one_is_named():
    flags = {"space": "initializers", "sampler": "grid"}
    plain = definition_from(StudyFlags(**flags))
    assert (plain.trials, plain.pruner.name) == (None, "none")
    assert definition_from(StudyFlags(**flags, pruner="median")).pruner.name == "median"


def test_space_replaces_the_space_of_a_study(study):
    definition = definition_from(StudyFlags(study=study, space="initializers"))
    assert definition.space == load_space("initializers")
    assert definition.trials == 7


def test_settings_split_at_the_first_equals_sign_and_the_last_wins():
    assert read_settings(["a=1", "b={choices: [x=y]}", "a=2"]) == {
        "a": "2",
        "b": "{choices: [x=y]}",
    }
    for bad in ("epochs", "=3"):
        with pytest.raises(UsageError, match="PARAMETER=VALUE"):
            read_settings([bad])


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1h30m", 5400)]
)
def test_times(text, value):
    assert read_seconds("--timeout", text) == value


@pytest.mark.parametrize("text", ["", "soon", "-3", "0", "3d", "10 m"])
def test_bad_times(text):
    with pytest.raises(UsageError, match="--timeout"):
        read_seconds("--timeout", text)


def test_memory_sizes():
    assert [memory_bytes(text) for text in ("100", "4k", "1.5G")] == [100, 4096, 3 * 2**29]
    for bad in ("", "G", "2X", "-1", "0", "inf", "nan"):
        with pytest.raises(UsageError, match="--memory"):
            memory_bytes(bad)


def test_workers_share_the_memory_and_a_trial_alone_has_all_of_it():
    one, two = (worker_limits(None, None, workers=workers)[1] for workers in (1, 2))
    assert one.memory == one.memory_alone == two.memory_alone == pytest.approx(2 * two.memory, 1)
    limits, caps = worker_limits("4g", "30m", workers=2)
    assert (caps.memory, caps.memory_alone, caps.seconds) == (2**32, None, 1800)
    assert limits.growth == GROWTH
    # Replaced before it comes near its cap.
    assert worker_limits("1g", None, workers=2)[0].growth == 2**28
    with pytest.raises(UsageError, match="--trial-timeout"):
        worker_limits(None, "soon", workers=1)


def test_workers_elsewhere_have_the_memory_that_is_said_and_no_share_of_ours():
    _, caps = worker_limits("4g", "30m", workers=None)
    assert (caps.memory, caps.memory_alone, caps.seconds) == (2**32, None, 1800)
    assert worker_limits(None, None, workers=None)[1].memory is None


def test_the_help_names_every_sampler_pruner_and_progress():
    from tuner.cli import optimize, study_options
    from tuner.cli.progress import PROGRESS_MODES
    from tuner.study.pruners import PRUNERS
    from tuner.study.samplers import SAMPLERS

    assert study_options.SAMPLERS.replace(" or ", ", ").split(", ") == list(SAMPLERS)
    assert study_options.PRUNERS.replace(" or ", ", ").split(", ") == list(PRUNERS)
    assert optimize.PROGRESS == PROGRESS_MODES
