"""A test file of its own: its rows are encoded as the search rows are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.data.test_tables import refused
from tuner.data import load_dataset, make_folds
from tuner.data.folds import FoldSpec
from tuner.data.scaling import fit_scaling
from tuner.data.sources import Reading
from tuner.study.data import load_data
from tuner.study.data_spec import DataSpec

TABLES = Path(__file__).parents[3] / "shared" / "data" / "tables"


def put(folder: Path, name: str, **columns: Any) -> str:
    pd.DataFrame(columns).to_parquet(folder / name)
    return f"parquet:{folder / name}"


@pytest.fixture
def search(tmp_path: Path) -> str:
    size = np.linspace(0.5, 9.7, 24)
    towns = ["Bern", "Basel", "Chur"] * 8
    return put(tmp_path, "own", size=size, town=towns, pay=["<=50K", ">50K", "<=50K"] * 8)


def test_rows_are_encoded_as_the_search_rows(tmp_path: Path, search: str) -> None:
    plain = load_dataset(search)
    test = put(
        tmp_path, "test", pay=[">50K", "<=50K", None, ">50K"], other=[1, 2, 3, 4],
        town=["Bern", "Genf", "Bern", None], size=[1.0, 2.0, 3.0, np.nan],
    )  # fmt: skip
    own = load_dataset(search, test_data=test)
    np.testing.assert_array_equal(own.x, plain.x)
    assert own.encoding == plain.encoding
    assert own.hash != plain.hash
    assert own.encoding is not None
    assert own.x_test is not None
    assert own.y_test is not None
    frame = pd.DataFrame({"size": [1.0, 2.0, np.nan], "town": ["Bern", "Genf", None]})
    np.testing.assert_array_equal(own.x_test, own.encoding.encode(frame))
    np.testing.assert_array_equal(own.y_test, [1, 0, 1])
    assert any("left out 1 of 4 rows without a target" in remark for remark in own.remarks)
    for fold in make_folds(own, FoldSpec()):
        scaling = fit_scaling(own, fold.train, "auto")
        assert scaling is not None
        assert np.isfinite(own.encoding.inputs(own.x_test.astype(np.float32), scaling)).all()


def test_what_was_said_of_the_search_rows_is_not_said_again(tmp_path: Path) -> None:
    for name in ("own", "test"):
        rows = "".join(f"{i};{i % 3},5;{'ab'[i % 2]}\n" for i in range(24))
        (tmp_path / f"{name}.csv").write_text(f"x;z;y\n{rows}")
    own = load_dataset(f"csv:{tmp_path}/own.csv", test_data=f"csv:{tmp_path}/test.csv")
    assert sum("semicolons" in remark for remark in own.remarks) == 1
    assert sum("decimal marks" in remark for remark in own.remarks) == 1


@pytest.mark.parametrize("labels", [["<=50K.", ">50K."], [" <=50k", ">50K "], ["<=50K .", ">50K"]])
def test_other_spellings_of_labels_are_taken_and_said(
    tmp_path: Path, search: str, labels: list[str]
) -> None:
    test = put(tmp_path, "test", size=[1.0, 2.0], town=["Bern"] * 2, pay=labels)
    own = load_dataset(search, test_data=test)
    np.testing.assert_array_equal(own.y_test, [0, 1])
    assert any(f"labels are taken: {labels[0]!r} for '<=50K'" in text for text in own.remarks)


def test_a_number_of_a_column_and_several_targets(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(30, 4))
    np.save(tmp_path / "own.npy", values)
    np.save(tmp_path / "test.npy", values[:5])
    uris = [f"npy:{tmp_path / name}.npy" for name in ("own", "test")]
    own = load_dataset(uris[0], target="2,1", test_data=uris[1])
    np.testing.assert_array_equal(own.y_test, own.y[:5])
    np.testing.assert_array_equal(own.x_test, own.x[:5])


def test_tables_of_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 25))
    table = pd.DataFrame(pixels, columns=[f"pixel{i}" for i in range(25)])
    table.insert(0, "label", np.arange(20) % 4)
    table.to_parquet(tmp_path / "own")
    table[table.columns[::-1]].iloc[:8].to_parquet(tmp_path / "test")
    own = load_dataset(f"parquet:{tmp_path / 'own'}", test_data=f"parquet:{tmp_path / 'test'}")
    np.testing.assert_array_equal(own.x_test, own.x[:8])


def test_arrays(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    np.savez(tmp_path / "own.npz", X=x, y=y)
    np.savez(tmp_path / "test.npz", data=x[:4], labels=y[:4])
    np.savez(tmp_path / "wide.npz", X=np.ones((4, 2)), y=y[:4])
    np.savez(tmp_path / "whole.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    uri = f"npz:{tmp_path}"
    own = load_dataset(f"{uri}/own.npz", test_data=f"{uri}/test.npz")
    np.testing.assert_array_equal(own.x_test, own.x[:4])
    assert "shape of the search rows" in refused(f"{uri}/own.npz", test_data=f"{uri}/wide.npz")
    assert "test rows of its own" in refused(f"{uri}/own.npz", test_data=f"{uri}/whole.npz")
    assert "has 20 of its own" in refused(f"{uri}/whole.npz", test_data=f"{uri}/test.npz")


def test_refusals(tmp_path: Path, search: str) -> None:
    def said(**columns: Any) -> str:
        given = {"size": [1.0, 2.0], "town": ["Bern"] * 2, "pay": ["<=50K", ">50K"], **columns}
        kept = {name: values for name, values in given.items() if values is not None}
        return refused(search, test_data=put(tmp_path, "test", **kept))

    assert "lacks size" in said(size=None)
    assert "unknown target column 'pay'" in said(pay=None)
    assert "has <=60K in 1 test rows" in said(pay=["<=60K", ">50K"])
    assert "must be text if those of the search rows are" in said(pay=[0, 1])
    assert "must hold numbers" in said(size=[b"\xff", b"\xff"])
    message = refused(search, test_data=search, test_share=0.5)  # type: ignore[arg-type]
    assert "--test-share" in message
    np.savez(tmp_path / "own.npz", X=np.ones((4, 2)), y=[0, 1, 0, 1])
    assert "--target names a column" in refused(search, test_data=f"npz:{tmp_path / 'own.npz'}")
    message = refused(f"npz:{tmp_path / 'own.npz'}", test_data=search)
    assert "the test rows must be arrays, as the search rows are" in message
    assert "needs a file that exists" in refused(search, test_data=f"csv:{tmp_path / 'none.csv'}")


def test_a_definition_without_test_data_has_the_hash_it_had(search: str, tmp_path: Path) -> None:
    data = DataSpec(uri=search, test_data=search)
    assert load_data(data, seed=0).x_test is not None
    assert "test_data" not in DataSpec(uri=search).model_dump(exclude_defaults=True)


@pytest.mark.skipif(not TABLES.exists(), reason=f"needs the tables in {TABLES}")
def test_adult(tmp_path: Path) -> None:
    reading = Reading(header=False)
    uris = [f"csv:{TABLES / name}" for name in ("adult_no_header.csv", "adult_test_no_header.csv")]
    own = load_dataset(uris[0], test_data=uris[1], reading=reading)
    assert own.classes == ("<=50K", ">50K")
    assert own.y_test is not None
    assert 0.15 < own.y_test.mean() < 0.35
    assert any("'<=50K.' for '<=50K'" in remark for remark in own.remarks)
