"""Ensemble selection and temperature, against brute force and SciPy over networks made by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, log_loss

from tests.support.studies import load
from tuner.data import make_folds
from tuner.errors import UsageError
from tuner.export import Wanted, load_export, study_dataset, train_wanted, write_export
from tuner.export.refit import Refit
from tuner.export.selection import select
from tuner.export.temperature import fit_temperature
from tuner.planning import network_seed, plan_training
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.study.definition import definition_of
from tuner.training import Trainer, set_threads

set_threads()


def caruana(said: list[np.ndarray], y: np.ndarray, draws: int) -> list[int]:
    """Greedy selection with replacement after sorted initialization, as plainly as it can be; five
    draws that find nothing better are the last."""

    def right(bag: list[int]) -> float:
        return float(np.mean(np.mean([said[own] for own in bag], axis=0).argmax(axis=1) == y))

    bags = [list(range(count)) for count in range(1, len(said) + 1)]
    bag = bags[int(np.argmax([right(own) for own in bags]))]
    seen = [bag]
    while len(bag) < draws:
        bag = [*bag, int(np.argmax([right([*bag, own]) for own in range(len(said))]))]
        seen.append(bag)
        if len(seen) > 5 and max(map(right, seen[-5:])) <= max(map(right, seen[:-5])):
            break
    best = seen[int(np.argmax([right(own) for own in seen]))]
    return [best.count(own) for own in range(len(said))]


@pytest.mark.parametrize("seed", range(6))
def test_selection_is_caruanas_greedy_one(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 90)
    said = [softmax(np.eye(4)[y] * 0.7 + rng.normal(size=(90, 4)), axis=1) for _ in range(6)]
    said.sort(key=lambda own: -accuracy_score(y, own.argmax(axis=1)))

    def score(counts: tuple[int, ...]) -> float:
        mean = np.tensordot(np.array(counts) / sum(counts), np.stack(said), 1)
        return float(accuracy_score(y, mean.argmax(axis=1)))

    found = select(len(said), score, maximize=True, draws=12)
    assert list(found) == caruana(said, y, 12)
    assert max(found) > 1 or sum(found) > 1
    assert score(found) >= score((1, 0, 0, 0, 0, 0))
    # A loss is the other way round.
    assert select(len(said), lambda own: -score(own), maximize=False, draws=12) == found


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_the_temperature_is_scipys_minimum(task):
    rng = np.random.default_rng(1)
    width = {"binary": 1, "multiclass": 3, "multilabel": 2}[task]
    truth = rng.normal(size=(300, width)) * 2
    logits = [(truth + rng.normal(size=truth.shape)).astype(np.float32) * 3 for _ in range(2)]
    shares = [0.75, 0.25]
    if task == "multiclass":
        y = truth.argmax(axis=1)
    else:
        y = (truth > 0).astype(np.int32)
        y = y[:, 0] if task == "binary" else y

    def loss(log_temperature: Any) -> float:
        cold = np.exp(-np.ravel(log_temperature)[0])
        if task == "multiclass":
            return float(
                log_loss(
                    y,
                    sum(s * softmax(z * cold, axis=1) for s, z in zip(shares, logits, strict=True)),
                )
            )
        said = sum(
            s * expit(z.astype(np.float64) * cold) for s, z in zip(shares, logits, strict=True)
        )
        pairs = zip(np.reshape(y, said.shape).T, said.T, strict=True)
        return float(np.mean([log_loss(own, each) for own, each in pairs]))

    found = fit_temperature(logits, shares, y, task)
    expected = minimize(loss, [0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    assert found.temperature == pytest.approx(np.exp(expected.x[0]), rel=1e-4)
    assert found.temperature > 1.1
    assert found.before == pytest.approx(loss(0.0), rel=1e-6)
    assert found.after == pytest.approx(expected.fun, rel=1e-6)
    assert found.after < found.before


@dataclass
class Searched:
    study: Any
    definition: Any
    dataset: Any
    folds: Any

    def networks(self, trial: Any) -> list[list[np.ndarray]]:
        """A trial's fold networks by the trainer alone. Grid points that differ in epochs alone
        share a training, seeded by the first of them."""
        data = self.dataset
        params = self.definition.space.complete(trial.params)
        rate = params["optimizer.learning_rate"]
        first = min(
            own.user_attrs["ticket"]
            for own in self.study.trials
            if own.params["optimizer.learning_rate"] == rate
        )
        plan = plan_training(params, features=data.features, outputs=data.outputs, task=data.task)
        trainer = Trainer(data, self.folds, metrics=(), objective="log_loss")
        seeds = [network_seed(self.definition.seed, first, fold) for fold in range(3)]
        [scores] = trainer.train([plan], [seeds], weights=True)
        assert scores.weights is not None
        return scores.weights

    def logits(self, weights: list[np.ndarray], fold: int, rows: Any) -> np.ndarray:
        own = self.dataset.x[self.folds[fold].train]
        kernel, bias, out, last = weights
        x = (self.dataset.x[rows] - own.mean(axis=0)) / own.std(axis=0)
        return np.asarray(np.maximum(x @ kernel + bias, 0) @ out + last)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Four candidates on wine: two rates, each after 2 and after 6 epochs of one training."""
    url = f"sqlite:///{tmp_path_factory.mktemp('selection') / 'a.db'}"
    params = {
        "optimizer.learning_rate": {"values": [0.02, 0.2]},
        "epochs": {"values": [2, 6]},
        "model.units": "6",
    }
    made = definition_of(
        {
            "space": {"name": "small", "params": params},
            "data": {"uri": "sklearn:wine", "test_share": 0.2},
            "folds": {"k": 3},
            "sampler": "grid",
            "pruner": "none",
            "objective": {"metric": "log_loss"},
            "metrics": ["accuracy"],
        },
        "a test",
    )
    made = prepare_study(made, name="small", storage_url=url, trials=None).definition
    run_worker(url, "small", stop=lambda: False, on_event=lambda event: None)
    study = load(url, "small")
    dataset = study_dataset(study, made)
    return Searched(study, made, dataset, make_folds(dataset, made.folds))


@pytest.mark.slow
def test_the_selection_is_one_model_of_the_trials_fold_networks(searched, tmp_path):
    study, data, folds = searched.study, searched.dataset, searched.folds
    found = train_wanted(study, searched.definition, Wanted(ensemble="selection"))
    settings = write_export(
        found, tmp_path / "out", study="small", metrics=searched.definition.all_metrics
    )
    ranked = sorted(study.trials, key=lambda own: own.value)
    networks = [searched.networks(trial) for trial in ranked]
    own_rows = [
        [
            softmax(searched.logits(weights, number, fold.validation), axis=1)
            for number, (weights, fold) in enumerate(zip(each, folds, strict=True))
        ]
        for each in networks
    ]

    @cache
    def scores(counts: tuple[int, ...]) -> list[float]:
        losses = []
        for number, fold in enumerate(folds):
            mean = np.average([own[number] for own in own_rows], axis=0, weights=counts)
            rows = np.arange(len(fold.validation))
            losses.append(-float(np.mean(np.log(mean[rows, data.y[fold.validation]]))))
        return losses

    # Trained again, every trial scores as in the search.
    for place, trial in enumerate(ranked):
        alone = scores(tuple(int(own == place) for own in range(len(ranked))))
        np.testing.assert_allclose(alone, trial.user_attrs["fold_scores"], rtol=1e-4)
    expected = select(len(ranked), lambda own: float(np.mean(scores(own))), maximize=False)
    shares = {own["trial"]: own["weight"] for own in settings["ensemble"]["members"]}
    assert shares == {
        trial.number: count / sum(expected)
        for trial, count in zip(ranked, expected, strict=True)
        if count
    }
    assert len(shares) > 1
    np.testing.assert_allclose(
        settings["cross_validation"]["log_loss"], scores(expected), rtol=1e-4
    )
    assert np.mean(settings["cross_validation"]["log_loss"]) < ranked[0].value
    # On each fold the shares that the other two choose.
    for left, elsewhere in enumerate(settings["ensemble"]["elsewhere"]["log_loss"]):
        others = [fold for fold in range(3) if fold != left]

        def rest(counts: tuple[int, ...], others: list[int] = others) -> float:
            return float(np.mean([scores(counts)[fold] for fold in others]))

        own = select(len(ranked), rest, maximize=False)
        assert elsewhere == pytest.approx(scores(own)[left], rel=1e-4)
    rows = np.arange(data.rows)
    said = [
        np.mean(
            [
                softmax(searched.logits(weights, number, rows), axis=1)
                for number, weights in enumerate(each)
            ],
            axis=0,
        )
        for each in networks
    ]
    model = keras.saving.load_model(tmp_path / "out" / "model.keras")
    answered = model.predict(data.x, verbose=0)
    np.testing.assert_allclose(answered, np.average(said, axis=0, weights=expected), atol=1e-5)
    loaded = load_export(tmp_path / "out").keras_model(data.x)
    np.testing.assert_allclose(loaded, answered, atol=1e-6)
    card = (tmp_path / "out" / "MODEL.md").read_text()
    share = f"{ranked[0].number} ({shares[ranked[0].number]:.0%})"
    assert f"the {3 * len(shares)} fold networks of trials {share}" in card
    assert "so it promises too much" in card


@pytest.mark.slow
def test_a_refit_is_calibrated_by_its_folds(searched, tmp_path):
    data, folds = searched.dataset, searched.folds
    best = min(searched.study.trials, key=lambda own: own.value)
    found = train_wanted(searched.study, searched.definition, Wanted(calibrate="temperature"))
    assert isinstance(found, Refit)
    plain = train_wanted(searched.study, searched.definition, Wanted())
    networks = enumerate(zip(searched.networks(best), folds, strict=True))
    logits = [searched.logits(own, number, fold.validation) for number, (own, fold) in networks]
    y = np.concatenate([data.y[fold.validation] for fold in folds])

    def loss(temperature: Any) -> float:
        return float(
            log_loss(y, softmax(np.concatenate(logits) / np.ravel(temperature)[0], axis=1))
        )

    expected = minimize(loss, [1.0], method="Nelder-Mead", options={"xatol": 1e-7})
    assert found.temperature == pytest.approx(expected.x[0], rel=1e-3)
    settings = write_export(found, tmp_path / "out", study="small", metrics=("log_loss",))
    assert settings["calibration"]["before"] == pytest.approx(loss(1.0), rel=1e-4)
    assert settings["calibration"]["after"] == pytest.approx(expected.fun, rel=1e-4)
    write_export(plain, tmp_path / "plain", study="small", metrics=("log_loss",))
    one = keras.saving.load_model(tmp_path / "plain" / "model.keras").predict(data.x, verbose=0)
    model = keras.saving.load_model(tmp_path / "out" / "model.keras")
    assert type(model) is keras.Sequential
    assert [type(layer).__name__ for layer in model.layers[-2:]] == ["Rescaling", "Activation"]
    answered = model.predict(data.x, verbose=0)
    np.testing.assert_allclose(
        answered, softmax(np.log(one.astype(np.float64)) / found.temperature, axis=1), atol=1e-5
    )
    assert np.abs(answered - one).max() > 1e-3
    np.testing.assert_allclose(
        load_export(tmp_path / "out").keras_model(data.x), answered, atol=1e-6
    )
    stored = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert stored["test"]["log_loss"] == pytest.approx(
        log_loss(data.y_test, model.predict(data.x_test, verbose=0), labels=range(3)), rel=1e-4
    )
    assert "temperature" in (tmp_path / "out" / "MODEL.md").read_text()


def test_what_contradicts_is_refused():
    for wanted, rule in (
        ({"ensemble": "bag"}, "unknown ensemble 'bag'"),
        ({"calibrate": "platt"}, "unknown calibration 'platt'"),
        ({"ensemble_trials": 1}, "among 2 to"),
        ({"trial": 3, "choose": "one-se"}, "received --trial 3 and --choose one-se"),
        ({"ensemble": "selection", "trial": 3}, "received --trial 3"),
        ({"ensemble": "selection", "choose": "one-se"}, "received --choose one-se"),
    ):
        with pytest.raises(UsageError, match=rule):
            Wanted(**wanted)  # type: ignore[arg-type]


def test_values_have_no_temperature(train_study):
    made = train_study(
        {"model.units": "4", "epochs": 1}, data={"uri": "sklearn:diabetes", "limit": 60}
    )
    with pytest.raises(UsageError, match="the task of the study is regression"):
        train_wanted(made.study, made.definition, Wanted(calibrate="temperature"))
