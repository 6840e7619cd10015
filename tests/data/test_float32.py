"""Values whose scaling float32 cannot hold are refused by their column; all others carry on."""

import numpy as np
import pytest

from tuner.data.dataset import Dataset
from tuner.data.features import encode_features
from tuner.data.scaling import fit_scaling, fit_target_scaling
from tuner.data.sources import RawData
from tuner.data.targets import encode_targets
from tuner.errors import DataError
from tuner.sklearn import KerasMLPRegressor

SIGNS = np.tile([1.0, -1.0], 50)


def raw(column: np.ndarray, y: np.ndarray = SIGNS) -> RawData:
    x = np.stack([np.arange(100.0), column], axis=1)
    return RawData(x=x, y=y, feature_names=("plain", "odd"))


@pytest.mark.parametrize("size", [3.3e38, 1e39, 1e300, 8e37, 1e-37, 1e-60, 1e-320])
def test_values_that_carry_nothing_are_refused(size) -> None:
    with pytest.raises(DataError, match=r"csv:x breaks it in odd\. Give") as caught:
        encode_features(raw(SIGNS * size), "csv:x")
    assert "+-4e+37" in str(caught.value)
    with pytest.raises(DataError, match=r"targets must stay within \+-4e\+37"):
        encode_targets(raw(SIGNS, y=SIGNS * size), "csv:x", "regression")
    with pytest.raises(ValueError, match="targets must stay within"):
        KerasMLPRegressor(epochs=1).fit(np.eye(100), SIGNS * size)


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        *((size, "standard") for size in (3.9e37, 1e30, 1.0, 1e-30, 1e-35)),
        # scikit-learn's MinMaxScaler takes ranges below 2e-15 for constant.
        *((size, "minmax") for size in (3.9e37, 1e30, 1.0)),
    ],
)
def test_values_at_the_ends_carry_what_they_should(size, kind) -> None:
    x = encode_features(raw(SIGNS * size), "csv:x").x
    y = encode_targets(raw(SIGNS, y=SIGNS * size), "csv:x", "regression").y
    dataset = Dataset(uri="x", x=x, y=y, task="regression", hash="")
    scaling = fit_scaling(dataset, np.arange(100), kind)
    assert scaling is not None
    tiny = np.finfo(np.float32).tiny
    assert (np.abs(scaling.scale) >= tiny).all()
    scaled = x * scaling.scale + scaling.shift
    expected = SIGNS if kind == "standard" else (SIGNS + 1) / 2
    np.testing.assert_allclose(scaled[:, 1], expected, atol=1e-5)
    mean, std = fit_target_scaling(dataset, np.arange(100))
    np.testing.assert_allclose((y - mean) / std, SIGNS[:, None], atol=1e-5)


def test_zeros_and_single_small_values_are_no_small_column() -> None:
    mixed = np.where(SIGNS > 0, 1e-44, 1.0)
    assert encode_features(raw(np.zeros(100)), "csv:x").x[:, 1].max() == 0
    assert encode_features(raw(mixed), "csv:x").x[:, 1].max() == 1
