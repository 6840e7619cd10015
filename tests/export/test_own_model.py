"""A network of somebody's own, refitted on all rows: the one that plain Keras trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.own_networks import convolutional, fitted
from tests.support.studies import load
from tuner.code import save
from tuner.code.spec import BUILD
from tuner.data import FoldSpec, make_folds
from tuner.data.dataset import Fold
from tuner.errors import UsageError
from tuner.export import Wanted, load_export, train_wanted, write_export
from tuner.export.export import build_models
from tuner.planning import network_seed
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.spaces import Space
from tuner.study.definition import StudyDefinition
from tuner.study.own_code import holding
from tuner.training import set_threads

set_threads()
pytestmark = pytest.mark.slow
REFIT = Wanted()
PARAMS: dict[str, Any] = {
    "filters": {"values": [3]},
    "compiled": False,
    "optimizer.learning_rate": 0.01,
    "epochs": 2,
    "batch_size": 32,
}


def refitted(folder: Path, wanted: Wanted = REFIT, **params: Any) -> Any:
    """Of the only trial of a study on 97 digits what is `wanted`."""
    space = Space.from_dict({"open": True, "params": {**PARAMS, **params}})
    made = StudyDefinition(space=space, trials=1, code=save(folder, {BUILD: convolutional}))
    made = made.override({"data.limit": 97, "folds.k": 2, "sampler": "grid", "seed": 3})
    url = f"sqlite:///{folder}/a.db"
    made = prepare_study(made, name="study", storage_url=url, trials=None).definition
    assert made.code is not None
    run_worker(
        url, "study", stop=lambda: False, on_event=lambda event: None, code=made.code.file,
        artifacts=str(folder),
    )  # fmt: skip
    made, study = holding(made, {BUILD: convolutional}), load(url)
    return train_wanted(study, made, wanted)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_refit_is_the_network_that_keras_trains_on_all_rows(tmp_path, compiled):
    refit = refitted(tmp_path, compiled=compiled)
    data = refit.dataset
    x = (data.x * np.float32(data.byte_scale)).reshape(-1, 8, 8, 1)
    rows = np.arange(97, dtype=np.int32)
    loss = keras.losses.SparseCategoricalCrossentropy
    own: Any = {"optimizer": lambda: keras.optimizers.Adam(0.01)}
    own |= {"loss": lambda: loss(from_logits=True)}
    plain, _ = fitted(
        convolutional, {"filters": 3, "compiled": compiled}, network_seed(3, 0, 2), x, data.y,
        Fold(rows, rows[:1]), epochs=2, batch_size=32, **({} if compiled else own),
    )  # fmt: skip
    expected = keras.ops.softmax(plain(x, training=False))
    answered = build_models(refit)[1](data.x.astype(np.float32), training=False)
    np.testing.assert_allclose(answered, expected, atol=1e-5)
    out = tmp_path / "out"
    settings = write_export(refit, out, study="study", metrics=("accuracy",))
    assert (settings["plan"]["model"], settings["params"]["filters"]) == ("own", 3)
    read = load_export(out).keras_model(data.x.astype(np.float32), training=False)
    np.testing.assert_allclose(read, expected, atol=1e-5)


def test_an_ensemble_is_the_mean_of_the_networks_that_keras_trains_on_the_folds(tmp_path):
    found = refitted(tmp_path, Wanted(ensemble="folds", calibrate="temperature"))
    data = found.dataset
    x = (data.x * np.float32(data.byte_scale)).reshape(-1, 8, 8, 1)
    said = []
    for number, fold in enumerate(make_folds(data, FoldSpec(k=2))):
        plain, _ = fitted(
            convolutional, {"filters": 3, "compiled": False}, network_seed(3, 0, number), x, data.y,
            fold, epochs=2, batch_size=32, optimizer=lambda: keras.optimizers.Adam(0.01),
            loss=lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )  # fmt: skip
        said.append(keras.ops.softmax(plain(x, training=False) / found.calibration.temperature))
    write_export(found, tmp_path / "out", study="study", metrics=("accuracy",))
    read = load_export(tmp_path / "out").keras_model(data.x.astype(np.float32), training=False)
    np.testing.assert_allclose(read, np.mean(said, axis=0), atol=1e-5)


class Own(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return x


def test_a_layer_of_somebodys_own_is_not_loaded_from_a_file(tmp_path):
    """Keras writes it; predict, which may be given any folder, says why it does not read it."""
    refit = refitted(tmp_path)
    layers = [*refit.network.model.layers, Own()]
    refit.network.model = keras.Sequential(layers)
    write_export(refit, tmp_path / "out", study="study", metrics=("accuracy",))
    with pytest.raises(UsageError, match=r"holds .*Own.*, which may run code"):
        _ = load_export(tmp_path / "out").keras_model
