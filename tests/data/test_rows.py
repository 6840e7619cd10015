"""Rows for a trained model: the same features whatever form the new rows come in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from tuner.data import Dataset, load_dataset, load_rows
from tuner.errors import DataError


def like(dataset: Dataset, **more: Any) -> dict[str, Any]:
    return {
        "features": dataset.features,
        "task": dataset.task,
        "classes": dataset.classes,
        "byte_scale": dataset.byte_scale,
        "encoding": dataset.encoding,
        **more,
    }


def test_its_own_data_come_back_as_they_were_trained_on() -> None:
    for name in ("digits", "breast_cancer", "diabetes"):
        own = load_dataset(f"sklearn:{name}")
        rows = load_rows(f"sklearn:{name}", **like(own))
        np.testing.assert_array_equal(rows.x, own.x * np.float32(own.byte_scale))
        np.testing.assert_array_equal(rows.y, own.y)
        assert np.asarray(rows.x).dtype == np.float32


def test_columns_are_found_by_name_and_the_target_may_be_absent(tmp_path: Path) -> None:
    wine = datasets.load_wine(as_frame=True)
    file = tmp_path / "wine.csv"
    wine.frame.to_csv(file, index=False)
    own = load_dataset(f"csv:{file}")
    mixed = wine.data.iloc[:, ::-1].assign(note="text is no feature here")
    mixed.to_csv(file, index=False)
    rows = load_rows(f"csv:{file}", **like(own))
    assert isinstance(rows.x, Mapping)
    for name, values in wine.data.items():
        np.testing.assert_array_equal(rows.x[name][:, 0], values)
    assert rows.y is None
    with pytest.raises(DataError, match="takes the columns of a table"):
        load_rows("sklearn:wine", **like(own))
    mixed.assign(target=wine.target).to_csv(file, index=False)
    rows = load_rows(f"csv:{file}", **like(own))
    np.testing.assert_array_equal(rows.y, own.y)
    wine.data.drop(columns="hue").to_csv(file, index=False)
    with pytest.raises(DataError, match="lacks hue"):
        load_rows(f"csv:{file}", **like(own))


def test_a_model_of_numbers_finds_its_columns_by_name(tmp_path: Path) -> None:
    iris = load_dataset("sklearn:iris")
    frame = datasets.load_iris(as_frame=True).data.iloc[:, ::-1].assign(number=range(150))
    file = tmp_path / "iris.csv"
    frame.to_csv(file, index=False)
    rows = load_rows(f"csv:{file}", feature_names=iris.feature_names, **like(iris))
    np.testing.assert_array_equal(rows.x, iris.x)
    frame.drop(columns="petal width (cm)").to_csv(file, index=False)
    with pytest.raises(DataError, match=r"unknown feature column 'petal width \(cm\)'"):
        load_rows(f"csv:{file}", feature_names=iris.feature_names, **like(iris))


def test_labels_meet_the_models_classes_and_not_their_own_order(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    table = pd.DataFrame({"a": np.arange(6.0), "kind": ["x", "y", "z"] * 2})
    table.to_parquet(file)
    own = load_dataset(f"parquet:{file}")
    table[table.kind == "z"].to_parquet(file)
    rows = load_rows(f"parquet:{file}", **like(own, target="kind"))
    np.testing.assert_array_equal(rows.y, [2, 2])
    table.assign(kind="w").to_parquet(file)
    with pytest.raises(DataError, match=r"classes x, y, z; .* also has w"):
        load_rows(f"parquet:{file}", **like(own, target="kind"))


@pytest.mark.parametrize("form", ["uint8", "float64", "already 0 to 1"])
def test_images_may_come_as_bytes_or_as_fractions(tmp_path: Path, form: str) -> None:
    own = load_dataset("sklearn:digits")
    images = datasets.load_digits().images
    new = images / 16 if form == "already 0 to 1" else images.astype(form)
    np.savez(tmp_path / "own.npz", X=new)
    rows = load_rows(f"npz:{tmp_path / 'own.npz'}", **like(own))
    np.testing.assert_array_equal(rows.x, own.x * np.float32(1 / 16))
    assert rows.y is None


def test_one_dark_image_is_scaled_as_all_others(tmp_path: Path) -> None:
    """The scale is the model's, not one guessed from the new rows."""
    np.savez(tmp_path / "own.npz", X=np.ones((1, 8, 8), np.uint8))
    rows = load_rows(f"npz:{tmp_path / 'own.npz'}", **like(load_dataset("sklearn:digits")))
    assert (np.asarray(rows.x) == 1 / 16).all()


@pytest.mark.parametrize("value", [17, -1, 0.5 + 3])
def test_images_out_of_the_models_range_are_refused(tmp_path: Path, value: float) -> None:
    x = np.zeros((2, 8, 8))
    x[0, 0, 0] = value
    np.savez(tmp_path / "own.npz", X=x)
    with pytest.raises(DataError, match="whole numbers 0 to 16"):
        load_rows(f"npz:{tmp_path / 'own.npz'}", **like(load_dataset("sklearn:digits")))


def test_another_number_of_features_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", X=np.zeros((2, 28, 28), np.uint8))
    with pytest.raises(DataError, match=r"rows of 64 features; .* 784"):
        load_rows(f"npz:{tmp_path / 'own.npz'}", **like(load_dataset("sklearn:digits")))


def test_parts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {"x_train": rng.normal(size=(6, 2)), "y_train": [0, 1] * 3}
    arrays |= {"x_test": rng.normal(size=(3, 2)), "y_test": [1, 0, 1]}
    np.savez(tmp_path / "own.npz", **arrays)
    uri = f"npz:{tmp_path / 'own.npz'}"
    own = load_dataset(uri)
    assert own.x_test is not None
    np.testing.assert_array_equal(load_rows(uri, **like(own, part="test")).x, own.x_test)
    np.testing.assert_array_equal(load_rows(uri, **like(own, part="search")).y, [0, 1] * 3)
    everything = load_rows(uri, **like(own))
    np.testing.assert_array_equal(everything.x, np.vstack([own.x, own.x_test]))
    np.testing.assert_array_equal(everything.y, [0, 1] * 3 + [1, 0, 1])
    with pytest.raises(DataError, match="no test rows"):
        load_rows("sklearn:iris", **like(load_dataset("sklearn:iris"), part="test"))


def test_several_targets(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    table = pd.DataFrame({"a": [1.0, 2, 3], "p": [1, 1, 0], "q": [1, 0, 1]})
    table.to_parquet(file)
    own = load_dataset(f"parquet:{file}", target="p,q")
    rows = load_rows(f"parquet:{file}", **like(own, target="p,q"))
    np.testing.assert_array_equal(rows.y, own.y)
    with pytest.raises(DataError, match="2 columns of 0 and 1"):
        load_rows(f"parquet:{file}", **like(own, target="p"))
    one_hot = pd.DataFrame({"a": [1.0, 2, 3], "p": [1, 1, 0], "q": [0, 0, 1]})
    one_hot.to_parquet(file)
    own = load_dataset(f"parquet:{file}", target="p,q")
    assert own.task == "binary"
    np.testing.assert_array_equal(
        load_rows(f"parquet:{file}", **like(own, target="p,q")).y, [0, 0, 1]
    )
