"""csv: and parquet: files, written and compared by pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn import datasets

from tuner.data import Dataset, fit_scaling, load_dataset
from tuner.data.scaling import ScalingKind
from tuner.errors import DataError


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"a": [1.5, 2.5, 3.5, 4.5], "b": [1, 2, 3, 4], **columns})


def write(folder: Path, text: str, name: str = "own.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return f"csv:{folder / name}"


def inputs(own: Dataset, scaling: ScalingKind) -> NDArray[np.floating]:
    """What a network sees of a table without gaps and rare levels, fitted on all rows."""
    fitted = fit_scaling(own, np.arange(own.rows), scaling)
    assert fitted is not None
    assert fitted.rare is None
    values: NDArray[np.floating] = own.x * fitted.scale + fitted.shift
    return values


def refused(uri: str, **asked: str) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(uri, **asked)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_wine_comes_back_as_it_was_written(tmp_path: Path, form: str) -> None:
    theirs = datasets.load_wine(as_frame=True)
    file = tmp_path / f"wine.{form}"
    if form == "parquet":
        theirs.frame.to_parquet(file)
    else:
        theirs.frame.to_csv(file, index=False)
    own = load_dataset(f"{form.split('.')[0]}:{file}")
    np.testing.assert_allclose(inputs(own, "none"), theirs.data.to_numpy(), rtol=1e-6)
    np.testing.assert_array_equal(own.y, theirs.target)
    assert own.feature_names == tuple(theirs.feature_names)
    assert own.target_names == ("target",)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_seen(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "own.csv"
    frame(kind=["x", "y", "x", "y"]).to_csv(file, sep=separator, index=False)
    own = load_dataset(f"csv:{file}")
    assert own.feature_names == ("a", "b")
    assert own.classes == ("x", "y")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    frame(kind=["x", "y", "x", "y"]).to_csv(file, index=False, encoding="utf-8-sig")
    assert load_dataset(f"csv:{file}").feature_names == ("a", "b")


def test_which_column_is_the_target(tmp_path: Path) -> None:
    kinds = ["x", "y", "x", "y"]
    last, named = tmp_path / "last.parquet", tmp_path / "named.parquet"
    frame(kind=kinds).to_parquet(last)
    pd.DataFrame({"Label": kinds, "a": [1, 2, 3, 4], "b": [4, 3, 2, 1]}).to_parquet(named)
    assert load_dataset(f"parquet:{last}").target_names == ("kind",)
    assert load_dataset(f"parquet:{named}").target_names == ("Label",)
    own = load_dataset(f"parquet:{last}", target="a", group="kind")
    assert (own.target_names, own.feature_names, own.task) == (("a",), ("b",), "regression")
    assert own.groups is not None
    np.testing.assert_array_equal(own.groups, [0, 1, 0, 1])


def test_two_columns_that_could_be_the_target_are_a_question(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    frame(label=[0, 1, 0, 1], y=[1, 0, 1, 0]).to_parquet(file)
    assert "has label, y. Choose by --target" in refused(f"parquet:{file}")
    assert load_dataset(f"parquet:{file}", target="y").feature_names == ("a", "b", "label")


def test_several_targets(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    frame(p=[0, 1, 1, 0], q=[1, 1, 0, 0]).to_parquet(file)
    own = load_dataset(f"parquet:{file}", target="q, p")
    assert (own.task, own.classes, own.outputs) == ("multilabel", ("q", "p"), 2)
    np.testing.assert_array_equal(own.y, [[1, 0], [1, 1], [0, 1], [0, 0]])
    values = load_dataset(f"parquet:{file}", target="a,b")
    assert (values.task, values.outputs) == ("regression", 2)
    assert "must differ" in refused(f"parquet:{file}", target="p,p")


def test_booleans_and_pandas_categories_are_categories(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    table = frame(flag=[True, False, True, True], target=["u", "v", "u", "v"])
    table["b"] = pd.Series(["p", "q", "q", "p"]).astype("category")
    table["target"] = table["target"].astype("category")
    table.to_parquet(file)
    own = load_dataset(f"parquet:{file}")
    assert own.encoding is not None
    assert own.encoding.outputs == ("a", "b=p", "b=q", "flag=False", "flag=True")
    np.testing.assert_array_equal(
        inputs(own, "none"),
        [[1.5, 1, 0, 0, 1], [2.5, 0, 1, 1, 0], [3.5, 0, 1, 0, 1], [4.5, 1, 0, 0, 1]],
    )
    assert own.classes == ("u", "v")


def test_text_is_a_category_and_a_group_is_no_feature(tmp_path: Path) -> None:
    uri = write(tmp_path, "age,town,target\n1,Bern,0\n9,Basel,1\n3,Bern,0\n4,Bern,1\n")
    own = load_dataset(uri)
    assert own.encoding is not None
    assert own.encoding.outputs == ("age", "town=Basel", "town=Bern")
    assert load_dataset(uri, group="town").feature_names == ("age",)


def test_a_date_is_its_days_and_those_parts_that_vary(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    days = pd.to_datetime(["1969-12-31", "2024-02-29", "2024-03-01", None])
    frame(day=days, target=[0, 1, 0, 1]).to_parquet(file)
    own = load_dataset(f"parquet:{file}", features=["day"])
    assert own.encoding is not None
    assert own.encoding.outputs == (
        "day days", "day year", "day month", "day day", "day weekday", "day missing",
    )  # fmt: skip
    np.testing.assert_array_equal(own.x[:, 1:4], [*[[d.year, d.month, d.day] for d in days[:3]],
        [np.nan] * 3])  # fmt: skip
    np.testing.assert_array_equal(own.x[:3, 4], days[:3].day_of_week)
    np.testing.assert_array_equal(own.x[:, 5], [0, 0, 0, 1])


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path) -> None:
    own = load_dataset(write(tmp_path, "a,b,target\n1,,0\n2,,1\n,3,0\n4,4,\n1,2,1\n"))
    assert own.rows == 4
    assert "left out 1 of 5 rows without a target" in own.remarks
    assert own.encoding is not None
    assert own.encoding.outputs == ("a", "a missing", "b", "b missing")
    assert np.isnan(own.x[:2, 2]).all()


def test_infinite_values_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    frame(c=[1, 2, np.inf, np.inf], target=[0, 1, 0, 1]).to_parquet(file)
    assert "column c holds inf" in refused(f"parquet:{file}")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b,target\n", "3 column names and no row"),
        ("a\n1\n2\n", "only a. Say what separates"),
        ("5.1,3.5,setosa\n4.9,3.0,other\n", "has 2 different texts in 2 rows"),
        ("a,a,target\n1,2,0\n1,2,1\n", "'a' more than once"),
        ("a,target\n1,0\n1,2,0\n1,1\n", "3 values in line 3"),
        ("a,target\n1,0,5\n1,2,0\n", "names 2 columns and its lines have 3 values"),
        ("a,target\n1,x\n2,x\n", "at least two different values"),
        ("a,name\n1,x\n2,y\n3,z\n", "3 different texts in 3 rows"),
    ],
)
def test_broken_tables_are_refused(tmp_path: Path, text: str, part: str) -> None:
    assert part in refused(write(tmp_path, text))


def test_only_text_is_read_as_csv_and_only_parquet_as_parquet(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(b"a,target\n\x00\x81\xfe,1\n")
    assert "no encoding that was recognized" in refused(f"csv:{tmp_path / 'own.csv'}")
    (tmp_path / "own.parquet").write_bytes(b"no parquet")
    assert "needs a Parquet file" in refused(f"parquet:{tmp_path / 'own.parquet'}")
    assert "needs the path" in refused("csv:")


def test_an_unknown_column_is_answered_by_the_close_one(tmp_path: Path) -> None:
    uri = write(tmp_path, "age,species\n1,a\n2,b\n3,a\n4,b\n")
    assert "did you mean species?" in refused(uri, target="specie")
    assert "unknown group column" in refused(uri, group="farm")
    assert "must differ" in refused(uri, target="age", group="age")


def test_pandas_index_is_no_feature(tmp_path: Path) -> None:
    table = frame(target=[0, 1, 0, 1])
    table.to_csv(tmp_path / "own.csv")
    table.to_parquet(tmp_path / "own.parquet")
    assert load_dataset(f"csv:{tmp_path / 'own.csv'}").feature_names == ("a", "b")
    assert load_dataset(f"parquet:{tmp_path / 'own.parquet'}").feature_names == ("a", "b")


def test_counting_column_names_are_names(tmp_path: Path) -> None:
    table = pd.DataFrame(np.arange(12).reshape(4, 3))
    table["label"] = [0, 1, 0, 1]
    table.to_csv(tmp_path / "own.csv", index=False)
    assert load_dataset(f"csv:{tmp_path / 'own.csv'}").feature_names == ("0", "1", "2")


@pytest.mark.parametrize("first", [0, 1])
def test_columns_of_pixels_are_images(tmp_path: Path, first: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 25))
    table = pd.DataFrame(pixels, columns=[f"pixel{i + first}" for i in range(25)])
    table.insert(0, "label", np.arange(20) % 4)
    table.to_parquet(tmp_path / "own.parquet")
    own = load_dataset(f"parquet:{tmp_path / 'own.parquet'}")
    assert (own.image_shape, own.x.dtype, own.byte_scale) == ((5, 5), np.uint8, 1 / 255)
    np.testing.assert_array_equal(own.x, pixels)


def test_floats_are_read_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=200)
    table = pd.DataFrame({"a": values, "b": values[::-1], "target": values * 1e-9})
    table.to_csv(tmp_path / "own.csv", index=False)
    table.to_parquet(tmp_path / "own.parquet")
    csv = load_dataset(f"csv:{tmp_path / 'own.csv'}")
    parquet = load_dataset(f"parquet:{tmp_path / 'own.parquet'}")
    assert csv.hash == parquet.hash
