"""Columns that say how rows are divided: their time, and the fold they validate in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import PredefinedSplit

from tuner.cli.study_flags import StudyFlags, definition_from
from tuner.data import FoldSpec, load_dataset, make_folds
from tuner.errors import DataError, DefinitionError
from tuner.study.data import load_study_data

RNG = np.random.default_rng(0)
ROWS = 40
DAYS = pd.Timestamp("2023-12-01") + pd.to_timedelta(RNG.permutation(ROWS) // 2, unit="D")


def table(tmp_path: Path, **columns: object) -> str:
    frame = pd.DataFrame({"a": np.arange(ROWS) + 0.5, **columns, "y": RNG.normal(size=ROWS)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    return f"csv:{tmp_path / 't.csv'}"


@pytest.mark.parametrize(
    "times",
    [
        DAYS.strftime("%Y-%m-%d"),
        DAYS.strftime("%Y-%m-%dT%H:%M:%S+02:00"),
        DAYS.day_of_year + 365 * DAYS.year,
        DAYS.strftime("%Y%m%d"),
        (DAYS - DAYS.min()).days / 7 - 1.5,
    ],
    ids=["dates", "zones", "days", "compact", "weeks"],
)
def test_rows_come_in_the_order_of_their_time(times: object, tmp_path: Path) -> None:
    uri = table(tmp_path, when=times)
    data = load_dataset(uri, target="y", time="when")
    order = np.argsort(DAYS.to_numpy(), kind="stable")
    assert data.feature_names == ("a",)
    assert data.encoding is not None
    (column,) = data.encoding.columns
    assert column.kind == "number"
    np.testing.assert_array_equal(data.x[:, 0] + column.offset, order + 0.5)
    last = load_dataset(uri, target="y", time="when", test_share=0.2)
    np.testing.assert_array_equal(last.x[:, 0] + column.offset, order[:32] + 0.5)
    np.testing.assert_array_equal(last.x_test[:, 0] + column.offset, order[32:] + 0.5)


@pytest.mark.parametrize("strange", ["31/12/2023", "soon", "03.04.2024"])
def test_times_of_two_meanings_or_none_are_refused(strange: str, tmp_path: Path) -> None:
    times = [*DAYS.strftime("%Y-%m-%d")[:-1], strange]
    with pytest.raises(DataError, match=rf"--time needs .*'when' of .* holds '{strange}', 1 rows"):
        load_dataset(table(tmp_path, when=times), target="y", time="when")


@pytest.mark.parametrize("names", [["b", "a", "-1", "c"], [7, 3, -1, 12], [2.0, 0.5, -1.0, 9.0]])
def test_a_column_names_the_folds(names: list[object], tmp_path: Path) -> None:
    column = [names[i] for i in RNG.integers(0, 4, ROWS)]
    data = load_dataset(table(tmp_path, part=column), target="y", fold_column="part")
    assert data.feature_names == ("a",)
    ascending = sorted(name for name in names if float(name == names[2]) == 0)  # type: ignore[type-var]
    numbers = [-1 if name == names[2] else ascending.index(name) for name in column]
    folds = make_folds(data, FoldSpec())
    for fold, (train, validation) in zip(folds, PredefinedSplit(numbers).split(), strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.validation, validation)


def test_the_flags_make_the_folds_and_change_no_other_definition(tmp_path: Path) -> None:
    uri = table(tmp_path, when=DAYS.strftime("%Y%m%d"), part=RNG.integers(0, 3, ROWS))

    def folds(**flags: object) -> list[int]:
        definition = definition_from(
            StudyFlags(space="sgd_decay", data=uri, target="y", **flags)  # type: ignore[arg-type]
        )
        dataset, folds = load_study_data(definition)
        assert len(dataset.feature_names or ()) == 3 - bool(flags["time"]) - bool(
            flags["fold_column"]
        )
        return [len(fold.train) for fold in folds]

    assert folds(time="when", fold_column=None, folds=3) == [10, 20, 30]
    assert len(folds(time=None, fold_column="part")) == 3
    assert len(folds(time="when", fold_column="part")) == 3
    with pytest.raises(DefinitionError, match=r"data\.time needs folds that keep its order.*kfold"):
        folds(time="when", fold_column=None, folds_kind="kfold")
    plain = definition_from(StudyFlags(space="sgd_decay"))
    assert "data" not in plain.model_dump(exclude_defaults=True)


@pytest.mark.parametrize("flag", ["time", "fold_column"])
def test_what_divides_rows_is_a_column_of_a_table_and_not_the_target(
    flag: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="names a column of a table"):
        load_dataset("sklearn:digits", **{flag: "when"})  # type: ignore[arg-type]
    uri = table(tmp_path, when=range(ROWS))
    with pytest.raises(DataError, match=r"unknown .* column 'wen'; did you mean when"):
        load_dataset(uri, **{flag: "wen"})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="columns must differ from each other"):
        load_dataset(uri, target="when", **{flag: "when"})  # type: ignore[arg-type]
