"""The loop around the epochs: callbacks, means, early stopping, divergence, one trace a shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np
import pytest

from tests.support import plain_keras, problems
from tuner.errors import TunerError
from tuner.planning.fold_means import mean_fold_curve
from tuner.training import Trainer, TrainingState
from tuner.training.callbacks import EpochCallback
from tuner.training.stack_cache import STACKS, StackCache


def test_keras_callbacks_see_means_over_the_folds() -> None:
    data, folds = problems.dataset(), problems.folds(33, 64, 50)
    history = keras.callbacks.History()
    rates: list[np.ndarray] = []

    class Networks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            rates.append(self.model.network_logs.validation["accuracy"])

    [scores] = Trainer(data, folds).train(
        [problems.plan()], [problems.seeds(3)], callbacks=[history, Networks()]
    )
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(history.history[name], scores.train[name].mean(1))
        np.testing.assert_allclose(history.history[f"val_{name}"], scores.validation[name].mean(1))
        np.testing.assert_allclose(scores.mean_curve(name), history.history[f"val_{name}"])
    assert history.epoch == [0, 1, 2]
    np.testing.assert_array_equal(np.stack(rates), scores.validation["accuracy"])


def test_kerass_own_callbacks_work(tmp_path: object) -> None:
    data, folds = problems.dataset(), problems.folds(33, 64)
    path = f"{tmp_path}/stack.weights.h5"
    log = f"{tmp_path}/log.csv"
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, min_delta=10.0)
    [scores] = Trainer(data, folds).train(
        [problems.plan(epochs=9)],
        [problems.seeds(2)],
        callbacks=[
            keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
            keras.callbacks.CSVLogger(log),
            stop,
        ],
    )
    assert stop.stopped_epoch == 2
    assert scores.epochs_run == 3
    assert scores.status == ("interrupted", "interrupted")
    with open(log) as file:
        assert len(file.readlines()) == 4


def test_a_callback_ends_the_training_and_scores_remain() -> None:
    class Prune(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.model.stop_training = epoch == 1

    trainer = Trainer(problems.dataset(), problems.folds(33, 64))
    [scores] = trainer.train([problems.plan(epochs=5)], [problems.seeds(2)], callbacks=[Prune()])
    assert scores.epochs_run == 2
    assert scores.status == ("interrupted", "interrupted")
    assert scores.score_epoch.tolist() == [2, 2]
    [again] = trainer.train([problems.plan(epochs=5)], [problems.seeds(2)])
    assert again.epochs_run == 5, "the next training must not inherit the stop"


def test_equal_seeds_give_equal_bits_and_others_do_not() -> None:
    data, folds, plan = (
        problems.dataset(),
        problems.folds(33, 64),
        problems.plan(model__dropout=0.2),
    )
    trainer = Trainer(data, folds)
    [first] = trainer.train([plan], [problems.seeds(2)])
    trainer.train([problems.plan(model__dropout=0.5, batch_size=7, epochs=2)], [problems.seeds(2)])
    [second] = trainer.train([plan], [problems.seeds(2)])
    [fresh] = Trainer(data, folds).train([plan], [problems.seeds(2)])
    [other] = trainer.train([plan], [[1, 2]])
    for name in ("loss", "accuracy"):
        np.testing.assert_array_equal(first.validation[name], second.validation[name])
        np.testing.assert_array_equal(first.validation[name], fresh.validation[name])
    assert (first.validation["loss"] != other.validation["loss"]).all()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_network_is_the_same_to_the_last_bit_alone_and_in_any_stack(momentum: float) -> None:
    """Widths that are no multiple of a vector register, so that a network's place in the stack
    decides where its numbers lie in memory."""
    data, folds, seeds = problems.dataset(), problems.folds(64, 64, 48), problems.seeds(3)
    plan = problems.plan(
        optimizer="sgd", optimizer__momentum=momentum, model__units=11, model__dropout=0.2
    )
    [stacked] = Trainer(data, folds).train([plan], [seeds], weights=True)
    for i, fold in enumerate(folds):
        [alone] = Trainer(data, [fold]).train([plan], [seeds[i : i + 1]], weights=True)
        for a, b in zip(alone.weights[0], stacked.weights[i], strict=True):
            np.testing.assert_array_equal(a, b)


def test_one_trace_serves_all_trials_of_a_shape() -> None:
    STACKS.clear()
    trainer = Trainer(problems.dataset(), problems.folds(33, 64))
    for params in (
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__nesterov": True},
        {"optimizer": "sgd", "batch_size": 7, "epochs": 2, "initializer": "he_normal"},
        {"optimizer": "sgd", "schedule": "time", "schedule__decay": 0.1},
    ):
        trainer.train([problems.plan(**params)], [problems.seeds(2)])
    assert len(STACKS) == 1
    trainer.train([problems.plan(optimizer="adam")], [problems.seeds(2)])
    assert len(STACKS) == 2


def test_early_stopping_is_kerass() -> None:
    """Per fold, on the validation accuracy: stopped where `keras.callbacks.EarlyStopping` stops
    plain Keras, scored by the best epoch, with that epoch's weights."""
    data, folds, seeds = problems.dataset(), problems.folds(33, 64), problems.seeds(2)
    plan = problems.plan(
        early_stopping__patience=3, epochs=30, optimizer__learning_rate=0.05, model__units=16
    )
    trainer = Trainer(data, folds, scaling="none")
    [scores] = trainer.train([plan], [seeds], weights=True)
    [full] = trainer.train([dataclasses.replace(plan, patience=None)], [seeds])
    assert "stopped" in scores.status
    for fold in range(2):
        curve = full.validation["accuracy"][:, fold]
        watcher = keras.callbacks.EarlyStopping(
            "val_accuracy", patience=3, restore_best_weights=True, mode="max"
        )
        model = plain_keras.build(plan, "multiclass")
        watcher.set_model(model)
        watcher.on_train_begin()
        for epoch, score in enumerate(curve):
            model.stop_training = False
            watcher.on_epoch_end(epoch, {"val_accuracy": score})
            if model.stop_training:
                break
        assert np.isfinite(scores.validation["accuracy"][:, fold]).sum() == epoch + 1
        assert scores.score_epoch[fold] == watcher.best_epoch + 1
        judged = curve[watcher.best_epoch]
        assert scores.fold_scores("accuracy")[fold] == judged
        best = plain_keras.build(plan, "multiclass")
        best.set_weights(scores.weights[fold])
        rows = folds[fold].validation
        answers = np.asarray(best(data.x[rows])).argmax(1)
        assert (answers == data.y[rows]).mean() == pytest.approx(judged)


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping__restore_best_weights": True},
        {"early_stopping__restore_best_weights": False, "early_stopping__patience": 2},
    ],
    ids=["best", "last"],
)
def test_the_best_or_the_last_epoch_counts_with_or_without_patience(params: dict) -> None:
    """As `keras.callbacks.EarlyStopping` finds them on the curve of the whole training."""
    data, folds, seeds = problems.dataset(), problems.folds(20, 64), problems.seeds(2)
    many = {"epochs": 30, "optimizer__learning_rate": 0.05, "model__units": 16}
    told: list[float] = []

    class Means(EpochCallback):
        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            told.extend(self.model.fold_means("accuracy"))

    trainer = Trainer(data, folds, scaling="none")
    [full] = trainer.train([problems.plan(**many)], [seeds])
    [scores] = trainer.train(
        [problems.plan(**many, **params)], [seeds], weights=True, callbacks=[Means()]
    )
    by_best = params["early_stopping__restore_best_weights"]
    for fold in range(2):
        watcher = keras.callbacks.EarlyStopping(
            "val_accuracy", patience=30 if by_best else 2, mode="max"
        )
        watcher.set_model(keras.Sequential())
        watcher.on_train_begin()
        for epoch, score in enumerate(full.validation["accuracy"][:, fold]):
            watcher.on_epoch_end(epoch, {"val_accuracy": score})
            if watcher.stopped_epoch:
                break
        assert np.isfinite(scores.validation["accuracy"][:, fold]).sum() == epoch + 1
        assert scores.score_epoch[fold] == (watcher.best_epoch if by_best else epoch) + 1
        kept = plain_keras.build(problems.plan(**many), "multiclass")
        kept.set_weights(scores.weights[fold])
        rows = folds[fold].validation
        answers = np.asarray(kept(data.x[rows])).argmax(1)
        judged = scores.fold_scores("accuracy")[fold]
        assert (answers == data.y[rows]).mean() == pytest.approx(judged)
    assert scores.status == (("completed",) * 2 if by_best else ("stopped",) * 2)
    assert len({*scores.score_epoch.tolist()}) == 2
    assert scores.score_epoch.max() < 30
    np.testing.assert_array_equal(told, scores.mean_curve("accuracy"))
    assert told[-1] == scores.fold_scores("accuracy").mean()
    np.testing.assert_allclose(told[:3], full.mean_curve("accuracy")[:3])


def test_a_stopped_fold_counts_with_the_score_it_is_judged_by() -> None:
    history = keras.callbacks.History()
    plan = problems.plan(
        early_stopping__patience=2, epochs=30, optimizer__learning_rate=0.05, model__units=16
    )
    [scores] = Trainer(problems.dataset(), problems.folds(20, 64)).train(
        [plan], [problems.seeds(2)], callbacks=[history]
    )
    ended = [int(np.isfinite(scores.validation["accuracy"][:, f]).sum()) for f in range(2)]
    assert ended[0] != ended[1]
    np.testing.assert_allclose(history.history["val_accuracy"], scores.mean_curve("accuracy"))
    assert np.isfinite(scores.mean_curve("accuracy")).all()
    assert scores.mean_curve("accuracy")[-1] == scores.fold_scores("accuracy").mean()


def test_the_epoch_in_which_a_fold_stops_counts_with_the_score_it_is_judged_by() -> None:
    scores = np.array([[0.5, 0.4], [0.9, 0.6], [0.7, 0.8], [np.nan, 0.9]])
    means = mean_fold_curve(scores, [2, 4], ["stopped", "completed"])
    np.testing.assert_allclose(means, [0.45, 0.75, 0.85, 0.9])
    means = mean_fold_curve(scores[:3], [2, 2], ["completed", "completed"])
    np.testing.assert_allclose(means, [0.45, 0.75, 0.75])
    np.testing.assert_allclose(
        mean_fold_curve(scores, [3, 4], ["diverged", "completed"]), [0.45, 0.75, 0.75, np.nan]
    )


def test_a_plain_callback_is_told_each_plans_mean_over_the_folds() -> None:
    means: list[list[float]] = []

    class Means(EpochCallback):
        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            means.append(self.model.fold_means("accuracy"))

    plans = [
        problems.plan(epochs=2),
        problems.plan(epochs=6, early_stopping__patience=1, optimizer__learning_rate=0.1),
    ]
    trainer = Trainer(problems.dataset(), problems.folds(20, 64))
    both = trainer.train(plans, [problems.seeds(2)] * 2, callbacks=[Means()])
    told = np.array(means).T
    for own, scores in zip(told, both, strict=True):
        np.testing.assert_array_equal(own[: scores.epochs_run], scores.mean_curve("accuracy"))
        assert np.isnan(own[scores.epochs_run :]).all()


@pytest.mark.parametrize(
    "params", [{}, {"model__batch_norm": True}, {"optimizer": "ftrl"}], ids=str
)
def test_a_diverging_fold_ends_alone(params: dict) -> None:
    data = problems.dataset()
    (fold, other), seeds = problems.folds(33, 50), problems.seeds(2)
    fold = dataclasses.replace(fold, train=fold.train[fold.train != 3])
    other = dataclasses.replace(other, train=np.union1d(other.train, [3]).astype(np.int32))
    broken = dataclasses.replace(data, x=data.x.copy())
    broken.x[3] = np.nan
    plan = problems.plan(**params)
    [whole] = Trainer(data, [fold, other]).train([plan], [seeds], weights=True)
    [halved] = Trainer(broken, [fold, other]).train([plan], [seeds], weights=True)
    assert halved.status == ("completed", "diverged")
    assert halved.diverged
    assert halved.score_epoch[1] == 1
    assert np.isnan(halved.fold_scores("accuracy")[1])
    for a, b in zip(whole.weights[0], halved.weights[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_rate_far_too_high_diverges_and_says_so() -> None:
    plan = problems.plan(optimizer="sgd", optimizer__learning_rate=1e25, epochs=5)
    [scores] = Trainer(problems.dataset(), problems.folds(33)).train([plan], [problems.seeds(1)])
    assert scores.status == ("diverged",)
    assert scores.epochs_run < 5


def test_predicted_metrics_are_scikit_learns() -> None:
    from sklearn.metrics import f1_score, roc_auc_score

    data, folds, seeds = problems.dataset(), problems.folds(33, 64), problems.seeds(2)
    trainer = Trainer(data, folds, scaling="none", metrics=("f1_macro", "roc_auc"))
    [scores] = trainer.train([problems.plan()], [seeds], weights=True)
    for fold in range(2):
        model = plain_keras.build(problems.plan(), "multiclass", answers=True)
        model.set_weights(scores.weights[fold])
        rows = folds[fold].validation
        answers = np.asarray(model(data.x[rows]))
        truth = data.y[rows]
        f1 = f1_score(truth, answers.argmax(1), average="macro")
        auc = roc_auc_score(truth, answers, multi_class="ovr")
        assert scores.fold_scores("f1_macro")[fold] == pytest.approx(f1, abs=1e-6)
        assert scores.fold_scores("roc_auc")[fold] == pytest.approx(auc, abs=1e-6)


def test_scaling_is_fitted_on_each_folds_training_rows() -> None:
    from sklearn.preprocessing import StandardScaler

    data, (fold, other) = problems.dataset(), problems.folds(33, 64)
    plan, seeds = problems.plan(), problems.seeds(2)
    [scores] = Trainer(data, [fold, other], scaling="standard").train([plan], [seeds])
    for i, own in enumerate((fold, other)):
        scaler = StandardScaler().fit(data.x[own.train])
        scaled = dataclasses.replace(data, x=scaler.transform(data.x).astype(np.float32))
        [plain] = Trainer(scaled, [own], scaling="none").train([plan], [seeds[i : i + 1]])
        np.testing.assert_allclose(
            plain.validation["loss"][:, 0], scores.validation["loss"][:, i], rtol=1e-4
        )


@pytest.mark.slow
def test_bytes_train_as_the_floats_they_stand_for() -> None:
    data, folds, seeds = problems.dataset(), problems.folds(33), problems.seeds(1)
    pixels = np.random.default_rng(0).integers(0, 256, data.x.shape).astype(np.uint8)
    as_bytes = dataclasses.replace(data, x=pixels, byte_scale=1 / 255)
    as_floats = dataclasses.replace(data, x=(pixels * np.float32(1 / 255)).astype(np.float32))
    for scaling in ("none", "standard"):
        a, b = (
            Trainer(rows, folds, scaling=scaling).train([problems.plan()], [seeds])[0]
            for rows in (as_bytes, as_floats)
        )
        np.testing.assert_allclose(a.validation["loss"], b.validation["loss"], rtol=1e-4)


def test_plateau_lowers_each_networks_rate_by_its_own_scores() -> None:
    data, folds, seeds = problems.dataset(), problems.folds(20, 64), problems.seeds(2)
    plan = problems.plan(
        epochs=14,
        schedule="plateau",
        schedule__factor=0.5,
        schedule__patience=2,
        optimizer__learning_rate=0.05,
    )
    [scores] = Trainer(data, folds).train([plan], [seeds])
    for fold in range(2):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(optimizer=keras.optimizers.SGD(0.05))
        watcher = keras.callbacks.ReduceLROnPlateau(
            "val_accuracy", factor=0.5, patience=2, mode="max"
        )
        watcher.set_model(model)
        watcher.on_train_begin()
        for epoch, score in enumerate(scores.validation["accuracy"][:, fold]):
            rate = float(model.optimizer.learning_rate.numpy())
            assert scores.learning_rate[epoch, fold] == pytest.approx(rate)
            watcher.on_epoch_end(epoch, {"val_accuracy": score})
    assert len(np.unique(scores.learning_rate)) > 1


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(TunerError, match="acuracy"):
        Trainer(problems.dataset(), problems.folds(33), metrics=("acuracy",))


def test_seeds_must_fit_the_folds() -> None:
    with pytest.raises(ValueError, match="one seed a fold"):
        Trainer(problems.dataset(), problems.folds(33)).train([problems.plan()], [[1, 2]])


def test_stacks_are_lent_to_one_training_at_a_time_and_the_oldest_goes() -> None:
    cache, built = StackCache(limit=2), []

    def build(trace: object) -> object:
        built.append(object())
        return built[-1]

    with cache.borrow("a", build) as first, cache.borrow("a", build) as second:  # type: ignore[arg-type]
        assert first is not second
    with cache.borrow("a", build) as again:  # type: ignore[arg-type]
        assert again is first
    for key in ("b", "c"):
        with cache.borrow(key, build):  # type: ignore[arg-type]
            pass
    assert len(cache) == 2
    with cache.borrow("a", build) as rebuilt:  # type: ignore[arg-type]
        assert rebuilt not in (first, second)
    with pytest.raises(RuntimeError), cache.borrow("c", build) as broken:  # type: ignore[arg-type]
        raise RuntimeError
    with cache.borrow("c", build) as fresh:
        assert fresh is not broken


def test_a_training_goes_on_from_where_another_ended() -> None:
    """Two and then three epochs are five epochs: weights, momentum, step counts, batch orders and
    dropout masks all go on."""
    data, folds, seeds = problems.dataset(), problems.folds(33, 50), problems.seeds(2)
    trainer = Trainer(data, folds)
    params = {"model__dropout": 0.3, "model__batch_norm": True}
    [whole] = trainer.train([problems.plan(epochs=5, **params)], [seeds], weights=True)
    state = TrainingState()
    [first] = trainer.train([problems.plan(epochs=2, **params)], [seeds], state=state)
    [rest] = trainer.train([problems.plan(epochs=3, **params)], [seeds], state=state, weights=True)
    assert state.epochs == 5
    losses = np.concatenate([first.train["loss"], rest.train["loss"]])
    np.testing.assert_array_equal(losses, whole.train["loss"])
    for a, b in zip(whole.weights, rest.weights, strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one, other)


def test_accuracies_are_exact_shares_of_rows() -> None:
    """As scikit-learn computes them, to the last bit: 14 of 20 rows, never 0.699999988."""
    data, folds = problems.dataset(), problems.folds(33, 64)
    [scores] = Trainer(data, folds).train([problems.plan()], [problems.seeds(2)])
    rows = scores.validation["accuracy"] * 20
    np.testing.assert_array_equal(rows, np.round(rows))
    assert set(scores.validation["accuracy"].ravel()) <= {count / 20 for count in range(21)}
