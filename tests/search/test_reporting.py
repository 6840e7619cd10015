"""Reports after every epoch, and what ends a training."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.fake_trainer import FakeModel
from tuner.errors import TunerError
from tuner.search import reporting
from tuner.search.reporting import EpochReporter, TrialReports
from tuner.training.callbacks import start


class Trial:
    """Records what it is told; prunes at the steps of `at`."""

    def __init__(self, at=()):
        self.told, self.asked, self.at = [], 0, at

    def report(self, value, step):
        self.told.append((step, value))

    def should_prune(self):
        self.asked += 1
        return self.told[-1][0] in self.at


class Training:
    """Four epochs of one plan, or of several, that a reporter hears of."""

    def __init__(self, *trials, live=True, **settings):
        self.reports = [TrialReports(trial, epochs=4) for trial in trials]
        self.model = FakeModel()
        self.flushed: list[Any] = []
        self.reporter = EpochReporter(
            [[own] for own in self.reports],
            "accuracy",
            flush=self.flushed.append if live else None,
            **settings,
        )
        start([self.reporter], self.model, epochs=4)  # type: ignore[arg-type]

    def epoch(self, epoch, *means):
        self.model.means = {"accuracy": means}  # type: ignore[dict-item]
        self.reporter.on_epoch_end(epoch, {"val_accuracy": means[0]})


def test_an_epoch_is_reported_once():
    trial = Trial()
    training = Training(trial)
    for epoch, mean in ((0, 0.5), (0, 0.9), (1, 0.6)):
        training.epoch(epoch, mean)
    assert trial.told == [(0, 0.5), (1, 0.6)]


def test_nothing_is_pruned_after_the_last_epoch():
    trial = Trial(at=(3,))
    whole = Training(trial)
    for epoch in range(4):
        whole.epoch(epoch, 0.5)
    [reports] = whole.reports
    assert (trial.asked, reports.pruned, whole.model.stop_training) == (3, False, False)
    early = Training(Trial(at=(1,)))
    early.epoch(0, 0.5)
    assert not early.model.stop_training
    early.epoch(1, 0.5)
    assert (early.reports[0].pruned, early.model.stop_training) == (True, True)


def test_who_watches_is_told_of_the_epochs_that_a_trial_trained():
    """Of a stack that goes on when all folds of a candidate have ended: its mean is NaN then."""
    told: list[tuple[bool, int, float]] = []
    one, other = Trial(), Trial()
    training = Training(
        *(one, other),
        live=False,
        tell=lambda own, epoch, value: told.append((own.trial is other, epoch, value)),
    )
    for epoch, means in enumerate([(0.5, 0.6), (0.7, 0.8), (math.nan, 0.9), (math.nan, 0.9)]):
        training.epoch(epoch, *means)
    assert [each[1:] for each in told if not each[0]] == [(1, 0.5), (2, 0.7)]
    assert [each[1:] for each in told if each[0]] == [(1, 0.6), (2, 0.8), (3, 0.9), (4, 0.9)]


def test_a_mean_that_is_not_finite_ends_the_training():
    trial = Trial()
    training = Training(trial)
    training.epoch(0, math.nan)
    [reports] = training.reports
    assert (reports.diverged, reports.pruned, training.model.stop_training) == (True, False, True)
    assert trial.asked == 0


def test_of_several_trials_each_ends_by_itself_and_the_training_with_the_last():
    first, second = Trial(at=(1,)), Trial(at=(2,))
    training = Training(first, second)
    for epoch in range(3):
        assert not training.model.stop_training
        training.epoch(epoch, 0.5, 0.6)
    assert training.model.stop_training
    assert first.told == [(0, 0.5), (1, 0.5)]
    assert second.told == [(0, 0.6), (1, 0.6), (2, 0.6)]


def test_whoever_is_reported_with_the_result_is_told_of_and_not_pruned():
    trial, told = Trial(at=(0, 1, 2)), []
    training = Training(trial, live=False, tell=lambda own, epoch, mean: told.append((epoch, mean)))
    for epoch in range(4):
        training.epoch(epoch, 0.5)
    assert (trial.told, trial.asked, training.model.stop_training) == ([], 0, False)
    assert told == [(epoch, 0.5) for epoch in (1, 2, 3, 4)]


def test_the_pruner_is_asked_before_the_worker_ends_the_training():
    pruned = Training(Trial(at=(0,)), ending=lambda: True)
    pruned.epoch(0, 0.5)
    assert (pruned.reports[0].pruned, pruned.reporter.stopped) == (True, False)
    stopped = Training(Trial(), ending=lambda: True)
    stopped.epoch(0, 0.5)
    assert (stopped.reporter.stopped, stopped.model.stop_training) == (True, True)
    last = Training(Trial(), ending=lambda: True)
    last.epoch(3, 0.5)
    assert not last.reporter.stopped  # its score is paid for


def test_reports_of_fast_epochs_are_written_together(monkeypatch):
    monkeypatch.setattr(reporting, "FLUSH", 60.0)
    fast = Training(Trial())
    for epoch in range(3):
        fast.epoch(epoch, 0.5)
    assert fast.flushed == []
    monkeypatch.setattr(reporting, "FLUSH", 0.0)
    slow = Training(Trial())
    for epoch in range(3):
        slow.epoch(epoch, 0.5)
    assert len(slow.flushed) == 3


def test_a_score_that_is_not_in_the_logs_is_named():
    training = Training(Trial())
    with pytest.raises(TunerError, match="did you mean val_acc"):
        training.reporter.on_epoch_end(0, {"val_acc": 0.5, "loss": 1.0})
