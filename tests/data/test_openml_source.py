"""openml: from files in the cache, in the layout that scikit-learn writes."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from sklearn import datasets

from tuner.data import fit_scaling, load_dataset
from tuner.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def no_network(*_: object, **__: object) -> None:
        raise URLError("no network in tests")

    monkeypatch.setenv("TUNER_CACHE", str(tmp_path))
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", no_network)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda seconds: None)
    return tmp_path


def put(cache: Path, number: int, columns: dict[str, str], target: str, rows: list[str]) -> None:
    """A dataset in the layout in which scikit-learn caches what openml.org sends."""
    arff = "\n".join(
        ["@relation own", *(f"@attribute {n} {t}" for n, t in columns.items()), "@data", *rows]
    )
    features = [
        {
            "index": str(i), "name": name, "is_target": str(name == target).lower(),
            "data_type": "nominal" if kind.startswith("{") else "numeric",
            "nominal_value": kind.strip("{}").split(","), "is_ignore": "false",
            "is_row_identifier": "false", "number_of_missing_values": "0",
        }
        for i, (name, kind) in enumerate(columns.items())
    ]  # fmt: skip
    description = {
        "id": str(number), "name": "own", "version": "1", "description": "", "format": "ARFF",
        "status": "active", "file_id": str(number), "default_target_attribute": target,
        "url": f"https://www.openml.org/data/v1/download/{number}/own.arff",
        "md5_checksum": hashlib.md5(arff.encode()).hexdigest(),
    }  # fmt: skip
    home = cache / "openml" / "openml.org"
    for path, content in {
        f"api/v1/json/data/{number}": json.dumps({"data_set_description": description}),
        f"api/v1/json/data/features/{number}": json.dumps({"data_features": {"feature": features}}),
        f"api/v1/json/data/qualities/{number}": json.dumps({"data_qualities": {"quality": []}}),
        f"data/v1/download/{number}/own.arff": arff,
    }.items():
        file = home / f"{path}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content.encode()))


def test_iris_from_the_cache_is_scikit_learns_iris(cache: Path) -> None:
    iris = datasets.load_iris()
    names = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
    columns = dict.fromkeys(("sepallength", "sepalwidth", "petallength", "petalwidth"), "REAL")
    rows = [
        ",".join([*(repr(float(v)) for v in x), names[y]])
        for x, y in zip(iris.data, iris.target, strict=True)
    ]
    put(cache, 61, {**columns, "class": "{" + ",".join(names) + "}"}, "class", rows)
    own = load_dataset("openml:61")
    fitted = fit_scaling(own, np.arange(own.rows), "none")
    assert fitted is not None
    np.testing.assert_allclose(own.x * fitted.scale + fitted.shift, iris.data, rtol=1e-6)
    np.testing.assert_array_equal(own.y, iris.target)
    assert own.classes == tuple(names)
    assert own.target_names == ("class",)


def test_another_target_and_a_group(cache: Path) -> None:
    rows = [f"{i},{i * 0.5},{'ab'[i % 2]}" for i in range(10)]
    put(cache, 7, {"size": "REAL", "half": "REAL", "kind": "{a,b}"}, "kind", rows)
    own = load_dataset("openml:7", target="half", group="kind")
    assert (own.feature_names, own.task) == (("size",), "regression")
    assert own.groups is not None
    np.testing.assert_array_equal(own.groups, [0, 1] * 5)


def test_nominal_columns_are_categories(cache: Path) -> None:
    rows = [f"{'uv'[i % 2]},{i},{'ab'[i % 2]}" for i in range(10)]
    put(cache, 8, {"colour": "{u,v}", "size": "REAL", "kind": "{a,b}"}, "kind", rows)
    own = load_dataset("openml:8")
    assert own.encoding is not None
    assert own.encoding.outputs == ("colour=u", "colour=v", "size")


@pytest.mark.filterwarnings("error")
def test_a_changed_file_is_fetched_anew(cache: Path) -> None:
    put(cache, 9, {"size": "REAL", "kind": "{a,b}"}, "kind", ["1,a", "2,b", "3,a", "4,b"])
    file = cache / "openml" / "openml.org" / "data" / "v1" / "download" / "9" / "own.arff.gz"
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + b"\n5,a"))
    with pytest.raises(DataError, match="could not be fetched"):
        load_dataset("openml:9")
    assert not file.exists()


@pytest.mark.filterwarnings("error")
def test_offline_the_message_says_where_the_file_goes_and_what_works(cache: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset("openml:554")
    assert str(cache / "openml" / "openml.org") in str(caught.value)
    assert "sklearn:digits" in str(caught.value)


@pytest.mark.parametrize("number", ["iris", "", "-3", "0", "6.1", "٣"])
def test_only_numbers_name_a_dataset(number: str) -> None:
    with pytest.raises(DataError, match="needs the number of a dataset"):
        load_dataset(f"openml:{number}")
