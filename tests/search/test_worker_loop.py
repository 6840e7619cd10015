"""One worker and its budget, with a trainer that takes no time."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import RATE, definition, load, of, prepare, table, work
from tuner.errors import StudyConflictError, UsageError
from tuner.planning import network_seed
from tuner.search import queue
from tuner.search.events import (
    TrialDone,
    TrialStarted,
    WorkerDone,
    WorkerReady,
)
from tuner.search.tickets import read_counts
from tuner.search.trainer import TrainerLike


def test_a_study_runs_to_its_total_and_a_re_run_adds_nothing(url):
    made = prepare(url)
    assert (made.total, made.done) == (10, 0)
    reason, events = work(url)
    assert reason == "done"
    assert isinstance(events[0], WorkerReady)
    assert events[-1] == WorkerDone(0, "done")
    assert [event.ticket for event in of(TrialDone, events)] == list(range(10))
    before = table(url)
    again = prepare(url)
    assert (again.total, again.done) == (10, 10)
    reason, events = work(url)
    assert (reason, of(TrialStarted, events)) == ("done", [])
    assert table(url) == before


def test_a_larger_total_adds_the_difference_and_a_smaller_one_nothing(url):
    prepare(url, trials=4)
    work(url)
    assert prepare(url, trials=7).total == 7
    work(url)
    assert len(load(url).trials) == 7
    assert prepare(url, trials=5).total == 7  # seven have begun
    assert prepare(url).total == 10  # the definition's
    assert prepare(url, trials=8).total == 8  # nothing beyond seven has begun
    work(url)
    counts = read_counts(load(url))
    assert (counts.total, counts.done, counts.waiting) == (8, 8, 0)
    assert prepare(url).total == 10
    work(url)
    assert read_counts(load(url)).done == 10


def test_fewer_trials_asked_for_while_a_worker_runs_end_its_work(url, monkeypatch):
    monkeypatch.setattr(queue, "TOTAL_EVERY", 0.0)
    prepare(url)

    def fewer(event):
        if isinstance(event, TrialStarted) and event.ticket == 3:
            assert prepare(url, trials=2).total == 4  # four have begun

    reason, events = work(url, on_event=fewer)
    assert reason == "done"
    assert [event.ticket for event in of(TrialDone, events)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "sampler",
    ["tpe", {"name": "tpe", "n_startup_trials": 4}, "random", "qmc", "nsga2", "brute-force"],
)
def test_ten_and_ten_resumed_are_twenty(tmp_path, sampler):
    params = {"optimizer.learning_rate": {"low": 0.001, "high": 1.0, "step": 0.001}, "epochs": 6}
    params["initializer"] = {"choices": ["he_normal", "glorot_uniform"]}
    made = definition(params, sampler=sampler, trials=20, seed=3)
    whole, parts = f"journal:{tmp_path}/whole", f"journal:{tmp_path}/parts"
    prepare(whole, made)
    work(whole)
    prepare(parts, made, trials=10)
    work(parts)
    prepare(parts, made, trials=20)
    work(parts)
    assert table(parts) == table(whole)
    rates = [trial.params["optimizer.learning_rate"] for trial in load(whole).trials]
    assert len(set(rates)) > 15  # no start-up point comes twice


def test_one_seed_repeats_a_study_and_another_does_not(tmp_path):
    tables = []
    for number, seed in enumerate((5, 5, 6)):
        url = f"journal:{tmp_path}/{number}"
        prepare(url, definition(seed=seed))
        work(url)
        tables.append(table(url))
    assert tables[0] == tables[1]
    assert tables[0] != tables[2]


def test_networks_are_seeded_by_study_ticket_and_fold(sqlite):
    seen = []

    class Recorder(FakeTrainer):
        def train(self, plans, seeds, **settings):
            seen.extend(seeds)
            return super().train(plans, seeds, **settings)

    prepare(sqlite, definition(trials=2, seed=9))
    work(sqlite, trainer=Recorder(3))
    assert seen == [[network_seed(9, ticket, fold) for fold in range(3)] for ticket in range(2)]


def test_the_fake_trainer_is_a_trainer():
    trainer: TrainerLike = FakeTrainer()
    assert trainer.folds == 3


def test_other_data_are_refused_with_both_hashes(sqlite):
    prepare(sqlite)
    with pytest.raises(StudyConflictError, match="hash fake, sklearn:digits here has other"):
        work(sqlite, trainer=FakeTrainer(data_hash="other"))
    assert {trial.state for trial in load(sqlite).trials} == {TrialState.WAITING}


def test_an_unknown_study_is_refused(sqlite):
    prepare(sqlite)
    with pytest.raises(UsageError, match=r"unknown study 'studi'; did you mean study\?"):
        work(sqlite, "studi")


def test_reports_and_pruning_are_those_of_stock_optuna(sqlite):
    """The same samplers and pruner, driven by Optuna's own ask, report, should_prune and tell."""
    params = {**RATE, "epochs": {"low": 4, "high": 12}, "batch_size": {"choices": [16, 32]}}
    made = definition(params, trials=40, pruner={"name": "median", "n_warmup_steps": 2})
    prepare(sqlite, made)
    work(sqlite)

    stock = optuna.create_study(
        study_name="study",
        direction="maximize",
        pruner=made.pruner.build(12),
    )
    trainer = FakeTrainer()
    for ticket in range(40):
        stock.enqueue_trial({}, user_attrs={"ticket": ticket})
        stock.sampler = made.sampler.build(made.space, seed=made.seed, ticket=ticket)
        trial = stock.ask()
        plan = trainer.plan(made.space.suggest(trial))
        seeds = [network_seed(made.seed, ticket, i) for i in range(3)]
        [scores] = trainer.train([plan], [seeds])
        for epoch, value in enumerate(scores.mean_curve("accuracy")):
            trial.report(float(value), step=epoch)
            if epoch + 1 < plan.epochs and trial.should_prune():
                stock.tell(trial, state=TrialState.PRUNED)
                break
        else:
            stock.tell(trial, float(np.mean(scores.fold_scores("accuracy"))))
    assert any(trial.state == TrialState.PRUNED for trial in stock.trials)
    assert table(sqlite) == [
        (trial.state, trial.params, trial.values, trial.intermediate_values)
        for trial in stock.trials
    ]
