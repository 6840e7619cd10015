"""A name for what a dataset holds, the same on every platform and in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGITS = 16


def content_hash(arrays: Mapping[str, NDArray[Any] | None], facts: Mapping[str, Any]) -> str:
    """The first 16 hexadecimal digits of a SHA-256.

    It runs over the facts (as JSON with sorted keys) and, in the order of their names, over each
    array's name, dtype, shape and bytes (little-endian, C order). An absent array differs from
    an empty one.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        if array is None:
            continue
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"|{name} {array.dtype.str} {array.shape}|".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:DIGITS]
