"""How a trial ends: complete, pruned, diverged, failed, retried."""

from __future__ import annotations

import math
import signal
import time

import numpy as np
import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, work
from tuner.errors import PlanError
from tuner.planning.own_metric import metric
from tuner.search.events import EpochDone, TrialDone, TrialStarted
from tuner.search.tickets import read_counts
from tuner.storage import records


def test_each_epoch_reports_once_the_mean_over_the_folds(url):
    prepare(url, definition(trials=12, pruner={"name": "median", "n_warmup_steps": 1}))
    _, events = work(url)
    trials = load(url).trials
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    assert pruned
    for trial in trials:
        curves = records.read_curves(trial)
        epochs = trial.user_attrs[records.EPOCHS_RUN]
        assert list(trial.intermediate_values) == list(range(epochs))
        means = curves.validation["accuracy"].mean(axis=1)
        np.testing.assert_allclose(list(trial.intermediate_values.values()), means, rtol=1e-6)
        assert trial.value == pytest.approx(means[-1])
        told = [event for event in of(EpochDone, events) if event.number == trial.number]
        assert [event.epoch for event in told] == list(range(1, epochs + 1))
        assert [event.value for event in told] == list(trial.intermediate_values.values())
    for trial in pruned:
        epochs = trial.user_attrs[records.EPOCHS_RUN]
        assert 1 < epochs < 6
        assert trial.user_attrs[records.CAUSE] == f"pruned by median after epoch {epochs} of 6"


def test_a_complete_trial_holds_its_fold_scores(sqlite):
    prepare(sqlite, definition(trials=1, metrics=["f1_macro"]))
    _, events = work(sqlite, trainer=FakeTrainer(4, metrics=("accuracy", "f1_macro")))
    trial = load(sqlite).trials[0]
    scores = trial.user_attrs[records.FOLD_SCORES]
    assert len(scores) == 4
    assert trial.value == pytest.approx(np.mean(scores))
    assert trial.user_attrs[records.METRICS] == {"accuracy": scores, "f1_macro": scores}
    assert trial.user_attrs[records.SCORE_EPOCHS] == [6, 6, 6, 6]
    assert trial.user_attrs[records.DURATION] >= 0
    [done] = of(TrialDone, events)
    assert (done.state, done.value, done.cause) == ("complete", trial.value, None)


def test_the_seconds_of_a_trial_are_those_since_it_was_claimed(sqlite):
    prepare(sqlite, definition(trials=1))
    slow = lambda event: time.sleep(0.2) if isinstance(event, TrialStarted) else None  # noqa: E731
    _, events = work(sqlite, on_event=slow)
    [done] = of(TrialDone, events)
    assert done.seconds >= 0.2
    assert load(sqlite).trials[0].user_attrs[records.DURATION] < 0.2  # the training


@pytest.mark.parametrize("final", [True, False])
def test_only_a_failure_that_is_nobodys_mistake_is_logged(sqlite, caplog, final):
    def fail(params, epoch):
        raise RuntimeError("no memory")

    prepare(sqlite, definition(trials=1, retries=0))
    trainer = FakeTrainer(refuse=lambda _: "no such thing") if final else FakeTrainer(fail=fail)
    _, events = work(sqlite, trainer=trainer)
    [done] = of(TrialDone, events)
    assert done.cause == ("no such thing" if final else "RuntimeError: no memory")
    assert len(caplog.records) == (0 if final else 1)


@pytest.mark.parametrize(
    ("sampler", "state"),
    [("tpe", TrialState.PRUNED), ("random", TrialState.FAIL), ("grid", TrialState.FAIL)],
)
def test_a_diverged_trial_is_told_as_the_sampler_can_use_it(sqlite, sampler, state):
    params = {"optimizer.learning_rate": {"values": [0.01, 0.1, 1.0]}, "epochs": 6}
    prepare(sqlite, definition(params, sampler=sampler, trials=3))
    diverging = FakeTrainer(diverge=lambda params: params["optimizer.learning_rate"] == 1.0)
    reason, events = work(sqlite, trainer=diverging)
    assert reason == "done"
    study = load(sqlite)
    assert len(study.trials) == 3  # not retried
    for trial in study.trials:
        if trial.params["optimizer.learning_rate"] != 1.0:
            assert trial.state == TrialState.COMPLETE
            continue
        assert trial.state == state
        assert trial.value is None
        assert trial.user_attrs[records.CAUSE] == (
            "diverged: the loss of fold 1 was not finite in epoch 2"
        )
        assert trial.user_attrs[records.FOLD_SCORES][1] is None
        assert math.isnan(trial.intermediate_values[1])
        assert list(trial.intermediate_values) == [0, 1]
        assert records.read_curves(trial).status[1] == "diverged"
    assert len(of(TrialDone, events)) == 3


def test_a_combination_that_cannot_be_planned_fails_with_its_cause_and_no_retry(url):
    made = definition({"optimizer.learning_rate": {"values": [0.1, 1.0]}, "epochs": 2})
    prepare(url, made.override({"sampler": "grid"}))
    refusing = FakeTrainer(
        refuse=lambda params: "no such rate" if params["optimizer.learning_rate"] == 0.1 else None
    )
    _, events = work(url, trainer=refusing)
    first, second = load(url).trials
    assert (first.state, first.user_attrs[records.CAUSE]) == (TrialState.FAIL, "no such rate")
    assert first.params == {"optimizer.learning_rate": 0.1}
    assert second.state == TrialState.COMPLETE
    assert [event.state for event in of(TrialDone, events)] == ["failed", "complete"]
    assert read_counts(load(url)).failed == 1


def test_a_failing_trial_is_retried_and_then_settles_as_failed(url):
    def fail(params, epoch):
        if epoch == 2 and params["optimizer.learning_rate"] == 0.1:
            raise MemoryError("too big\nfor this machine")

    made = definition({"optimizer.learning_rate": {"values": [0.1, 1.0]}, "epochs": 2})
    prepare(url, made.override({"sampler": "grid", "retries": 2}))
    reason, events = work(url, trainer=FakeTrainer(fail=fail))
    assert reason == "done"
    failed = [t for t in load(url).trials if t.user_attrs[records.TICKET] == 0]
    assert [trial.state for trial in failed] == [TrialState.FAIL] * 3
    assert [trial.user_attrs[records.ATTEMPT] for trial in failed] == [0, 1, 2]
    assert {trial.user_attrs[records.CAUSE] for trial in failed} == {"MemoryError: too big"}
    assert {trial.params["optimizer.learning_rate"] for trial in failed} == {0.1}
    counts = read_counts(load(url))
    assert (counts.total, counts.complete, counts.failed) == (2, 1, 1)
    assert len(of(TrialDone, events)) == 4
    assert prepare(url, made.override({"sampler": "grid"})).done == 2


def test_a_trial_that_succeeds_when_tried_again_counts_once(url):
    failures = iter([True, False, False])

    def fail(params, epoch):
        if epoch == 1 and next(failures):
            raise RuntimeError("once")

    prepare(url, definition(trials=2))
    work(url, trainer=FakeTrainer(fail=fail))
    states = [(t.user_attrs[records.TICKET], t.state.name) for t in load(url).trials]
    assert states == [(0, "FAIL"), (1, "COMPLETE"), (0, "COMPLETE")]
    first, _, retry = load(url).trials
    assert retry.params == first.params
    counts = read_counts(load(url))
    assert (counts.complete, counts.failed) == (2, 0)


def test_a_missing_score_is_told_with_those_there_are(sqlite):
    prepare(sqlite, definition(trials=1, retries=0, objective__metric="f1_macro"))
    work(sqlite)
    cause = load(sqlite).trials[0].user_attrs[records.CAUSE]
    assert "unknown score to monitor 'val_f1_macro'" in cause
    assert "val_accuracy" in cause


@pytest.mark.parametrize("raised", [KeyboardInterrupt("mine"), SystemExit(3)])
def test_what_would_end_a_program_fails_the_trial_where_ctrl_c_is_ignored(
    sqlite, monkeypatch, raised
):
    def fail(params, epoch):
        raise raised

    prepare(sqlite, definition(trials=2, retries=0))
    with pytest.raises(type(raised)):
        work(sqlite, trainer=FakeTrainer(fail=fail))
    assert read_counts(load(sqlite)).done == 0
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)  # as in a worker
    reason, events = work(sqlite, trainer=FakeTrainer(fail=fail))
    assert reason == "done"
    causes = {event.cause for event in of(TrialDone, events)}
    assert causes == {f"{type(raised).__name__}: {raised}"}
    own = metric(fail, direction="minimize").info("multiclass", None)
    with pytest.raises(PlanError, match=f"the metric fail failed on 4 rows: {causes.pop()}"):
        own.compute(np.zeros(4), np.zeros((4, 3)))
