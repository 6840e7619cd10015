"""Trainings that are interrupted and go on, against the same ones left alone: bit for bit."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.support import problems
from tuner.planning import TrainingPlan, plan_training
from tuner.schedules import CosineSchedule
from tuner.training import Trainer, TrainingState
from tuner.training.identity import differences, training_identity
from tuner.training.scores import TrialScores
from tuner.training.stack_cache import STACKS
from tuner.training.state import (
    NetworkState,
    RunState,
    SavedState,
    SavedStateError,
    from_file,
    read_notes,
    to_bytes,
)

METRICS = ("accuracy", "f1_macro")
#: Folds stop at different epochs, if at all.
STOPPING = {"early_stopping__patience": 2, "early_stopping__min_delta": 0.04}


class Keep(keras.callbacks.Callback):
    """Every epoch's state, as the bytes that a checkpoint holds."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[bytes] = []
        self.begun: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.begun.append(epoch)

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.saved.append(to_bytes(SavedState(self.model.training_state(), {})))


def state_of(saved: bytes) -> TrainingState:
    return from_file(io.BytesIO(saved)).state


def assert_same(ours: TrialScores, theirs: TrialScores) -> None:
    """All but the times."""
    assert (ours.status, ours.epochs_run) == (theirs.status, theirs.epochs_run)
    np.testing.assert_array_equal(ours.score_epoch, theirs.score_epoch)
    np.testing.assert_array_equal(ours.learning_rate, theirs.learning_rate)
    for mine, other in ((ours.train, theirs.train), (ours.validation, theirs.validation)):
        assert list(mine) == list(other)
        for name, curve in mine.items():
            np.testing.assert_array_equal(curve, other[name])
    assert ours.weights is not None
    assert theirs.weights is not None
    assert list(ours.snapshots) == list(theirs.snapshots)
    kept = [(ours.weights, theirs.weights)]
    kept += [(ours.snapshots[epoch], theirs.snapshots[epoch]) for epoch in ours.snapshots]
    for mine_all, other_all in kept:
        for mine_one, other_one in zip(mine_all, other_all, strict=True):
            for a, b in zip(mine_one, other_one, strict=True):
                np.testing.assert_array_equal(a, b)


def interrupt_everywhere(
    folds: tuple[int, ...], plans: list[TrainingPlan], snapshots: list[list[int]] | None = None
) -> list[TrialScores]:
    """The undisturbed scores, after one more training from the state of each of its epochs."""
    trainer = Trainer(problems.dataset(), problems.folds(*folds), metrics=METRICS)
    seeds = [problems.seeds(len(folds))] * len(plans)
    keep = Keep()
    whole = trainer.train(plans, seeds, callbacks=[keep], weights=True, snapshots=snapshots)
    assert len(keep.saved) > 2
    STACKS.clear()  # as in another process: a new trace
    for done, saved in enumerate(keep.saved, 1):
        state, later = state_of(saved), Keep()
        again = trainer.train(
            plans, seeds, callbacks=[later], weights=True, state=state, snapshots=snapshots
        )
        assert later.begun == list(range(done, len(keep.saved)))
        assert (state.epochs, state.run) == (len(keep.saved), None)
        for ours, theirs in zip(again, whole, strict=True):
            assert_same(ours, theirs)
            np.testing.assert_array_equal(ours.epoch_seconds[:done], theirs.epoch_seconds[:done])
    return whole


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "optimizer__momentum": 0.9},
        {"optimizer": "adam"},
        {"optimizer": "nadam", "optimizer__weight_decay": 1e-3},
        {"optimizer": "lamb"},
        {"optimizer": "adafactor"},
        {"optimizer": "muon"},
        {"weight_averaging": "ema", "weight_averaging__ema_overwrite_frequency": 5},
        {"weight_averaging": "swa", "weight_averaging__swa_start": 0.3},
        {"model__dropout": 0.3, "model__batch_norm": True},
        {"schedule": "cosine", "schedule__warmup": 2},
        {
            "optimizer__weight_decay": 0.1,
            "optimizer__weight_decay_schedule": "coslog4",
            "model__dropout": 0.3,
            "model__dropout_schedule": "flat_cosine",
            "loss__label_smoothing": 0.2,
            "loss__label_smoothing_schedule": "cosine",
            "early_stopping__patience": 2,
        },
        {"embedding": "pbld", "model__layers": 2, "model__skip_connections": True},
    ],
    ids=[
        *("sgd", "adam", "nadam", "lamb", "adafactor", "muon", "ema", "swa", "dropout", "cosine"),
        *("scheduled", "embedding"),
    ],
)
def test_a_training_goes_on_as_if_nothing_had_been(params: dict[str, object]) -> None:
    interrupt_everywhere((33, 50, 64), [problems.plan(epochs=5, **params)])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_early_stopping_goes_on_with_the_best_weights_of_each_fold(optimizer: str) -> None:
    rate = {"sgd": 0.1, "adam": 0.01}[optimizer]
    params = {"optimizer": optimizer, "optimizer__learning_rate": rate}
    plan = problems.plan(epochs=12, **params, **STOPPING)
    [scores] = interrupt_everywhere((33, 50, 64), [plan])
    assert "stopped" in scores.status
    assert len(set(scores.score_epoch.tolist())) > 1


@pytest.mark.slow
def test_a_plateau_goes_on_counting() -> None:
    params = {"schedule": "plateau", "schedule__patience": 2, "optimizer__learning_rate": 0.3}
    plan = problems.plan(epochs=9, **params, schedule__cooldown=1, schedule__warmup=1)
    [scores] = interrupt_everywhere((33, 64), [plan])
    assert len(np.unique(scores.learning_rate[:, 0])) > 2  # it was reduced on the way


@pytest.mark.slow
def test_a_stack_goes_on_with_candidates_that_have_ended_and_snapshots() -> None:
    params = {"optimizer": "adam", "model__dropout": 0.2}
    plans = [
        problems.plan(epochs=6, **params),
        problems.plan(epochs=2, **params),
        problems.plan(epochs=5, initializer="zeros", **params, **STOPPING),
    ]
    scores = interrupt_everywhere((33, 50), plans, [[1, 3], [], [4]])
    assert sorted(scores[0].snapshots) == [1, 3]
    assert scores[1].epochs_run == 2


@pytest.mark.slow
def test_a_network_that_diverged_stays_so() -> None:
    plans = [
        problems.plan(epochs=4, optimizer="sgd", optimizer__learning_rate=rate)
        for rate in (0.01, 1e30)
    ]
    sound, broken = interrupt_everywhere((64,), plans)
    assert (sound.status, broken.status) == (("completed",), ("diverged",))


@pytest.mark.slow
def test_a_state_of_other_scores_or_networks_is_refused() -> None:
    plan, keep = problems.plan(), Keep()
    Trainer(problems.dataset(), problems.folds(33)).train(
        [plan], [problems.seeds(1)], callbacks=[keep]
    )
    other_scores = Trainer(problems.dataset(), problems.folds(33), metrics=METRICS)
    with pytest.raises(ValueError, match="f1_macro"):
        other_scores.train([plan], [problems.seeds(1)], state=state_of(keep.saved[0]))
    other_folds = Trainer(problems.dataset(), problems.folds(33, 50))
    with pytest.raises(ValueError):
        other_folds.train([plan], [problems.seeds(2)], state=state_of(keep.saved[0]))


@pytest.mark.slow
def test_a_warm_start_may_be_interrupted_too() -> None:
    trainer = Trainer(problems.dataset(), problems.folds(50))
    plan, seeds = problems.plan(epochs=4, model__dropout=0.2), problems.seeds(1)
    first = TrainingState()
    trainer.train([plan], [seeds], state=first)
    keep = Keep()
    [whole] = trainer.train(
        [plan],
        [seeds],
        callbacks=[keep],
        weights=True,
        state=TrainingState(first.values, first.epochs),
    )
    state = state_of(keep.saved[1])
    assert state.epochs == 6
    assert_same(trainer.train([plan], [seeds], weights=True, state=state)[0], whole)
    assert state.epochs == 8


# Bytes: no training.


def state(epochs: int = 2) -> TrainingState:
    rng = np.random.default_rng(0)

    def weights() -> list[np.ndarray]:
        return [rng.normal(size=(3, 2)).astype(np.float32), np.zeros(2, np.float32)]

    def curve() -> np.ndarray:
        return rng.random((epochs, 2))

    progress = {"running": True, "status": "interrupted", "best": -np.inf, "wait": 1}
    return TrainingState(
        values=[rng.normal(size=(2, 3, 2)).astype(np.float32), np.full((2, 1, 1), 7, np.int32)],
        epochs=epochs + 3,
        run=RunState(
            train={"loss": curve()},
            validation={"loss": curve(), "f1_macro": curve()},
            learning_rate=curve(),
            epoch_seconds=rng.random(epochs),
            networks=(
                NetworkState({**progress, "score_epoch": 1}, {}, weights(), {1: weights()}),
                NetworkState({**progress, "score_epoch": 2}, {"rate": 0.1, "best": None}),
            ),
        ),
    )


def content(saved: SavedState) -> object:
    """Everything, comparable."""
    state, run = saved.state, saved.state.run
    assert run is not None
    assert state.values is not None

    def plain(arrays: object) -> object:
        return [(a.dtype.str, a.shape, a.tobytes()) for a in arrays]  # type: ignore[attr-defined]

    networks = [
        (
            own.progress,
            own.rates,
            None if own.weights is None else plain(own.weights),
            {epoch: plain(kept) for epoch, kept in own.snapshots.items()},
        )
        for own in run.networks
    ]
    curves = [
        (name, plain([curve])) for name, curve in (*run.train.items(), *run.validation.items())
    ]
    rest = plain([*state.values, run.learning_rate, run.epoch_seconds])
    return (state.epochs, networks, curves, rest, dict(saved.identity), dict(saved.notes))


SAVED = SavedState(state(), {"plans": "ab"}, {"reports": [0.1, 0.30000000000000004], "none": None})


def test_bytes_give_back_all_that_was_saved() -> None:
    saved = to_bytes(SAVED)
    assert content(from_file(io.BytesIO(saved))) == content(SAVED)
    assert read_notes(io.BytesIO(saved)) == SAVED.notes
    assert (
        SAVED.state.nbytes
        == sum(
            array.nbytes for name, array in np.load(io.BytesIO(saved)).items() if name != "header"
        )
        - SAVED.state.run.epoch_seconds.nbytes
    )  # type: ignore[union-attr]


def test_a_state_at_the_end_of_a_training_is_not_saved() -> None:
    with pytest.raises(ValueError, match="middle"):
        to_bytes(SavedState(TrainingState([np.zeros(1)], 3), {}))


def test_a_torn_or_altered_file_is_never_read_as_another_state() -> None:
    whole = to_bytes(SAVED)
    for end in range(0, len(whole), 41):
        with pytest.raises(SavedStateError):
            from_file(io.BytesIO(whole[:end]))
    for at in range(0, len(whole), 23):
        altered = bytearray(whole)
        altered[at] ^= 0x10
        try:
            read = from_file(io.BytesIO(bytes(altered)))
        except (SavedStateError, OSError):
            continue
        assert content(read) == content(SAVED)  # a byte that means nothing, such as a date


@pytest.mark.parametrize("kind", ["empty", "text", "npy", "npz", "pickle", "layout", "list"])
def test_a_foreign_file_is_refused(kind: str) -> None:
    file = io.BytesIO()
    if kind == "text":
        file.write(b"hello\n" * 50)
    elif kind == "npy":
        np.save(file, np.zeros(3))
    elif kind == "npz":
        np.savez(file, x=np.zeros(3))
    elif kind == "pickle":
        np.savez(file, header=np.array([{}], object))
    elif kind in ("layout", "list"):
        header = json.dumps([] if kind == "list" else {"format": 99}).encode()
        np.savez(file, header=np.frombuffer(header, np.uint8))
    file.seek(0)
    with pytest.raises(SavedStateError, match="99" if kind == "layout" else "not a whole"):
        from_file(file)


def test_an_identity_is_that_of_equal_values() -> None:
    params = {"optimizer": "sgd", "schedule": "time", "schedule__decay": 0.1}
    plan = problems.plan(**params, optimizer__momentum=0.9)
    same = problems.plan(**params, optimizer__momentum=np.float64(0.9))
    rows = np.arange(5, dtype=np.int32)

    def identity(plan: TrainingPlan, rows: np.ndarray = rows) -> dict[str, str]:
        return training_identity({"plans": [plan], "folds": {"train": rows, "sets": {2, 1}}})

    assert identity(plan) == identity(same)
    other = identity(problems.plan(**params))
    assert differences(identity(plan), other) == ["other plans"]
    assert differences(identity(plan), identity(plan, rows[::-1])) == ["other folds"]
    assert identity(plan) != identity(plan, rows.astype(np.int64))
    longer = replace(plan, schedule=problems.plan(schedule="exponential").schedule)
    assert differences(identity(plan), identity(longer)) == ["other plans"]
    found = {**identity(plan), "keras": "2.0"}
    [text] = differences(identity(plan), found)
    assert text.startswith("keras 2.0 instead of 3.")


@pytest.mark.slow
def test_a_trainers_identity_covers_all_that_decides_a_score() -> None:
    plan, seeds = problems.plan(), [problems.seeds(2)]
    data, folds = problems.dataset(), problems.folds(33, 64)
    own = Trainer(data, folds).identity([plan], seeds)
    assert own == Trainer(problems.dataset(), problems.folds(33, 64)).identity([plan], seeds)
    others = {
        "plans": Trainer(data, folds).identity([problems.plan(epochs=9)], seeds),
        "seeds": Trainer(data, folds).identity([plan], [[1, 2]]),
        "folds": Trainer(data, problems.folds(33, 63)).identity([plan], seeds),
        "data": Trainer(replace(data, hash="1"), folds).identity([plan], seeds),
        "scores": Trainer(data, folds, metrics=METRICS).identity([plan], seeds),
    }
    for name, other in others.items():
        assert differences(own, other) == [f"other {name}"]
    scaled = Trainer(data, folds, scaling="none").identity([plan], seeds)
    weighted = Trainer(data, folds, sample_weight=np.ones(90)).identity([plan], seeds)
    kept = Trainer(data, folds).identity([plan], seeds, weights=True)
    assert [differences(own, other) for other in (scaled, weighted, kept)] == [
        ["other data"],
        ["other data"],
        ["other scores"],
    ]


def test_plans_of_before_class_weights_and_schedules_of_settings_keep_their_hash() -> None:
    plan = plan_training(
        {"optimizer": "sgd", "schedule": "cosine", "epochs": 7},
        features=5,
        outputs=3,
        task="multiclass",
    )
    assert training_identity({"plans": [plan]})["plans"] == "37d3529c6769fe46"
    for weights in ("balanced", (1.0, 2.0, 1.0)):
        other = replace(plan, loss=replace(plan.loss, class_weight=weights))
        assert training_identity({"plans": [other]})["plans"] != "37d3529c6769fe46"
    other = replace(plan, scheduled=(("dropout", CosineSchedule(1.0)),))
    assert training_identity({"plans": [other]})["plans"] != "37d3529c6769fe46"
