from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial
from scipy.stats import loguniform
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV

from tests.support.studies import definition, prepare, work
from tuner.cli.main import main
from tuner.errors import NoCompletedTrialError, UsageError
from tuner.results import (
    best_trial,
    count_states,
    curve_rows,
    no_completed_trial,
    results_table,
)
from tuner.results.trials import trials_of
from tuner.storage import open_storage


def test_columns_equal_those_of_scikit_learn(make_study):
    """Means, population standard deviations and ranks, ties and NaN included, are cv_results_'s."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = (x[:, 0] + 0.5 * x[:, 1] > 0).astype(int)
    search = RandomizedSearchCV(
        SGDClassifier(max_iter=5, tol=None, random_state=0),
        {"alpha": loguniform(1e-4, 1e2)},
        n_iter=12,
        cv=3,
        random_state=0,
        error_score=np.nan,
    ).fit(x, y)
    theirs = search.cv_results_
    splits = np.stack([theirs[f"split{fold}_test_score"] for fold in range(3)], axis=1)
    assert len(set(splits.mean(axis=1).tolist())) < 12, "the example should have ties"

    maker = make_study()
    for scores in splits:
        maker.add(scores.tolist())
    rows = results_table(maker.study)

    for key in ("mean_test_score", "std_test_score", "rank_test_score"):
        np.testing.assert_allclose([row[key] for row in rows], theirs[key], rtol=0, atol=1e-15)
    np.testing.assert_array_equal([row["split_test_scores"] for row in rows], splits)
    assert best_trial(maker.study).number == search.best_index_
    assert best_trial(maker.study).value == pytest.approx(search.best_score_, abs=1e-15)


def test_trials_without_a_score_rank_last_as_in_scikit_learn(make_study):
    class FailsWhenLarge(SGDClassifier):
        def fit(self, x, y):
            if self.alpha > 1e-3:
                raise ValueError("too large")
            return super().fit(x, y)

    x = np.random.default_rng(0).normal(size=(60, 3))
    y = (x[:, 0] > 0).astype(int)
    candidates = list(ParameterSampler({"alpha": loguniform(1e-4, 1e2)}, 8, random_state=1))
    with pytest.warns(Warning, match="fits failed|non-finite"):
        theirs = (
            RandomizedSearchCV(
                FailsWhenLarge(random_state=0),
                {"alpha": loguniform(1e-4, 1e2)},
                n_iter=8,
                cv=3,
                random_state=1,
            )
            .fit(x, y)
            .cv_results_
        )
    maker = make_study()
    for number, candidate in enumerate(candidates):
        if candidate["alpha"] > 1e-3:
            maker.add(state=TrialState.FAIL, cause="too large", curves=False)
        else:
            maker.add([theirs[f"split{fold}_test_score"][number] for fold in range(3)])

    rows = results_table(maker.study)

    assert [row["rank_test_score"] for row in rows] == theirs["rank_test_score"].tolist()
    assert np.isnan([row["mean_test_score"] for row in rows]).sum() >= 2


def test_every_key_of_a_row(make_study):
    maker = make_study()
    params = {"optimizer.learning_rate": 0.01, "initializer": "he_normal"}
    maker.add((0.8, 0.9), epochs=4, params=params)
    assert results_table(maker.study) == [
        {
            "number": 0,
            "state": "complete",
            "params": params,
            "mean_test_score": pytest.approx(0.85),
            "std_test_score": pytest.approx(0.05),
            "rank_test_score": 1,
            "split_test_scores": [0.8, 0.9],
            "epochs_run": 4,
            "duration_s": 0.25,
            "cause": None,
        }
    ]


def test_pruned_and_failed_trials_say_why_and_have_no_mean(make_study):
    maker = make_study()
    maker.add()
    maker.add(state=TrialState.PRUNED, cause="below the median after epoch 3", epochs=3)
    maker.add(state=TrialState.FAIL, cause="worker died", curves=False)
    _, pruned, failed = results_table(maker.study)
    assert (pruned["state"], pruned["cause"]) == ("pruned", "below the median after epoch 3")
    assert (failed["state"], failed["cause"]) == ("failed", "worker died")
    assert np.isnan(pruned["mean_test_score"])
    assert pruned["split_test_scores"] == [0.9, 0.92, 0.94]


def test_a_loss_ranks_the_smallest_first(make_study):
    maker = make_study(direction="minimize")
    for loss in (0.5, 0.2, 0.9):
        maker.add((loss, loss))
    assert [row["rank_test_score"] for row in results_table(maker.study)] == [2, 1, 3]
    assert best_trial(maker.study).number == 1


def test_the_best_is_the_one_optuna_names(make_study):
    maker = make_study()
    for score in (0.7, 0.9, 0.8, 0.9):
        maker.add((score, score))
    maker.add((0.99, 0.99), state=TrialState.PRUNED, cause="an early peak")
    found = best_trial(maker.study)
    assert found.number == maker.study.best_trial.number == 1
    assert found.value == maker.study.best_value
    assert found.fold_scores == (0.9, 0.9)


def test_order_top_and_states(make_study):
    maker = make_study()
    for score in (0.7, 0.9, 0.8):
        maker.add((score, score))
    maker.add(state=TrialState.PRUNED)
    assert [row["number"] for row in results_table(maker.study)] == [0, 1, 2, 3]
    assert [row["number"] for row in results_table(maker.study, order="rank")] == [1, 2, 0, 3]
    assert [row["number"] for row in results_table(maker.study, top=2)] == [1, 2]
    assert [row["number"] for row in results_table(maker.study, states=["pruned"])] == [3]
    with pytest.raises(UsageError, match="did you mean pruned"):
        results_table(maker.study, states=["prune"])
    with pytest.raises(UsageError, match="at least 1; received 0"):
        results_table(maker.study, top=0)


def test_a_waiting_trial_shows_what_it_was_queued_with(make_study):
    maker = make_study()
    maker.study.enqueue_trial({"optimizer.learning_rate": 0.5, "initializer": "he_normal"})
    (row,) = results_table(maker.study)
    assert row["state"] == "waiting"
    assert row["params"] == {"optimizer.learning_rate": 0.5, "initializer": "he_normal"}


def test_no_completed_trial_counts_what_there_is_and_says_why(make_study):
    maker = make_study("weak")
    for _ in range(2):
        maker.add(state=TrialState.FAIL, cause="fold 1 diverged in epoch 2", curves=False)
    maker.add(state=TrialState.PRUNED, cause="below the median")
    with pytest.raises(NoCompletedTrialError) as raised:
        best_trial(maker.study)
    message = str(raised.value)
    assert "'weak'" in message
    assert "1 pruned, 2 failed" in message
    assert "2 trials: fold 1 diverged in epoch 2; 1 trial: below the median" in message
    assert "resume" not in message, "nothing waits, so there is nothing to resume"
    assert "Available" not in message


def test_if_all_diverge_what_helps_is_said(make_study):
    maker = make_study("weak")
    maker.add(state=TrialState.PRUNED, cause="diverged: the loss of fold 1 was not", curves=False)
    message = str(no_completed_trial(maker.study))
    assert "Available: lower learning rates (--set optimizer.learning_rate=" in message


def test_curves_are_the_scores_of_the_training(make_study):
    maker = make_study()
    maker.add((0.6, 0.8), epochs=5)
    rows = curve_rows(maker.study, 0)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    last = rows[-1]
    assert last["split0_val_accuracy"] == pytest.approx(0.6)
    assert last["split1_val_accuracy"] == pytest.approx(0.8)
    assert last["val_accuracy"] == pytest.approx(0.7)
    assert last["accuracy"] == pytest.approx(0.7 * 0.99)
    assert last["val_loss"] == pytest.approx(0.3)
    assert last["learning_rate"] == pytest.approx(0.02)
    reported = maker.study.trials[0].intermediate_values
    assert [row["val_accuracy"] for row in rows] == pytest.approx(list(reported.values()))


def test_curves_of_a_metric_without_a_training_score_are_those_of_validation(make_study):
    maker = make_study(metrics=("r2", "roc_auc"))
    maker.add((0.6, 0.8), epochs=5)
    rows = curve_rows(maker.study, 0)
    for name in ("r2", "roc_auc"):
        assert rows[-1][f"val_{name}"] == pytest.approx(0.7)
        assert rows[-1][f"split1_val_{name}"] == pytest.approx(0.8)
        assert not {name, f"split0_{name}"} & set(rows[-1])
    assert rows[-1]["accuracy"] == pytest.approx(0.7 * 0.99)


def test_a_stopped_fold_counts_on_with_the_score_it_is_judged_by(make_study):
    maker = make_study()
    maker.add((0.6, 0.8), epochs=6, status=["stopped", "completed"], score_epochs=[3, 6])
    rows = curve_rows(maker.study, 0)
    assert np.isnan(rows[-1]["split0_val_accuracy"])
    assert rows[-1]["val_accuracy"] == pytest.approx(maker.study.trials[0].value)


def test_curves_of_a_running_trial_are_what_it_reported(make_study):
    study = make_study().study
    trial = study.ask()
    trial.report(0.5, 0)
    trial.report(0.7, 1)
    assert curve_rows(study, 0) == [
        {"epoch": 1, "val_score": 0.5},
        {"epoch": 2, "val_score": 0.7},
    ]


def test_curves_that_are_not_there(make_study):
    maker = make_study()
    maker.add(state=TrialState.FAIL, cause="out of memory", curves=False)
    with pytest.raises(NoCompletedTrialError, match=r"trial 0 .* is failed \(out of memory\)"):
        curve_rows(maker.study, 0)
    with pytest.raises(UsageError, match=r"received 7\. Available: 0 to 0"):
        curve_rows(maker.study, 7)


def test_what_was_tried_again_counts_once(make_study):
    """One row a ticket: its last trial; all of them where they are asked for."""
    maker = make_study()
    maker.add(state=TrialState.FAIL, cause="the worker died", curves=False, ticket=0)
    maker.add(ticket=1)
    maker.add((0.8, 0.8), ticket=0, turn=1)
    assert [row["number"] for row in results_table(maker.study)] == [1, 2]
    assert [row["number"] for row in results_table(maker.study, attempts=True)] == [0, 1, 2]
    assert count_states(trials_of(maker.study)) == {"complete": 2}
    with pytest.raises(NoCompletedTrialError, match="the worker died"):
        curve_rows(maker.study, 0)


ODD = ["text", "", True, -1, 0.5, 10**400, None, [], ["a"], [[1]], {}, {"a": 1}, {"a": ["b"]}]


@pytest.mark.parametrize("ours", [True, False], ids=["in a study of tuner's", "in a foreign study"])
def test_attributes_that_others_give_their_trials_are_not_ours(ours, sqlite, capsys):
    """Names like `ticket` and `duration_s` belong to nobody."""
    if ours:
        prepare(sqlite, definition(trials=2, sampler="random"), name="s")
    study = optuna.create_study(
        storage=open_storage(sqlite), study_name="s", load_if_exists=True, direction="maximize"
    )
    names = ["ticket", "attempt", "fold_scores", "score_epochs", "epochs_run", "duration_s"]
    names += ["cause", "metrics"]
    for first in range(len(ODD)):
        odd = {name: ODD[(first + at) % len(ODD)] for at, name in enumerate(names)}
        study.add_trial(create_trial(value=0.25, user_attrs=odd))
        study.add_trial(create_trial(state=TrialState.FAIL, user_attrs=odd))
    study.add_trial(create_trial(value=0.5, user_attrs={key: {"a": "b"} for key in names}))
    if ours:  # the search goes on beside them
        prepare(sqlite, definition(trials=3, sampler="random"), name="s", trials=3)
        work(sqlite, "s")
    table = results_table(study, states=["complete", "pruned"])
    assert len(table) == len(ODD) + 1 + 3 * ours
    for command in (
        ["best", "s"],
        ["results", "s"],
        ["results", "s", "--format", "csv"],
        ["results", "s", "--cv-results", "--train-scores", "--format", "csv"],
        ["studies", "list"],
    ):
        with pytest.raises(SystemExit) as end:
            main([*command, "--storage", sqlite])
        assert end.value.code == 0, capsys.readouterr().err


def test_tickets_of_others_are_no_tickets(sqlite):
    study = optuna.create_study(storage=sqlite, study_name="s")
    for number in range(3):
        study.add_trial(create_trial(value=float(number), user_attrs={"ticket": number % 2}))
    assert [row["number"] for row in results_table(study)] == [0, 1, 2]
