"""`keras:NAME`: the datasets of `keras.datasets`, without Keras and without touching its cache.

Keras's `get_file` deletes a cached file whose hash it does not know, even offline. So its cache
is only read here; what is not there is downloaded to our own cache folder.
"""

import gzip
import io
import os
import pickle
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.sources.base import RawData, Request, Source
from tuner.data.sources.cache import cache_folder, download
from tuner.data.sources.npz import Npz
from tuner.errors import DataError, unknown
from tuner.files import expanded
from tuner.text import path_text, said, size_text

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"
#: SHA-256 of what is downloaded, as keras.datasets has them; Keras gives none for Fashion-MNIST.
_SHA256 = {
    "mnist.npz": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "california_housing.npz": "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    "boston_housing.npz": "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    "cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "cifar-100-python.tar.gz": "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
}
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip
_CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
#: The largest part of an archive, CIFAR-100's, has 148 MB.
_MOST = 256 << 20
#: All that the pickles of CIFAR's batches may ask for.
_IN_BATCHES = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


def keras_folder() -> Path:
    """Where Keras keeps its datasets: `$KERAS_HOME/datasets`, else `~/.keras/datasets`."""
    home = os.environ.get("KERAS_HOME")
    return (expanded(home) if home else Path.home() / ".keras") / "datasets"


def _file(source: str, cached: str, url: str) -> Path:
    """Keras's own copy if there is one, else ours, else ours after a download."""
    theirs = keras_folder() / cached
    if theirs.is_file():
        return theirs
    name = url.rsplit("/", 1)[1]
    ours = cache_folder() / "keras" / source.removeprefix("keras:") / name
    if ours.is_file():
        return ours
    return download(url, ours, source=source, sha256=_SHA256.get(name))


def _npz(name: str) -> RawData:
    file = _file(f"keras:{name}", f"{name}.npz", f"{_GOOGLE}{name}.npz")
    return Npz().read(str(file), Request())


def _fashion_mnist() -> RawData:
    def part(name: str, header: int) -> NDArray[np.uint8]:
        file = _file("keras:fashion_mnist", f"fashion-mnist/{name}", _GOOGLE + name)
        with _reading(file), gzip.open(file) as stream:
            return np.frombuffer(_whole(stream), np.uint8, offset=header)

    y, y_test = part("train-labels-idx1-ubyte.gz", 8), part("t10k-labels-idx1-ubyte.gz", 8)
    x = part("train-images-idx3-ubyte.gz", 16).reshape(len(y), 28, 28)
    x_test = part("t10k-images-idx3-ubyte.gz", 16).reshape(len(y_test), 28, 28)
    return RawData(x, y, x_test, y_test, class_names=_FASHION, task="multiclass")


def _cifar(name: str, folder: str, train: tuple[str, ...], test: str, key: bytes) -> RawData:
    """Batches from Keras's unpacked folder (either of its layouts), else from our archive."""
    parts = (*train, test)
    places = [keras_folder() / f"{folder}-target" / folder, keras_folder() / folder]
    place = next((p for p in places if all((p / f).is_file() for f in parts)), None)
    if place is not None:
        contents = {part: (place / part).read_bytes() for part in parts}
    else:
        archive = f"{folder.replace('-batches-py', '-python')}.tar.gz"
        file = _file(f"keras:{name}", archive, _TORONTO + archive)
        with _reading(file), tarfile.open(file) as tar:
            contents = {p: _whole(tar.extractfile(f"{folder}/{p}")) for p in parts}

    def images(*parts: str) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        planes, labels = [], []
        for part in parts:
            with _reading(f"{folder}/{part}"):
                batch = _ArraysOnly(io.BytesIO(contents[part]), encoding="bytes").load()
                planes.append(batch[b"data"])
                labels.append(batch[key])
        # Stored plane by plane (red, green, blue); channels last as everywhere else.
        x = np.concatenate(planes).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return x, np.concatenate(labels)

    (x, y), (x_test, y_test) = images(*train), images(test)
    names = _CIFAR10 if name == "cifar10" else None
    return RawData(x, y, x_test, y_test, class_names=names, task="multiclass")


class _ArraysOnly(pickle.Unpickler):
    """Builds NumPy arrays and plain containers, and runs no code that a file names."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _IN_BATCHES:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def _housing(name: str) -> RawData:
    """Rows shuffled and split exactly as Keras does: the last fifth of a permutation by
    `numpy.random.RandomState(113)` are the test rows."""
    raw = _npz(name)
    assert raw.y is not None
    order = np.random.RandomState(113).permutation(len(raw.x))
    split = int(len(order) * 0.8)
    search, test = order[:split], order[split:]
    return RawData(raw.x[search], raw.y[search], raw.x[test], raw.y[test], task="regression")


def _whole(stream: Any) -> bytes:
    """What an archive holds, if it can be one of these datasets."""
    data: bytes = stream.read(_MOST + 1)
    if len(data) > _MOST:
        raise ValueError(f"it unpacks to more than {size_text(_MOST)}")
    return data


@contextmanager
def _reading(file: object) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a broken archive or pickle raises nearly anything
        raise DataError(
            f"{path_text(file)} cannot be read: {said(error)}. Remove it so that it is fetched anew"
        ) from error


_BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))

READERS: dict[str, Callable[[], RawData]] = {
    "mnist": lambda: _npz("mnist"),
    "fashion_mnist": _fashion_mnist,
    "cifar10": lambda: _cifar("cifar10", "cifar-10-batches-py", _BATCHES, "test_batch", b"labels"),
    "cifar100": lambda: _cifar("cifar100", "cifar-100-python", ("train",), "test", b"fine_labels"),
    "california_housing": lambda: _housing("california_housing"),
    "boston_housing": lambda: _housing("boston_housing"),
}


class KerasDatasets(Source):
    """The rows of `keras.datasets`, in Keras's order, with its test rows: `mnist`,
    `fashion_mnist`, `cifar10`, `cifar100`, `california_housing`, `boston_housing`."""

    name = "keras"
    names = tuple(READERS)
    what = "mnist, fashion_mnist, cifar10, ..."
    downloads = True

    def read(self, name: str, request: Request) -> RawData:
        """The rows of `keras.datasets.NAME.load_data()`, test rows included.

        Raises:
            DataError: an unknown name, a broken file, or no file and no network.
        """
        if name in ("imdb", "reuters"):
            raise DataError(
                f"keras:{name} is a list of texts of unequal length, which an MLP cannot take. "
                f"Available: {', '.join(READERS)}"
            )
        if name not in READERS:
            raise DataError(unknown("dataset of Keras", name, READERS))
        return READERS[name]()
