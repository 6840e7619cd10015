"""Features as the networks take them: flat rows of bytes (images) or float32."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.float32 import RULE, unheld_columns
from tuner.data.sources import RawData
from tuner.errors import DataError
from tuner.text import listed

Features = NDArray[np.float32] | NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class EncodedFeatures:
    """`x` and `x_test` `(rows, features)`, uint8 or float32; `byte_scale` as in `Dataset`;
    `image_shape` the shape of one row before it was flattened, None for tables."""

    x: Features
    x_test: Features | None
    byte_scale: float
    image_shape: tuple[int, ...] | None


def encode_features(raw: RawData, source: str) -> EncodedFeatures:
    """Flatten images, keep bytes as bytes, make everything else float32.

    - Three or more axes are images `(rows, height, width[, channels])`. Whole numbers 0 to 255
      in any dtype become uint8, and `byte_scale` brings them to 0..1: 1/255, or 1/16 if no
      value of `x` is above 16 (the grey levels of `sklearn:digits`), or 1 if none is above 1.
      Other images stay numbers as they are, in float32.
    - Rows of a table are what its columns' encoding made of them.
    - Two other axes are numbers: uint8 stays uint8 with `byte_scale` 1 (nothing says that a column
      of small numbers is a picture), everything else becomes float32.

    Raises:
        DataError: no rows, no columns, another number of axes, no numbers, NaN or infinity
            (also values whose scaling float32 cannot hold), test rows of another kind or shape.
    """
    x, x_test, names = raw.x, raw.x_test, raw.feature_names
    if raw.encoding is not None:
        return EncodedFeatures(x, x_test, 1.0, None)
    if x.ndim < 2:
        raise DataError(
            f"features must have the shape (rows, columns) or (rows, height, width); those of "
            f"{source} have the shape {x.shape}"
        )
    if 0 in x.shape:
        raise DataError(f"features need rows and columns; those of {source} have {x.shape}")
    if x_test is not None and x_test.shape[1:] != x.shape[1:]:
        raise DataError(
            f"test rows must have the shape of the search rows, {x.shape[1:]}; those of {source} "
            f"have {x_test.shape[1:]}"
        )
    if x_test is not None and not len(x_test):
        raise DataError(f"test rows may be absent, not empty; those of {source} have no row")
    image = x.ndim > 2
    parts = [_plain(part, source, names) for part in (x, x_test) if part is not None]
    if image and _holds_bytes(parts[0]):
        if not all(_holds_bytes(part) for part in parts):
            raise DataError(
                f"test rows must hold whole numbers 0 to 255 as the search rows do; those of "
                f"{source} do not"
            )
        parts = [part.astype(np.uint8, copy=False) for part in parts]
        highest = int(parts[0].max())
        byte_scale = 1.0 if highest <= 1 else 1 / 16 if highest <= 16 else 1 / 255
    else:
        bytes_kept = not image and all(part.dtype == np.uint8 for part in parts)
        parts = parts if bytes_kept else [_float32(part, source, names) for part in parts]
        byte_scale = 1.0
    flat = [np.ascontiguousarray(part.reshape(len(part), -1)) for part in parts]
    return EncodedFeatures(
        flat[0], flat[1] if len(flat) == 2 else None, byte_scale, x.shape[1:] if image else None
    )


def _plain(x: NDArray[Any], source: str, names: tuple[str, ...] | None) -> NDArray[Any]:
    """`x` with a numeric dtype and finite values."""
    if x.dtype == object:  # what pandas makes of columns of mixed numeric types
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"features must be numbers; those of {source} are not") from error
    if x.dtype == bool:
        return x.astype(np.uint8)
    if x.dtype.kind not in "iuf":
        raise DataError(f"features must be real numbers; those of {source} have the type {x.dtype}")
    if np.issubdtype(x.dtype, np.floating):
        _refuse_unfinite(x, source, names, "no value may be NaN or infinite")
    return x


def _float32(x: NDArray[Any], source: str, names: tuple[str, ...] | None) -> NDArray[np.float32]:
    columns = unheld_columns(x)
    if len(columns):
        places = [names[i] if names else f"column {i}" for i in columns]
        raise DataError(
            f"values {RULE} their scaling; {source} breaks it in {listed(places, 8)}. Give them in "
            "another unit, or leave those columns out"
        )
    return x.astype(np.float32, copy=False)


def _refuse_unfinite(
    x: NDArray[Any], source: str, names: tuple[str, ...] | None, rule: str
) -> None:
    if np.isfinite(x).all():
        return
    bad = ~np.isfinite(x.reshape(len(x), -1))
    columns = np.flatnonzero(bad.any(axis=0))
    places = [f"{names[i] if names else f'column {i}'} {bad[:, i].sum()}" for i in columns]
    raise DataError(
        f"{rule}; {source} breaks it in {listed(places, 8)} (of {len(x)} rows). Fill them in or "
        f"leave those rows or columns out"
    )


def _holds_bytes(x: NDArray[Any]) -> bool:
    """Whole numbers from 0 to 255, in any dtype."""
    return x.dtype == np.uint8 or bool(
        x.min() >= 0 and x.max() <= 255 and (x == x.astype(np.uint8)).all()
    )
