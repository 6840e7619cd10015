"""cv_results_ against stock scikit-learn's own table of the same scores."""

from __future__ import annotations

import csv
import io
import json
import warnings

import numpy as np
import optuna
import pandas
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from tuner.cli.main import main
from tuner.results import cv_results, cv_rows
from tuner.storage import records

GRIDS = [
    {"kernel": ["rbf"], "gamma": [0.1, 1.0, 0.1]},
    {"kernel": ["poly"], "degree": [1, 2], "shrinking": [True, False]},
    {"kernel": ["poly"], "gamma": [-1.0]},  # cannot be fitted: NaN
]


def stock_table(scoring, grids=GRIDS):
    x, y = load_iris(return_X_y=True)
    search = GridSearchCV(SVC(), grids, scoring=scoring, cv=3, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(x, y).cv_results_


def study_of(table, metrics, storage=None, states=None):
    """A study whose candidates scored as those of `table` did; some trials in another order."""
    study = optuna.create_study(storage=storage, study_name="grid", direction="maximize")
    study.set_user_attr(records.STUDY_VERSION, records.VERSION)
    definition = {"objective": {"metric": metrics[0]}, "metrics": metrics[1:]}
    definition["space"] = {"name": "small", "params": {"epochs": 2}}
    study.set_user_attr(records.STUDY_DEFINITION, json.dumps(definition))
    study.set_user_attr(records.STUDY_TASK, "multiclass")
    choices: dict[str, list[object]] = {}
    for params in table["params"]:
        for name, value in params.items():
            choices.setdefault(name, []).append(value)
    choices = {name: list(dict.fromkeys(values)) for name, values in choices.items()}
    order = list(reversed(range(len(table["params"]))))
    for ticket in order:
        params = table["params"][ticket]

        def split(metric, ticket=ticket):
            suffix = "score" if len(metrics) == 1 else metric
            scores = [table[f"split{i}_test_{suffix}"][ticket] for i in range(3)]
            return [None if np.isnan(score) else float(score) for score in scores]

        whole = None not in split(metrics[0])
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE if whole else TrialState.FAIL,
                value=float(np.mean(split(metrics[0]))) if whole else None,
                params=dict(params),
                distributions={name: CategoricalDistribution(choices[name]) for name in params},  # type: ignore[arg-type]
                user_attrs={
                    records.TICKET: ticket,
                    records.FOLD_SCORES: split(metrics[0]),
                    records.METRICS: {metric: split(metric) for metric in metrics},
                    records.DURATION: 0.6,
                },
                system_attrs={"fixed_params": dict(params)},
            )
        )
    return study


def assert_same(ours, theirs):
    timed = {key for key in theirs if key.endswith("_time")}
    assert set(ours) == set(theirs)
    assert ours["params"] == theirs["params"]
    for key in set(theirs) - timed - {"params"}:
        assert isinstance(ours[key], type(theirs[key])), key
        assert ours[key].dtype == theirs[key].dtype, key
        if isinstance(theirs[key], np.ma.MaskedArray):
            np.testing.assert_array_equal(np.ma.getmaskarray(ours[key]), theirs[key].mask)
            assert ours[key].compressed().tolist() == theirs[key].compressed().tolist()
        else:
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("metrics", [["accuracy"], ["accuracy", "f1_macro"]])
def test_the_table_is_scikit_learns(metrics):
    theirs = stock_table(metrics if len(metrics) > 1 else metrics[0])
    assert_same(cv_results(study_of(theirs, metrics)), theirs)
    ranks = theirs["rank_test_score" if len(metrics) == 1 else "rank_test_f1_macro"]
    assert len(set(ranks)) < len(ranks)  # ties were compared


def test_where_all_candidates_failed_all_rank_first_as_in_scikit_learn():
    theirs = stock_table(lambda *_: np.nan, [{"gamma": [0.1, 1.0]}])
    ours = cv_results(study_of(theirs, ["accuracy"]))
    assert ours["rank_test_score"].tolist() == theirs["rank_test_score"].tolist() == [1, 1]
    assert np.isnan(ours["mean_test_score"]).all()


def test_a_loss_is_ranked_by_its_own_direction_and_not_negated():
    theirs = stock_table("neg_log_loss", [{"probability": [True], "C": [0.1, 1.0, 10.0]}])
    losses = {key: -v if key.startswith("split") else v for key, v in theirs.items()}
    ours = cv_results(study_of(losses, ["log_loss"]))
    np.testing.assert_allclose(ours["mean_test_score"], -theirs["mean_test_score"])
    np.testing.assert_array_equal(ours["rank_test_score"], theirs["rank_test_score"])


def test_times_are_a_folds_share_of_the_training(make_study):
    table = cv_results(study_of(stock_table("accuracy"), ["accuracy"]))
    np.testing.assert_allclose(table["mean_fit_time"], 0.2)
    for name in ("std_fit_time", "mean_score_time", "std_score_time"):
        assert not table[name].any()


def test_waiting_and_pruned_candidates_have_a_row_without_scores(make_study):
    maker = make_study()
    maker.add((0.5, 0.6, 0.7), ticket=1)
    maker.add((0.1, 0.2, 0.3), ticket=2, state=TrialState.PRUNED, cause="below the median")
    maker.study.enqueue_trial({"initializer": "he_normal"}, user_attrs={records.TICKET: 0})
    table = cv_results(maker.study)
    assert table["params"][0] == {"initializer": "he_normal"}
    assert table["param_optimizer.learning_rate"].mask.tolist() == [True, False, False]
    assert np.isnan(table["mean_test_score"]).tolist() == [True, False, True]
    assert table["rank_test_score"].tolist() == [2, 1, 2]


def test_train_scores_are_the_curves_at_the_epoch_each_fold_is_scored_by(make_study):
    maker = make_study()
    maker.add((0.5, 0.6, 0.7), epochs=6, score_epochs=(6, 4, 6))
    assert not any("train" in key for key in cv_results(maker.study))
    table = cv_results(maker.study, train_scores=True)
    curves = records.read_curves(maker.study.trials[0])
    expected = [float(curves.train["accuracy"][end - 1, i]) for i, end in enumerate((6, 4, 6))]
    ours = [table[f"split{i}_running_train_score"][0] for i in range(3)]
    assert ours == expected
    assert table["mean_running_train_score"][0] == pytest.approx(np.mean(expected))
    assert table["std_running_train_score"][0] == pytest.approx(np.std(expected))


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_command_line_gives_the_whole_table(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/a.db"
    theirs = stock_table(["accuracy", "f1_macro"])
    study = study_of(theirs, ["accuracy", "f1_macro"], storage=url)
    asked = ("results", "grid", "--storage", url, "--cv-results", "--format")
    code, out, _ = run(capsys, *asked, "json")
    assert code == 0
    rows = json.loads(out)
    assert [row["params"] for row in rows] == theirs["params"]
    assert rows[0]["param_degree"] is None
    assert list(rows[0]) == list(cv_results(study))
    code, out, _ = run(capsys, *asked, "csv")
    assert code == 0
    frame = pandas.read_csv(io.StringIO(out))
    for key in ("split1_test_f1_macro", "mean_test_accuracy", "std_test_f1_macro"):
        np.testing.assert_allclose(frame[key], theirs[key], rtol=1e-12, equal_nan=True)
    assert frame["rank_test_f1_macro"].tolist() == theirs["rank_test_f1_macro"].tolist()
    header, first, *_ = csv.reader(io.StringIO(out))
    assert json.loads(dict(zip(header, first, strict=True))["params"]) == theirs["params"][0]
    assert len(cv_rows(cv_results(study))) == len(theirs["params"])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--cv-results", "--top", "2"], "--cv-results shows all candidates"),
        (["--cv-results", "--trial", "0"], "--cv-results shows all candidates"),
        (["--train-scores"], "--train-scores adds columns to --cv-results"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(capsys, flags, said):
    code, out, err = run(capsys, "results", "grid", *flags)
    assert (code, out) == (2, "")
    assert said in err
