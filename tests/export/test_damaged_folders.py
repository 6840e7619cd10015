"""Exported folders that somebody has damaged, or made up: which file, and what is wrong with it."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuner.data import load_dataset
from tuner.data.sources import Reading
from tuner.errors import UsageError
from tuner.export import load_export, write_export
from tuner.export.folder import check_target
from tuner.export.refit import Refit
from tuner.export.scores import predict
from tuner.planning import plan_training

DATA = {"classes": "sklearn:wine", "values": "sklearn:diabetes"}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An untrained network for classes and one for values, with the scaling of each."""
    from tuner.data import fit_scaling, fit_target_scaling

    made = {}
    for name, uri in DATA.items():
        data = load_dataset(uri)
        params: dict[str, Any] = {"model.units": "4", "optimizer.learning_rate": 0.1, "epochs": 1}
        plan = plan_training(params, features=data.features, outputs=data.outputs, task=data.task)
        shapes = [(data.features, 4), (4,), (4, data.outputs), (data.outputs,)]
        refit = Refit(
            reading=Reading(),
            trial=0,
            params=params,
            plan=plan,
            seed=0,
            dataset=data,
            scaling=fit_scaling(data, np.arange(data.rows), "standard"),
            target_scaling=fit_target_scaling(data, np.arange(data.rows))
            if data.task == "regression"
            else None,
            weights=[np.full(shape, 0.1, np.float32) for shape in shapes],
            fold_scores={"loss": [1.0]},
        )
        made[name] = tmp_path_factory.mktemp(name) / "out"
        write_export(refit, made[name], study="s", metrics=())
    return made


def use(folder: Path) -> None:
    """What `tuner predict` does with a folder."""
    model = load_export(folder)
    predict(model.keras_model, np.zeros((2, model.preprocessing.features), np.float32))


def test_a_whole_one(exports) -> None:
    for folder in exports.values():
        use(folder)


def edited(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        data = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(change(data)))

    return edit


def given(name: str, **values: Any) -> Callable[[Path], None]:
    return edited(name, lambda data: data | values)


def without(name: str, key: str) -> Callable[[Path], None]:
    return edited(name, lambda data: {own: data[own] for own in data if own != key})


def content(name: str, data: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return write


def replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return put


def sparse(file: Path) -> None:
    file.touch()
    os.truncate(file, 2**43)


def cut(name: str, share: float) -> Callable[[Path], None]:
    def shorten(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: int(share * len(whole))])

    return shorten


def inside(part: str, change: Callable[[bytes], bytes | None]) -> Callable[[Path], None]:
    """`model.keras` with another `part` in it (None: without it)."""

    def rewrite(folder: Path) -> None:
        file = folder / "model.keras"
        with zipfile.ZipFile(file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in parts.items():
                new = change(data) if name == part else data
                if new is not None:
                    archive.writestr(name, new)

    return rewrite


def layer(**config: Any) -> Callable[[Path], None]:
    def change(data: bytes) -> bytes:
        whole = json.loads(data)
        whole["config"]["layers"].append(config)
        return json.dumps(whole).encode()

    return inside("config.json", change)


S, P, C, M = "settings.json", "preprocessing.json", "classes.json", "model.keras"
BAD_JSON = [b"", b"{", b"torn \xff", b"[" * 100_000, b"null", b"[]", b"7", b'"text"']
CASES = [
    *((f"{name} {data[:8]!r}", name, content(name, data)) for name in (S, P) for data in BAD_JSON),
    *((f"{C} {data[:8]!r}", C, content(C, data)) for data in BAD_JSON if data != b"[]"),
    *((f"{S} without {key}", S, without(S, key)) for key in ("version", "data")),
    ("no scores", S, without(S, "cross_validation")),
    *(
        (f"{P} without {key}", P, without(P, key))
        for key in ("features", "outputs", "byte_scale", "shift", "scale", "image_shape")
    ),
    ("no version", S, given(S, version="new")),
    ("data of text", S, given(S, data="sklearn:wine")),
    ("data without a task", S, given(S, data={"uri": "x", "target_names": None})),
    ("unknown task", S, given(S, data={"uri": "x", "task": "ranking", "target_names": None})),
    ("scores are a list", S, given(S, cross_validation=[1])),
    ("features of text", P, given(P, features="many")),
    ("no features", P, given(P, features=0)),
    ("fewer features", P, given(P, features=12)),
    ("other features and no scaling", M, given(P, features=12, shift=None, scale=None,
                                               feature_names=None)),
    ("other outputs", C, given(P, outputs=2)),
    ("byte_scale 0", P, given(P, byte_scale=0)),
    ("byte_scale NaN", P, given(P, byte_scale=float("nan"))),
    ("shift NaN", P, given(P, shift=[float("nan")] * 13)),
    ("scale infinite", P, given(P, scale=[float("inf")] * 13)),
    ("shift short", P, given(P, shift=[0.0])),
    ("scale of text", P, given(P, scale="none")),
    ("names short", P, given(P, feature_names=["a"])),
    ("names of numbers", P, given(P, feature_names=list(range(13)))),
    ("image of another size", P, given(P, image_shape=[4, 4])),
    ("classes: too few", C, content(C, b'["a", "b"]')),
    ("classes: too many", C, content(C, b'["a", "b", "c", "d"]')),
    ("classes: none", C, content(C, b"[]")),
    ("classes: lists", C, content(C, b'[["a"], ["b"], ["c"]]')),
    ("classes: null", C, content(C, b"[null, null, null]")),
    ("classes: a mapping", C, content(C, b'{"a": 1, "b": 2, "c": 3}')),
    *((f"{name} gone", name, replaced(name, lambda file: None)) for name in (P, C, M)),
    *((f"{name} a folder", name, replaced(name, Path.mkdir)) for name in (S, P, C, M)),
    *((f"{name} a pipe", name, replaced(name, os.mkfifo)) for name in (S, P, C, M)),
    *((f"{name} too large", name, replaced(name, sparse)) for name in (S, P, C, M)),
    *((f"{M} cut at {share}", M, cut(M, share)) for share in (0, 0.1, 0.5, 0.9, 0.99)),
    ("text", M, content(M, b"no model")),
    ("without a configuration", M, inside("config.json", lambda data: None)),
    ("without weights", M, inside("model.weights.h5", lambda data: None)),
    ("configuration torn", M, inside("config.json", lambda data: data[:50])),
    ("configuration null", M, inside("config.json", lambda data: b"null")),
    ("configuration nested", M, inside("config.json", lambda data: b"[" * 100_000)),
    ("weights torn", M, inside("model.weights.h5", lambda data: data[: len(data) // 2])),
    ("weights empty", M, inside("model.weights.h5", lambda data: b"")),
    ("weights of text", M, inside("model.weights.h5", lambda data: b"h5" * 500)),
    ("weights of others", M, inside("config.json", lambda d: d.replace(
        b'"units": 4', b'"units": 5'))),
    ("weights NaN", M, inside("model.weights.h5", lambda d: d.replace(
        np.float32(0.1).tobytes(), np.float32("nan").tobytes()))),
    ("a functional network", M, inside("config.json", lambda d: d.replace(
        b'"class_name": "Sequential"', b'"class_name": "Functional"', 1))),
    ("a Lambda", M, layer(module="keras.layers", class_name="Lambda", config={"function": {}})),
    ("a layer of TensorFlow", M, layer(module="keras.layers", class_name="TFSMLayer", config={})),
    ("a class of another package", M, layer(module="os", class_name="system", config={})),
    ("a function", M, layer(module="builtins", class_name="function", config="eval")),
    ("a class of nobody", M, layer(class_name="Own", config={})),
]  # fmt: skip


@pytest.mark.parametrize(("name", "damage"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_a_damaged_folder_of_classes(exports, tmp_path, name, damage) -> None:
    folder = tmp_path / "out"
    shutil.copytree(exports["classes"], folder)
    damage(folder)
    with pytest.raises(UsageError, match=name.replace(".", r"\.")) as refused:
        use(folder)
    text = str(refused.value)
    assert str(folder) in text
    assert len(text) < 1000
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (P, given(P, target_scaling={"mean": [0.0, 1.0], "std": [1.0, 1.0]})),
        (P, given(P, target_scaling={"mean": [float("nan")], "std": [1.0]})),
        (P, given(P, target_scaling={"mean": [0.0]})),
        (P, given(P, target_scaling=[0.0, 1.0])),
        (S, edited(S, lambda d: d | {"data": d["data"] | {"target_names": ["a", "b"]}})),
        (S, edited(S, lambda d: d | {"data": d["data"] | {"target_names": "a"}})),
    ],
)
def test_a_damaged_folder_of_values(exports, tmp_path, name, damage) -> None:
    folder = tmp_path / "out"
    shutil.copytree(exports["values"], folder)
    damage(folder)
    with pytest.raises(UsageError, match=name.replace(".", r"\.")):
        use(folder)


def test_a_network_that_runs_code_is_never_run(exports, tmp_path) -> None:
    """A real Lambda layer, saved by Keras itself; also if the process allows them."""
    import keras
    from keras.src.backend.common import global_state

    folder = tmp_path / "out"
    shutil.copytree(exports["classes"], folder)
    touch = f"(lambda x: [x, __import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()][0])"
    network = keras.Sequential([keras.Input((13,)), keras.layers.Lambda(eval(touch))])
    network.save(folder / M)
    (tmp_path / "ran").unlink(missing_ok=True)
    keras.config.enable_unsafe_deserialization()
    try:
        with pytest.raises(UsageError, match=r"keras\.layers\.Lambda'.* it is not loaded"):
            use(folder)
    finally:
        global_state.set_global_attribute("safe_mode_saving", None)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "make", [Path.touch, os.mkfifo, lambda place: place.symlink_to("/dev/zero")]
)
def test_a_folder_that_is_none(tmp_path, make) -> None:
    make(tmp_path / "out")
    for name in ("out", "out/in", "none", "x" * 300):
        with pytest.raises(UsageError, match=r"holds no settings\.json"):
            use(tmp_path / name)


# Where an export may be made.


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "the one that this command runs in"),
        ("../work", "the one that this command runs in"),
        ("..", "holds, the one that this command runs in"),
        ("/", "an export makes a folder of its own"),
        ("/proc", "is a mount point"),
        ("file", "is something else"),
        ("file/out", "which is no folder"),
        ("/dev/full", "is something else"),
        ("link", "is something else"),
        ("n" * 300, "more than 255 bytes"),
        ("new/" + "n" * 300 + "/out", "more than 255 bytes"),
        ("d/" * 3000, "has more than"),
    ],
)
def test_places_that_no_export_can_take(tmp_path, monkeypatch, out, said, force) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "file").touch()
    (work / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=said):
        check_target(Path(out), force=force)
    assert sorted(path.name for path in work.iterdir()) == ["file", "link"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_without_permission(tmp_path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UsageError, match="not writable"):
        check_target(tmp_path / "locked" / "a" / "out", force=False)


def test_places_that_an_export_can_take(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for out in ("out", "a/b/c", "empty", "x" * 250, tmp_path / "whole"):
        check_target(Path(out), force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
