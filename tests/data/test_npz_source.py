"""npz: files, a real MNIST among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuner.data import load_dataset
from tuner.errors import DataError

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist.npz"


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.exists(), reason=f"needs the real MNIST at {MNIST}")
def test_mnist_stays_bytes_and_keeps_its_own_test_rows() -> None:
    own = load_dataset(f"npz:{MNIST}")
    with np.load(MNIST) as theirs:
        np.testing.assert_array_equal(own.x, theirs["x_train"].reshape(-1, 784))
        np.testing.assert_array_equal(own.y, theirs["y_train"])
        assert own.x_test is not None
        np.testing.assert_array_equal(own.x_test, theirs["x_test"].reshape(-1, 784))
        np.testing.assert_array_equal(own.y_test, theirs["y_test"])
    assert own.x.dtype == own.x_test.dtype == np.uint8
    assert (own.byte_scale, own.image_shape, own.outputs) == (1 / 255, (28, 28), 10)


def write(folder: Path, **arrays: object) -> str:
    file = folder / "own.npz"
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return f"npz:{file}"


def table(rows: int = 20) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"X": rng.normal(size=(rows, 3)), "y": np.arange(rows) % 2}


def images(highest: int, kind: str = "uint8", channels: int = 0) -> np.ndarray:
    shape = (12, 5, 4, channels) if channels else (12, 5, 4)
    pixels = np.random.default_rng(1).integers(0, highest + 1, size=shape)
    pixels.flat[0] = highest
    return pixels.astype(kind)


@pytest.mark.parametrize("x_name", ["X", "x"])
def test_a_table_becomes_float32(tmp_path: Path, x_name: str) -> None:
    arrays = table()
    own = load_dataset(write(tmp_path, **{x_name: arrays["X"], "y": arrays["y"]}))
    np.testing.assert_array_equal(own.x, arrays["X"].astype(np.float32))
    assert (own.byte_scale, own.image_shape, own.task) == (1.0, None, "binary")


@pytest.mark.parametrize("kind", ["uint8", "int64", "float64"])
@pytest.mark.parametrize(("highest", "scale"), [(255, 1 / 255), (16, 1 / 16), (1, 1.0)])
def test_whole_grey_levels_are_bytes_of_0_to_1_in_any_dtype(
    tmp_path: Path, kind: str, highest: int, scale: float
) -> None:
    x = images(highest, kind)
    own = load_dataset(write(tmp_path, X=x, y=np.arange(12) % 3))
    assert own.x.dtype == np.uint8
    assert own.byte_scale == scale
    assert (own.x * own.byte_scale).max() == 1.0
    np.testing.assert_array_equal(own.x, x.reshape(12, 20))


def test_colour_images_are_flattened_in_their_own_order(tmp_path: Path) -> None:
    x = images(255, channels=3)
    own = load_dataset(write(tmp_path, X=x, y=np.arange(12) % 3))
    assert own.image_shape == (5, 4, 3)
    np.testing.assert_array_equal(own.x.reshape(x.shape), x)


def test_images_of_fractions_stay_numbers(tmp_path: Path) -> None:
    x = images(255) / 255
    own = load_dataset(write(tmp_path, X=x, y=np.arange(12) % 3))
    assert (own.x.dtype, own.byte_scale, own.image_shape) == (np.float32, 1.0, (5, 4))


def test_a_table_of_bytes_is_no_image(tmp_path: Path) -> None:
    x = images(200).reshape(12, 20)
    own = load_dataset(write(tmp_path, X=x, y=np.arange(12) % 3))
    assert (own.x.dtype, own.byte_scale, own.image_shape) == (np.uint8, 1.0, None)


def test_text_labels_and_groups(tmp_path: Path) -> None:
    y = np.array(["no", "yes", "maybe"] * 6)
    uri = write(tmp_path, X=table(18)["X"], y=y, patient=np.repeat([30, 10, 20], 6))
    own = load_dataset(uri, group="patient")
    assert own.classes == ("maybe", "no", "yes")
    assert [own.classes[i] for i in own.y] == list(y)
    assert own.groups is not None
    np.testing.assert_array_equal(own.groups, np.repeat([2, 0, 1], 6))


def test_pickled_objects_are_never_read(tmp_path: Path) -> None:
    uri = write(tmp_path, X=table()["X"], y=np.array([{}] * 20, dtype=object))
    with pytest.raises(DataError, match="pickled Python objects"):
        load_dataset(uri)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.ones((4, 2))}, "own.npz holds images"),
        ({"X": np.ones((4, 2))}, "must hold x_train y_train"),
        ({"X": np.ones((0, 2)), "y": np.ones(0)}, "need rows and columns"),
        ({"X": np.ones((4, 0)), "y": np.arange(4)}, "need rows and columns"),
        ({"X": np.ones(4), "y": np.arange(4)}, r"shape \(4,\)"),
        ({"X": np.ones((4, 2)), "y": np.arange(3)}, "one row for each of the 4 rows"),
        ({"X": np.ones((4, 2)), "y": np.array([1, 1, 1, 1])}, "at least two different values"),
        ({"X": np.ones((4, 2)) * 1j, "y": np.arange(4)}, "real numbers"),
        ({"X": np.full((4, 2), "a"), "y": np.arange(4)}, "real numbers"),
        ({"X": np.array([[1, np.nan], [np.inf, 2]]), "y": [0, 1]}, "column 0 1, column 1 1"),
        ({"X": np.array([[1, 1e39], [1, 2]]), "y": [0, 1]}, "float32"),
        ({"X": np.ones((4, 2)), "y": np.array([b"a", b"\xff", b"a", b"b"])}, "must be UTF-8"),
        ({"X": np.ones((4, 2)), "y": np.array([b"\xfe" * 10**6, b"b"] * 2)}, r"1000000 bytes"),
        ({"X": np.ones((4, 2)), "y": np.zeros(4, "i4,f4")}, "must be numbers, booleans or text"),
        ({"X": np.ones((4, 2)), "y": np.arange(4).astype("M8[s]")}, "must be numbers"),
        ({"X": np.ones((4, 2)), "y": np.arange(4).astype("m8[s]")}, "must be numbers"),
        ({"X": np.ones((4, 2)), "y": np.arange(4) * 1j}, "must be numbers"),
        ({"X": np.ones((4, 2)), "y": np.array(3)}, r"shape \(\)"),
        ({"X": np.ones((4, 2)), "y": np.ones((4, 0))}, r"shape \(4, 0\)"),
        ({"X": np.ones((4, 2)), "y": np.ones((0, 2))}, r"shape \(0, 2\)"),
        ({"X": np.array(3), "y": np.arange(4)}, r"shape \(\)"),
        ({"X": np.zeros((4, 2), "i4,f4"), "y": np.arange(4)}, "real numbers"),
        ({"X": np.ones((4, 2)).astype("M8[s]"), "y": np.arange(4)}, "real numbers"),
        ({"X": np.ones((4, 2)).astype("m8[s]"), "y": np.arange(4)}, "real numbers"),
        ({"X": np.full((4, 2), b"a"), "y": np.arange(4)}, "real numbers"),
        ({"X": np.full((4, 2), np.nan, np.longdouble), "y": np.arange(4)}, "NaN"),
        ({"X": np.ones((4, 2)), "y": [0.5, np.nan, 1, 2]}, "no target may be missing"),
        (
            {"x_train": np.ones((4, 2)), "y_train": [0, 0, 1, 1], "x_test": np.ones((4, 2))},
            "x_test needs y_test",
        ),
        (
            {
                "x_train": np.ones((4, 2)), "y_train": [0, 0, 1, 1],
                "x_test": np.ones((2, 3)), "y_test": [0, 1],
            },
            r"shape of the search rows, \(2,\)",
        ),
        (
            {
                "x_train": np.ones((4, 2)), "y_train": [0, 0, 1, 1],
                "x_test": np.ones((2, 2)), "y_test": [0, 7],
            },
            "has 7 in 1 test rows",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_on_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(write(tmp_path, **arrays))


@pytest.mark.parametrize(
    "groups",
    [np.zeros(20, "i4,f4"), np.arange(20) * 1j, np.arange(20).astype("m8[s]"), np.array(1)],
)
def test_groups_of_other_types(tmp_path: Path, groups: np.ndarray) -> None:
    with pytest.raises(DataError, match="group"):
        load_dataset(write(tmp_path, **table(), patient=groups), group="patient")


def test_a_masked_array_is_what_numpy_saves_of_it(tmp_path: Path) -> None:
    x = np.ma.masked_array(table()["X"], mask=np.eye(20, 3, dtype=bool))
    own = load_dataset(write(tmp_path, X=x, y=table()["y"]))
    np.testing.assert_array_equal(own.x, x.data.astype(np.float32))


def test_pickles_in_features_and_groups_are_never_read(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path(tmp_path / "executed").touch, ())

    bombs = np.array([Bomb()] * 20, dtype=object)
    for arrays in ({"X": bombs, "y": table()["y"]}, {**table(), "patient": bombs}):
        with pytest.raises(DataError, match="pickled Python objects"):
            load_dataset(
                write(tmp_path, **arrays), group="patient" if "patient" in arrays else None
            )
    np.save(tmp_path / "alone.npy", bombs)
    with pytest.raises(DataError, match="single array"):
        load_dataset(f"npz:{tmp_path / 'alone.npy'}")
    assert not (tmp_path / "executed").exists()


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs a file that exists"):
        load_dataset(f"npz:{tmp_path / 'none.npz'}")
    uri = write(tmp_path, **table())
    with pytest.raises(DataError, match=r"holds: own\.npz"):
        load_dataset(f"npz:{tmp_path / 'none.npz'}")
    with pytest.raises(DataError, match="is a folder"):
        load_dataset(f"npz:{tmp_path}")
    file = Path(uri.removeprefix("npz:"))
    whole = file.read_bytes()
    for content in (b"", b"text", whole[:-200]):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"written by numpy\.savez"):
            load_dataset(uri)
    np.save(tmp_path / "single.npy", np.ones(3))
    with pytest.raises(DataError, match="single array"):
        load_dataset(f"npz:{tmp_path / 'single.npy'}")


def test_damaged_contents_are_named(tmp_path: Path) -> None:
    uri = write(tmp_path, **table())
    file = Path(uri.removeprefix("npz:"))
    content = bytearray(file.read_bytes())
    place = content.index(b"NUMPY") + 200
    content[place] ^= 0xFF
    file.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"X in .* cannot be read"):
        load_dataset(uri)


def test_the_target_of_an_archive_is_fixed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--target names a column of a table"):
        load_dataset(write(tmp_path, **table()), target="y")
    with pytest.raises(DataError, match="Available: X, y"):
        load_dataset(write(tmp_path, **table()), group="patient")


@pytest.mark.parametrize(
    "names",
    [
        "X y", "x Y", "data labels", "data target", "images labels", "features targets",
        "arr_0 arr_1", "X_train y_train", "x_train y_train x_test y_test", "Xtrain ytrain",
        "X_train Y_train X_test Y_test", "train_x train_y test_x test_y", "xTrain yTrain",
        "train_images train_labels test_images test_labels", "trainX trainY testX testY",
        "train_data train_labels", "X y X_test y_test", "inputs targets names DESCR",
    ],
)  # fmt: skip
def test_the_usual_names(tmp_path: Path, names: str) -> None:
    own = table()
    arrays = [own["X"], own["y"], own["X"][:5], own["y"][:5].reshape(5, 1)]
    given = dict(zip(names.split(), arrays, strict=False))
    loaded = load_dataset(write(tmp_path, **given))
    np.testing.assert_array_equal(loaded.x, own["X"].astype(np.float32))
    np.testing.assert_array_equal(loaded.y, own["y"])
    assert (loaded.x_test is not None) == ("test" in names.lower())
    if loaded.x_test is not None:
        np.testing.assert_array_equal(loaded.y_test, own["y"][:5])
    assert bool(loaded.remarks) == names.startswith("arr_0")


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev"])
def test_validation_arrays_are_left_out_and_said(tmp_path: Path, name: str) -> None:
    own = table()
    arrays = {"x_train": own["X"], "y_train": own["y"]}
    uri = write(tmp_path, **arrays, **{f"x_{name}": own["X"], f"{name}_y": own["y"]})
    loaded = load_dataset(uri)
    assert loaded.rows == len(own["X"])
    assert loaded.x_test is None
    assert loaded.remarks == (
        f"left out x_{name} and {name}_y: the search validates on folds of the other rows",
    )


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ("X y x", "one array of features for the search rows; .* holds X, x"),
        ("X y labels", "one array of targets .* holds y, labels"),
        ("X y x_train y_train", "holds X, x_train"),
        ("data images target", "holds data, images"),
        ("x_train y_train x_test test_x y_test", "for the test rows; .* holds x_test, test_x"),
        ("arr_0 arr_1 arr_2", "must hold x_train"),
        ("X_train labels_names", "must hold x_train"),
        ("X_test y_test", "must hold x_train"),
    ],
)
def test_two_spellings_and_none_are_refused(tmp_path: Path, names: str, part: str) -> None:
    with pytest.raises(DataError, match=part):
        load_dataset(write(tmp_path, **dict.fromkeys(names.split(), np.ones((4, 2)))))


def test_a_group_is_no_second_target(tmp_path: Path) -> None:
    own = table()
    uri = write(tmp_path, X=own["X"], y=own["y"], labels=np.arange(20) // 2)
    assert load_dataset(uri, group="labels").groups is not None


def test_labels_of_bytes_in_a_column(tmp_path: Path) -> None:
    y = np.array([[b"cat"], [b"dog"]] * 10)
    own = load_dataset(write(tmp_path, train_images=images(255)[:1].repeat(20, 0), train_labels=y))
    assert own.classes == ("cat", "dog")
