"""The batches of CIFAR are pickles; only NumPy arrays and plain containers are built from them."""

from __future__ import annotations

import io
import pickle
from typing import Any

from tuner.errors import DataError

_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def load_batch(content: bytes, name: str) -> dict[str, Any]:
    """One CIFAR batch: `data` (rows, 3072) uint8 and lists of labels.

    Raises:
        DataError: a broken file, or one that would run code when read.
    """
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        return {key.decode() if isinstance(key, bytes) else key: v for key, v in batch.items()}
    except Exception as error:  # a broken pickle raises nearly anything
        raise DataError(
            f"{name} must be a batch of CIFAR images; it cannot be read: {error}. Remove the file "
            f"so that it is fetched anew"
        ) from error
