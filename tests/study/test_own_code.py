"""Studies with objects of somebody's own program: samplers, pruners, metrics."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from click.testing import CliRunner
from optuna.pruners import BasePruner, PatientPruner
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, RandomSampler, TPESampler

from tests.support import studies
from tuner.cli.main import cli
from tuner.code import CodeSpec, save
from tuner.code.file import place
from tuner.errors import StudyConflictError, UsageError
from tuner.planning.own_metric import OwnMetric, metric
from tuner.study.by_object import CustomSampler, reseed
from tuner.study.definition import StudyDefinition
from tuner.study.own_code import metric_parts
from tuner.study.pruners import CustomPruner


def own_study(folder: Path, parts: Mapping[str, Any], **changes: Any) -> StudyDefinition:
    code = save(folder / "artifacts", parts)
    given: dict[str, Any] = {
        "sampler": CustomSampler(type="Own"),
        "pruner": CustomPruner(type="Own"),
    }
    return studies.definition(
        code=code, **{name: own for name, own in given.items() if name in parts}, **changes
    )


def searched(folder: Path, made: StudyDefinition, name: str = "study") -> list[Any]:
    """The trials of a study that one worker has worked on, by ticket."""
    url = f"sqlite:///{folder}/own.db"
    studies.prepare(url, made, name=name)
    studies.work(url, name, code=None if made.code is None else made.code.file)
    return studies.load(url, name).get_trials()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "named"),
    [
        (TPESampler(multivariate=True, group=True, constant_liar=True, seed=8), "tpe"),
        (RandomSampler(), "random"),
        (CmaEsSampler(warn_independent_sampling=False), "cmaes"),
        (NSGAIISampler(population_size=20), "nsga2"),
    ],
)
def test_an_object_draws_what_its_name_draws(tmp_path, own, named):
    params = {**studies.RATE, "model.dropout": {"low": 0.0, "high": 0.9}, "epochs": 1}
    pairs = [
        [trial.params for trial in searched(tmp_path, made, made.sampler.name)]
        for made in (
            own_study(tmp_path, {"sampler": own}, params=params, trials=16),
            studies.definition(params, sampler=named, trials=16),
        )
    ]
    assert pairs[0] == pairs[1]


class Narrow(BaseSampler):
    """Draws near the end of a range, from random numbers of its own."""

    def __init__(self) -> None:
        self.parts = [{"rng": np.random.default_rng(1)}]

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, kind: Any) -> Any:
        return kind.high * (1 - 0.01 * self.parts[0]["rng"].random())


def test_a_sampler_of_ones_own_draws_anew_for_every_ticket_whoever_asks(tmp_path):
    made = own_study(tmp_path, {"sampler": Narrow()}, trials=4)
    rates = [trial.params["optimizer.learning_rate"] for trial in searched(tmp_path, made)]
    assert min(rates) > 9.8
    assert len(set(rates)) == 4
    copies = [Narrow(), Narrow()]
    copies[1].parts[0]["rng"].random(5)
    for copy in copies:
        reseed(copy, 3)
    assert copies[0].parts[0]["rng"].random() == copies[1].parts[0]["rng"].random()


class Second(BasePruner):
    def prune(self, study: Any, trial: Any) -> bool:
        return trial.last_step == 1


def test_a_pruner_of_ones_own(tmp_path):
    made = own_study(tmp_path, {"pruner": PatientPruner(Second(), 0)}, trials=2)
    trials = searched(tmp_path, made)
    assert {trial.state.name for trial in trials} <= {"PRUNED", "COMPLETE"}
    plain = own_study(tmp_path, {"pruner": Second()}, trials=2)
    assert [t.user_attrs["cause"] for t in searched(tmp_path, plain, "plain")] == [
        "pruned by custom after epoch 2 of 6"
    ] * 2


def test_the_same_code_goes_on_and_other_code_is_another_study(tmp_path):
    first = own_study(tmp_path, {"sampler": Narrow()}, trials=2)
    code = first.code
    assert code is not None
    searched(tmp_path, first)
    again = first.model_copy(update={"code": code.model_copy(update={"file": "0" * 32})})
    assert again.hash() == first.hash()
    url = f"sqlite:///{tmp_path}/own.db"
    prepared = studies.prepare(url, again, trials=3)
    assert prepared.total == 3
    assert prepared.definition.code.file == "0" * 32  # the one that is surely there
    other = own_study(tmp_path, {"sampler": RandomSampler()}, trials=2)
    assert other.hash() != first.hash()
    with pytest.raises(StudyConflictError, match=r"code\.parts\.sampler\.hash: stored"):
        studies.prepare(url, other)


def test_a_definition_without_code_is_stored_as_before():
    assert "code" not in studies.definition().to_json()


class Trap:
    def __reduce__(self) -> Any:
        return pytest.fail, ("unpickled",)


def test_reading_commands_and_untrusting_ones_unpickle_nothing(tmp_path, monkeypatch):
    made = own_study(tmp_path, {"sampler": Narrow()}, trials=2)
    searched(tmp_path, made)
    assert made.code is not None
    place(tmp_path / "artifacts", made.code.file).write_bytes(pickle.dumps(Trap()))
    url = f"sqlite:///{tmp_path}/own.db"
    monkeypatch.chdir(tmp_path)
    for command in (
        ["studies", "list"], ["studies", "show", "study"], ["results", "study"],
        ["best", "study"], ["doctor"],
    ):  # fmt: skip
        assert CliRunner().invoke(cli, [*command, "--storage", url]).exit_code == 0, command
    studies.prepare(url, made, trials=3)
    with pytest.raises(UsageError, match="only if it is trusted"):
        studies.work(url)
    ended = CliRunner().invoke(cli, ["resume", "study", "--storage", url, "--trials", "9"])
    assert "--trust-code" in ended.stderr + str(ended.exception)
    assert len(studies.load(url).get_trials()) == 3  # refused before anything was queued


def test_custom_is_no_name_to_be_given():
    with pytest.raises(UsageError, match=r"sampler\.type: is required"):
        studies.definition(sampler="custom")


def test_a_metric_needs_its_code():
    with pytest.raises(UsageError, match="'minimize:cost' has none here"):
        studies.definition(objective__metric="minimize:cost").resolved("binary")


def cost(y: Any, p: Any) -> float:
    return float((p.argmax(axis=1) != y).mean())


def broken(y: Any, p: Any) -> float:
    return math.nan


@pytest.mark.slow  # trains
@pytest.mark.parametrize("beside", [None, metric(broken, direction="maximize")])
def test_a_metric_of_ones_own_as_the_objective(tmp_path, beside: OwnMetric | None):
    from tuner.search.loop import run_worker

    metrics = [metric(cost, direction="minimize"), *([] if beside is None else [beside])]
    made = own_study(
        tmp_path,
        metric_parts(metrics),
        params={"epochs": 2, "model.units": {"choices": [4, 8]}},
        objective__metric="minimize:cost",
        metrics=["accuracy", *(own.key for own in metrics[1:])],
        data__limit=200,
        folds__k=2,
        trials=2,
    )
    url = f"sqlite:///{tmp_path}/own.db"
    from tuner.search.prepare import prepare_study

    assert isinstance(made.code, CodeSpec)
    prepare_study(made, name="study", storage_url=url, trials=None)
    run_worker(url, "study", stop=lambda: False, on_event=lambda event: None, code=made.code.file)
    trials = studies.load(url).get_trials()
    if beside is not None:
        assert [trial.user_attrs["cause"] for trial in trials] == [
            "a metric gives a finite number; broken gave nan for 100 rows"
        ] * 2
        return
    assert studies.load(url).direction == optuna.study.StudyDirection.MINIMIZE
    for trial in trials:
        scores = trial.user_attrs["metrics"]
        wrong = 1 - np.array(scores["accuracy"])
        assert scores["minimize:cost"] == pytest.approx(wrong)
        assert trial.value == pytest.approx(wrong.mean())
        assert len(trial.intermediate_values) == 2
