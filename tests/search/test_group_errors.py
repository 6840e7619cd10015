"""Candidates of a group that diverge, raise, or cannot be trained: the others go on."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, work
from tuner.errors import NoCompletedTrialError
from tuner.results import best_trial, no_completed_trial
from tuner.search.events import TrialDone, TrialReturned
from tuner.storage import records

RATES = [0.001, 0.01, 0.1, 1.0]
GRID = {"optimizer.learning_rate": {"values": RATES}, "epochs": 4}


def grid(params=GRID, **changes):
    return definition(params, sampler="grid", **changes)


def states(url):
    return [trial.state.name for trial in load(url).trials]


def is_third(params, epoch=1):
    return params["optimizer.learning_rate"] == 0.1


def test_a_diverging_candidate_fails_once_with_its_cause(url):
    prepare(url, grid())
    _, events = work(url, trainer=FakeTrainer(diverge=is_third))
    assert states(url) == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]  # and no retry
    trial = load(url).trials[2]
    cause = "diverged: the loss of fold 1 was not finite in epoch 2"
    assert trial.user_attrs[records.CAUSE] == cause
    scores = trial.user_attrs[records.FOLD_SCORES]
    assert [score is None for score in scores] == [False, True, False]
    assert list(trial.intermediate_values) == [0, 1]
    curves = records.read_curves(trial)
    assert curves is not None
    assert curves.status[1] == "diverged"
    [failed] = [event for event in of(TrialDone, events) if event.state == "failed"]
    assert (failed.ticket, failed.value, failed.cause) == (2, None, cause)


def test_a_stopped_worker_tells_of_the_candidate_that_diverged_and_hands_back_the_others(url):
    prepare(url, grid())
    seen = []
    _, events = work(
        url,
        trainer=FakeTrainer(diverge=is_third),
        on_event=lambda event: seen.append(getattr(event, "epoch", 0)),
        stop=lambda: 3 in seen,
    )
    assert [event.ticket for event in of(TrialDone, events)] == [2]
    assert sorted(event.ticket for event in of(TrialReturned, events)) == [0, 1, 3]
    assert load(url).trials[2].system_attrs[records.SETTLED] == records.FINAL
    work(url)
    assert states(url).count("COMPLETE") == 3


def test_a_candidate_that_ended_before_the_divergence_is_complete(sqlite):
    """Epochs 1 and 4 share a training that diverges in epoch 2."""
    params = {"optimizer.learning_rate": 0.1, "epochs": {"values": [1, 4]}}
    params["batch_size"] = {"values": [16]}

    prepare(sqlite, grid(params))
    work(sqlite, trainer=FakeTrainer(diverge=is_third))
    assert states(sqlite) == ["COMPLETE", "FAIL"]


def test_a_candidate_that_raises_fails_alone_after_its_retries(sqlite):
    def fail(params, epoch):
        if is_third(params):
            raise RuntimeError("no memory for\nthis one")

    prepare(sqlite, grid(retries=1))
    trainer = FakeTrainer(fail=fail)
    assert work(sqlite, trainer=trainer)[0] == "done"
    assert states(sqlite) == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE", "FAIL"]
    for trial in load(sqlite).trials:
        if trial.state == TrialState.FAIL:
            assert trial.user_attrs[records.CAUSE] == "RuntimeError: no memory for"
            assert trial.user_attrs[records.TICKET] == 2
    # Together, then each alone; the retry likewise.
    assert [len(stack) for stack in trainer.stacks] == [4, 1, 1, 1, 1] * 2


def test_a_candidate_that_cannot_be_planned_fails_at_once_and_changes_no_stack(sqlite):
    refuse = lambda params: "no such thing" if is_third(params) else None  # noqa: E731
    prepare(sqlite, grid())
    trainer = FakeTrainer(refuse=refuse)
    work(sqlite, trainer=trainer)
    assert states(sqlite) == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]
    assert load(sqlite).trials[2].user_attrs[records.CAUSE] == "no such thing"
    assert [len(stack) for stack in trainer.stacks] == [3]


def test_if_all_fail_the_causes_are_grouped(sqlite):
    params = {"optimizer.learning_rate": {"values": [0.1, 0.2, 0.3, 0.4, 0.5]}, "epochs": 4}
    prepare(sqlite, grid(params))
    work(
        sqlite,
        trainer=FakeTrainer(
            diverge=lambda params: True,
            refuse=lambda params: "too fast" if params["optimizer.learning_rate"] > 0.35 else None,  # type: ignore[operator]
        ),
    )
    study = load(sqlite)
    with pytest.raises(NoCompletedTrialError, match="it holds 5 failed") as caught:
        best_trial(study)
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert "3 trials: diverged: the loss of fold 1 was not finite in epoch 2" in text
    assert "2 trials: too fast" in text
    assert text.index("diverged") < text.index("too fast")
    assert str(no_completed_trial(study)) == text
