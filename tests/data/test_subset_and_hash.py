"""--limit, --test-share and the content hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

from tuner.data import load_dataset
from tuner.data.dataset import content_hash
from tuner.errors import DataError

DIGITS = datasets.load_digits()


def rows_of(x: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in x]


def test_limit_keeps_the_classes_shares_and_the_order() -> None:
    own = load_dataset("sklearn:digits", limit=300)
    assert own.rows == 300
    assert set(np.bincount(own.y)) <= {29, 30, 31}
    full = rows_of(load_dataset("sklearn:digits").x)
    places = [full.index(row) for row in rows_of(own.x)]
    assert places == sorted(places)
    assert len(set(places)) == 300


def test_limit_draws_what_scikit_learn_draws() -> None:
    own = load_dataset("sklearn:digits", limit=300, seed=4)
    splitter = StratifiedShuffleSplit(1, train_size=300, random_state=4)
    chosen, _ = next(splitter.split(DIGITS.data, DIGITS.target))
    np.testing.assert_array_equal(own.x, DIGITS.data[np.sort(chosen)])


@pytest.mark.parametrize("uri", ["sklearn:iris", "sklearn:diabetes"])
def test_a_limit_is_exact_up_to_all_rows(uri: str) -> None:
    full = load_dataset(uri)
    for limit in (10, full.rows - 1):
        assert load_dataset(uri, limit=limit).rows == limit
    assert load_dataset(uri, limit=full.rows).hash == full.hash
    assert load_dataset(uri, limit=10**9).hash == full.hash


def test_impossible_limits() -> None:
    for limit in (-1, 0, 1):
        with pytest.raises(DataError, match="at least 2 rows"):
            load_dataset("sklearn:iris", limit=limit)
    with pytest.raises(DataError, match="--limit 5 of sklearn:digits is not possible"):
        load_dataset("sklearn:digits", limit=5)


def test_a_limit_that_loses_a_rare_class_is_refused(tmp_path: Path) -> None:
    y = np.array([0] * 200 + [1] * 200 + [2] * 3)
    np.savez(tmp_path / "own.npz", X=np.arange(403.0)[:, None], y=y)
    with pytest.raises(DataError, match="leave 1 of 3 classes without one"):
        load_dataset(f"npz:{tmp_path / 'own.npz'}", limit=20)


def test_test_share_is_stratified_and_disjoint() -> None:
    own = load_dataset("sklearn:digits", test_share=0.2, seed=1)
    splitter = StratifiedShuffleSplit(1, test_size=0.2, random_state=1)
    search, test = next(splitter.split(DIGITS.data, DIGITS.target))
    np.testing.assert_array_equal(own.x, DIGITS.data[np.sort(search)])
    np.testing.assert_array_equal(own.x_test, DIGITS.data[np.sort(test)])
    np.testing.assert_array_equal(own.y_test, DIGITS.target[np.sort(test)])


def test_a_limit_leaves_the_test_rows_as_they_are() -> None:
    full = load_dataset("sklearn:digits", test_share=0.2)
    small = load_dataset("sklearn:digits", test_share=0.2, limit=100)
    assert small.rows == 100
    np.testing.assert_array_equal(small.x_test, full.x_test)


def grouped(folder: Path) -> str:
    rng = np.random.default_rng(0)
    groups, y = np.repeat(np.arange(10), 6), np.tile([0, 1, 2], 20)
    np.savez(folder / "own.npz", X=rng.normal(size=(60, 2)), y=y, who=groups)
    return f"npz:{folder / 'own.npz'}"


def test_groups_are_not_torn_apart_by_the_test(tmp_path: Path) -> None:
    uri = grouped(tmp_path)
    own = load_dataset(uri, group="who", test_share=0.3, seed=5)
    with np.load(uri.removeprefix("npz:")) as file:
        x, y, who = file["X"].astype(np.float32), file["y"], file["who"]
    search, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=5).split(x, y, who))
    np.testing.assert_array_equal(own.x, x[np.sort(search)])
    np.testing.assert_array_equal(own.x_test, x[np.sort(test)])
    np.testing.assert_array_equal(own.groups, who[np.sort(search)])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_shares_outside_0_to_1(share: float) -> None:
    with pytest.raises(DataError, match="above 0 and below 1"):
        load_dataset("sklearn:iris", test_share=share)


def test_impossible_shares(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--test-share 0\.01 of sklearn:iris is not possible"):
        load_dataset("sklearn:iris", test_share=0.01)
    arrays: dict[str, Any] = {
        "x_train": np.eye(4),
        "y_train": [0, 1, 0, 1],
        "x_test": np.eye(4),
        "y_test": [1] * 4,
    }
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(DataError, match="has 4 of its own"):
        load_dataset(f"npz:{tmp_path / 'own.npz'}", test_share=0.5)


def test_a_class_of_one_group_cannot_go_to_the_test(tmp_path: Path) -> None:
    y = np.repeat([0, 1], 4)
    np.savez(tmp_path / "own.npz", X=np.arange(8.0)[:, None], y=y, who=y)
    with pytest.raises(DataError, match="all rows of 1 classes into the test"):
        load_dataset(f"npz:{tmp_path / 'own.npz'}", group="who", test_share=0.5)


def test_the_hash_of_digits_is_known() -> None:
    """A stored study is resumed only on data of this hash: a change here breaks every study."""
    assert load_dataset("sklearn:digits").hash == "628e56845dddf320"


def test_the_hash_depends_on_every_part_of_the_contents(tmp_path: Path) -> None:
    base = {"x": np.arange(6.0).reshape(3, 2), "y": np.array([0, 1, 0])}
    facts = {"task": "binary"}
    variants = [
        base,
        {**base, "x": base["x"].astype(np.float32)},
        {**base, "x": base["x"].reshape(2, 3)},
        {**base, "x": base["x"] + 1e-12},
        {**base, "y": np.array([0, 1, 1])},
        {**base, "x_test": base["x"]},
        {**base, "y_test": base["x"]},
    ]
    hashes = {content_hash(v, facts) for v in variants} | {content_hash(base, {"task": "x"})}
    assert len(hashes) == len(variants) + 1
    assert all(len(h) == 16 for h in hashes)


def test_the_hash_is_of_values_and_not_of_their_place_in_memory() -> None:
    x = np.arange(12.0).reshape(4, 3)
    same = [x, np.asfortranarray(x), np.vstack([x, x])[:4], np.repeat(x, 2, axis=0)[::2]]
    same.append(x.astype(">f8"))
    assert len({content_hash({"x": v, "none": None}, {}) for v in same}) == 1


def test_labels_and_groups_count_in_the_hash(tmp_path: Path) -> None:
    hashes = set()
    for labels in (["a", "b"], ["c", "d"]):
        np.savez(tmp_path / "own.npz", X=np.arange(8.0)[:, None], y=labels * 4, who=[0, 1] * 4)
        hashes |= {load_dataset(f"npz:{tmp_path / 'own.npz'}", group=g).hash for g in (None, "who")}
    assert len(hashes) == 4
