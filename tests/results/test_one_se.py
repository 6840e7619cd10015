"""`--choose one-se` against scipy's standard error and a plain walk through the trials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import create_trial
from scipy.stats import sem

from tests.support.studies import definition, load, prepare, work
from tuner.cli.main import main
from tuner.errors import UsageError
from tuner.export.refit import chosen_trial
from tuner.planning import plan_training
from tuner.planning.cost import count_parameters
from tuner.results import best_trial, find_best, results_table
from tuner.storage import records
from tuner.study.stored import read_definition

WIDTHS = {
    "model.layers": 1,
    "model.units": {"choices": [4, 8, 16, 32]},
    "optimizer.learning_rate": {"low": 1e-3, "high": 1.0, "log": True},
    "epochs": 3,
}


def study_of(rows: Sequence[tuple[list[float], int, int]], *directions: Any) -> optuna.Study:
    """A study of trials with these fold scores, parameters and epochs, by default to maximize."""
    study = optuna.create_study(directions=[*(directions or ["maximize"])])
    for number, (scores, parameters, epochs) in enumerate(rows):
        attributes = {
            records.TICKET: number,
            records.FOLD_SCORES: scores,
            records.SCORE_EPOCHS: [epochs] * len(scores),
            records.PARAMETERS: parameters,
        }
        values = [float(np.mean(scores)), *[1.0] * (len(directions) - 1)]
        study.add_trial(create_trial(values=values, user_attrs=attributes))
    return study


def test_the_simplest_within_a_standard_error_of_the_best():
    rng = np.random.default_rng(3)
    for sign, direction in [(1, "maximize"), (-1, "minimize")]:
        for _ in range(20):
            rows = [
                (
                    rng.normal(0.8, 0.03, 5).tolist(),
                    int(rng.integers(1, 5)),
                    int(rng.integers(1, 4)),
                )
                for _ in range(12)
            ]
            study = study_of(rows, direction)
            means = [sign * float(np.mean(own[0])) for own in rows]
            best = int(np.argmax(means))
            near = [i for i, own in enumerate(means) if own >= means[best] - sem(rows[best][0])]
            expected = min(near, key=lambda i: (rows[i][1], rows[i][2], -means[i]))
            assert best_trial(study).number == best
            assert best_trial(study, "one-se").number == expected
            assert chosen_trial(study, None, "one-se").number == expected
            marked = [
                row["number"] for row in results_table(study, choose="one-se") if row["chosen"]
            ]
            assert marked == [expected]
    assert "chosen" not in results_table(study)[0]


def test_what_breaks_a_constraint_is_not_chosen():
    rows = [([0.8, 0.9, 1.0], 9, 3), ([0.8, 0.9, 0.99], 1, 3)]
    free = study_of(rows)
    assert best_trial(free, "one-se").number == 1
    kept = study_of(rows[:1])
    kept.add_trial(
        create_trial(
            value=free.trials[1].value,
            user_attrs=free.trials[1].user_attrs,
            system_attrs={records.CONSTRAINTS: [1.0]},
        )
    )
    assert best_trial(kept, "one-se").number == 0


def test_refused_with_the_rule():
    with pytest.raises(UsageError, match="one-se chooses by one objective; the study has 2"):
        best_trial(study_of([([0.8, 0.9], 1, 1)], "maximize", "minimize"), "one-se")
    with pytest.raises(UsageError, match="two or more fold scores; the best trial has 1"):
        best_trial(study_of([([0.8], 1, 1)]), "one-se")
    with pytest.raises(UsageError, match="best, one-se"):
        best_trial(study_of([([0.8, 0.9], 1, 1)]), "ones")  # type: ignore[arg-type]
    assert find_best(optuna.create_study(), "one-se") is None


def test_sizes_that_no_trial_recorded_are_planned_on_the_data(tmp_path):
    url = f"sqlite:///{tmp_path / 'tuner.db'}"
    prepare(url, definition(WIDTHS, sampler="random", data__uri="sklearn:digits"))
    work(url)
    study = load(url)
    assert all(records.PARAMETERS not in trial.user_attrs for trial in study.trials)
    made = read_definition(study)
    near = best_trial(study)
    bound = near.value - sem(near.fold_scores)

    def size(trial: Any) -> int:
        params = made.space.complete(trial.params)
        return count_parameters(
            plan_training(params, features=64, outputs=10, task="multiclass").model
        )

    among = [own for own in study.trials if own.value is not None and own.value >= bound]
    expected = min(among, key=lambda own: (size(own), -own.value))
    assert best_trial(study, "one-se").number == expected.number


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_commands(capsys, tmp_path):
    url = f"sqlite:///{tmp_path / 'tuner.db'}"
    prepare(url, definition(WIDTHS, sampler="random", pruner="none"))
    work(url)
    expected = best_trial(load(url), "one-se").number
    flags = ("--storage", url, "--choose", "one-se")
    _, out, _ = run(capsys, "best", "study", *flags, "--format", "json")
    assert json.loads(out)["number"] == expected
    _, out, _ = run(capsys, "results", "study", *flags, "--format", "json")
    assert [own["number"] for own in json.loads(out) if own["chosen"]] == [expected]
    _, out, _ = run(capsys, "resume", "study", *flags, "--format", "json")
    assert json.loads(out)["chosen"]["number"] == expected
    _, out, _ = run(capsys, "resume", "study", *flags)
    assert f"one-se   trial {expected}: accuracy" in out
    assert f"tuner export study --out model --storage {url} --choose one-se" in out
    one = ("--data", "sklearn:iris", "--folds-kind", "holdout", "--choose", "one-se")
    code, _, err = run(capsys, "optimize", *one, "--storage", url)
    assert code == 2
    assert "one-se needs the standard error of two or more fold scores" in err
    out_dir = ("--out", str(tmp_path / "model"))
    code, _, err = run(capsys, "export", "study", *out_dir, "--trial", "1", *flags)
    assert code == 2
    assert "received --trial 1 and --choose one-se" in err
