"""The target of a table: which column, what its text means, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tuner.data import Dataset, fit_target_scaling, load_dataset, load_rows
from tuner.errors import DataError


def uri(folder: Path, y: Any, name: str = "y", /, **more: Sequence[Any]) -> str:
    """A table of noise, the columns `more`, and the target."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=len(y)), **more, name: y})
    frame.to_csv(folder / "own.csv", index=False)
    return f"csv:{folder / 'own.csv'}"


def said(own: Dataset, part: str) -> str:
    found = [remark for remark in own.remarks if part in remark]
    assert len(found) == 1, own.remarks
    return found[0]


@pytest.mark.parametrize(
    ("y", "task", "part"),
    [
        (list(range(100)) * 5, "regression", "0 to 99 and is taken for a quantity"),
        (list(range(18, 91)) * 5, "regression", "--task multiclass takes it for 73 classes"),
        (list(range(1990, 2021)) * 3, "regression", "1990 to 2020 and is taken for a quantity"),
        (list(range(1, 11)) * 5, "multiclass", "10 classes (--task regression"),
        ([3, 4, 5, 6, 7, 8] * 9, "multiclass", "3 to 8 and is taken for 6 classes"),
        ([0] * 30 + [1] * 20 + [2] * 9 + [3] * 4 + [7], "regression", "0 to 7"),
    ],
    ids=["ages", "adults", "years", "ratings", "quality", "counts"],
)
def test_whole_numbers_are_classes_or_a_quantity_and_it_is_said(
    tmp_path: Path, y: list[int], task: str, part: str
) -> None:
    own = load_dataset(uri(tmp_path, y), target="y")
    assert own.task == task
    assert part in said(own, "y holds whole numbers")
    for asked in ("regression", "multiclass"):
        asked_for = load_dataset(uri(tmp_path, y), target="y", task=asked)
        assert not [remark for remark in asked_for.remarks if "whole numbers" in remark]


@pytest.mark.parametrize("y", [[0, 1] * 20, [1, 2] * 20, ["a", "b", "c"] * 9, [0.5, 1.5] * 9])
def test_what_is_plain_is_not_said(tmp_path: Path, y: list[Any]) -> None:
    assert load_dataset(uri(tmp_path, y), target="y").remarks == ()


def test_a_guessed_target_is_said(tmp_path: Path) -> None:
    more: dict[str, Sequence[Any]] = {"w": [5, 6, 6, 5] * 5, "y": [i * i % 11 for i in range(20)]}
    where = uri(tmp_path, [0, 1] * 10, "z", **more)
    own = load_dataset(where)
    assert own.target_names == ("y",)
    assert said(own, "'y' is taken for the target, by its name; --target COLUMN says otherwise")
    own = load_dataset(where, drop=["Y"])
    assert own.target_names == ("z",)
    assert said(own, "'z' is taken for the target, the last column")
    assert not load_dataset(where, target="z").remarks


@pytest.mark.parametrize("spelling", ["-1", "3", "z z", "Z Z", "zz", " z z "])
def test_a_target_by_number_or_loosely_by_name(tmp_path: Path, spelling: str) -> None:
    where = uri(tmp_path, [0, 1] * 10, "z z", x=[5, 6, 6, 5] * 5)
    assert load_dataset(where, target=spelling).target_names == ("z z",)


def test_rows_without_a_target_are_left_out_or_a_class(tmp_path: Path) -> None:
    y = ["u", "v", None, "v", "u", None] * 5
    own = load_dataset(uri(tmp_path, y), target="y")
    assert (own.rows, own.classes) == (20, ("u", "v"))
    assert "left out 10 of 30 rows without a target" in said(own, "without a target")
    own = load_dataset(uri(tmp_path, y), target="y", na_class=True)
    assert (own.rows, own.classes) == (30, ("missing", "u", "v"))
    assert own.class_counts.tolist() == [10, 10, 10]
    rows = load_rows(
        uri(tmp_path, y[:6]), features=own.features, task=own.task, classes=own.classes,
        encoding=own.encoding, target="y",
    )  # fmt: skip
    assert rows.y is not None
    assert rows.y.tolist() == [1, 2, 0, 2, 1, 0]


def test_numbers_and_a_class_of_gaps(tmp_path: Path) -> None:
    own = load_dataset(uri(tmp_path, [1, 2, None] * 9), target="y", na_class=True)
    assert own.classes == ("1", "2", "missing")
    rows = load_rows(
        uri(tmp_path, [2, 1, 2]), features=own.features, task=own.task, classes=own.classes,
        encoding=own.encoding, target="y",
    )  # fmt: skip
    assert rows.y is not None
    assert rows.y.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "labels",
    [
        ("<=50K", ">50K", "<=50K.", ">50K."),
        ("yes", "no", "Yes", "NO"),
        ("New York", "Bern", "New  York", "bern "),
    ],
)
def test_labels_that_differ_in_spelling_alone_are_one(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    y = list(labels[:2]) * 20 + list(labels[2:]) * 3
    own = load_dataset(uri(tmp_path, y), target="y")
    assert own.classes == tuple(sorted(labels[:2]))
    assert "--kind y=category keeps them apart" in said(own, "differs only by case")
    apart = load_dataset(uri(tmp_path, y), target="y", kinds={"y": "category"})
    assert apart.classes is not None
    assert len(apart.classes) == len(set(map(str.strip, labels)))
    rows = load_rows(
        uri(tmp_path, labels[2:]), features=own.features, task=own.task, classes=own.classes,
        encoding=own.encoding, target="y",
    )  # fmt: skip
    assert rows.y is not None
    assert [own.classes[number] for number in rows.y] == list(labels[:2])


def test_question_marks_among_numbers_are_gaps(tmp_path: Path) -> None:
    y = [*np.random.default_rng(0).normal(size=40).round(3), *["?"] * 20]
    own = load_dataset(uri(tmp_path, y), target="y")
    assert (own.task, own.rows) == ("regression", 40)
    assert said(own, "left out 20 of 60 rows without a target")


def test_decimal_commas_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("a;y\n" + "".join(f"{i % 7};1,{i % 9}\n" for i in range(50)))
    own = load_dataset(f"csv:{file}", target="y")
    assert own.task == "regression"
    np.testing.assert_allclose(own.y[:9, 0], np.arange(9) / 10 + 1, rtol=1e-6)
    frame = pd.DataFrame({"a": [i % 7 for i in range(50)], "y": [f"1,{i % 9}" for i in range(50)]})
    frame.to_parquet(tmp_path / "own.parquet")
    own = load_dataset(f"parquet:{tmp_path / 'own.parquet'}", target="y")
    assert own.task == "regression"
    assert said(own, "--kind y=category takes it for classes")


@pytest.mark.parametrize(
    ("y", "part"),
    [
        ([*range(12), "low", "low"] * 3, "holds numbers, and in 6 of 42 rows 'low'. --na low"),
        ([f"name {i}" for i in range(40)], "40 different texts in 40 rows"),
    ],
)
def test_text_that_is_no_target_is_refused(tmp_path: Path, y: list[Any], part: str) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(uri(tmp_path, y), target="y")
    assert part in str(caught.value)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_with_a_unit_are_numbers_and_it_is_said(tmp_path: Path, kind: str) -> None:
    where = uri(tmp_path, [f"{i % 30} kg" for i in range(90)])
    pd.read_csv(tmp_path / "own.csv").to_parquet(tmp_path / "own.parquet")
    own = load_dataset(where.replace("csv", kind), target="y")
    assert own.task == "regression"
    np.testing.assert_array_equal(own.y[:, 0], np.arange(90) % 30)
    assert said(own, "y: kg is left out, as in '0 kg'")
    apart = load_dataset(where.replace("csv", kind), target="y", kinds={"y": "category"})
    assert apart.classes is not None
    assert apart.classes[0] == "0 kg"


def test_of_points_y_is_no_target_by_its_name(tmp_path: Path) -> None:
    own = load_dataset(uri(tmp_path, [0.5, 1.5] * 10, "area", X=[1] * 19 + [2], Y=[3, 4] * 10))
    assert own.target_names == ("area",)


def test_dates_are_no_target(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"are dates\. Choose another column by --target COLUMN"):
        load_dataset(uri(tmp_path, ["2020-01-31", "2021-02-01"] * 10))


def test_classes_of_one_or_two_rows_are_said(tmp_path: Path) -> None:
    own = load_dataset(uri(tmp_path, ["u", "v"] * 20 + ["w", "x", "x"]), target="y")
    assert said(own, "classes of one or two rows: 'w' 1, 'x' 2; every fold")


def test_a_target_is_trained_as_logarithms_where_it_can_be(tmp_path: Path) -> None:
    amounts = np.random.default_rng(0).lognormal(3, 2, 40)
    own = load_dataset(uri(tmp_path, amounts), target="y", target_scale="log")
    assert own.target_log
    np.testing.assert_allclose(own.y[:, 0], amounts, rtol=1e-6)
    mean, std = fit_target_scaling(own, np.arange(30))
    np.testing.assert_allclose(mean, np.log1p(amounts[:30]).mean(), rtol=1e-6)
    np.testing.assert_allclose(std, np.log1p(amounts[:30]).std(), rtol=1e-6)
    plain = load_dataset(uri(tmp_path, amounts), target="y")
    assert (plain.hash, plain.target_log) == (own.hash, False)
    for y, part in (
        (amounts - 9, "needs targets of 0 and above"),
        (["u", "v"] * 9, "is for a regression"),
    ):
        with pytest.raises(DataError, match=part):
            load_dataset(uri(tmp_path, y), target="y", target_scale="log")
