"""Points that somebody names: of the definition, and Optuna's `enqueue_trial`."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import RATE, definition, load, of, prepare, work
from tuner.errors import DefinitionError, SpaceError
from tuner.results.table import results_table
from tuner.search.budget import missing_tickets
from tuner.search.events import TrialDone, TrialStarted, WorkerWarning
from tuner.search.finished import find_finished
from tuner.search.tickets import fail, read_counts, requeue
from tuner.spaces import load_space
from tuner.spaces.points import fitted_point, fitted_points, read_point
from tuner.storage import records, storage_at
from tuner.storage.backend import Writes
from tuner.study.stored import read_definition

TWO = {**RATE, "batch_size": {"choices": [16, 32, 64, 128]}, "epochs": 2}
RATE_OF, BATCH = "optimizer.learning_rate", "batch_size"
GRID = {"batch_size": {"choices": [16, 32]}, "initializer": {"choices": ["zeros", "he_normal"]}}


def begun(events) -> list[dict]:
    return [event.params for event in of(TrialStarted, events)]


def ran(url) -> list[dict]:
    """The parameters of every ticket, by ticket."""
    rows = [t for t in load(url).trials if t.state == TrialState.COMPLETE]
    return [t.params for t in sorted(rows, key=lambda trial: trial.user_attrs["ticket"])]


def test_a_point_is_read_from_a_flag():
    point = read_point("optimizer.learning_rate=1e-2, batch_size=32,initializer=he_normal")
    assert point == {RATE_OF: 0.01, BATCH: 32, "initializer": "he_normal"}
    for text in ("epochs", "=3", "a=1,,b=2", ""):
        with pytest.raises(SpaceError, match=r"--try takes PARAMETER=VALUE.*received"):
            read_point(text)
    with pytest.raises(SpaceError, match="received epochs twice"):
        read_point("epochs=3, epochs=4")
    with pytest.raises(SpaceError, match="--try epochs: not valid YAML"):
        read_point("epochs={")


CONDITIONAL = {
    "optimizer": {"choices": ["sgd", "adam"]},
    "optimizer.momentum": {"low": 0.0, "high": 0.9},
    "epochs": 6,
    **RATE,
}


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"epohcs": 6}, "did you mean epochs?"),
        ({RATE_OF: 99.0}, "optimizer.learning_rate must be one of 0.0001 .. 10, log; got 99"),
        ({RATE_OF: "fast"}, "optimizer.learning_rate must be a number; got 'fast'"),
        ({"epochs": 7}, "epochs must be one of 6; got 7"),
        ({"optimizer": "sdg"}, "did you mean sgd?"),
        ({"optimizer": "adam", "optimizer.momentum": 0.5}, "optimizer.momentum needs optimizer to"),
        ({"optimizer.momentum": 0.5}, "to be sgd, rmsprop, muon, which it leaves open"),
    ],
)
def test_a_point_that_does_not_fit_is_refused_before_anything_is_stored(sqlite, point, said):
    with pytest.raises(DefinitionError) as error:
        definition(CONDITIONAL, try_first=[point])
    assert said in str(error.value)
    assert "is none of the space lines" in str(error.value)


def test_a_point_takes_the_kinds_of_its_parameters():
    space = definition(CONDITIONAL).space
    given = {"epochs": 6.0, RATE_OF: np.int64(1), "optimizer": "sgd", "optimizer.momentum": 0}
    fitted = fitted_points(space, definition(CONDITIONAL, try_first=[given]).try_first)
    assert fitted == ({RATE_OF: 1.0, "optimizer": "sgd", "optimizer.momentum": 0.0},)
    assert type(fitted[0][RATE_OF]) is float


def test_the_task_decides_what_a_point_may_hold():
    """A shipped space clips gradients for a regression alone."""
    space = load_space("sgd_decay")
    made = definition(try_first=[]).model_copy(update={"space": space})
    made = made.override({"try_first": [{"optimizer.clipnorm": 3.0}]})
    with pytest.raises(SpaceError, match=r"optimizer\.clipnorm"):
        made.resolved("multiclass")


def test_points_change_neither_hash_nor_name():
    plain, made = definition(TWO), definition(TWO, try_first=[{BATCH: 16}])
    assert plain.hash() == made.hash()
    assert made.differences(plain) == []


def test_points_are_the_first_trials_of_the_total(url):
    points = [{RATE_OF: 0.5, BATCH: 64}, {BATCH: 16}, {BATCH: 16}, {BATCH: 16}]
    made = prepare(url, definition(TWO, trials=6, try_first=points, sampler="random"))
    assert (made.total, len(load(url).trials)) == (6, 6)
    assert prepare(url, read_definition(load(url))).total == 6  # as `tuner resume`
    _, events = work(url)
    assert begun(events)[0] == points[0]
    params = ran(url)
    assert [own[BATCH] for own in params[:4]] == [64, 16, 16, 16]
    assert len({own[RATE_OF] for own in params}) == 6  # what is left open is drawn anew
    assert read_counts(load(url)).done == 6
    place = storage_at(url)
    if not place.absent and url.startswith("sqlite"):
        again = definition(TWO, trials=6, try_first=points, sampler="random")
        assert find_finished(again, name="study", storage_url=url, trials=None) is not None
        more = again.override({"try_first": [*points, {BATCH: 16}]})
        assert find_finished(more, name="study", storage_url=url, trials=None) is None


def test_more_points_than_trials_are_more_trials(sqlite):
    points = [{RATE_OF: 0.1}, {RATE_OF: 0.2}]
    assert prepare(sqlite, definition(TWO, trials=1, try_first=points)).total == 2
    work(sqlite)
    assert [own[RATE_OF] for own in ran(sqlite)] == [0.1, 0.2]


FIRST = {
    "optimizer": {"choices": ["sgd", "adam"], "default": "sgd"},
    "optimizer.momentum": {"low": 0.0, "high": 0.99, "default": 0.9},
    RATE_OF: {**RATE[RATE_OF], "default": 1},
    BATCH: {"choices": [16, 32]},
    "epochs": 2,
}


def test_the_defaults_of_a_space_are_the_first_trial(url):
    point = {"optimizer": "sgd", "optimizer.momentum": 0.9, RATE_OF: 1.0}
    made = definition(FIRST, trials=3)
    prepare(url, made)
    prepare(url, made)  # the same command again adds nothing
    _, events = work(url)
    first = begun(events)[0]
    assert {name: first[name] for name in point} == point
    assert sum(own[RATE_OF] == 1.0 for own in ran(url)) == 1
    assert len(ran(url)) == 3
    assert read_definition(load(url)).try_first == (point,)
    if url.startswith("sqlite"):
        assert find_finished(made, name="study", storage_url=url, trials=None) is not None
    # Named points come before them, and they never make a study longer than was asked for.
    named = definition(FIRST, trials=1, try_first=[{RATE_OF: 0.5}])
    assert prepare(url, named, name="named").total == 1
    assert prepare(url, named, name="named", trials=2).total == 2
    _, events = work(url, "named")
    assert [own[RATE_OF] for own in begun(events)] == [0.5, 1.0]


def test_a_default_changes_no_candidate_that_is_known_before(sqlite):
    rate = {**RATE[RATE_OF], "default": 1}
    for number, own in enumerate(({**TWO}, {**TWO, RATE_OF: rate})):
        made = definition(own, trials=4, sampler="sklearn-random")
        prepare(sqlite, made, name=f"study{number}")
    known = [[t.system_attrs for t in load(sqlite, f"study{i}").trials] for i in range(2)]
    assert known[0] == known[1]


def test_points_of_a_later_command_come_before_what_waits(url):
    prepare(url, definition(TWO, trials=5))
    done = []
    work(
        url,
        on_event=lambda e: done.append(e) if isinstance(e, TrialDone) else None,
        stop=lambda: len(done) >= 2,
    )
    later = definition(TWO, trials=5, try_first=[{RATE_OF: 0.25}])
    for _ in range(2):  # the same command again adds nothing
        assert prepare(url, later, trials=5).total == 5
    reason, events = work(url)
    assert reason == "done"
    assert begun(events)[0][RATE_OF] == 0.25
    assert read_counts(load(url)).done == 5
    assert len(ran(url)) == 5
    assert len(results_table(load(url))) == 5
    # Nothing waits any more: one trial more.
    last = later.override({"try_first": [{RATE_OF: 0.125}]})
    assert prepare(url, last, trials=5).total == 6
    _, events = work(url)
    assert [own[RATE_OF] for own in begun(events)] == [0.125]
    stored = read_definition(load(url))
    assert stored.try_first == ({RATE_OF: 0.25}, {RATE_OF: 0.125})
    assert prepare(url, last, trials=2).total == 6  # six have begun


def test_many_commands_at_a_time_add_a_point_once(url):
    prepare(url, definition(TWO, trials=6))
    later = definition(TWO, trials=6, try_first=[{RATE_OF: 0.25}, {RATE_OF: 0.5}])
    threads = [threading.Thread(target=prepare, args=(url, later)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work(url)
    params = [own[RATE_OF] for own in ran(url)]
    assert len(params) == 6
    if not url.startswith("journal"):  # no transactions there
        assert (params.count(0.25), params.count(0.5)) == (1, 1)


def test_a_ticket_that_is_tried_again_keeps_its_point(url):
    made = definition(TWO, trials=3, try_first=[{RATE_OF: 0.25}], retries=0)
    prepare(url, made)
    place = storage_at(url)
    backend = place.backend()
    study = load(url)
    first = study.trials[0]
    backend.claim({first._trial_id: Writes()}, "dead:1:x")
    fail(backend, first._trial_id, "dead:1:x", "killed", records.HANDED_BACK)
    there = backend.trials(study._study_id)
    requeue(backend, study._study_id, there, total=3, retries=0)
    _, events = work(url)
    assert begun(events)[0][RATE_OF] == 0.25
    assert read_counts(load(url)).done == 3


def test_a_stopped_worker_keeps_the_point_and_what_was_drawn(url):
    prepare(url, definition({**TWO, "epochs": 6}, trials=2, try_first=[{BATCH: 16}]))
    stop = []
    _, events = work(
        url,
        trainer=FakeTrainer(fail=lambda params, epoch: stop.append(epoch)),
        stop=lambda: len(stop) >= 2,
    )
    drawn = begun(events)[0]
    _, events = work(url)
    assert begun(events)[0] == drawn
    assert drawn[BATCH] == 16


def test_a_grid_runs_the_candidates_that_agree_with_a_point_first(sqlite):
    made = definition(GRID, trials=None, sampler="grid", try_first=[{BATCH: 32}])
    assert prepare(sqlite, made).total == 4
    work(sqlite)
    params = ran(sqlite)
    assert [own[BATCH] for own in params] == [32, 32, 16, 16]
    assert len({tuple(own.items()) for own in params}) == 4
    with pytest.raises(DefinitionError, match="batch_size must be one of 16, 32; got 64"):
        definition(GRID, sampler="grid", try_first=[{BATCH: 64}])


def test_a_point_beyond_the_part_of_a_grid_that_runs_is_one_more(url):
    last = {BATCH: 32, "initializer": "he_normal"}
    prepare(url, definition(GRID, trials=2, sampler="grid"))
    work(url)
    later = definition(GRID, trials=2, sampler="grid", try_first=[last])
    for _ in range(2):
        assert prepare(url, later).total == 3
    work(url)
    assert ran(url)[2] == last


def test_random_candidates_of_scikit_learn_begin_with_the_points(sqlite):
    points = [{BATCH: 16}, {BATCH: 16}, {BATCH: 16}, {RATE_OF: 0.5, BATCH: 64}]
    made = definition(TWO, trials=6, sampler="sklearn-random", try_first=points)
    assert prepare(sqlite, made).total == 6
    assert prepare(sqlite, made).total == 6
    plain = definition(TWO, trials=6, sampler="sklearn-random").candidates(6)
    work(sqlite)
    params = ran(sqlite)
    assert [own[BATCH] for own in params[:3]] == [16] * 3
    assert len({own[RATE_OF] for own in params[:3]}) == 3
    assert params[3] == points[3]
    assert params[4:] == plain[:2]


def test_trials_that_optuna_enqueues_run_first(url):
    prepare(url, definition(TWO, trials=4))
    study = load(url)
    for point in ({RATE_OF: 0.25}, {RATE_OF: 0.5, BATCH: 16, "epochs": 2}, {BATCH: 32}):
        study.enqueue_trial(point)
    reason, events = work(url)
    assert reason == "done"
    assert [own.get(RATE_OF) for own in begun(events)][:2] == [0.25, 0.5]
    enqueued = load(url).trials[4:7]
    assert [trial.state.name for trial in enqueued] == ["COMPLETE"] * 3
    assert enqueued[2].params[BATCH] == 32
    assert enqueued[1].params == {RATE_OF: 0.5, BATCH: 16}
    assert (len(ran(url)), read_counts(load(url)).done) == (4, 4)
    assert len(results_table(load(url))) == 4


def test_one_enqueued_when_all_is_done_is_one_more(url):
    made = definition(TWO, trials=2)
    prepare(url, made)
    work(url)
    load(url).enqueue_trial({RATE_OF: 0.25})
    assert find_finished(made, name="study", storage_url=url, trials=None) is None
    again = prepare(url, made)
    assert (again.total, again.done) == (3, 2)
    work(url)
    assert ran(url)[2][RATE_OF] == 0.25


def test_one_enqueued_while_workers_run_is_theirs(url):
    prepare(url, definition({**TWO, "epochs": 1}, trials=3))
    seen: list[object] = []

    def enqueue(event):
        if isinstance(event, TrialStarted) and not seen:
            seen.append(load(url).enqueue_trial({RATE_OF: 0.25}))

    assert work(url, on_event=enqueue)[0] == "done"
    assert 0.25 in [own[RATE_OF] for own in ran(url)]
    assert read_counts(load(url)).done == len(ran(url)) == 3


def test_an_enqueued_trial_that_does_not_fit_fails_with_the_cause(url):
    made = definition(TWO, trials=2)
    prepare(url, made)
    study = load(url)
    study.enqueue_trial({"lr": 0.1})
    _, events = work(url)
    study.enqueue_trial({RATE_OF: 99.0})
    [line] = [event.text for event in of(WorkerWarning, events)]
    assert line.startswith("trial 2, which was enqueued, is not run: the point 'lr=0.1' is none of")
    again = prepare(url, made)
    assert (again.total, again.done) == (2, 2)
    assert "trial 3, which was enqueued, is not run" in again.notes[0]
    refused = load(url).trials[2:]
    assert [trial.state.name for trial in refused] == ["FAIL", "FAIL"]
    assert "did you mean" in refused[0].user_attrs[records.CAUSE]
    assert "must be one of 0.0001 .. 10" in refused[1].user_attrs[records.CAUSE]


def test_what_is_enqueued_in_a_study_of_ready_candidates(url):
    prepare(url, definition(GRID, trials=2, sampler="grid"))
    study = load(url)
    study.enqueue_trial({BATCH: 16, "initializer": "zeros"})  # a candidate already
    study.enqueue_trial({BATCH: 32, "initializer": "zeros"})  # beyond the two that run
    assert work(url)[0] == "done"
    params = ran(url)
    assert len(params) == 3
    assert params[2] == {BATCH: 32, "initializer": "zeros"}
    assert [trial.state.name for trial in load(url).trials[2:4]] == ["FAIL", "FAIL"]
    assert len(results_table(load(url))) == 3


def test_several_workers_run_every_enqueued_trial_once(url):
    prepare(url, definition(TWO, trials=5))
    for rate in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        load(url).enqueue_trial({RATE_OF: rate})
    threads = [threading.Thread(target=work, args=(url,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rates = [own[RATE_OF] for own in ran(url)]
    assert {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7} <= set(rates)
    assert len(rates) == len(set(rates)) == read_counts(load(url)).done
    assert len(rates) == 7


def test_lost_tickets_get_their_points_back(sqlite):
    """As `tuner doctor --repair` queues them."""
    made = definition(TWO, trials=2, try_first=[{RATE_OF: 0.25}]).resolved("multiclass")
    new = missing_tickets(made, [], 2)
    assert [trial.system_attrs.get(records.FIXED_PARAMS) for trial in new] == [
        {RATE_OF: 0.25},
        None,
    ]


def test_a_point_keeps_its_order():
    space = definition(CONDITIONAL).space
    assert list(fitted_point(space, {RATE_OF: 1, "optimizer": "sgd"})) == [RATE_OF, "optimizer"]
