"""What is said of columns that are doubtful as features, by tables that hold one such."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tuner.data import Dataset, load_dataset

N = 300
Column = Callable[[np.random.Generator, Any, Any], Any]


def load(folder: Path, column: Any, y: Any, name: str = "odd") -> Dataset:
    """A table of noise, the odd column and the target; the sentences that are not on the task."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=len(y)), name: column, "b": rng.integers(0, 9, N)})
    frame.assign(y=y).to_parquet(folder / "own.parquet")
    return load_dataset(f"parquet:{folder / 'own.parquet'}", target="y")


def remark(own: Dataset, name: str = "odd") -> str:
    found = [remark for remark in own.remarks if name in remark]
    assert len(found) == 1, own.remarks
    return found[0]


LEAKS: dict[str, Column] = {
    "number of the class": lambda rng, k, v: k * 10 + 7,
    "code of the class": lambda rng, k, v: np.array(["p", "q", "r"])[k],
    "parts of the class": lambda rng, k, v: k * 3 + rng.integers(0, 3, N),
    "range of the class": lambda rng, k, v: k + rng.random(N),
    "copy": lambda rng, k, v: v,
    "other unit": lambda rng, k, v: 32 + 1.8 * v,
    "logarithm": lambda rng, k, v: np.log(v),
    "falling": lambda rng, k, v: 1 / v,
    "rounded": lambda rng, k, v: v.round(1),
    "with gaps": lambda rng, k, v: np.where(rng.random(N) < 0.1, np.nan, v * 2),
    "bins": lambda rng, k, v: np.digitize(v, [20, 30, 40]),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_gives_the_target_away_is_named(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    k, v = rng.integers(0, 3, N), rng.lognormal(3, 0.5, N)
    classes = "class" in name
    own = load(tmp_path, LEAKS[name](rng, k, v), np.array(["u", "v", "w"])[k] if classes else v)
    assert own.task == ("multiclass" if classes else "regression")
    assert "give the target away: odd (" in remark(own)
    assert "--drop odd" in remark(own)
    [finding] = [found for found in own.findings if found.name == "odd"]
    assert finding.warnings


@pytest.mark.parametrize("strength", [0.2, 1.0, 3.0])
def test_a_good_feature_gives_nothing_away(tmp_path: Path, strength: float) -> None:
    rng = np.random.default_rng(0)
    v = rng.normal(size=N)
    assert not load(tmp_path, strength * v + rng.normal(size=N), v).remarks
    label = np.where(v > 0, "u", "v")
    assert not load(tmp_path, strength * v + rng.normal(size=N), label).remarks


def test_a_counter_of_a_sorted_table_gives_the_class_away(tmp_path: Path) -> None:
    own = load(tmp_path, np.arange(N) * 7.5, ["u"] * 150 + ["v"] * 150)
    assert "its values alone tell the classes apart" in remark(own)


def gaps(value: float, low: int, high: int) -> Any:
    own = np.random.default_rng(3).integers(low, high, N).astype(float)
    own[::35] = value
    return own


@pytest.mark.parametrize(
    ("column", "part"),
    [
        (np.arange(N) * 7.5, "columns that rise from row to row: odd"),
        (np.where(np.arange(N) == 8, 1.0, 0.0), "hardly vary: odd (0 in 99.67 % of the rows)"),
        (np.where(np.arange(N) < 3, 1e14, 9.5 + np.arange(N) % 5), "odd (3 rows, such as 1e+14)"),
        (np.where(np.arange(N) < 9, 1e5, 1e-2) + 0, "odd (9 rows, such as 100000)"),
        (gaps(-999, -5, 30), "may stand for gaps: odd (-999 in 9 rows); --na VALUE takes one"),
        (gaps(9999, 0, 500), "odd (9999 in 9 rows)"),
        (gaps(-200, 10, 900), "odd (-200 in 9 rows)"),
        (gaps(-1e30, -5, 5), "odd (-1e+30 in 9 rows)"),
        (gaps(99, 0, 9), "odd (99 in 9 rows)"),
    ],
    ids=["rises", "constant", "far", "far often", "-999", "9999", "-200", "-1e30", "99"],
)
def test_other_doubts(tmp_path: Path, column: Any, part: str) -> None:
    y = np.random.default_rng(5).normal(size=N)
    assert part in remark(load(tmp_path, column, y))


@pytest.mark.parametrize(
    "column",
    [
        np.random.default_rng(2).lognormal(0, 2, N),
        np.random.default_rng(2).pareto(1.5, N),
        np.where(np.random.default_rng(2).random(N) < 0.9, 0.0, 5000.0 + np.arange(N)),
        gaps(99, 60, 98),
        gaps(-200, -300, 300),
    ],
    ids=["lognormal", "pareto", "mostly zero", "99 of percents", "negative"],
)
def test_heavy_tails_are_no_fault(tmp_path: Path, column: Any) -> None:
    assert not load(tmp_path, column, np.random.default_rng(5).normal(size=N)).remarks


def test_parts_that_add_up_to_the_target_are_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    casual, other = rng.integers(0, 50, N), rng.integers(0, 900, N)
    frame = pd.DataFrame({"a": rng.normal(size=N), "casual": casual, "other": other})
    frame.assign(y=casual + other).to_parquet(tmp_path / "own.parquet")
    own = load_dataset(f"parquet:{tmp_path / 'own.parquet'}", target="y")
    said = remark(own, "give")
    assert "casual (with other it makes up the target), other (with casual it makes" in said
    frame.assign(y=3 * casual + other).to_parquet(tmp_path / "own.parquet")
    assert "give" not in str(load_dataset(f"parquet:{tmp_path / 'own.parquet'}").remarks)


@pytest.mark.parametrize("word", ["Total", "GRAND TOTAL", "total:", "Summe"])
def test_a_total_under_the_table_is_said(tmp_path: Path, word: str) -> None:
    own = load(tmp_path, ["u", "v"] * (N // 2 - 1) + ["u", word], np.arange(N) % 7 / 3)
    assert remark(own, "last row").startswith("the last row may be a total of the others, odd is ")
    own = load(tmp_path, ["u", word] * (N // 2), np.arange(N) % 7 / 3)
    assert "total" not in str(own.remarks)


def test_columns_held_twice(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    k, v, y = rng.integers(0, 6, N), rng.normal(size=N), rng.normal(size=N)
    word, wide = np.array(list("fbdace"))[k], v.round(2) + 2.0
    frame = pd.DataFrame({"k": k, "v": v, "word": word, "w": v, "u": v.round(2), "t": wide, "y": y})
    frame.to_parquet(tmp_path / "own.parquet")
    own = load_dataset(f"parquet:{tmp_path / 'own.parquet'}", target="y")
    assert own.remarks == (
        "columns held twice: word (k in other words), w (the same as v), t (u but for its unit or "
        "a constant); --drop word leaves one out",
    )


IDS: dict[str, tuple[str, Column]] = {
    "counts": ("row", lambda rng, k, v: rng.permutation(N)),
    "not dense": ("customer_id", lambda rng, k, v: rng.choice(10**6, N, replace=False)),
    "repeated in few rows": ("customerId", lambda rng, k, v: rng.integers(0, 10**4, N)),
    "row names": ("rownames", lambda rng, k, v: np.sort(rng.choice(10**4, N, replace=False))),
    "counts without a name": ("1", lambda rng, k, v: rng.permutation(N)),
    "telephone": ("phone", lambda rng, k, v: rng.integers(10**9, 10**10, N)),
    "hash": ("key", lambda rng, k, v: [f"{i:016x}" for i in rng.integers(0, 2**60, N // 2)] * 2),
    "addresses": ("mail", lambda rng, k, v: [f"a{i}@b.org" for i in range(N // 3)] * 3),
    "links": ("page", lambda rng, k, v: [f"https://b.org/{i}" for i in range(N // 3)] * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", IDS)
def test_identifiers_are_left_out(tmp_path: Path, name: str) -> None:
    called, column = IDS[name]
    rng = np.random.default_rng(3)
    own = load(tmp_path, column(rng, None, None), rng.normal(size=N), called)
    assert own.feature_names == ("a", "b")
    assert f"left out {called} (" in remark(own, called)


@pytest.mark.parametrize("name", ["year", "t", "Year built", "rank", "wealth"])
def test_years_and_ranks_are_features(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(3)
    time = name[0] not in "rw"
    column = np.arange(N) + 1900 if time else rng.permutation(N)
    own = load(tmp_path, column, rng.normal(size=N), name)
    assert own.feature_names is not None
    assert name in own.feature_names
    assert ("rise from row to row" in str(own.remarks)) is time


def test_numbers_of_things_in_a_table_without_names_are_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    lines = [f"{i},{v:.3f},{k}" for i, v, k in zip(
        rng.integers(10**5, 10**6, N), rng.normal(size=N), rng.integers(0, 2, N), strict=True
    )]  # fmt: skip
    (tmp_path / "own.csv").write_text("\n".join(lines))
    own = load_dataset(f"csv:{tmp_path / 'own.csv'}")
    assert "1 (300 different ones in 300 rows); --drop 1" in remark(own, "identifiers, perhaps")


@pytest.mark.slow
def test_many_columns_of_different_values_are_soon_looked_at(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(40, 1500)), columns=[f"c{i}" for i in range(1500)])
    frame.assign(y=rng.normal(size=40)).to_parquet(tmp_path / "own.parquet")
    began = time.perf_counter()
    load_dataset(f"parquet:{tmp_path / 'own.parquet'}")
    assert time.perf_counter() - began < 60  # of all pairs it is ten minutes


def test_an_identifier_of_many_rows_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    own = load(tmp_path, rng.integers(0, 60, N) + 4000, rng.normal(size=N), "patient_id")
    assert own.feature_names is not None
    assert "patient_id" in own.feature_names
    assert "--group patient_id" in remark(own, "patient_id")
