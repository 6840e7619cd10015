"""keras: URIs from files in a cache, against Keras's own loaders; nothing touches a network."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from tuner.data import load_dataset
from tuner.data.sources import keras as source
from tuner.errors import DataError

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras's cache and ours in a fresh folder, and no network."""

    def no_network(*_: object, **__: object) -> None:
        raise URLError("no network in tests")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "own"))
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    return tmp_path


def pixels(*shape: int) -> np.ndarray:
    values = RNG.integers(0, 256, shape).astype(np.uint8)
    values.flat[0] = 255
    return values


def put_mnist(folder: Path) -> dict[str, np.ndarray]:
    arrays: dict[str, Any] = {
        "x_train": pixels(30, 28, 28), "y_train": np.arange(30, dtype=np.uint8) % 10,
        "x_test": pixels(10, 28, 28), "y_test": np.arange(10, dtype=np.uint8),
    }  # fmt: skip
    np.savez(folder / "mnist.npz", **arrays)
    return arrays


def put_fashion(folder: Path) -> None:
    (folder / "fashion-mnist").mkdir()
    for part, rows in (("train", 30), ("t10k", 10)):
        labels = b"\0" * 8 + (np.arange(rows, dtype=np.uint8) % 10).tobytes()
        images = b"\0" * 16 + pixels(rows, 28, 28).tobytes()
        for name, content in (("labels-idx1", labels), ("images-idx3", images)):
            file = folder / "fashion-mnist" / f"{part}-{name}-ubyte.gz"
            file.write_bytes(gzip.compress(content))


def cifar_batch(rows: int, key: bytes, labels: list[int]) -> tuple[np.ndarray, bytes]:
    """Images plane by plane, and the file: a pickle that names NumPy's modules as of Python 2."""
    planes = pixels(rows, 3 * 32 * 32)
    file = pickle.dumps({b"data": planes, key: labels}, protocol=3)
    return planes, file.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def put_cifar100(folder: Path) -> None:
    inner = folder / "cifar-100-python-target" / "cifar-100-python"
    inner.mkdir(parents=True)
    for part, rows in (("train", 40), ("test", 20)):
        _, file = cifar_batch(rows, b"fine_labels", [n % 20 for n in range(rows)])
        (inner / part).write_bytes(file)


def put_housing(folder: Path, name: str) -> None:
    np.savez(folder / f"{name}.npz", x=RNG.normal(size=(51, 8)), y=RNG.normal(size=51))


def content(folder: Path) -> dict[str, tuple[bytes, float]]:
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p): (p.read_bytes(), p.stat().st_mtime) for p in files}


def test_keras_cache_is_read_and_never_touched(caches: Path) -> None:
    """Keras itself would delete this file: its hash is not the one it knows."""
    arrays = put_mnist(caches / "keras" / "datasets")
    before = content(caches)
    own = load_dataset("keras:mnist")
    np.testing.assert_array_equal(own.x, arrays["x_train"].reshape(30, 784))
    np.testing.assert_array_equal(own.y_test, arrays["y_test"])
    assert (own.image_shape, own.byte_scale, own.task) == ((28, 28), 1 / 255, "multiclass")
    assert content(caches) == before


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "california_housing"])
def test_offline_the_message_says_where_the_file_goes_and_what_works(
    caches: Path, name: str
) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(f"keras:{name}")
    message = str(caught.value)
    assert str(caches / "own" / "keras" / name) in message
    assert "sklearn:digits" in message
    assert "npz:PATH" in message
    assert content(caches) == {}


def test_an_unwritable_cache_is_said(caches: Path) -> None:
    (caches / "own").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be written .* set TUNER_CACHE"):
        load_dataset("keras:mnist")


@pytest.fixture
def site(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that answers downloads."""
    from urllib.request import OpenerDirector, build_opener

    opener: OpenerDirector = build_opener()
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: opener.open(url))
    (caches / "site").mkdir()
    for name in ("_GOOGLE", "_TORONTO"):
        monkeypatch.setattr(source, name, (caches / "site").as_uri() + "/")
    return caches / "site"


def test_a_download_goes_to_our_own_folder_once(
    caches: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = put_mnist(site)
    digest = hashlib.sha256((site / "mnist.npz").read_bytes()).hexdigest()
    monkeypatch.setitem(source._SHA256, "mnist.npz", digest)
    own = load_dataset("keras:mnist")
    np.testing.assert_array_equal(own.x, arrays["x_train"].reshape(30, 784))
    kept = caches / "own" / "keras" / "mnist"
    assert [p.name for p in kept.iterdir()] == ["mnist.npz"]
    assert content(caches / "keras") == {}
    (site / "mnist.npz").unlink()
    assert load_dataset("keras:mnist").hash == own.hash


def test_a_download_with_another_hash_is_not_kept(caches: Path, site: Path) -> None:
    put_mnist(site)
    with pytest.raises(DataError, match="must have the SHA-256 731c5ac"):
        load_dataset("keras:mnist")
    assert content(caches / "own") == {}


@pytest.mark.parametrize("place", ["keras, new layout", "keras, old layout", "archive"])
def test_cifar10_from_every_layout(
    caches: Path, site: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = {}
    planes = []
    for i in range(1, 6):
        own_planes, batches[f"data_batch_{i}"] = cifar_batch(4, b"labels", [0, 1, 2, 9])
        planes.append(own_planes)
    test_planes, batches["test_batch"] = cifar_batch(3, b"labels", [2, 1, 0])
    if place == "archive":
        name = "cifar-10-python.tar.gz"
        with tarfile.open(site / name, "w:gz") as archive:
            for part, data in batches.items():
                member = tarfile.TarInfo(f"cifar-10-batches-py/{part}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        monkeypatch.delitem(source._SHA256, name)
    else:
        folder = caches / "keras" / "datasets"
        folder = folder / "cifar-10-batches-py-target" if "new" in place else folder
        (folder / "cifar-10-batches-py").mkdir(parents=True)
        for part, data in batches.items():
            (folder / "cifar-10-batches-py" / part).write_bytes(data)
    own = load_dataset("keras:cifar10")
    expected = np.concatenate(planes).reshape(20, 3, 32, 32)
    for channel in range(3):
        np.testing.assert_array_equal(
            own.x.reshape(20, 32, 32, 3)[..., channel], expected[:, channel]
        )
    assert own.x_test is not None
    np.testing.assert_array_equal(
        own.x_test.reshape(3, 32, 32, 3)[..., 1], test_planes.reshape(3, 3, 32, 32)[:, 1]
    )
    np.testing.assert_array_equal(own.y, [0, 1, 2, 9] * 5)
    assert own.classes is not None
    assert own.classes[9] == "truck"
    assert own.image_shape == (32, 32, 3)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (os.environ["TUNER_CACHE"],)


def test_a_batch_that_would_run_code_does_not(caches: Path) -> None:
    inner = caches / "keras" / "datasets" / "cifar-100-python"
    inner.mkdir()
    for part in ("train", "test"):
        (inner / part).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match=r"asks for posix\.mkdir"):
        load_dataset("keras:cifar100")
    assert not (caches / "own").exists()


def test_damaged_files_are_named(caches: Path) -> None:
    folder = caches / "keras" / "datasets"
    put_fashion(folder)
    file = folder / "fashion-mnist" / "train-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz cannot be read"):
        load_dataset("keras:fashion_mnist")


def test_unknown_names_and_texts() -> None:
    with pytest.raises(DataError, match="did you mean mnist"):
        load_dataset("keras:minst")
    with pytest.raises(DataError, match="texts of unequal length"):
        load_dataset("keras:imdb")


@pytest.mark.slow
def test_rows_and_order_are_those_of_keras(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras's own loaders on the same files, their `get_file` pointed at them."""
    import keras

    folder = caches / "keras" / "datasets"
    put_mnist(folder)
    put_fashion(folder)
    put_cifar100(folder)
    put_housing(folder, "california_housing")
    put_housing(folder, "boston_housing")

    def at(file: str) -> object:
        return lambda *args, **named: str(folder / file)

    modules = "keras.src.datasets."
    monkeypatch.setattr(modules + "mnist.get_file", at("mnist.npz"))
    monkeypatch.setattr(
        modules + "fashion_mnist.get_file", lambda name, **_: str(folder / "fashion-mnist" / name)
    )
    monkeypatch.setattr(modules + "cifar100.get_file", at("cifar-100-python-target"))
    for name in ("california_housing", "boston_housing"):
        monkeypatch.setattr(f"{modules}{name}.get_file", at(f"{name}.npz"))
    for name in ("mnist", "fashion_mnist", "cifar100", "california_housing", "boston_housing"):
        (x, y), (x_test, y_test) = getattr(keras.datasets, name).load_data()
        own = load_dataset(f"keras:{name}")
        for mine, theirs in ((own.x, x), (own.x_test, x_test)):
            np.testing.assert_array_equal(mine, theirs.reshape(len(theirs), -1).astype(mine.dtype))
        for mine, theirs in ((own.y, y), (own.y_test, y_test)):  # type: ignore[assignment]
            np.testing.assert_array_equal(np.ravel(mine), np.ravel(theirs).astype(mine.dtype))
        assert own.task == ("regression" if "housing" in name else "multiclass")
