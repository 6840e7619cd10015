"""Several objectives and constraints, as Optuna has them."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from tests.support.fake_trainer import FakePlan, FakeTrainer
from tests.support.studies import RATE, definition, load, of, prepare, work
from tuner.errors import DefinitionError, NoCompletedTrialError
from tuner.results import best_trial, front, results_table
from tuner.search.events import TrialDone
from tuner.storage import records
from tuner.study.stored import read_definition

WIDE = {**RATE, "batch_size": {"choices": [16, 32, 64, 128]}, "epochs": 4}


class Sized(FakePlan):
    """As many parameters as its batch has rows, times ten."""

    @property
    def parameters(self) -> int:
        return 10 * int(dict(self.params)["batch_size"])  # type: ignore[arg-type]


class SizedTrainer(FakeTrainer):
    def plan(self, params: Any) -> FakePlan:
        made = super().plan(params)
        return Sized(made.params, made.epochs)


def two(**changes: Any) -> Any:
    settings = {"objective__others": ["parameters"], "trials": 12, "seed": 1} | changes
    return definition(WIDE, **settings)


def run(url: str, made: Any) -> Any:
    prepare(url, made)
    reason, events = work(url, trainer=SizedTrainer())
    assert reason == "done"
    return events


def test_two_objectives_are_two_directions_and_every_trial_trains_to_its_end(url):
    made = prepare(url, two())
    assert made.definition.pruner.name == "none"
    assert made.notes == (
        "objectives: accuracy (maximize), parameters (minimize); Optuna prunes for one alone, so "
        "every trial trains to its end",
    )
    assert prepare(url, read_definition(load(url))).total == 12
    events = of(TrialDone, work(url, trainer=SizedTrainer())[1])
    study = load(url)
    assert [way.name for way in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert {trial.state.name for trial in study.trials} == {"COMPLETE"}
    for trial, event in zip(study.trials, events, strict=True):
        assert trial.values[1] == 10 * trial.params["batch_size"] == trial.user_attrs["parameters"]
        assert event.value == trial.values[0]
        assert len(trial.intermediate_values) == 4
    # The front is Optuna's.
    members = front(study)
    assert {own.number for own in members} == {own.number for own in study.best_trials}
    scores = [own.values[0] for own in members]
    assert scores == sorted(scores, reverse=True)
    rows = results_table(study)
    assert [row["number"] for row in rows if row["front"]] == sorted(t.number for t in members)
    assert rows[0]["others"] == {"parameters": study.trials[0].values[1]}
    assert best_trial(study).number == members[0].number


@pytest.mark.parametrize("sampler", ["random", "qmc", "nsga2", "grid", "brute-force"])
def test_other_samplers_take_several_objectives_too(sqlite, sampler):
    params = {"batch_size": {"choices": [16, 32]}, "initializer": {"choices": ["zeros", "ones"]}}
    run(sqlite, definition(params, sampler=sampler, objective__others=["parameters"], trials=4))
    assert {len(trial.values) for trial in load(sqlite).trials} == {2}


def test_a_sampler_of_one_objective_is_refused_before():
    with pytest.raises(DefinitionError, match=r"received cmaes\. Available: tpe, random, grid"):
        two(sampler="cmaes")


def test_two_scores_and_seconds(sqlite):
    made = definition(WIDE, objective__others=["loss", "seconds"], trials=4)
    run(sqlite, made)
    for trial in load(sqlite).trials:
        loss = trial.user_attrs[records.METRICS]["loss"]
        assert trial.values[1] == pytest.approx(sum(loss) / len(loss))
        assert trial.values[2] >= 0


def test_a_diverged_trial_of_several_objectives_fails(sqlite):
    """Optuna's TPE cannot compare pruned ones by two."""
    prepare(sqlite, two(trials=15, sampler={"name": "tpe", "n_startup_trials": 3}))
    diverging = SizedTrainer(diverge=lambda params: params["batch_size"] == 16)
    assert work(sqlite, trainer=diverging)[0] == "done"
    assert {trial.state.name for trial in load(sqlite).trials} == {"COMPLETE", "FAIL"}


def test_what_is_known_to_break_a_constraint_is_not_trained(url):
    made = definition(WIDE, at_most={"parameters": 400}, trials=14, pruner="none")
    trainer = SizedTrainer()
    prepare(url, made)
    work(url, trainer=trainer)
    study = load(url)
    broken = [trial for trial in study.trials if trial.params["batch_size"] > 40]
    assert 0 < len(broken) < 14
    assert {trial.state.name for trial in broken} == {"PRUNED"}
    assert broken[0].user_attrs[records.CAUSE] == (
        f"not trained: {10 * broken[0].params['batch_size']} parameters; at most 400 are asked for"
    )
    assert len(trainer.stacks) == 14 - len(broken)
    for trial in study.trials:
        assert trial.system_attrs["constraints"] == [10 * trial.params["batch_size"] - 400]
    # Optuna reads them, and so do its samplers: TPE leaves the region.
    assert study.best_trial.number == best_trial(study).number
    assert [row["feasible"] for row in results_table(study)].count(False) == len(broken)


def test_constraints_of_scores_are_known_afterwards(sqlite):
    run(sqlite, definition(WIDE, at_least={"accuracy": 0.5}, at_most={"loss": 0.6}, trials=8))
    study = load(sqlite)
    done = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    for trial in done:
        first, second = trial.system_attrs["constraints"]  # the bounds from above first
        assert first == pytest.approx(1 - trial.value - 0.6)
        assert second == pytest.approx(0.5 - trial.value)
    assert best_trial(study).value >= 0.5


def test_no_trial_that_keeps_the_constraints_is_said(sqlite):
    run(sqlite, definition(WIDE, at_most={"parameters": 5}, trials=3))
    with pytest.raises(NoCompletedTrialError) as error:
        best_trial(load(sqlite))
    assert "is complete and keeps its constraints; it holds 3 pruned, 3 of them against" in str(
        error.value
    )


def test_tpe_learns_from_constraints(sqlite):
    made = definition(
        {**RATE, "batch_size": {"low": 1, "high": 1000}, "epochs": 2},
        at_most={"parameters": 1000},
        trials=40,
        pruner="none",
    )
    run(sqlite, made)
    sizes = [trial.params["batch_size"] for trial in load(sqlite).trials]
    assert sum(size <= 100 for size in sizes) > 10  # four, were it by chance


def test_a_grid_with_a_constraint(sqlite):
    grid = {"batch_size": {"choices": [16, 32]}, "initializer": {"choices": ["zeros", "ones"]}}
    run(sqlite, definition(grid, sampler="grid", trials=None, at_most={"parameters": 200}))
    states = [trial.state.name for trial in load(sqlite).trials]
    assert states == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"]


def test_constraints_with_two_objectives_are_optunas(sqlite):
    run(sqlite, two(at_least={"accuracy": 0.5}, sampler="nsga2", trials=25))
    study = load(sqlite)
    assert {own.number for own in front(study)} == {own.number for own in study.best_trials}
    assert all(own.values[0] >= 0.5 for own in front(study))
    assert isinstance(study, optuna.Study)


def test_objectives_and_constraints_are_part_of_the_hash():
    hashes = {made.hash() for made in (definition(WIDE), two(trials=10, seed=0))}
    hashes.add(definition(WIDE, at_most={"parameters": 5}).hash())
    assert len(hashes) == 3
