"""An exported table: Keras alone takes its raw columns, and answers as the search's networks do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tuner.export import load_export, refit_trial, write_export
from tuner.export.model import prediction_rows, rows_for
from tuner.export.scores import predict

ROWS = 160
PARAMS = {"model.units": "8", "epochs": 3, "optimizer.learning_rate": 0.05}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.to_datetime("2019-12-30") + pd.to_timedelta(rng.integers(0, 900, ROWS), unit="h")
    frame = pd.DataFrame(
        {
            "a b": rng.standard_cauchy(ROWS) + 1e9,
            "multiply": rng.integers(0, 5, ROWS),
            "per/cent": rng.normal(size=ROWS),
            "Stadt": rng.choice(
                ["Zürich", "[UNK]", "Bern", "Chur"], ROWS, p=[0.4, 0.3, 0.28, 0.02]
            ),
            "smoker": rng.choice(["yes", "no"], ROWS),
            "when": days,
        }
    )
    for name in ("a b", "Stadt", "when"):
        frame.loc[rng.random(ROWS) < 0.1, name] = None
    return frame.assign(target=np.where(frame["multiply"] > 2, "u", "v"))


@pytest.fixture
def exported(table: pd.DataFrame, tmp_path: Path, train_study):  # type: ignore[no-untyped-def]
    file = tmp_path / "own.parquet"
    table.to_parquet(file)
    params = {**PARAMS, "model.units": "8-8", "model.skip_connections": True, "embedding": "plr"}
    made = train_study(params, data={"uri": f"parquet:{file}", "test_share": 0.2})
    refitted = refit_trial(made.study, made.study.trials[0], made.dataset)
    write_export(refitted, tmp_path / "out", study="own", metrics=("accuracy", "roc_auc"))
    return made.dataset, refitted, tmp_path / "out"


def test_raw_rows_are_answered_as_the_network_answers_encoded_ones(exported, tmp_path, table):  # type: ignore[no-untyped-def]
    dataset, refitted, out = exported
    network = keras.saving.load_model(out / "network.keras")
    expected = network.predict(dataset.encoding.inputs(dataset.x, refitted.scaling), verbose=0)
    assert np.ptp(expected) > 0.1
    model = load_export(out)
    rows = rows_for(model, dataset.uri)
    everyone = predict(model.keras_model, rows.x)
    assert len(everyone) == ROWS
    again = predict(keras.models.model_from_json((out / "architecture.json").read_text()), rows.x)
    assert again.shape == everyone.shape
    # The dataset's search rows are some of the file's rows.
    sorted_expected = np.sort(expected[:, 0])
    near = np.searchsorted(np.sort(everyone[:, 0]), sorted_expected - 1e-5)
    np.testing.assert_allclose(np.sort(everyone[:, 0])[near], sorted_expected, atol=2e-5)


def test_unknown_levels_and_gaps_are_answered(exported, tmp_path, table):  # type: ignore[no-untyped-def]
    _, _, out = exported
    fresh = table.drop(columns="target").head(40).copy()
    fresh.loc[0, "Stadt"] = "Basel"
    fresh.loc[1, ["per/cent", "multiply"]] = None
    fresh.loc[2, "smoker"] = None
    fresh["extra"] = "left alone"
    fresh.to_parquet(tmp_path / "fresh.parquet")
    model = load_export(out)
    own = predict(model.keras_model, rows_for(model, f"parquet:{tmp_path / 'fresh.parquet'}").x)
    assert np.isfinite(own).all()
    loaded = keras.saving.load_model(out / "model.keras")
    days = (fresh["when"] - pd.Timestamp(0)) / pd.Timedelta(days=1)
    raw = {
        name: tf.constant(fresh[name].to_numpy(np.float64, na_value=np.nan)[:, None])
        for name in ("a b", "multiply", "per/cent")
    }
    raw |= {n: tf.constant([[v or ""] for v in fresh[n].fillna("")]) for n in ("Stadt", "smoker")}
    raw["when"] = tf.constant(days.to_numpy()[:, None])
    np.testing.assert_allclose(own, loaded(raw), atol=1e-6)


@pytest.mark.slow
def test_gaps_are_answered_though_the_search_rows_have_none(table, tmp_path, train_study) -> None:  # type: ignore[no-untyped-def]
    whole, test = table.dropna(), table.head(60).copy()
    test.loc[:9, ["per/cent", "multiply"]] = None
    test["target"] = test["target"] + "."
    for name, frame in (("whole", whole), ("test", test)):
        frame.to_parquet(tmp_path / name)
    uris = [f"parquet:{tmp_path / name}" for name in ("whole", "test")]
    made = train_study(PARAMS, data={"uri": uris[0], "test_data": uris[1]})
    assert not any(column.gaps for column in made.dataset.encoding.columns)
    refitted = refit_trial(made.study, made.study.trials[0], made.dataset)
    write_export(refitted, tmp_path / "out", study="own", metrics=("accuracy", "loss"))
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["data"]["test_rows"] == len(test)
    model = load_export(tmp_path / "out")
    answers = predict(model.keras_model, rows_for(model, uris[1]).x)[:, 0]
    assert np.isfinite(answers).all()
    right = ((answers > 0.5) == (test["target"] == "v.")).mean()
    assert settings["test"]["accuracy"] == pytest.approx(right)


@pytest.mark.slow
def test_the_card_s_example_runs_where_keras_is_alone(exported) -> None:  # type: ignore[no-untyped-def]
    _, _, out = exported
    card = (out / "MODEL.md").read_text()
    example = card.split("```python\n")[1].split("```")[0]
    blocked = "import sys; sys.modules['tuner'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", blocked + example], cwd=out, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("['u']", "['v']")
    assert json.loads((out / "preprocessing.json").read_text())["encoding"]["columns"]


@pytest.mark.slow
def test_targets_trained_as_logarithms_are_answered_in_their_own_unit(  # type: ignore[no-untyped-def]
    tmp_path, table, train_study
):
    amounts = np.exp(table["multiply"] + np.random.default_rng(1).normal(size=ROWS))
    file = tmp_path / "amounts.csv"
    table.assign(target=amounts).to_csv(file, index=False)
    data = {"uri": f"csv:{file}", "test_share": 0.2, "target_scale": "log"}
    params = {**PARAMS, "epochs": 30, "batch_size": 16}
    made = train_study(params, data=data, metrics=("rmsle", "mae"))
    refitted = refit_trial(made.study, made.study.trials[0], made.dataset)
    settings = write_export(
        refitted, tmp_path / "out", study="own", metrics=("rmsle", "mae", "loss")
    )
    model = load_export(tmp_path / "out")
    rows = rows_for(model, f"csv:{file}")
    answers = predict(model.keras_model, rows.x)[:, 0]
    logs = np.log1p(amounts.to_numpy())
    assert np.corrcoef(np.log1p(answers), logs)[0, 1] > 0.5
    assert settings["test"]["rmsle"] < logs.std()
    whole = keras.saving.load_model(tmp_path / "out" / "network.keras")
    network = keras.Sequential(whole.layers[:-3])
    seen = made.dataset.encoding.inputs(made.dataset.x, refitted.scaling)
    mean, std = refitted.target_scaling
    expected = np.expm1(network.predict(seen, verbose=0) * std + mean)
    np.testing.assert_allclose(whole.predict(seen, verbose=0), expected, rtol=1e-5)


@pytest.mark.slow
def test_rows_are_read_as_the_model_s_were_and_columns_are_carried_through(train_study, tmp_path):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    lines = [
        f"{a:.3f};{'pq'[i % 2]};R{i};{'uv'[int(a > 0)]}" for i, a in enumerate(rng.normal(size=60))
    ]
    (tmp_path / "own.csv").write_text("\n".join(line.replace(".", ",") for line in lines))
    data = {"uri": f"csv:{tmp_path / 'own.csv'}", "target": "4", "na": ["-999"]}
    made = train_study(PARAMS, data=data)
    write_export(
        refit_trial(made.study, made.study.trials[0], made.dataset),
        tmp_path / "out",
        study="own",
        metrics=("accuracy",),
    )
    model = load_export(tmp_path / "out")
    (tmp_path / "fresh.csv").write_text("-1,5;p;R7\n-999;q;R8\n")
    rows = rows_for(model, f"csv:{tmp_path / 'fresh.csv'}", keep=["3", "1"])
    assert isinstance(rows.x, dict)
    np.testing.assert_array_equal(rows.x["1"][:, 0], [-1.5, np.nan])
    answers = prediction_rows(model, predict(model.keras_model, rows.x), rows.y, rows.kept)
    assert [(row["3"], row["1"]) for row in answers] == [("R7", -1.5), ("R8", None)]
    assert all(row["predicted"] in ("u", "v") for row in answers)
