"""`--metric parameters`, `--at-most`, `--at-least`, and what the reading commands make of them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from tests.search.test_objectives import WIDE, SizedTrainer
from tests.support.studies import definition, load, prepare, work
from tuner.cli.main import cli
from tuner.cli.search_report import Summary
from tuner.cli.study_flags import StudyFlags, definition_from, read_bounds
from tuner.errors import DefinitionError, UsageError
from tuner.export.refit import chosen_trial
from tuner.results import BestTrial, front


def made(**flags):
    return definition_from(StudyFlags(space="sgd_decay", **flags))


def test_a_cost_beside_a_score_is_an_objective():
    for metrics in (("accuracy", "parameters"), ("parameters", "accuracy")):
        asked = made(metrics=metrics).resolved("multiclass")
        assert asked.objectives == ("accuracy", "parameters")
    several = made(metrics=("f1_macro", "accuracy", "seconds", "parameters"))
    assert several.resolved("multiclass").objectives == ("f1_macro", "seconds", "parameters")
    assert several.metrics == ("accuracy",)
    assert made(metrics=("parameters",)).resolved("regression").objectives == ("r2", "parameters")


def test_bounds_are_read_and_what_they_need_is_scored():
    asked = made(at_most=("parameters=2e4", "loss=1"), at_least=("f1_macro=0.5",))
    assert (asked.at_most, asked.at_least) == (
        {"parameters": 20000.0, "loss": 1.0},
        {"f1_macro": 0.5},
    )
    assert asked.resolved("multiclass").all_metrics == ("accuracy", "loss", "f1_macro")
    with pytest.raises(UsageError, match="--at-most takes METRIC=NUMBER; received 'parameters'"):
        read_bounds(["parameters"], "--at-most")
    with pytest.raises(DefinitionError, match=r"at_most.*did you mean accuracy"):
        made(at_most=("acuracy=1",))
    with pytest.raises(DefinitionError, match="at_most"):
        made(at_most=("parameters=inf",))


@pytest.fixture
def study(sqlite, monkeypatch):
    monkeypatch.setenv("TUNER_STORAGE", sqlite)
    asked = definition(
        WIDE, objective__others=["parameters"], at_most={"parameters": 700}, trials=10, seed=2
    )
    prepare(sqlite, asked)
    work(sqlite, trainer=SizedTrainer())
    return load(sqlite)


def answer(*command: str) -> str:
    ended = CliRunner().invoke(cli, command)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_best_and_results_show_the_front(study):
    members = front(study)
    text = answer("best", "study")
    lines = text.splitlines()
    assert lines[0] == "Pareto front"
    assert lines[1].split()[:3] == ["trial", "accuracy", "parameters"]
    assert [line.split()[0] for line in lines[2 : 2 + len(members)]] == [
        str(own.number) for own in members
    ]
    held = json.loads(answer("best", "study", "--format", "json"))
    assert held["number"] == held["front"][0]["number"] == members[0].number
    assert held["front"][0]["objectives"]["parameters"] == members[0].values[1]
    rows = list(csv.DictReader(io.StringIO(answer("results", "study", "--format", "csv"))))
    assert {row["number"] for row in rows if row["front"] == "True"} == {
        str(own.number) for own in members
    }
    assert {row["feasible"] for row in rows} == {"True", "False"}
    header = answer("results", "study").splitlines()[0].split()
    assert header[5:8] == ["parameters", "front", "feasible"]
    assert answer("studies", "show", "study")
    assert "accuracy" in answer("studies", "list")
    assert chosen_trial(study, None).number == members[0].number


def test_a_search_ends_with_its_front():
    told = Summary(
        study="s",
        storage="a.db",
        trials={"complete": 2},
        best=BestTrial(0, {}, 0.9),
        total=2,
        metric="accuracy",
        seconds=None,
        front="2 trials, accuracy 0.8 to 0.9",
    ).text({})
    assert "\nfront    2 trials, accuracy 0.8 to 0.9\n" in told
