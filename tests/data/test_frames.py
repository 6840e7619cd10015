"""Frames of pandas and Arrow as tables: parquet: and feather:, written by pyarrow and pandas."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from tuner.data import load_dataset
from tuner.data.sources import read_source
from tuner.data.sources.base import Request
from tuner.data.sources.frames import plain_table
from tuner.errors import DataError

BERLIN = dt.timezone(dt.timedelta(hours=1))
DAY, NOON = dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 12)


def plain(values: Any) -> Any:
    """One column as a table has it."""
    table = plain_table(pd.DataFrame({"a": values}), "own")
    assert list(table.frame) == ["a"], table.remarks
    return table.frame["a"]


COLUMNS = [
    (pa.array([1, None, 3]), [1.0, np.nan, 3.0]),
    (pa.array([1, 2, 3], pa.uint8()), [1, 2, 3]),
    (pa.array([Decimal("1.5"), None, Decimal("2.25")]), [1.5, np.nan, 2.25]),
    (pa.array(np.array([1.5, 2, 3], np.float16)), [1.5, 2.0, 3.0]),
    (pa.array([dt.timedelta(minutes=1), None, dt.timedelta(0)]), [60.0, np.nan, 0.0]),
    (pa.array([dt.time(1, 0, 2), None, dt.time(0)], pa.time32("s")), [3602.0, np.nan, 0.0]),
    (pa.array([dt.time(0, 0, 1, 500000)] * 3, pa.time64("us")), [1.5] * 3),
    (pa.array([True, None, False]), [True, None, False]),
    (pa.array([True, True, False]), [True, True, False]),
    (pa.array(["a", None, "b"], pa.large_string()), ["a", None, "b"]),
    (pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
    (pa.array([b"a", None, "ü".encode()]), ["a", None, "ü"]),
    (pa.array([DAY, None, dt.date(9999, 1, 1)]), ["2020-01-02", "NaT", "9999-01-01"]),
    (pa.array([DAY, None, DAY], pa.date64()), ["2020-01-02", "NaT", "2020-01-02"]),
    (pa.array([NOON, None, NOON]), ["2020-01-02T12", "NaT", "2020-01-02T12"]),
    (pa.array([NOON] * 3, pa.timestamp("ms", tz="Europe/Berlin")), ["2020-01-02T12"] * 3),
    (pa.array([NOON] * 3).dictionary_encode(), ["2020-01-02T12"] * 3),
]


@pytest.mark.parametrize(
    ("column", "wanted"), COLUMNS, ids=lambda own: str(getattr(own, "type", ""))
)
@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_every_type_of_arrow(tmp_path: Path, column: Any, wanted: list[Any], form: str) -> None:
    table, file = pa.table({"a": column}), tmp_path / "own"
    if form == "parquet":
        parquet.write_table(table, file)
        read = parquet.ParquetFile(file).read()
    else:
        feather.write_feather(table, file)
        read = feather.read_table(file)
    for frame in (read.to_pandas(), read.to_pandas(types_mapper=pd.ArrowDtype)):
        own = plain(frame["a"])
        if isinstance(wanted[0], str) and wanted[0].startswith("2020"):
            assert own.dtype.kind == "M"
            expected = np.array(wanted, "M8[us]")
            np.testing.assert_array_equal(own.to_numpy().astype("M8[us]"), expected)
        else:
            assert [None if pd.isna(v) else v for v in own] == [
                None if v is None or v != v else v for v in wanted
            ]
            numeric = isinstance(wanted[0], (int, float)) and not isinstance(wanted[0], bool)
            assert pd.api.types.is_numeric_dtype(own.dtype) >= numeric


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pd.array([1, None], "Int64"), [1.0, np.nan]),
        (pd.array([1, 2], "UInt8"), [1, 2]),
        (pd.array([1.5, None], "Float32"), [1.5, np.nan]),
        (pd.array([True, None], "boolean"), [True, None]),
        (pd.array(["a", None], "string"), ["a", None]),
        (pd.Series([1, 2.5], dtype=object), [1.0, 2.5]),
        (pd.Series([1, None], dtype=object), [1.0, np.nan]),
        (pd.Series([2**70, 1], dtype=object), [float(2**70), 1.0]),
        (pd.Series([Decimal("0.5"), 1.5], dtype=object), [0.5, 1.5]),
        (pd.Series([1, "x"], dtype=object), ["1", "x"]),
        (pd.Series([True, 1], dtype=object), ["True", "1"]),
        (pd.arrays.SparseArray([0.0, 2.0]), [0.0, 2.0]),
        (pd.Series([1 + 0j, 2]).map(abs), [1.0, 2.0]),
        (pd.interval_range(0, 2), ["(0, 1]", "(1, 2]"]),
        (pd.Series([Decimal(1), Decimal(2)]).astype("category"), [1.0, 2.0]),
        (np.array([1, 2], np.longdouble), [1.0, 2.0]),
    ],
    ids=str,
)
def test_other_types_of_pandas(values: Any, wanted: list[Any]) -> None:
    own = plain(values)
    assert [None if pd.isna(v) else v for v in own] == [None if v != v else v for v in wanted]
    assert own.dtype.kind in "biufO"


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([NOON.replace(tzinfo=BERLIN), NOON.replace(tzinfo=dt.UTC)], dtype=object),
        pd.to_datetime(["2020-01-02 12:00+01:00", "2020-01-02 13:00+01:00"]),
    ],
)
def test_zones_become_utc(values: Any) -> None:
    hours = plain(values).to_numpy().astype("M8[h]")
    np.testing.assert_array_equal(
        np.sort(hours), np.array(["2020-01-02T11", "2020-01-02T12"], "M8")
    )


def test_dates_and_datetimes_keep_their_time() -> None:
    own = plain(pd.Series([DAY, NOON], dtype=object))
    np.testing.assert_array_equal(
        own.to_numpy().astype("M8[h]"), np.array(["2020-01-02T00", "2020-01-02T12"], "M8")
    )


def test_what_is_no_column_is_left_out_and_said_and_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    table = {"blob": [b"\xff"] * 4, "y": [0, 1, 0, 1], "rows": [[1]] * 4, "a": [1.0, 2, 3, 4]}
    parquet.write_table(pa.table({**table, "where": [{"x": 1}] * 4}), file)
    own = load_dataset(f"parquet:{file}", target="y", drop=["blob"])
    assert own.feature_names == ("a",)
    said = "left out blob (bytes that are no text), rows (values of the type ndarray), where"
    assert load_dataset(f"parquet:{file}", target="2").target_names == ("y",)
    assert load_dataset(f"parquet:{file}", target="-2").target_names == ("a",)
    assert any(said in remark for remark in own.remarks), own.remarks
    for asked in (
        {"target": "rows"},
        {"features": ["blob"]},
        {"target": "y", "group": "where"},
        {"target": "3"},
        {"kinds": {"blob": "category"}},
    ):
        with pytest.raises(DataError, match="must hold numbers, text, dates or yes/no"):
            load_dataset(f"parquet:{file}", **asked)  # type: ignore[arg-type]


def test_names(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.arange(8.0).reshape(4, 2)).assign(y=[0, 1, 0, 1])
    assert list(plain_table(frame, "own").frame) == ["0", "1", "y"]
    frame.columns = pd.MultiIndex.from_tuples([("a", "x"), ("a", "z"), ("y", "")])
    assert list(plain_table(frame, "own").frame)[:2] == ["a x", "a z"]
    arrays = [pa.array([1, 2]), pa.array([3, 4])]
    parquet.write_table(pa.Table.from_arrays(arrays, ["a", "a"]), tmp_path / "twice")
    with pytest.raises(DataError, match=r"must have different names; .* has 'a' more than once"):
        load_dataset(f"parquet:{tmp_path / 'twice'}")
    with pytest.raises(DataError, match="has '1' more than once"):
        plain_table(pd.DataFrame([[1, 2]], columns=[1, "1"]), "own")


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_a_stored_index_is_no_column(tmp_path: Path, form: str) -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "y": [0, 1, 0, 1]})
    frame.index = pd.Index([9, 7, 5, 3], name="number")
    file = tmp_path / f"own.{form}"
    if form == "parquet":
        frame.to_parquet(file)
    else:
        feather.write_feather(pa.Table.from_pandas(frame), file)
    raw = read_source(f"{form}:{file}", Request())
    assert raw.feature_names == ("a",)
    assert raw.remarks[0] == "the index (number) is no column"


def test_a_folder_called_as_a_column_makes_none(tmp_path: Path) -> None:
    (tmp_path / "kind=3").mkdir()
    file = tmp_path / "kind=3" / "own.parquet"
    pd.DataFrame({"a": [1.0, 2, 3, 4], "y": [0, 1, 0, 1]}).to_parquet(file)
    assert load_dataset(f"parquet:{file}").feature_names == ("a",)


def test_only_feather_is_read_as_feather(tmp_path: Path) -> None:
    (tmp_path / "own.feather").write_bytes(b"no feather")
    with pytest.raises(DataError, match="needs a Feather file"):
        load_dataset(f"feather:{tmp_path / 'own.feather'}")
