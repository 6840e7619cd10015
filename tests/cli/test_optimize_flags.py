"""Flags of `tuner optimize` override the definition, and nothing else of it."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from tuner.cli.flags import SIZE, TIME
from tuner.cli.main import cli
from tuner.cli.run_flags import RunFlags
from tuner.cli.study_flags import StudyFlags, definition_from, read_settings
from tuner.errors import UsageError
from tuner.spaces import load_space
from tuner.study.library import load_definition
from tuner.workers.caps import GROWTH

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


def option(name):
    return click.Option([name])


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
        ),
        timeout=5400,
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


COLUMNS: dict[str, Any] = {
    "test_data": "csv:test.csv", "header": False, "sep": ";", "encoding": "latin-1",
    "decimal": ",", "na": ("-9", "x"), "drop": ("id",), "features": ("a", "b"),
    "kinds": ("a=number", "b=c=category"), "scaling": "standard", "na_class": True,
}  # fmt: skip


def test_flags_of_columns_reach_their_fields_and_go_with_the_data(study, monkeypatch):
    flags = StudyFlags(study=study, **COLUMNS)
    definition = definition_from(flags)
    given = COLUMNS | {"kinds": {"a": "number", "b=c": "category"}}
    assert {name: getattr(definition.data, name) for name in given} == given
    monkeypatch.setattr("tuner.study.asked.load_definition", lambda *_, **__: definition)
    other = definition_from(StudyFlags(study=study, data="csv:others.csv")).data
    assert other == type(other)(uri="csv:others.csv", scaling="standard")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("a", "--kind takes COLUMN=KIND; received 'a'"),
        ("=date", "--kind takes COLUMN=KIND"),
        ("a=numeric", "--kind a: unknown kind 'numeric'.*Available: number, category, date"),
    ],
)
def test_a_kind_that_is_none(study, kind, message):
    with pytest.raises(UsageError, match=message):
        definition_from(StudyFlags(study=study, kinds=(kind,)))


def test_naming_the_same_sampler_and_pruner_keeps_their_settings(study):
    kept = definition_from(StudyFlags(study=study, sampler="tpe", pruner="hyperband", seed=1))
    stored = load_definition(study)
    assert (kept.sampler, kept.pruner) == (stored.sampler, stored.pruner)


def test_a_grid_brings_its_own_budget_and_no_pruner_unless_one_is_named():
    flags: dict[str, Any] = {"space": "initializers", "sampler": "grid"}
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
    assert TIME.convert(text, option("--timeout"), None) == value


@pytest.mark.parametrize("text", ["", "soon", "-3", "0", "3d", "10 m"])
def test_bad_times(text):
    with pytest.raises(UsageError, match="--timeout"):
        TIME.convert(text, option("--timeout"), None)


def test_memory_sizes():
    assert [SIZE.convert(text, None, None) for text in ("100", "4k", "1.5G")] == [
        100,
        4096,
        3 * 2**29,
    ]
    for bad in ("", "G", "2X", "-1", "0", "inf", "nan"):
        with pytest.raises(UsageError, match="--memory"):
            SIZE.convert(bad, option("--memory"), None)


def test_workers_share_the_memory_and_a_trial_alone_has_all_of_it():
    one, two = (RunFlags().limits(workers)[1] for workers in (1, 2))
    assert one.memory == one.memory_alone == two.memory_alone == pytest.approx(2 * two.memory, 1)
    limits, caps = RunFlags(memory=2**32, trial_timeout=1800).limits(2)
    assert (caps.memory, caps.memory_alone, caps.seconds) == (2**32, None, 1800)
    assert limits.growth == GROWTH
    # Replaced before it comes near its cap.
    assert RunFlags(memory=2**30).limits(2)[0].growth == 2**28


def test_workers_elsewhere_have_the_memory_that_is_said_and_no_share_of_ours():
    _, caps = RunFlags(memory=2**32, trial_timeout=1800).limits(None)
    assert (caps.memory, caps.memory_alone, caps.seconds) == (2**32, None, 1800)
    assert RunFlags().limits(None)[1].memory is None


@pytest.mark.parametrize("command", ["optimize", "plan"])
def test_the_help_names_every_sampler_and_pruner(command):
    from tuner.study.pruners import PRUNERS
    from tuner.study.samplers import SAMPLERS

    text = " ".join(CliRunner().invoke(cli, [command, "--help"]).output.split())
    for names in (list(SAMPLERS), list(PRUNERS)):
        assert f": {', '.join(names[:-1])} or {names[-1]}." in text


def test_points_come_behind_those_of_the_study(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(STUDY + "try_first: [{initializer: he_normal}]\n")
    tries = ("optimizer.learning_rate=0.01, optimizer.momentum=0.5", "optimizer.momentum=0")
    assert definition_from(StudyFlags(study=str(path), tries=tries)).try_first == (
        {"initializer": "he_normal"},
        {"optimizer.learning_rate": 0.01, "optimizer.momentum": 0.5},
        {"optimizer.momentum": 0},
    )
