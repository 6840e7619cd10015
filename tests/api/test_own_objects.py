"""Metrics, samplers and pruners as objects of a program."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import optuna
import pytest
from sklearn.metrics import fbeta_score, make_scorer

import tuner
from tuner.errors import DefinitionError, UsageError

SPACE = {"optimizer.learning_rate": tuner.log(1e-3, 1.0), "epochs": 3}
DIGITS: dict[str, Any] = {"data": "sklearn:digits", "folds": 2, "progress": "none"}


def cost(y: Any, p: Any) -> float:
    return float((p.argmax(axis=1) != y).mean())


def test_objects_make_a_study_that_goes_on_where_it_is_trusted(in_process):
    given: dict[str, Any] = {
        "metric": [tuner.metric(cost, direction="minimize"), "accuracy",
                   make_scorer(fbeta_score, beta=2, average="macro"), "neg_brier_score"],
        "sampler": optuna.samplers.TPESampler(n_startup_trials=2),
        "pruner": optuna.pruners.NopPruner(),
    }  # fmt: skip
    study = tuner.optimize(SPACE, **DIGITS, **given, trials=3)
    made = study.definition
    assert made.metric == "minimize:cost"
    assert made.metrics == ("accuracy", "maximize:fbeta_score", "minimize:brier_score")
    assert (made.sampler.name, made.pruner.name) == ("custom", "custom")
    assert made.code is not None
    assert list(made.code.parts) == [
        "metric minimize:cost", "metric maximize:fbeta_score", "metric minimize:brier_score",
        "sampler", "pruner",
    ]  # fmt: skip
    assert study.best.value == study.table()["mean_test_score"].min()
    assert "val_minimize:cost" in study.curves()
    again = tuner.optimize(SPACE, **DIGITS, **given, trials=4)
    assert (again.name, len(again.table())) == (study.name, 4)
    assert len(study.optimize(trials=5, progress="none").table()) == 5
    with pytest.raises(UsageError, match="only if it is trusted"):
        tuner.load(study.name).optimize(trials=6, progress="none")
    trusting = tuner.load(study.name, trust_code=True)
    assert len(trusting.optimize(trials=6, progress="none").table()) == 6


def test_the_metric_that_counts_may_be_named_without_its_direction(in_process):
    own = tuner.metric(cost, direction="minimize")
    study = tuner.optimize(SPACE, **DIGITS, metric=["accuracy", own], refit_metric="cost", trials=1)
    assert study.definition.all_metrics == ("minimize:cost", "accuracy")


def test_a_grid_as_an_object_is_gone_through_once(in_process, capsys):
    rates = [0.001, 0.01, 0.1]
    given: dict[str, Any] = {
        "space": {"optimizer.learning_rate": tuner.values(*rates), "epochs": 2},
        "sampler": optuna.samplers.GridSampler({"optimizer.learning_rate": rates}),
        **DIGITS,
    }
    study = tuner.optimize(**given | {"progress": "plain"}, trials=7)
    assert sorted(study.table()["param_optimizer.learning_rate"]) == rates
    assert (
        "the grid of GridSampler has 3 points, each of which is tried once"
        in capsys.readouterr().err
    )
    assert len(study.optimize(trials=9, progress="none").table()) == 3
    assert len(tuner.optimize(**given, name="two", trials=2).table()) == 2
    assert len(tuner.optimize(**given, name="whole").table()) == 3


def test_a_brute_force_object_ends_its_search(in_process):
    space = {"optimizer.learning_rate": tuner.values(0.01, 0.1), "epochs": 2}
    sampler = optuna.samplers.BruteForceSampler()
    study = tuner.optimize(space, **DIGITS, sampler=sampler, trials=7)
    table = study.table()
    assert sorted(table["param_optimizer.learning_rate"].dropna()) == [0.01, 0.1]
    assert set(table["state"]) == {"complete", "waiting"}


def test_what_an_object_needs_is_looked_for_before_the_work(in_process, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "tuner.study.sampler.find_spec", lambda name: None if name == "torch" else found(name)
    )
    with pytest.raises(DefinitionError, match="needs the package torch, which is not installed"):
        tuner.optimize(SPACE, **DIGITS, sampler=optuna.samplers.GPSampler(), trials=1)
    assert list(in_process.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": cost}, "'cost' has no direction"),
        ({"metric": "acuracy"}, "unknown metric 'acuracy'; did you mean accuracy"),
        ({"metric": [tuner.metric(cost, direction="minimize")] * 2}, "received 'minimize:cost' mo"),
        ({"sampler": optuna.samplers.TPESampler}, "sampler is a name or an object of optuna.sam"),
        ({"pruner": optuna.samplers.TPESampler()}, "pruner is a name or an object of optuna.pru"),
    ],
)
def test_what_is_refused_before_anything_is_stored(here, given, message):
    with pytest.raises(UsageError, match=message):
        tuner.optimize(SPACE, **DIGITS, **given)
    assert not (here / "studies").exists()


def test_names_of_ones_own_need_somebody_who_reads_them(here):
    space = tuner.Space.from_dict({"open": True, "params": {"epochs": 1, "svc__C": 2.0}})
    with pytest.raises(UsageError, match=r"has svc__C\. Available: tuner\.optimize\(build"):
        tuner.optimize(space, **DIGITS, trials=1)
    assert not (here / "studies" / "tuner.db").exists()


SCRIPT = """
import math, sys
import tuner

WEIGHT = 2

def cost(y, p):
    return WEIGHT * float((p.argmax(axis=1) != y).mean())

def broken(y, p):
    return math.nan if p.shape[0] == 50 else 1 / 0

metric = cost if sys.argv[2] == "cost" else broken
study = tuner.optimize(
    {"model.units": tuner.choices(4, 8), "epochs": 2}, data="sklearn:digits", limit=100, folds=2,
    metric=[tuner.metric(metric, direction="minimize"), "accuracy"], workers=2, progress="none",
    trials=int(sys.argv[1]), storage="sqlite:///own.db",
)
table = study.table()
print(study.name, len(table), set(table["cause"].dropna()))
"""


@pytest.mark.slow  # starts workers
def test_a_script_without_a_guard_and_the_command_line_go_on_with_each_other(here):
    (here / "script.py").write_text(SCRIPT)

    def run(*args: str) -> Any:
        return subprocess.run(
            [sys.executable, *args], capture_output=True, text=True, env=None, check=False
        )

    first = run("script.py", "3", "cost")
    name, count, causes = first.stdout.split(maxsplit=2)
    assert (count, causes.strip()) == ("3", "set()"), first.stderr
    resume = ["-m", "tuner.cli.main", "resume", name, "--storage", "sqlite:///own.db"]
    refused = run(*resume, "--trials", "4")
    assert refused.returncode == 2
    assert "--trust-code" in refused.stderr
    resumed = run(*resume, "--trials", "4", "--trust-code", "--progress", "none")
    assert resumed.returncode == 0, resumed.stderr
    (here / "script.py").write_text(f"# moved\n{SCRIPT}")
    assert run("script.py", "5", "cost").stdout.split()[:2] == [name, "5"]
    failed = run("script.py", "1", "broken")
    assert "broken gave nan for 50 rows" in failed.stdout, failed.stderr
    assert name not in failed.stdout
