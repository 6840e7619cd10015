"""Data in memory: kept once, in files named by their contents, as the same data of a URI."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import tuner
from tuner.api.given_data import keep_data
from tuner.data import load_dataset
from tuner.errors import DataError, MissingDataError, UsageError
from tuner.training.stack_data import _is_mapped

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.arange(30) % 3


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_arrays_are_written_once_and_are_the_npz_of_the_same(tmp_path):
    kept = keep_data(tmp_path / "data", X, Y)
    again = keep_data(tmp_path / "data", X.astype(np.float32).tolist(), list(Y))
    assert kept == again
    scheme, _, path = kept.uri.partition(":")
    assert scheme == "arrays"
    assert os.path.isabs(path)
    assert names(tmp_path / "data") == [os.path.basename(path)]
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    mine, other = load_dataset(kept.uri), load_dataset(f"npz:{tmp_path}/a.npz")
    assert mine.hash == other.hash
    assert mine.classes == other.classes == (0, 1, 2)
    # The rows are the file's own, which every process shares.
    assert _is_mapped(mine.x)
    changed = X.copy()
    changed[0, 0] += 1
    assert keep_data(tmp_path / "data", changed, Y).uri != kept.uri


@pytest.mark.parametrize("kind", [np.uint8, np.float64, np.int64])
def test_images_of_bytes_stay_bytes(tmp_path, kind):
    images = np.random.default_rng(1).integers(0, 256, size=(20, 4, 4)).astype(kind)
    data = load_dataset(keep_data(tmp_path, images, np.arange(20) % 2).uri)
    assert (data.x.dtype, data.image_shape, data.byte_scale) == (np.uint8, (4, 4), 1 / 255)


@pytest.mark.parametrize(
    "y",
    [
        np.array(["a", "b", "c"], dtype=object)[Y],
        pd.Series(["a", "b", "c"]).iloc[Y],
        pd.Categorical.from_codes(Y, ["a", "b", "c"]),
    ],
    ids=["objects", "series", "categories"],
)
def test_labels_are_what_they_were(tmp_path, y):
    data = load_dataset(keep_data(tmp_path, X, y).uri)
    assert data.classes == ("a", "b", "c")
    assert data.y.tolist() == Y.tolist()


def test_sparse_rows_are_made_dense(tmp_path):
    dense = np.where(X > 0, X, 0)
    assert keep_data(tmp_path, sparse.csr_matrix(dense), Y) == keep_data(tmp_path, dense, Y)


def test_groups_go_with_the_rows(tmp_path):
    kept = keep_data(tmp_path, X, Y, group=np.repeat(list("abcdef"), 5))
    data = load_dataset(kept.uri, group=kept.group)
    assert data.groups.tolist() == np.repeat(range(6), 5).tolist()


def test_a_group_is_one_value_a_row(tmp_path):
    with pytest.raises(DataError, match="group= takes one value a row; received 2 columns"):
        keep_data(tmp_path / "data", frame(), range(6), group=np.ones((6, 2)))
    assert not (tmp_path / "data").exists()


def frame():
    return pd.DataFrame(
        {
            "size": [1.5, None, 3.0, 4.0, 2.5, 6.0],
            "colour": pd.Categorical(["red", "blue", None, "red", "blue", "red"]),
            "made": pd.to_datetime(["2020-01-01", "2021-05-03", None] * 2),
            "text": ["a", "b", None, "b", "a", "b"],
            3: [1, 2, 3, 4, 5, 6],
        },
        index=list("uvwxyz"),
    )


def test_a_frame_is_the_table_of_its_file(tmp_path):
    y = pd.Series([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], name="price")
    kept = keep_data(tmp_path / "data", frame(), y)
    assert kept.target == "price"
    assert names(tmp_path / "data") == [os.path.basename(kept.uri)]
    mine = load_dataset(kept.uri, target=kept.target)
    whole = frame().assign(price=y.to_numpy()).rename(columns=str)
    whole.to_parquet(tmp_path / "a.parquet", index=False)
    other = load_dataset(f"parquet:{tmp_path}/a.parquet", target="price")
    assert mine.hash == other.hash
    # The target may be a column, or have no name, or one that is a column's.
    assert keep_data(tmp_path / "data", whole, target="price") == kept
    assert keep_data(tmp_path, frame(), y.to_numpy()).target == "target"
    assert keep_data(tmp_path, frame(), y.rename("size")).target == "size_"
    two = keep_data(tmp_path, frame(), pd.DataFrame({"a": y, "b": -y}))
    assert load_dataset(two.uri, target=two.target).target_names == ("a", "b")


def test_what_no_network_takes_of_a_frame_is_left_out_and_said(tmp_path):
    table = frame().assign(lists=[[1]] * 6).rename_axis("key")
    kept = keep_data(tmp_path, table, np.arange(6.0))
    assert any("lists (values of the type list)" in note for note in kept.notes)
    assert any("the index (key) is no column" in note for note in kept.notes)
    assert "lists" not in load_dataset(kept.uri, target=kept.target).feature_names


GAPS = np.where(X > 1, np.nan, X)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((X, None), UsageError, "needs a target for every row"),
        ((X, Y[:-1]), DataError, "one row for each of the 30 rows.*shape \\(29,\\)"),
        ((GAPS, Y), DataError, "have no gaps.*pandas.DataFrame\\(X\\)"),
        ((np.array([["a", "b"]] * 30), Y), DataError, "X must hold numbers.*DataFrame"),
        (([[1, 2], [3]], [0, 1]), DataError, "rows of equally many numbers"),
        ((X[:, 0], Y), DataError, "features must have the shape"),
        ((frame(), None), UsageError, "a DataFrame without one.*target="),
        ((frame(), [1, 2]), DataError, "one row for each of the 6 rows of X; received 2"),
        ((X * 1e300, Y), DataError, "must stay within"),
        ((np.ma.masked_greater(X, 1), Y), DataError, "arrays have no gaps; X has .* masked values"),
        ((X, np.ma.masked_equal(Y, 1)), DataError, "y has 10 masked values"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_on_is_refused_and_nothing_is_written(
    tmp_path, given, error, message
):
    with pytest.raises(error, match=message):
        keep_data(tmp_path / "data", *given)
    assert not (tmp_path / "data").exists()


def test_a_column_of_arrays_and_two_targets_are_refused(tmp_path):
    with pytest.raises(UsageError, match="target='a' names a column, which arrays have not"):
        keep_data(tmp_path, X, Y, target="a")
    with pytest.raises(UsageError, match="the target is y, or a column of X; received both"):
        keep_data(tmp_path, frame(), np.arange(6.0), target="size")


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"kept in a folder that can be written.*storage="):
        keep_data(tmp_path / "file", X, Y)


def test_a_folder_that_is_gone_or_damaged_is_told(tmp_path):
    kept = keep_data(tmp_path, X, Y)
    folder = tmp_path / os.path.basename(kept.uri)
    (folder / "X.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match=r"arrays: needs arrays that numpy\.save wrote"):
        load_dataset(kept.uri)
    (folder / "X.npy").unlink()
    with pytest.raises(DataError, match=r"X\.npy does not exist"):
        load_dataset(kept.uri)
    with pytest.raises(MissingDataError, match=r"needs a folder of X\.npy and y\.npy"):
        load_dataset(f"arrays:{tmp_path}/none")
    with pytest.raises(DataError, match="--group of arrays is groups"):
        load_dataset(kept.uri, group="a")


def test_data_of_a_search_that_is_refused_are_not_kept(in_process):
    constant, metric = (
        np.zeros(30, int),
        tuner.metric(lambda y, p: 1.0, direction="minimize", name="m"),
    )
    for given in ({"y": constant}, {"y": Y, "folds": 20}, {"y": Y, "metric": "r2"}):
        given = {"metric": metric, **given}
        with pytest.raises(UsageError):
            tuner.optimize("sgd_decay", X, trials=1, progress="none", **given)
        assert list(in_process.iterdir()) == []
    study = tuner.optimize({"epochs": 2}, X, Y, folds=2, trials=1, progress="none")
    held = names(in_process / "studies" / "artifacts" / "data")
    with pytest.raises(UsageError):
        tuner.optimize({"epochs": 2}, X, Y, folds=2, metric="r2", progress="none")
    assert names(in_process / "studies" / "artifacts" / "data") == held
    assert len(study.optimize(trials=2, progress="none").table()) == 2
