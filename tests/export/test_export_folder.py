from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

from tuner.errors import DataError, UsageError
from tuner.export import load_export, refit_trial, write_export
from tuner.export.folder import check_target, write_folder
from tuner.export.model import model_scores, prediction_rows, rows_for
from tuner.export.scores import predict

PARAMS = {"model.units": "16", "epochs": 8, "optimizer.learning_rate": 0.01}


def export(made, out: Path) -> dict:
    refitted = refit_trial(made.study, made.study.trials[0], made.dataset)
    return write_export(
        refitted, out, study=made.study.study_name, metrics=made.definition.all_metrics
    )


@pytest.fixture
def wine_csv(tmp_path) -> tuple[str, pd.DataFrame]:
    from sklearn.datasets import load_wine

    frame = load_wine(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    path = tmp_path / "wine.csv"
    frame.to_csv(path, index=False)
    return f"csv:{path}", frame


def test_what_a_folder_holds(train_study, tmp_path):
    made = train_study(PARAMS | {"epochs": 10}, metrics=("log_loss", "loss"))
    settings = export(made, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "model.keras",
        "architecture.json",
        "weights.weights.h5",
        "settings.json",
        "preprocessing.json",
        "classes.json",
        "MODEL.md",
    }
    stored = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert stored["study"] == "small"
    assert stored["trial"] == 0
    assert stored["params"]["model.units"] == "16"
    assert stored["data"]["hash"] == made.dataset.hash
    assert stored["cross_validation"]["accuracy"] == made.scores.fold_scores("accuracy").tolist()
    assert set(stored["test"]) == {"accuracy", "log_loss", "loss"}
    # Cross-entropy has two names here: scikit-learn's metric and Keras's loss.
    assert stored["test"]["loss"] == pytest.approx(stored["test"]["log_loss"], rel=1e-4)
    assert settings["epochs"] == 10
    # The test rows, scored with what the folder holds and scikit-learn.
    model = load_export(tmp_path / "out")
    decided = predict(model.keras_model, made.dataset.x_test).argmax(axis=1)
    assert stored["test"]["accuracy"] == accuracy_score(made.dataset.y_test, decided)
    assert stored["test"]["accuracy"] > 0.75
    card = (tmp_path / "out" / "MODEL.md").read_text()
    assert f"| accuracy | {np.mean(stored['cross_validation']['accuracy']):.4f}" in card


ALONE = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tuner", "optuna", "sklearn"):
            raise ImportError(name + " is not here")

sys.meta_path.insert(0, Blocker())
sys.path[:] = [p for p in sys.path if p not in ("", {root!r})]
import keras
import numpy as np

for folder in sys.argv[1:]:
    x = np.load(folder + "/x.npy")
    model = keras.saving.load_model(folder + "/model.keras")
    np.save(folder + "/loaded.npy", model.predict(x, verbose=0))
    model = keras.models.model_from_json(open(folder + "/architecture.json").read())
    model.load_weights(folder + "/weights.weights.h5")
    np.save(folder + "/rebuilt.npy", model.predict(x, verbose=0))
assert "tuner" not in sys.modules
"""


@pytest.mark.slow
def test_keras_alone_loads_both_forms_and_the_cards_example_runs(train_study, tmp_path):
    """In a process that cannot import tuner; raw rows in, probabilities or values out."""
    studies = {
        "digits": train_study(PARAMS | {"model.batch_norm": True, "model.dropout": 0.1}),
        "diabetes": train_study(PARAMS, name="d", data={"uri": "sklearn:diabetes"}),
        "cancer": train_study(PARAMS, name="c", data={"uri": "sklearn:breast_cancer"}),
    }
    folders = []
    for name, made in studies.items():
        export(made, tmp_path / name)
        np.save(tmp_path / name / "x.npy", made.dataset.x[:50])
        folders.append(str(tmp_path / name))
    root = str(Path(__file__).resolve().parents[2])
    code = ALONE.replace("{root!r}", repr(root))
    done = subprocess.run(
        [sys.executable, "-c", code, *folders], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name, made in studies.items():
        expected = predict(load_export(tmp_path / name).keras_model, made.dataset.x[:50])
        scale = max(1.0, np.abs(expected).max())
        for form in ("loaded", "rebuilt"):
            found = np.load(tmp_path / name / f"{form}.npy")
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)
    digits = np.load(tmp_path / "digits" / "loaded.npy")
    np.testing.assert_allclose(digits.sum(axis=1), 1, atol=1e-5)
    # The example in MODEL.md, as it stands there.
    for name in studies:
        card = (tmp_path / name / "MODEL.md").read_text()
        example = card.split("```python\n")[1].split("```")[0]
        assert len(example.splitlines()) <= 6
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path / name, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().startswith("[")


def test_predicting_a_table_by_column_names(train_study, tmp_path, wine_csv):
    uri, frame = wine_csv
    made = train_study(PARAMS | {"epochs": 20}, data={"uri": uri})
    export(made, tmp_path / "out")
    model = load_export(tmp_path / "out")
    rows = rows_for(model, uri)
    answers = predict(model.keras_model, rows.x)
    table = prediction_rows(model, answers, rows.y)
    assert len(table) == 178
    assert list(table[0]) == [
        "row",
        "predicted",
        "actual",
        "probability_barbera",
        "probability_barolo",
        "probability_grignolino",
    ]
    assert [row["actual"] for row in table] == frame["target"].tolist()
    probabilities = [row[f"probability_{row['predicted']}"] for row in table]
    assert min(probabilities) > 1 / 3
    right = np.mean([row["predicted"] == row["actual"] for row in table])
    assert model_scores(model, answers, rows.y)["accuracy"] == pytest.approx(right)
    # New rows: no target, columns in another order, one too many.
    fresh = frame.drop(columns="target")[list(reversed(frame.columns[:-1]))].assign(note=1)
    fresh.to_csv(tmp_path / "fresh.csv", index=False)
    again = rows_for(model, f"csv:{tmp_path / 'fresh.csv'}")
    assert again.y is None
    assert isinstance(rows.x, Mapping)
    assert isinstance(again.x, Mapping)
    for name, values in rows.x.items():
        np.testing.assert_array_equal(again.x[name], values)
    assert "actual" not in prediction_rows(model, predict(model.keras_model, again.x))[0]


def test_predicting_bytes_equals_predicting_the_dataset(train_study, tmp_path):
    made = train_study(PARAMS)
    export(made, tmp_path / "out")
    model = load_export(tmp_path / "out")
    rows = rows_for(model, "sklearn:digits")
    from sklearn.datasets import load_digits

    x = np.asarray(rows.x)
    np.testing.assert_allclose(x, load_digits().data, atol=1e-5)
    assert len(prediction_rows(model, predict(model.keras_model, x[:5]), rows.y[:5])) == 5

    # A table with the columns of a model of numbers, and one that is carried through.
    names = model.preprocessing.feature_names
    table = pd.DataFrame(load_digits().data[:3], columns=names).assign(id=["a", "b", "c"])
    table.to_csv(tmp_path / "table.csv", index=False)
    few = rows_for(model, f"csv:{tmp_path / 'table.csv'}", keep=["id"])
    np.testing.assert_allclose(np.asarray(few.x), x[:3], atol=1e-5)
    assert few.kept == {"id": ["a", "b", "c"]}


@pytest.mark.slow
def test_predicting_with_two_classes_and_with_values(train_study, tmp_path):
    made = train_study(PARAMS, metrics=("roc_auc",), data={"uri": "sklearn:breast_cancer"})
    export(made, tmp_path / "cancer")
    model = load_export(tmp_path / "cancer")
    rows = rows_for(model, "sklearn:breast_cancer")
    answers = predict(model.keras_model, rows.x)
    table = prediction_rows(model, answers, rows.y)
    assert list(table[0])[3:] == ["probability_malignant", "probability_benign"]
    assert table[0]["probability_malignant"] + table[0]["probability_benign"] == pytest.approx(1)
    found = model_scores(model, answers, rows.y)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(rows.y, answers[:, 0]))
    # One class alone leaves the area under the curve undefined: it is left out.
    only = rows.y == 1
    assert set(model_scores(model, answers[only], rows.y[only])) == {"accuracy"}

    made = train_study(PARAMS | {"epochs": 30}, name="d", data={"uri": "sklearn:diabetes"})
    export(made, tmp_path / "diabetes")
    assert not (tmp_path / "diabetes" / "classes.json").exists()
    model = load_export(tmp_path / "diabetes")
    rows = rows_for(model, "sklearn:diabetes")
    answers = predict(model.keras_model, rows.x)
    assert list(prediction_rows(model, answers, rows.y)[0]) == ["row", "predicted", "actual"]
    assert model_scores(model, answers, rows.y)["r2"] == pytest.approx(r2_score(rows.y, answers))
    assert r2_score(rows.y, answers) > 0.3


def test_wrong_rows_are_refused(train_study, tmp_path, wine_csv):
    uri, frame = wine_csv
    made = train_study(PARAMS | {"epochs": 1}, data={"uri": uri})
    export(made, tmp_path / "out")
    model = load_export(tmp_path / "out")
    with pytest.raises(DataError, match="the columns of a table; sklearn:digits"):
        rows_for(model, "sklearn:digits")
    frame.drop(columns=["alcohol", "hue"]).to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(DataError, match="lacks alcohol, hue"):
        rows_for(model, f"csv:{tmp_path / 'short.csv'}")
    strange = frame.assign(target="merlot")
    strange.to_csv(tmp_path / "strange.csv", index=False)
    with pytest.raises(DataError, match="also has merlot"):
        rows_for(model, f"csv:{tmp_path / 'strange.csv'}")


def test_only_exports_are_read(train_study, tmp_path):
    with pytest.raises(UsageError, match=r"holds no settings\.json"):
        load_export(tmp_path)
    made = train_study(PARAMS | {"epochs": 1})
    export(made, tmp_path / "out")
    (tmp_path / "out" / "model.keras").write_bytes(b"torn")
    with pytest.raises(UsageError, match="must be whole"):
        predict(load_export(tmp_path / "out").keras_model, made.dataset.x[:1])
    (tmp_path / "out" / "preprocessing.json").write_text("{")
    with pytest.raises(UsageError, match="must be whole"):
        load_export(tmp_path / "out")
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    (tmp_path / "out" / "settings.json").write_text(json.dumps(settings | {"version": 2}))
    with pytest.raises(UsageError, match=r"version 2\. Update"):
        load_export(tmp_path / "out")


def test_what_an_export_may_write_over(tmp_path):
    check_target(tmp_path / "new", force=False)
    (tmp_path / "empty").mkdir()
    check_target(tmp_path / "empty", force=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match=r"holds thesis\.tex"):
        check_target(tmp_path / "full", force=False)
    with pytest.raises(UsageError, match="earlier export only"):
        check_target(tmp_path / "full", force=True)
    (tmp_path / "full" / "settings.json").write_text('{"format": "tuner-export"}')
    with pytest.raises(UsageError, match="--force"):
        check_target(tmp_path / "full", force=False)
    check_target(tmp_path / "full", force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is something else"):
        check_target(tmp_path / "file", force=True)


def test_a_folder_is_made_whole_or_not_at_all(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")

    def fails(into: Path) -> None:
        (into / "half").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match="No space left"):
        write_folder(out, fails)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "old").read_text() == "old"
    write_folder(out, lambda into: (into / "new").write_text("new") and None)  # type: ignore[arg-type]
    assert [path.name for path in out.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_place_is_said(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UsageError, match="must be able to write"):
        write_folder(tmp_path / "locked" / "out", lambda into: None)
