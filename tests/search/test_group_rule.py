"""Which candidates share a stack, and a training: by the definition and the data alone."""

from __future__ import annotations

import pytest

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, work
from tuner.search.events import TrialDone
from tuner.search.groups import groups_of, is_grouped
from tuner.storage import records
from tuner.training.grouping import MOST_NETWORKS

GRID = {
    "optimizer.learning_rate": {"values": [0.001, 0.01, 0.1]},
    "batch_size": {"values": [16, 32]},
    "epochs": {"values": [2, 4, 3]},
}


def groups(params, trainer=None, **changes):
    made = definition(params, sampler="grid", **changes)
    ready = dict(enumerate(made.candidates(made.total_trials(None))))
    return groups_of(ready, made, trainer or FakeTrainer()), ready


def test_every_ticket_is_in_one_group_of_one_batch_size():
    found, ready = groups(GRID)
    assert sorted(ticket for group in found for ticket in group.tickets) == list(range(18))
    for group in found:
        assert len({ready[ticket]["batch_size"] for ticket in group.tickets}) == 1
    lowest = [group.tickets[0] for group in found]
    assert lowest == sorted(lowest)


def test_candidates_that_differ_only_in_epochs_share_the_longest_training():
    found, ready = groups(GRID)
    trainings = [training for group in found for training in group.trainings]
    assert len(trainings) == 6  # batch sizes x learning rates
    for training in trainings:
        assert sorted(training.epochs.values()) == [2, 3, 4]
        assert training.plan.epochs == 4
        assert training.first == min(training.epochs)
        assert all(ready[ticket]["epochs"] == e for ticket, e in training.epochs.items())


def test_a_stack_holds_no_training_of_less_than_half_its_longest():
    params = {"initializer": {"values": ["zeros", "ones"]}, "epochs": {"values": [1, 3, 6, 7]}}
    found, _ = groups(params)  # without a learning rate the fake's curves depend on the epochs
    for group in found:
        epochs = [training.plan.epochs for training in group.trainings]
        assert 2 * min(epochs) >= max(epochs)
    assert sum(len(group.trainings) for group in found) == 8


@pytest.mark.parametrize("most", [1, 3, 100])
def test_stacks_of_a_kind_are_as_equal_as_they_can_be(most):
    rates = [10.0**-i for i in range(7)]
    found, _ = groups(
        {"optimizer.learning_rate": {"values": rates}, "epochs": 2}, FakeTrainer(most=most)
    )
    sizes = [len(group.trainings) for group in found]
    assert sum(sizes) == 7
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1


def test_the_real_trainer_stacks_by_shape_batch_size_and_memory():
    from tuner.search.study_trainer import StudyTrainer
    from tuner.training import set_threads

    set_threads()
    made = definition({"epochs": 2}, sampler="grid", data__limit=200).resolved("multiclass")
    trainer = StudyTrainer(made)

    def stacking(**params):
        return trainer.stacking(
            trainer.plan({key.replace("__", "."): value for key, value in params.items()})
        )

    base = stacking(epochs=4)
    assert stacking(epochs=9) == base  # nothing but epochs differs
    other_rate = stacking(epochs=4, optimizer__learning_rate=0.1, initializer="zeros")
    assert other_rate.kind == base.kind
    assert other_rate.training != base.training
    for params in (
        {"batch_size": 64},
        {"model__layers": 3},
        {"model__units": 32},
        {"optimizer": "sgd"},
        {"model__dropout": 0.5},
    ):
        assert stacking(epochs=4, **params).kind != base.kind
    # Rates that depend on the total, and epochs that are chosen by the scores, are not shared.
    assert stacking(epochs=4, schedule="cosine").training is None
    assert stacking(epochs=4, schedule="cosine", schedule__warmup=1).training is None
    assert stacking(epochs=4, schedule__warmup=1).training is not None
    assert stacking(epochs=4, early_stopping__patience=2).training is None
    assert base.most == MOST_NETWORKS // 5
    assert (base.most, stacking(model__units=3000).most) == (4, 1)


def test_only_candidates_that_nobody_prunes_are_grouped():
    assert is_grouped(definition(GRID, sampler="grid"))
    assert not is_grouped(definition(GRID, sampler="grid", pruner="median"))
    assert not is_grouped(definition(GRID, pruner="none"))


def test_a_pruned_grid_trains_one_candidate_at_a_time(sqlite):
    trainer = FakeTrainer()
    prepare(sqlite, definition(GRID, sampler="grid", pruner="median"))
    _, events = work(sqlite, trainer=trainer)
    assert {len(stack) for stack in trainer.stacks} == {1}
    assert len(of(TrialDone, events)) == 18
    assert {trial.user_attrs[records.TICKET] for trial in load(sqlite).trials} == set(range(18))


def test_a_group_does_not_change_with_what_is_settled(sqlite):
    """Tickets told already are trained along, so that the stack stays the same."""
    made = definition({"optimizer.learning_rate": {"values": [0.001, 0.01, 0.1]}}, sampler="grid")
    prepare(sqlite, made)
    work(sqlite)
    before = {trial.params["optimizer.learning_rate"]: trial.value for trial in load(sqlite).trials}
    prepared = load(sqlite)
    prepared._storage.delete_study(prepared._study_id)
    prepare(sqlite, made)
    study = load(sqlite)
    first = study.trials[1]
    study._storage.set_trial_state_values(first._trial_id, first.state.RUNNING)
    study._storage.set_trial_system_attr(first._trial_id, records.SETTLED, records.FINAL)
    study._storage.set_trial_state_values(first._trial_id, first.state.FAIL)
    trainer = FakeTrainer()
    _, events = work(sqlite, trainer=trainer)
    assert [len(stack) for stack in trainer.stacks] == [3]
    assert sorted(event.ticket for event in of(TrialDone, events)) == [0, 2]
    for trial in load(sqlite).trials:
        if trial.state.name == "COMPLETE":
            assert trial.value == before[trial.params["optimizer.learning_rate"]]
