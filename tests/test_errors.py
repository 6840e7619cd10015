"""What an unknown name may have meant."""

from __future__ import annotations

import pytest

from tests.support.messages import doubled
from tuner.errors import closest, unknown

NAMES = {
    "metrics": ["loss", "accuracy", "top_5_accuracy", "roc_auc", "mse", "rmse", "f1_macro"],
    "optimizers": ["sgd", "rmsprop", "adam", "adamw"],
    "spaces": ["batch_epochs_init", "initializers", "sgd_decay"],
    "parameters": ["epochs", "batch_size", "model.units", "optimizer.learning_rate", "warmup"],
    "flags": ["--metric", "--refit-metric", "--space", "--data"],
}


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        ("metrics", "acc", ["accuracy"]),
        ("metrics", "ACCURACY", ["accuracy"]),
        ("metrics", "acuracy", ["accuracy"]),
        ("metrics", "auc", ["roc_auc"]),
        ("metrics", "f1", ["f1_macro"]),
        ("metrics", "root_mean_squared_error", ["rmse"]),
        ("metrics", "mean squared error", ["mse"]),
        ("metrics", "humidity", []),
        ("optimizers", "SGD", ["sgd"]),
        ("optimizers", "AdamW", ["adamw"]),
        ("optimizers", "ada", ["adam", "adamw"]),
        ("optimizers", "rms", ["rmsprop"]),
        ("spaces", "sgd", ["sgd_decay"]),
        ("spaces", "SGD-Decay", ["sgd_decay"]),
        ("parameters", "lr", ["optimizer.learning_rate"]),
        ("parameters", "learning_rate", ["optimizer.learning_rate"]),
        ("parameters", "units", ["model.units"]),
        ("parameters", "batch", ["batch_size"]),
        ("parameters", "Warm-up", ["warmup"]),
        ("parameters", "", []),
        ("flags", "--metrics", ["--metric"]),
        ("flags", "--spcae", ["--space"]),
    ],
)
def test_what_may_have_been_meant(kind: str, value: str, meant: list[str]) -> None:
    assert closest(value, NAMES[kind]) == meant


def test_a_long_name_is_not_echoed_whole_and_costs_nothing() -> None:
    text = unknown("column", "x" * 5_000_000, [f"{i:05d}" + "y" * 5_000 for i in range(10_000)])
    assert len(text) < 20_000
    assert "... (5000000 characters); Available: 00000y" in text
    assert text.endswith("and 9940 more")


@pytest.mark.parametrize(
    "text", ["did you mean npz:a?. Available", "it is wrong..", "none;. b", "a,, b", "x?;"]
)
def test_doubled_punctuation_is_found(text: str) -> None:
    assert doubled(text) is not None


@pytest.mark.parametrize(
    "text",
    ["a.b. C", "of ../x.csv: no", "1, 2, ...", "0 .. 3; got 9", "received 'x?'. Y", "../..", "a?"],
)
def test_other_punctuation_is_not(text: str) -> None:
    assert doubled(text) is None
