"""What people name instead of a file: refused at once, by every reader."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuner.data import load_dataset
from tuner.data.sources import unpacked
from tuner.errors import DataError, StorageError, UsageError
from tuner.files import expanded, too_large, unmakable, unreadable
from tuner.spaces import load_space
from tuner.storage.urls import storage_at
from tuner.study.library import load_definition

LONG = "n" * 300


def pipe(place: Path) -> None:
    os.mkfifo(place)


def folder(place: Path) -> None:
    place.mkdir()


def device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def listening(place: Path) -> None:
    os.chdir(place.parent)  # a socket's path is short
    socket.socket(socket.AF_UNIX).bind(place.name)


def sparse(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(2**40)


def through(place: Path) -> None:
    place.symlink_to(place.name)  # round and round


MAKERS = (pipe, folder, device, listening, sparse, through)
SAID = {
    pipe: "is a pipe",
    folder: "is a folder",
    device: "is a device",
    listening: "is a socket",
    sparse: r"has 1024 GB, more than the .* (memory holds|it may have)",
    through: "cannot be reached",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("scheme", ["csv", "npz", "parquet"])
def test_data(tmp_path: Path, make, scheme: str) -> None:
    make(tmp_path / f"own.{scheme}")
    with pytest.raises(DataError, match=SAID[make]):
        load_dataset(f"{scheme}:own.{scheme}")


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("load", [load_space, load_definition])
def test_spaces_and_studies(tmp_path: Path, make, load) -> None:
    make(tmp_path / "own.yaml")
    with pytest.raises(UsageError, match=SAID[make]):
        load("own.yaml")


@pytest.mark.parametrize("make", [pipe, folder, device, listening], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", ["own.db", "own.log"])
@pytest.mark.parametrize("create", [True, False])
def test_storages(tmp_path: Path, make, name: str, create: bool) -> None:
    make(tmp_path / name)
    with pytest.raises(StorageError, match="a storage must be a file"):
        storage_at(name).open(create=create)
    with (
        pytest.raises(StorageError, match="a storage must be a file"),
        storage_at(name).open_read_only(),
    ):
        pass


def test_what_lies_in_the_cache_of_openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path))
    cached = tmp_path / "openml/openml.org/api/v1/json/data"
    cached.mkdir(parents=True)
    pipe(cached / "61.gz")
    with pytest.raises(DataError, match=r"61\.gz is a pipe"):
        load_dataset("openml:61")


@pytest.mark.parametrize(
    "uri",
    [
        "csv:~nobody-of-this-name/x", "npz:~nobody-of-this-name/x", f"csv:{LONG}",
        f"parquet:{LONG}/x.parquet", "csv:a\0b", "csv:\udcff.csv", f"csv:{'d/' * 3000}x",
    ],
)  # fmt: skip
def test_paths_that_nobody_has(uri: str) -> None:
    with pytest.raises(DataError) as refused:
        load_dataset(uri)
    text = str(refused.value)
    assert text.isprintable()
    assert len(text) < 900


@pytest.mark.parametrize("name", [LONG, f"{LONG}.yaml", f"{LONG}/x.yaml"])
@pytest.mark.parametrize("load", [load_space, load_definition])
def test_long_names_of_spaces(name: str, load) -> None:
    with pytest.raises(UsageError):
        load(name)


@pytest.mark.parametrize("name", [f"{LONG}.db", f"{LONG}.log", f"{LONG}/x.db", f"sqlite:///{LONG}"])
@pytest.mark.parametrize("create", [True, False])
def test_long_names_of_storages(name: str, create: bool) -> None:
    with pytest.raises(StorageError):
        storage_at(name).open(create=create)


def test_a_home_that_nobody_has_is_a_path() -> None:
    assert expanded("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert expanded("~/x") == Path.home() / "x"


def test_sizes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 2048)
    assert unreadable(file) is None
    assert unreadable(file, 1024) == "has 2 KB, more than the 1 KB that it may have"
    assert too_large(2**50, None) is not None
    assert unreadable(tmp_path / "b") == "does not exist"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch(mode=0)
    assert "Permission denied" in (unreadable(file) or "")


def test_folders_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert unmakable(tmp_path / "a/b/c") is None
    assert unmakable(tmp_path) is None
    assert "which is no folder" in (unmakable(tmp_path / "file/a") or "")
    assert "which is no folder" in (unmakable(tmp_path / "file") or "")
    for place in (tmp_path / LONG, tmp_path / "new" / LONG, tmp_path / ("d/" * 3000)):
        assert unmakable(place) is not None
    assert unmakable(Path("a\0b")) is not None
    assert not (tmp_path / "a").exists()


# What unpacks to more than memory.

FEW = 1 << 20


@contextmanager
def small_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in ("tuner.files", "tuner.data.sources.unpacked"):
        monkeypatch.setattr(f"{module}.available_memory", lambda: FEW)
    yield


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_a_packed_table_that_is_larger_than_memory(tmp_path, monkeypatch, ending, pack) -> None:
    file = tmp_path / f"own.csv.{ending}"
    table = b"a,label\n" + b"".join(b"%d.5,%d\n" % (i, i % 2) for i in range(40))
    file.write_bytes(pack(table))
    with small_machine(monkeypatch):
        assert load_dataset(f"csv:{file}").rows == 40
        file.write_bytes(pack(b"a,label\n" + b"0,0\n" * FEW))
        with pytest.raises(DataError, match="unpacks to more than 1 MB"):
            load_dataset(f"csv:{file}")
        file.write_bytes(pack(b"0" * 4 * FEW))  # one line without an end
        with pytest.raises(DataError, match="unpacks to more than 1 MB"):
            load_dataset(f"csv:{file}")


def test_a_bomb_is_told_by_its_ratio(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(unpacked, "_LARGE", FEW)
    file = tmp_path / "own.csv.gz"
    file.write_bytes(gzip.compress(b"a,label\n" + b"0,0\n" * (FEW // 2)))
    with pytest.raises(DataError, match="unpack it first"):
        load_dataset(f"csv:{file}")


def test_a_zip_of_a_table(tmp_path, monkeypatch) -> None:
    file = tmp_path / "own.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("own.csv", "a,label\n" + "1,x\n2,y\n3,x\n4,y\n")
    assert load_dataset(f"csv:{file}").rows == 4
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("own.csv", "a,label\n" + "1,x\n" * FEW)
    with small_machine(monkeypatch), pytest.raises(DataError, match="unpacks to more"):
        load_dataset(f"csv:{file}")
    for names in ([], ["a.csv", "b.csv"]):
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, "a,label\n1,x\n")
        with pytest.raises(DataError, match="holds one file"):
            load_dataset(f"csv:{file}")


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip", "zst", "tar", "tar.gz"])
@pytest.mark.parametrize("content", [b"", b"a,label\n1,x\n", bytes(range(256)) * 9])
def test_what_is_not_packed_as_its_name_says(tmp_path, ending, content) -> None:
    file = tmp_path / f"own.csv.{ending}"
    file.write_bytes(content)
    with pytest.raises(DataError):
        load_dataset(f"csv:{file}")


@pytest.mark.parametrize("ending", ["gz", "xz", "bz2"])
def test_a_packed_table_that_is_cut_or_damaged(tmp_path, ending) -> None:
    packs: dict[str, Any] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    rng = np.random.default_rng(0)
    text = "a,label\n" + "".join(f"{v},{i % 2}\n" for i, v in enumerate(rng.normal(size=4000)))
    whole = packs[ending](text.encode())
    file = tmp_path / f"own.csv.{ending}"
    half = len(whole) // 2
    for content in (whole[:half], whole[:half] + b"\xff" * 40 + whole[half + 40 :]):
        file.write_bytes(content)
        with pytest.raises(DataError):
            load_dataset(f"csv:{file}")


def header(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def test_an_archive_of_arrays_that_is_larger_than_memory(tmp_path, monkeypatch) -> None:
    file = tmp_path / "own.npz"
    np.savez_compressed(file, X=np.zeros((FEW // 4, 2)), y=np.arange(FEW // 4) % 2)
    assert file.stat().st_size < FEW // 10
    with small_machine(monkeypatch), pytest.raises(DataError, match="once unpacked"):
        load_dataset(f"npz:{file}")


@pytest.mark.parametrize("shape", [(10**12, 1), (2**62, 4), (10**6, 10**6)])
def test_an_array_that_promises_8_tb(tmp_path, shape) -> None:
    file = tmp_path / "own.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("X.npy", header(shape) + bytes(64))
        archive.writestr("y.npy", header((4,)) + bytes(32))
    with pytest.raises(DataError, match=r"X\.npy promises .* GB and holds"):
        load_dataset(f"npz:{file}")
    (tmp_path / "own.npy").write_bytes(header(shape) + bytes(64))
    with pytest.raises(DataError, match="single array"):
        load_dataset(f"npz:{tmp_path / 'own.npy'}")


def test_a_parquet_table_of_more_rows_than_memory_holds(tmp_path, monkeypatch) -> None:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    file = tmp_path / "own.parquet"
    zeros = pa.array(np.zeros(FEW))
    write_table(pa.table({"a": zeros, "label": zeros}), file, compression="zstd")
    assert file.stat().st_size < FEW // 10
    with small_machine(monkeypatch), pytest.raises(DataError, match="once unpacked"):
        load_dataset(f"parquet:{file}")


def test_checkpoints(tmp_path, monkeypatch) -> None:
    from tuner.search.checkpoints.store import AtomicFileStore
    from tuner.training.state import SavedStateError, read_notes

    store = AtomicFileStore(tmp_path)
    pipe(tmp_path / "checkpoint")
    with pytest.raises(OSError, match="is a pipe"):
        store.open_reader("checkpoint")
    file = tmp_path / "bomb.npz"
    np.savez_compressed(file, header=np.zeros(FEW, np.uint8), big=np.zeros(FEW))
    with (
        small_machine(monkeypatch),
        file.open("rb") as opened,
        pytest.raises(SavedStateError, match="once unpacked"),
    ):
        read_notes(opened)
